package planner

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner/explain"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// replaced says which query a CREATE OR REPLACE … AS SELECT replaces; its id and so its group, topics and state stay.
func (env *Env) replaced(st *ast.CreateAsSelect, old *catalog.Source) (*physical.Plan, error) {
	if old.CreatedBy == "" {
		return nil, taken(st.Name, kindOf(st.Kind), old).
			WithHint("%s is no query's result, and only CREATE OR REPLACE without AS SELECT can change it.", old.Name)
	}
	var writers []string
	for _, q := range env.Catalog.Queries() {
		if q.Sink == old.Name && q.ID != old.CreatedBy {
			writers = append(writers, q.ID)
		}
	}
	if len(writers) > 0 {
		slices.Sort(writers)
		return nil, diag.Errorf(diag.InvalidQuery, st.Name.Span(), "REPLACE for sink %s is not supported because there are multiple queries writing into it: [%s]",
			old.Name, strings.Join(append([]string{old.CreatedBy}, writers...), ", ")).WithHint("TERMINATE %s first.", strings.Join(writers, ", "))
	}
	if env.Plans != nil {
		if plan, ok := env.Plans(old.CreatedBy); ok {
			return plan, nil
		}
	}
	return nil, diag.Errorf(diag.InvalidQuery, st.Name.Span(), "Cannot upgrade data source: the query %s of %s has ended.", old.CreatedBy, old.Name).
		WithHint("DROP %s %s and create it again.", old.Kind, old.Name)
}

// checkUpgrade refuses a source that readers of the old one could not read: columns may be added at the end, nothing else.
func checkUpgrade(at diag.Span, old, next *catalog.Source) error {
	var issues []string
	differ := func(what string, a, b any) {
		if !reflect.DeepEqual(a, b) {
			issues = append(issues, fmt.Sprintf("DataSource '%s' has %s = %v which is not upgradeable to %v", old.Name, what, a, b))
		}
	}
	differ("topic", old.Topic, next.Topic)
	differ("keyFormat", formatText(old.KeyFormat), formatText(next.KeyFormat))
	differ("valueFormat", formatText(old.ValueFormat), formatText(next.ValueFormat))
	differ("headers", headerTexts(old), headerTexts(next))
	differ("window", windowName(old), windowName(next))
	differ("timestampColumn", old.TimestampColumn+" "+old.TimestampFormat, next.TimestampColumn+" "+next.TimestampFormat)
	if why := changedColumns(&old.Schema, &next.Schema); why != "" {
		differ("schema", old.Schema.String(), next.Schema.String())
		issues[len(issues)-1] += ". (" + why + ")"
	}
	if len(issues) == 0 {
		return nil
	}
	return diag.Errorf(diag.InvalidSource, at, "Cannot upgrade data source: %s", strings.Join(issues, "\n\tAND ")).
		WithHint("CREATE OR REPLACE may add columns at the end and change WHERE and SELECT; for more, create another one and DROP this.")
}

// formatText is a format as far as a new one must be the same. Which schema is written may change.
func formatText(f catalog.Format) string {
	text := f.Name
	f = internalFormat(f)
	if f.Unwrapped {
		text += " unwrapped"
	}
	if len(f.Properties) > 0 {
		text += fmt.Sprint(" ", f.Properties)
	}
	return text
}

func headerTexts(s *catalog.Source) []string {
	var out []string
	for _, c := range s.Schema.Headers {
		out = append(out, types.QuoteName(c.Name)+" "+c.Constraint())
	}
	return out
}

func windowName(s *catalog.Source) string { return fmt.Sprintf("%v %d ms", s.Window, s.WindowSizeMs) }

// changedColumns says what of the old schema is not at its place in the new one: of the key, where nothing may change, else of the
// value, which may get longer. It is "" if all is.
func changedColumns(old, next *types.Schema) string {
	if keys := changedOf(old.Key, next.Key, " KEY"); len(keys) > 0 || len(next.Key) > len(old.Key) {
		for _, c := range next.Key[min(len(old.Key), len(next.Key)):] {
			keys = append(keys, types.QuoteName(c.Name)+" "+c.Type.String()+" KEY")
		}
		return fmt.Sprintf("Key columns must be identical. The following key columns are changed, missing or reordered: [%s]", strings.Join(keys, ", "))
	}
	if values := changedOf(old.Value, next.Value, ""); len(values) > 0 {
		return fmt.Sprintf("The following columns are changed, missing or reordered: [%s]", strings.Join(values, ", "))
	}
	return ""
}

// changedOf lists the columns that are not at their place among others.
func changedOf(old, next []types.Column, suffix string) (list []string) {
	for i, c := range old {
		if i >= len(next) || c.Name != next[i].Name || !types.Equal(c.Type, next[i].Type) {
			list = append(list, types.QuoteName(c.Name)+" "+c.Type.String()+suffix)
		}
	}
	return list
}

// checkReplacement refuses a plan that cannot go on from the state, topics and positions of another one. What may differ are
// filters, and projections behind everything that keeps state.
func checkReplacement(at diag.Span, old, next *physical.Plan) error {
	refuse := func(format string, args ...any) error {
		return diag.Errorf(diag.InvalidQuery, at, "Query is not upgradeable. %s", fmt.Sprintf(format, args...)).
			WithHint("Create it under another name beside this one, or DROP this one first: then everything is computed again.")
	}
	if len(old.Stages) != len(next.Stages) {
		return refuse("It would have another number of steps that repartition.")
	}
	for i, a := range old.Stages {
		b := next.Stages[i]
		if len(a.Inputs) != len(b.Inputs) || a.Partitions != b.Partitions {
			return refuse("Its sources must stay the same.")
		}
		for k := range a.Inputs {
			if what := inputDiffers(a.Inputs[k], b.Inputs[k]); what != "" {
				return refuse("Plan step of type Source must have matching %s. Topics: %s vs. %s", what, a.Inputs[k].Topic, b.Inputs[k].Topic)
			}
		}
		if len(a.Stores) != len(b.Stores) {
			return refuse("It would keep other state.")
		}
		for k := range a.Stores {
			if !reflect.DeepEqual(a.Stores[k], b.Stores[k]) {
				return refuse("The state %s would hold other columns: (%s) vs. (%s)", a.Stores[k].Name, columnList(a.Stores[k].Value), columnList(b.Stores[k].Value))
			}
		}
		if x, y := signature(a.Root), signature(b.Root); !slices.Equal(x, y) {
			for k := range max(len(x), len(y)) {
				if k >= len(x) || k >= len(y) || x[k] != y[k] {
					return refuse("Plan steps must match. They differ: %s vs. %s", stepAt(x, k), stepAt(y, k))
				}
			}
		}
	}
	return nil
}

func stepAt(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "nothing"
}

func columnList(list []types.Column) string {
	out := make([]string, len(list))
	for i, c := range list {
		out[i] = c.Name + " " + c.Type.String()
	}
	return strings.Join(out, ", ")
}

// sameFormat says whether both formats read alike. The number of the schema that is written is no matter of reading.
func sameFormat(a, b physical.FormatSpec) bool {
	a.Properties, b.Properties = internalFormat(catalog.Format{Properties: a.Properties}).Properties, internalFormat(catalog.Format{Properties: b.Properties}).Properties
	return a.Name == b.Name && a.Unwrapped == b.Unwrapped && maps.Equal(a.Properties, b.Properties)
}

// inputDiffers says what of an input is not the same, "" if it can be read on. A source may have got more columns.
func inputDiffers(a, b *physical.Input) string {
	switch {
	case a.Topic != b.Topic || a.Repartition != b.Repartition || a.Table != b.Table || a.Changes != b.Changes:
		return "topic"
	case !sameFormat(a.KeyFormat, b.KeyFormat) || !sameFormat(a.ValueFormat, b.ValueFormat):
		return "formats"
	case a.Window != b.Window || a.WindowSizeMs != b.WindowSizeMs:
		return "window"
	case !reflect.DeepEqual(a.Timestamp, b.Timestamp):
		return "timestamp column"
	case !reflect.DeepEqual(a.Key, b.Key):
		return "key"
	case a.Repartition && !reflect.DeepEqual(a.Value, b.Value), len(a.Value) > len(b.Value), !reflect.DeepEqual(a.Value, b.Value[:len(a.Value)]):
		return "schema"
	}
	return ""
}

// signature lists the steps of a stage that must not change, from the root on. Filters are left out, unless a table is
// aggregated: what was added under one condition could not be taken away under another. So are projections behind the last
// step that keeps state, as far as they leave the key alone; the sink's columns are compared by checkUpgrade.
func signature(root physical.Node) []string {
	_, isSink := root.(*physical.Sink)
	w := signatureWriter{free: isSink}
	w.node(root)
	return w.steps
}

type signatureWriter struct {
	// free: nothing that keeps state has been met between here and the sink.
	free bool
	// table: what is below is aggregated as a table.
	table bool
	steps []string
}

func (w *signatureWriter) add(text string) { w.steps = append(w.steps, text) }

func (w *signatureWriter) node(n physical.Node) {
	switch n := n.(type) {
	case *physical.Sink:
		w.add("sink " + n.Topic)
	case *physical.Filter:
		if w.table {
			w.add(explain.Node(n))
		}
	case *physical.Project:
		switch {
		case !w.free:
			w.add(explain.Node(n))
		case n.Rekey:
			for _, e := range n.Exprs[:n.Type.Key] {
				w.add("key " + explain.Expr(e))
			}
		}
	case *physical.Source:
		// Which columns are read follows from the others.
		w.add(fmt.Sprintf("source of input %d, store %q", n.Input, n.Store))
	case *physical.Aggregate:
		w.free, w.table = false, w.table || n.Table
		text := explain.Node(n)
		for _, c := range n.Calls {
			for _, l := range c.Literals {
				if l != nil {
					text += " " + explain.Expr(l)
				}
			}
		}
		w.add(text)
	case *physical.Repartition:
		w.free, w.table = false, w.table || n.Changes
		w.add(explain.Node(n))
	case *physical.Materialize:
		// Its rows are the sink's: they stay readable where the store's columns are the same, which is compared.
		w.add(explain.Node(n))
	default:
		w.free = false
		w.add(explain.Node(n))
	}
	for _, c := range n.Children() {
		w.node(c)
	}
}
