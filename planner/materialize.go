package planner

import (
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/logical"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// materialize decides where pull queries find the rows of a table: in a store that is there anyway (that of an
// aggregation or of a source) through the filters and projections after it, or in a store of its own under the sink.
func (b *builder) materialize(root logical.Node, f *fragment) *physical.Materialization {
	t := f.node.Out()
	m := &physical.Materialization{
		Columns: t.Columns, Key: t.Key, Window: t.Window, KeyFormat: f.origin.format, KeyColumns: f.origin.columns, Partitions: f.stage.partitions,
	}
	var steps []physical.Node
	for n := f.node; ; n = n.Children()[0] {
		switch n := n.(type) {
		case *physical.Filter:
			steps = append(steps, &physical.Filter{Name: n.Name, Cond: n.Cond, Having: n.Having})
			if b.env.deterministic(n.Cond) {
				continue
			}
		case *physical.Project:
			steps = append(steps, &physical.Project{Name: n.Name, Exprs: n.Exprs, Type: n.Type})
			if b.env.deterministic(n.Exprs...) {
				continue
			}
		case *physical.Aggregate:
			m.Aggregate, m.Store, m.Steps = n, n.Store, reversed(steps)
			return m
		case *physical.Source:
			if n.Store != "" {
				m.Store, m.Steps = n.Store, reversed(steps)
				return m
			}
		case *physical.Materialize:
			m.Store, m.Steps = n.Store, reversed(steps)
			return m
		default: // The others are not concerned.
		}
		break
	}
	name := "KsqlTopic-Reduce"
	switch innermost(root).(type) {
	case *logical.Join, *logical.ForeignKeyJoin:
		name = "Project-Materialize"
	default: // The others are not concerned.
	}
	for _, s := range f.stage.stores {
		if s.Name == name {
			name = "Sink-Materialize"
		}
	}
	st := b.store(f.stage, name, windowedKind(t.Window), t.Columns[:t.Key], t.Columns[t.Key:])
	for _, s := range f.stage.stores {
		if s.Window != nil && t.Window != types.NoWindow {
			st.Window, st.RetentionMs = s.Window, s.RetentionMs
		}
	}
	f.node = &physical.Materialize{Name: "Materialize", In: f.node, Store: st.Name}
	m.Store = st.Name
	return m
}

// innermost skips the row-wise steps.
func innermost(n logical.Node) logical.Node {
	for {
		switch x := n.(type) {
		case *logical.Project:
			n = x.In
		case *logical.Filter:
			n = x.In
		default:
			return n
		}
	}
}

func reversed(steps []physical.Node) []physical.Node {
	for i, j := 0, len(steps)-1; i < j; i, j = i+1, j-1 {
		steps[i], steps[j] = steps[j], steps[i]
	}
	return steps
}

// deterministic says whether computing the expressions again gives the same values.
func (env *Env) deterministic(es ...expr.Expr) bool {
	same := true
	for _, e := range es {
		visitExpr(e, func(x expr.Expr) {
			if c, ok := x.(*expr.Call); ok {
				spec, found := env.Functions.Lookup(c.Name)
				same = same && found && !spec.Scalars[c.Overload].Nondeterministic
			}
		})
	}
	return same
}

// keepsKey says whether a projection passes the key of its input on as it is.
func keepsKey(p *physical.Project) bool {
	if p.Type.Key != p.In.Out().Key {
		return false
	}
	for i, e := range p.Exprs[:p.Type.Key] {
		if c, ok := e.(*expr.Column); !ok || c.Index != i {
			return false
		}
	}
	return true
}
