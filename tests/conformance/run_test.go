package conformance

import (
	"encoding/base64"
	"fmt"
	"strings"

	formats "github.com/ksqlgo/ksqlgo/catalog/formats/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	builtin "github.com/ksqlgo/ksqlgo/catalog/functions/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/exec/sim"
	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/token"
	"github.com/ksqlgo/ksqlgo/server/sqltest"
	"github.com/ksqlgo/ksqlgo/tests/conformance/testfunctions"
)

var allFunctions = functions.NewRegistry(builtin.Specs(), testfunctions.Specs())

// run executes a case; nil means that it passes.
func (c *testCase) run() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	if err := c.readTopics(); err != nil {
		return err
	}
	registry := &schemas.Memory{}
	if err := c.registerSchemas(registry); err != nil {
		return err
	}
	w := c.world(registry)
	defer func() {
		if e := w.Close(); err == nil {
			err = e
		}
	}()
	if err := c.createTopics(w); err != nil {
		return err
	}
	err = c.execute(w)
	if c.Expected != nil {
		return c.checkError(err)
	}
	if err != nil {
		return err
	}
	if err := c.checkOutputs(w); err != nil {
		return err
	}
	return c.checkPost(w)
}

func (c *testCase) properties() map[string]string {
	out := map[string]string{"auto.offset.reset": "earliest", "ksql.headers.columns.enabled": "true"}
	for name, v := range c.Properties {
		out[name] = fmt.Sprint(v)
	}
	return out
}

// world is a fresh one that keeps schemas in a registry.
func (c *testCase) world(registry schemas.Registry) *sqltest.World {
	return sqltest.New(sqltest.Config{
		Functions: allFunctions, Formats: formats.Registry(registry), Schemas: registry, ServiceID: "some.ksql.service.id", Properties: c.properties(),
	})
}

func (c *testCase) createTopics(w *sqltest.World) error {
	declared, made := declaredTopics(c.Statements)
	for _, t := range c.specs {
		if t.Partitions > 0 || !made[t.Name] {
			w.Sim().CreateTopic(t.Name, max(t.Partitions, 1))
		}
	}
	for _, topic := range declared {
		w.Sim().CreateTopic(topic, c.declaredPartitions(topic))
	}
	for i := range c.Outputs {
		// ksqlDB's runner makes the topics of the outputs beforehand, with its own default of partitions; a case shows it afterwards.
		topic := c.Outputs[i].Topic
		if n := c.declaredPartitions(topic); n > 1 {
			w.Sim().CreateTopic(topic, n)
		}
	}
	return nil
}

// declaredPartitions are those of a topic that only a statement names: one, unless the case says afterwards that there were more.
func (c *testCase) declaredPartitions(topic string) int {
	if c.Post != nil {
		for _, t := range c.Post.Topics.Topics {
			if t.Name == topic && t.Partitions > 0 {
				return t.Partitions
			}
		}
	}
	return 1
}

// execute runs the statements as one text, so that places in errors are ksqlDB's, then feeds the inputs.
func (c *testCase) execute(w *sqltest.World) error {
	pieces := token.NewSplitter(strings.Join(c.Statements, "\n"))
	for n := 1; ; n++ {
		piece, ok := pieces.Next()
		if !ok {
			break
		}
		stmt, err := grammar.ParsePiece(piece, grammar.Options{OptionalSemicolon: true})
		if err == nil {
			err = w.Run(stmt.Statement)
		}
		if err != nil {
			return fmt.Errorf("statement %d: %w\nStatement: %s", n, err, piece.Text)
		}
	}
	var inputs []sqltest.Input
	for i := range c.Inputs {
		in, err := w.Produce(c.Inputs[i].record())
		if err != nil {
			return fmt.Errorf("input %d: %w", i+1, err)
		}
		inputs = append(inputs, in)
	}
	return w.Feed(inputs)
}

func (c *testCase) checkError(err error) error {
	if err == nil {
		return fmt.Errorf("no error, want %q", c.Expected.Message)
	}
	if !strings.Contains(err.Error(), c.Expected.Message) {
		return fmt.Errorf("the error is %q, want %q", err.Error(), c.Expected.Message)
	}
	return nil
}

func (r *testRecord) record() sqltest.Record {
	out := sqltest.Record{Topic: r.Topic, Key: r.Key, Value: r.Value, Timestamp: r.Timestamp}
	if r.Window != nil {
		out.Window = &sqltest.Window{Start: r.Window.Start, End: r.Window.End, Session: strings.EqualFold(r.Window.Type, "session")}
	}
	for _, h := range r.Headers {
		rh := record.Header{Key: h.Key}
		if h.Value != nil {
			// A header that is no base64 would be a fault of the file and shows as a difference.
			rh.Value, _ = base64.StdEncoding.DecodeString(*h.Value)
		}
		out.Headers = append(out.Headers, rh)
	}
	return out
}

// checkOutputs compares the topics that the outputs name.
func (c *testCase) checkOutputs(w *sqltest.World) error {
	var order []string
	byTopic := map[string][]*testRecord{}
	for i := range c.Outputs {
		o := &c.Outputs[i]
		if byTopic[o.Topic] == nil {
			order = append(order, o.Topic)
		}
		byTopic[o.Topic] = append(byTopic[o.Topic], o)
	}
	if len(c.Outputs) == 0 && len(c.Inputs) > 0 {
		return c.checkSilence(w)
	}
	for _, name := range order {
		var got []sim.Record
		if t, ok := w.Sim().Topic(name); ok {
			got = t.Records()
		}
		want := make([]sqltest.Record, len(byTopic[name]))
		for i, o := range byTopic[name] {
			want[i] = o.record()
		}
		if err := w.CompareTopic(name, want, got); err != nil {
			return err
		}
	}
	return nil
}

// checkSilence says that a case without outputs wrote none.
func (c *testCase) checkSilence(w *sqltest.World) error {
	for _, q := range w.Sim().Queries() {
		if q.Plan().Sink == nil {
			continue
		}
		if t, ok := w.Sim().Topic(q.Plan().Sink.Topic); ok && len(t.Records()) > 0 && !c.isInput(t.Name) {
			return fmt.Errorf("topic %s: %d records, want none", t.Name, len(t.Records()))
		}
	}
	return nil
}

func (c *testCase) isInput(topic string) bool {
	for i := range c.Inputs {
		if c.Inputs[i].Topic == topic {
			return true
		}
	}
	return false
}
