package sqltest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ksqlgo/ksqlgo/grammar"
)

// RunnerTest is a test in the form of ksqlDB's test runner: a file of statements, a file of records that go in, and a file of those
// that must come out.
type RunnerTest struct {
	statements, input, output string
	// The texts of the files; the input's is nil when there is no such file.
	sql, in, out []byte
	opts         Options
	// updated says that the last run wrote the file of outputs.
	updated bool
}

// RunnerFiles names the files of a RunnerTest. Input may be "".
type RunnerFiles struct {
	Statements, Input, Output string
}

// LoadRunner reads the files of a test. An error means that a file cannot be read; what is wrong within them comes out when the test
// is run. With Options.Update there need not be a file of outputs yet.
func LoadRunner(files RunnerFiles, opts Options) (*RunnerTest, error) {
	t := &RunnerTest{statements: files.Statements, input: files.Input, output: files.Output, opts: opts}
	var err error
	if t.sql, err = os.ReadFile(files.Statements); err != nil {
		return nil, err
	}
	if files.Input != "" {
		if t.in, err = os.ReadFile(files.Input); err != nil {
			return nil, err
		}
	}
	if t.out, err = os.ReadFile(files.Output); err != nil && !(opts.Update && os.IsNotExist(err)) {
		return nil, err
	}
	return t, nil
}

// File implements [Case].
func (t *RunnerTest) File() string { return t.statements }

// Line implements [Case].
func (t *RunnerTest) Line() int { return 1 }

// Name implements [Case]: that of the folder.
func (t *RunnerTest) Name() string {
	dir, err := filepath.Abs(filepath.Dir(t.statements))
	if err != nil {
		dir = filepath.Dir(t.statements)
	}
	return filepath.Base(dir)
}

// Updated says whether the last run has written the file of outputs anew.
func (t *RunnerTest) Updated() bool { return t.updated }

// Run implements [Case].
func (t *RunnerTest) Run(ctx context.Context) *Failure {
	return guarded(t, func() *Failure { return t.run(ctx) })
}

func (t *RunnerTest) run(ctx context.Context) *Failure {
	var inputs, outputs []fileRecord
	if t.input != "" {
		var f *Failure
		if inputs, f = readRecords(t.input, string(t.in), "inputs", "input"); f != nil {
			return f
		}
	}
	outputs, f := readRecords(t.output, string(t.out), "outputs", "output")
	if f != nil && !t.opts.Update {
		return f
	}
	w := t.opts.world(false)
	failure := t.feed(ctx, w, inputs)
	if failure == nil && t.opts.Update {
		failure = t.update(w, outputs, t.input == "")
	} else if failure == nil {
		failure = t.compare(w, outputs, t.input == "")
	}
	if err := w.Close(); failure == nil && err != nil {
		return &Failure{File: t.statements, Message: err.Error(), Err: err}
	}
	return failure
}

// feed runs the statements and puts the inputs in.
func (t *RunnerTest) feed(ctx context.Context, w *World, inputs []fileRecord) *Failure {
	s := &script{world: w, file: t.statements, source: string(t.sql), variables: map[string]string{}, options: grammar.Options{OptionalSemicolon: true}}
	if f := s.runAll(ctx); f != nil {
		return f
	}
	produced := make([]Input, len(inputs))
	for i := range inputs {
		in, err := w.Produce(inputs[i].record())
		if err != nil {
			return &Failure{File: t.input, Line: inputs[i].line, Message: fmt.Sprintf("Input %d cannot be written to topic %s: %v", i+1, inputs[i].Topic, err),
				Err: err, Diff: []DiffLine{{' ', inputs[i].text()}}}
		}
		produced[i] = in
	}
	if err := w.FeedContext(ctx, produced); err != nil {
		return &Failure{File: t.statements, Message: err.Error(), Err: err}
	}
	return nil
}

// compare compares the topics that the outputs name.
func (t *RunnerTest) compare(w *World, outputs []fileRecord, insertsOnly bool) *Failure {
	for _, topic := range topicsOf(outputs) {
		var want []*fileRecord
		for i := range outputs {
			if outputs[i].Topic == topic {
				want = append(want, &outputs[i])
			}
		}
		if f := t.compareTopic(w, topic, want, insertsOnly); f != nil {
			return f
		}
	}
	return nil
}

func (t *RunnerTest) compareTopic(w *World, topic string, want []*fileRecord, insertsOnly bool) *Failure {
	got := w.records(topic, 0, w.count(topic))
	compared := make([]error, len(want))
	same := func(i, k int) error {
		r := want[i].record()
		if insertsOnly && r.Timestamp != nil && *r.Timestamp == 0 {
			r.Timestamp = nil // the time of an INSERT: nobody can know it
		}
		return w.compareRecord(topic, &r, &got[k])
	}
	first := -1
	for i := range min(len(want), len(got)) {
		if compared[i] = same(i, i); compared[i] != nil && first < 0 {
			first = i
		}
	}
	if first < 0 && len(want) == len(got) {
		return nil
	}
	shown := make([]fileRecord, len(got))
	for k := range got {
		shown[k] = toFile(w.Show(topic, &got[k]))
	}
	f := &Failure{File: t.output, Diff: diffRecords(want, shown, func(i, k int) bool { return same(i, k) == nil })}
	if len(want) != len(got) {
		f.Line = want[min(max(first, 0), len(want)-1)].line
		if first < 0 && len(got) < len(want) {
			f.Line = want[len(got)].line
		}
		f.Message = fmt.Sprintf("Topic %s. Expected <%d> records but it was <%d>", topic, len(want), len(got))
		return f
	}
	f.Line = want[first].line
	f.Message = fmt.Sprintf("Topic '%s', message %d: Expected %s but was %s\nThey differ in %v",
		topic, first, want[first].ksqlDB(shown[first].Timestamp), shown[first].ksqlDB(nil), compared[first])
	return f
}

// topicsOf lists the topics of records in the order in which they are first named.
func topicsOf(records []fileRecord) []string {
	var out []string
	seen := map[string]bool{}
	for i := range records {
		if topic := records[i].Topic; !seen[topic] {
			seen[topic] = true
			out = append(out, topic)
		}
	}
	return out
}
