package explain

import (
	"fmt"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// Tree prints a plan stage by stage with everything that decides how it runs: inputs, operators, stores, topics.
func Tree(p *physical.Plan) string {
	var b strings.Builder
	for _, s := range p.Stages {
		fmt.Fprintf(&b, "stage %d, %d partitions\n", s.ID, s.Partitions)
		for i, in := range s.Inputs {
			fmt.Fprintf(&b, "  input %d: %s\n", i, input(in))
		}
		for _, st := range s.Stores {
			fmt.Fprintf(&b, "  store %d: %s\n", st.ID, store(st))
		}
		treeNode(&b, s, s.Root, 1)
	}
	if m := p.Materialization; m != nil {
		fmt.Fprintf(&b, "materialized: stage %d store %s%s, key (%s) as %s\n", m.Stage, m.Store, steps(m), columns(m.KeyColumns), spec(m.KeyFormat))
	}
	if o := p.Output; o != nil {
		fmt.Fprintf(&b, "output: (%s) key positions %v", columns(o.Columns), o.KeyPositions)
		if o.Limit > 0 {
			fmt.Fprintf(&b, " limit %d", o.Limit)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func steps(m *physical.Materialization) string {
	var words []string
	if m.Aggregate != nil {
		words = append(words, "aggregate")
	}
	for _, n := range m.Steps {
		words = append(words, strings.ToLower(step(n)))
	}
	if len(words) == 0 {
		return ""
	}
	return " through " + strings.Join(words, ", ")
}

func input(in *physical.Input) string {
	kind := "stream"
	switch {
	case in.Changes:
		kind = "changes"
	case in.Table:
		kind = "table"
	}
	if in.Repartition {
		kind = "repartition " + kind
	}
	text := fmt.Sprintf("%s %s key (%s) as %s value (%s) as %s", kind, in.Topic, columns(in.Key), spec(in.KeyFormat), columns(in.Value), spec(in.ValueFormat))
	if in.Window != types.NoWindow {
		text += " window " + in.Window.String()
		if in.WindowSizeMs > 0 {
			text += " " + duration(in.WindowSizeMs)
		}
	}
	if in.Timestamp != nil {
		text += " timestamp " + in.Timestamp.Column
		if in.Timestamp.Format != "" {
			text += " format '" + in.Timestamp.Format + "'"
		}
	}
	return text
}

func store(s *physical.Store) string {
	text := fmt.Sprintf("%s %s key (%s) value (%s)", s.Kind, s.Name, columns(s.Key), columns(s.Value))
	if s.Changelog != "" {
		text += " changelog " + s.Changelog
	}
	if s.RetentionMs > 0 {
		text += " retention " + duration(s.RetentionMs)
	}
	return text
}

func columns(list []types.Column) string {
	out := make([]string, len(list))
	for i, c := range list {
		out[i] = c.Name + " " + c.Type.String()
	}
	return strings.Join(out, ", ")
}

func spec(f physical.FormatSpec) string {
	text := f.Name
	if f.Unwrapped {
		text += " unwrapped"
	}
	if d, ok := f.Properties["DELIMITER"]; ok {
		text += " delimiter '" + d + "'"
	}
	return text
}

func exprs(list []expr.Expr) string {
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = Expr(e)
	}
	return strings.Join(out, ", ")
}

// assignments prints computed columns; what only passes on shows its name alone.
func assignments(list []expr.Expr, cols []types.Column) string {
	out := make([]string, len(list))
	for i, e := range list {
		text := Expr(e)
		if text == cols[i].Name {
			out[i] = text
		} else {
			out[i] = cols[i].Name + " := " + text
		}
	}
	return strings.Join(out, ", ")
}

func treeNode(b *strings.Builder, s *physical.Stage, n physical.Node, depth int) {
	fmt.Fprintf(b, "%s%s\n", strings.Repeat("  ", depth), Node(n))
	for _, c := range n.Children() {
		treeNode(b, s, c, depth+1)
	}
}

// Node prints one operator on a line, without what is below it.
func Node(n physical.Node) string {
	switch n := n.(type) {
	case *physical.Source:
		cols := make([]string, len(n.Type.Columns))
		for i, c := range n.Type.Columns {
			cols[i] = c.Name
			if i < n.Type.Key {
				cols[i] += " KEY"
			}
		}
		text := fmt.Sprintf("source %s input %d (%s)", n.Name, n.Input, strings.Join(cols, ", "))
		if n.Store != "" {
			text += " store " + n.Store
		}
		return text
	case *physical.Filter:
		word := "filter"
		if n.Having {
			word = "having"
		}
		return word + " " + Expr(n.Cond)
	case *physical.Project:
		word := "project"
		if n.Rekey {
			word = "rekey"
		}
		return fmt.Sprintf("%s key (%s) value (%s)", word, assignments(n.Exprs[:n.Type.Key], n.Type.Columns), assignments(n.Exprs[n.Type.Key:], n.Type.Columns[n.Type.Key:]))
	case *physical.FlatMap:
		calls := make([]string, len(n.Calls))
		at := len(n.Type.Columns) - len(n.Calls)
		for i, c := range n.Calls {
			calls[i] = n.Type.Columns[at+i].Name + " := " + c.Name + "(" + exprs(c.Args) + ")"
		}
		return "flat map (" + strings.Join(calls, ", ") + ")"
	case *physical.Aggregate:
		calls := make([]string, len(n.Calls))
		for i, c := range n.Calls {
			calls[i] = c.Name + "(" + exprs(c.Args) + ")"
		}
		text := fmt.Sprintf("aggregate by (%s) calls (%s) store %s%s", exprs(n.GroupBy), strings.Join(calls, ", "), n.Store, windowText(n.Window))
		if n.Table {
			text += " over a table"
		}
		return text
	case *physical.Suppress:
		return "suppress store " + n.Store
	case *physical.StreamTableJoin:
		return fmt.Sprintf("stream-table %s join %s store %s", n.Kind, n.Name, n.Store)
	case *physical.StreamStreamJoin:
		text := fmt.Sprintf("stream-stream %s join %s within (%s, %s) grace %s stores %s, %s", n.Kind, n.Name, duration(n.BeforeMs), duration(n.AfterMs),
			duration(n.GraceMs), n.LeftStore, n.RightStore)
		if n.OuterStore != "" {
			text += ", " + n.OuterStore
		}
		return text
	case *physical.TableTableJoin:
		return fmt.Sprintf("table-table %s join %s stores %s, %s", n.Kind, n.Name, n.LeftStore, n.RightStore)
	case *physical.ForeignKeyJoin:
		return fmt.Sprintf("foreign-key %s join %s on %s stores %s subscriptions to %s, %d partitions: key (%s) as %s", n.Kind, n.Name, Expr(n.On), n.Store, n.Topic,
			n.Partitions, columns(n.KeyColumns), spec(n.KeyFormat))
	case *physical.ForeignKeyAnswer:
		return fmt.Sprintf("foreign-key answers to %s, %d partitions, stores %s, %s", n.Topic, n.Partitions, n.Store, n.SubscriptionStore)
	case *physical.Materialize:
		return "materialize store " + n.Store
	case *physical.Repartition:
		in := n.In.Out().Columns
		values := make([]string, len(n.Value))
		for i, k := range n.Value {
			values[i] = in[k].Name
		}
		text := fmt.Sprintf("repartition to %s, %d partitions: key (%s) as %s value (%s) as %s", n.Topic, n.Partitions, assignments(n.Key, n.KeyColumns),
			spec(n.KeyFormat), strings.Join(values, ", "), spec(n.ValueFormat))
		if n.Changes {
			text += " changes"
		}
		if n.DropNullKey {
			text += ", no null keys"
		}
		return text
	case *physical.Sink:
		text := fmt.Sprintf("sink %s to %s key (%s) as %s value (%s) as %s", n.Name, n.Topic, columns(n.Key), spec(n.KeyFormat), columns(n.Value), spec(n.ValueFormat))
		if n.Timestamp != nil {
			text += " timestamp " + n.Timestamp.Column
		}
		if n.ForwardKey {
			text += ", key bytes forwarded"
		}
		return text
	case *physical.Emit:
		return "emit"
	}
	return fmt.Sprintf("%T", n)
}
