package sqltest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
)

// maxScriptDepth is how deep scripts may run scripts.
const maxScriptDepth = 16

// sqlRun is one run of an SQLTest.
type sqlRun struct {
	test  *SQLTest
	world *World
	// cursors count, by topic, the records that assertions have looked at.
	cursors map[string]int
	// class and message are the error that is expected from here on; nil if none is.
	class, message *directive
	depth          int
}

// Run implements [Case].
func (t *SQLTest) Run(ctx context.Context) *Failure {
	return guarded(t, func() *Failure { return t.run(ctx) })
}

func (t *SQLTest) run(ctx context.Context) *Failure {
	if t.flaw != nil {
		f := *t.flaw
		return &f
	}
	r := &sqlRun{test: t, world: t.opts.world(true), cursors: map[string]int{}}
	failure := r.steps(ctx)
	if err := r.world.Close(); failure == nil && err != nil {
		return &Failure{File: t.file, Line: t.line, Message: err.Error(), Err: err}
	}
	return failure
}

func (r *sqlRun) steps(ctx context.Context) *Failure {
	s := r.script(r.test.file, r.test.source, map[string]string{})
	var last step
	for _, st := range r.test.steps {
		switch {
		case st.directive == nil:
			last = st
			if f := s.run(ctx, st.piece); f != nil {
				return r.judge(f)
			}
		case st.directive.kind == directiveError:
			r.class = st.directive
		default:
			r.message = st.directive
		}
	}
	if r.class == nil && r.message == nil {
		return nil
	}
	return &Failure{File: r.test.file, Line: last.piece.Span.Start.Line, Statement: last.piece.Text,
		Message: fmt.Sprintf("Did not get expected exception of type %s with message %s", orAny(r.class), orAny(r.message))}
}

func orAny(d *directive) string {
	if d == nil {
		return "<any>"
	}
	return d.text
}

// judge compares a failure with the one that is expected.
func (r *sqlRun) judge(f *Failure) *Failure {
	if r.class == nil && r.message == nil || errors.Is(f.Err, context.Canceled) || errors.Is(f.Err, context.DeadlineExceeded) {
		return f
	}
	got := strings.TrimRight(f.Message, "\n")
	switch {
	case r.message != nil && !strings.Contains(f.Message, r.message.text) && !strings.Contains(inTheLog(f), r.message.text):
		f.Message = fmt.Sprintf("Expected exception with message \"%s\" but got another one.", r.message.text)
		f.Diff = []DiffLine{{'-', r.message.text}}
	case r.class != nil && !isOfClass(r.class.text, f):
		f.Message = fmt.Sprintf("Expected exception with class %s but got another one.", r.class.text)
		f.Diff = []DiffLine{{'-', r.class.text}}
	default:
		return nil
	}
	for _, line := range strings.Split(got, "\n") {
		f.Diff = append(f.Diff, DiffLine{'+', line})
	}
	// The error is shown as what came, not as what is wrong.
	f.Err, f.Source = nil, ""
	return f
}

// inTheLog is the message of a failure as ksqlDB's log has it, which is what its tester compares: what the server answers as "Failed to
// prepare statement" has other words there, and so has the name of a source that is not known.
func inTheLog(f *Failure) string {
	const prefix = "Exception while preparing statement: "
	if rest, ok := strings.CutPrefix(f.Message, "Failed to prepare statement: "); ok {
		return prefix + rest
	}
	if d, ok := diag.As(f.Err); ok && d.Code == diag.UnknownSource {
		return prefix + f.Message
	}
	return f.Message
}

// isOfClass says whether a failure is what ksqlDB throws as an object of a class or of one derived from it. Only three kinds can be
// told apart: records that are not as expected, what cannot be parsed, and all other errors.
func isOfClass(class string, f *Failure) bool {
	records := f.Err != nil && errors.Is(f.Err, errRecords)
	d, ok := diag.As(f.Err)
	switch simple := class[strings.LastIndexAny(class, ".$")+1:]; simple {
	case "AssertionError", "Error":
		return records
	case "Throwable":
		return true
	case "ParseFailedException", "ParsingException":
		return ok && (d.Code == diag.Syntax || d.Code == diag.Limit || d.Code == diag.ReservedWord)
	default:
		return !records
	}
}

// script runs statements of a text within the test.
func (r *sqlRun) script(file, source string, variables map[string]string) *script {
	return &script{
		world: r.world, file: file, source: source, variables: variables, special: r.special,
		options: grammar.Options{OptionalSemicolon: true, TestStatements: true, RunScript: true},
	}
}

// special carries out the statements that only tests have.
func (r *sqlRun) special(ctx context.Context, s *script, st ast.Statement) (bool, error) {
	switch n := st.(type) {
	case *ast.AssertValues:
		return true, r.assertValues(n)
	case *ast.AssertTombstone:
		return true, r.assertTombstone(n)
	case *ast.AssertSource:
		return true, r.assertSource(n)
	case *ast.RunScript:
		return true, r.runScript(ctx, s, n)
	default:
		return false, nil
	}
}

func (r *sqlRun) runScript(ctx context.Context, s *script, n *ast.RunScript) error {
	if r.depth >= maxScriptDepth {
		return diag.Errorf(diag.Limit, n.Span(), "Scripts run scripts more than %d deep: does one run itself?", maxScriptDepth)
	}
	name, text, err := readScript(s.file, n.Path.Value)
	if elsewhere := r.test.opts.Scripts; err != nil && elsewhere != nil {
		name, text, err = elsewhere(s.file, n.Path.Value)
	}
	if err != nil {
		return diag.Errorf(diag.InvalidValue, n.Path.Span(), "Failed to read file %s: %v", n.Path.Value, err).
			WithHint("Paths are relative to the file that names them.")
	}
	if list := directivesOf(string(text)); len(list) > 0 {
		return &Failure{File: name, Line: list[0].Pos.Line, Message: "A script that tests run holds no directives of its own."}
	}
	r.depth++
	defer func() { r.depth-- }()
	if f := r.script(name, string(text), s.variables).runAll(ctx); f != nil {
		return f
	}
	return nil
}

// readScript finds the file of a RUN SCRIPT: relative to the file that names it. A path from the root that is not there is looked
// for below the folders above that file, since ksqlDB's own tests name files by their place below a common folder.
func readScript(testFile, path string) (string, []byte, error) {
	folder := filepath.Dir(testFile)
	if !filepath.IsAbs(path) {
		name := filepath.Join(folder, path)
		text, err := os.ReadFile(name)
		return name, text, err
	}
	text, err := os.ReadFile(path)
	if err == nil {
		return path, text, nil
	}
	above, absErr := filepath.Abs(folder)
	for ; absErr == nil; above = filepath.Dir(above) {
		name := filepath.Join(above, path)
		if text, err := os.ReadFile(name); err == nil {
			return name, text, nil
		}
		if above == filepath.Dir(above) {
			break
		}
	}
	return path, nil, err
}
