package planner_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner"
	"github.com/ksqlgo/ksqlgo/planner/explain"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// TestGolden plans the statements of testdata and compares the plans as text; -rewrite writes them anew.
//
//	topic name=t partitions=4    a topic that exists
//	set name=p value=v           a property in force
//	ddl                          statements that must succeed; shows each source
//	plan                         logical and physical plan of the last statement
//	text, mermaid, json          one drawing of the physical plan
//	pull                         the accesses of a pull query
//	insert                       the slots of INSERT VALUES
//	error                        the error of the last statement, with caret and hint
func TestGolden(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		w := newWorld()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string { return w.golden(t, d) })
	})
}

func (w *world) golden(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "topic":
		var name string
		var partitions int
		d.ScanArgs(t, "name", &name)
		d.ScanArgs(t, "partitions", &partitions)
		w.topic(name, partitions)
		return ""
	case "set":
		var name, value string
		d.ScanArgs(t, "name", &name)
		d.ScanArgs(t, "value", &value)
		w.env.Properties[name] = value
		return ""
	}
	out, err := w.sql(d.Input)
	if d.Cmd == "error" {
		if err == nil {
			return "no error\n"
		}
		return diag.Render(err, d.Input)
	}
	if err != nil {
		return "ERROR " + diag.Render(err, d.Input)
	}
	last := out[len(out)-1]
	switch d.Cmd {
	case "ddl":
		return describe(out)
	case "plan":
		if last.query != nil {
			return last.query.Logical + explain.Tree(last.query.Plan)
		}
		if last.push != nil {
			return last.push.Logical + explain.Tree(last.push.Plan)
		}
	case "text":
		return explain.Text(planOf(last))
	case "mermaid":
		return explain.Mermaid(planOf(last))
	case "json":
		text, err := explain.JSON(planOf(last))
		if err != nil {
			t.Fatal(err)
		}
		return text + "\n"
	case "pull":
		return pullText(last.pull)
	case "insert":
		return insertText(last.insert)
	}
	t.Fatalf("%s: unknown command %s", d.Pos, d.Cmd)
	return ""
}

func planOf(o outcome) *physical.Plan {
	if o.query != nil {
		return o.query.Plan
	}
	return o.push.Plan
}

// describe shows what statements have declared.
func describe(out []outcome) string {
	var b strings.Builder
	for _, o := range out {
		switch {
		case o.source != nil && o.source.Exists, o.query != nil && o.query.Exists:
			b.WriteString("exists\n")
		case o.source != nil:
			fmt.Fprintf(&b, "%s\n  topic %s\n", o.source.Source.SQL, topicText(o.source.Topic))
		case o.query != nil && o.query.Source != nil:
			fmt.Fprintf(&b, "%s\n  (%s) by %s from %v\n  topic %s\n", o.query.Source.SQL, &o.query.Source.Schema, o.query.Query.ID, o.query.Query.Sources, topicText(o.query.Topic))
		case o.query != nil:
			fmt.Fprintf(&b, "%s into %s from %v\n", o.query.Query.ID, o.query.Query.Sink, o.query.Query.Sources)
		}
	}
	return b.String()
}

func topicText(t planner.TopicPlan) string {
	if t.Exists {
		return fmt.Sprintf("%s exists with %d partitions", t.Name, t.Partitions)
	}
	config, _ := json.Marshal(t.Config)
	return fmt.Sprintf("%s to be made with %d partitions, %d replicas, %s", t.Name, t.Partitions, t.Replicas, config)
}

func pullText(p *planner.PullPlan) string {
	if p.Stream != nil {
		return "stream\n" + explain.Tree(p.Stream)
	}
	var b strings.Builder
	q := p.Table
	fmt.Fprintf(&b, "%s of %s, store %s\n", q.Source, q.QueryID, q.Materialization.Store)
	for _, l := range q.Lookups {
		b.WriteString("  " + lookupText(l) + "\n")
	}
	if q.Where != nil {
		b.WriteString("  where " + explain.Expr(q.Where) + "\n")
	}
	for i, e := range q.Exprs {
		fmt.Fprintf(&b, "  %s %s := %s\n", q.Columns[i].Name, q.Columns[i].Type, explain.Expr(e))
	}
	fmt.Fprintf(&b, "  keys %v limit %d\n", q.KeyPositions, q.Limit)
	return b.String()
}

func lookupText(l physical.Lookup) string {
	var parts []string
	for _, k := range l.Key {
		parts = append(parts, "key "+explain.Expr(k))
	}
	if l.From != nil {
		parts = append(parts, fmt.Sprintf("from %s inclusive %v", explain.Expr(l.From), l.FromInclusive))
	}
	if l.To != nil {
		parts = append(parts, fmt.Sprintf("to %s inclusive %v", explain.Expr(l.To), l.ToInclusive))
	}
	if len(parts) == 0 {
		parts = append(parts, "scan")
	}
	for _, bound := range []struct {
		name string
		ms   *int64
	}{{"start >=", l.StartMin}, {"start <=", l.StartMax}, {"end >=", l.EndMin}, {"end <=", l.EndMax}} {
		if bound.ms != nil {
			parts = append(parts, fmt.Sprintf("%s %d", bound.name, *bound.ms))
		}
	}
	return strings.Join(parts, ", ")
}

func insertText(p *planner.InsertPlan) string {
	var b strings.Builder
	for i, c := range p.Source.Schema.Key {
		fmt.Fprintf(&b, "%s KEY %s = %v\n", c.Name, c.Type, p.Key[i].Boxed(c.Type))
	}
	for i, c := range p.Source.Schema.Value {
		fmt.Fprintf(&b, "%s %s = %v\n", c.Name, c.Type, p.Value[i].Boxed(c.Type))
	}
	if p.Timestamp != nil {
		fmt.Fprintf(&b, "at %d\n", *p.Timestamp)
	}
	return b.String()
}

// TestLimits checks that statements which are out of all proportion are refused or planned within a moment.
func TestLimits(t *testing.T) {
	w := newWorld()
	w.topic("t", 1)
	if _, err := w.sql("CREATE STREAM S (ID INT KEY, V INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');"); err != nil {
		t.Fatal(err)
	}
	for name, expr := range map[string]string{
		"sum":        "V" + strings.Repeat(" + V", 1000),
		"deep sum":   "V" + strings.Repeat(" + V", 40_000),
		"and":        "V" + strings.Repeat(" IS NULL AND V", 5000) + " IS NULL",
		"in":         "V IN (1" + strings.Repeat(", 2", 20000) + ")",
		"concat":     "''" + strings.Repeat(" || 'a'", 5000),
		"parens":     strings.Repeat("(", 10000) + "V" + strings.Repeat(")", 10000),
		"unresolved": "V + NOPE",
	} {
		stmts, err := grammar.Parse("CREATE STREAM X AS SELECT ID, "+expr+" AS A FROM S;", grammar.Options{})
		var o outcome
		start := time.Now()
		if err == nil {
			o, err = w.run(stmts[0].Statement)
		}
		if err == nil {
			if err := checkPlan(o.query.Plan); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s took %v", name, took)
		}
		switch name {
		case "parens", "unresolved", "deep sum":
			if _, ok := diag.As(err); !ok {
				t.Errorf("%s: %v is no diagnostic", name, err)
			}
		default:
			if err != nil {
				t.Errorf("%s: %.200s", name, err)
			}
		}
		w.env.Catalog = w.env.Catalog.WithoutSource("X")
	}
}
