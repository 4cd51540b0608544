package planner

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/logical"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// aggregate groups rows, after they have been brought to the partition of their group.
func (b *builder) aggregate(n *logical.Aggregate, _ columnSet) (*fragment, error) {
	args := columnSet{}
	for _, c := range n.Calls {
		args.addExpr(c.Args...)
	}
	below := args.clone()
	group := make([]expr.Expr, len(n.Group))
	columns := make([]logical.Column, len(n.Group))
	for i, g := range n.Group {
		group[i], columns[i] = g.Expr, g.Column
		below.addExpr(g.Expr)
	}
	f, err := b.build(n.In, below)
	if err != nil {
		return nil, err
	}
	table := n.In.Table()
	if n.Repartition {
		f = b.repartition(f, moved{
			step: "Aggregate.GroupBy", topic: "Aggregate-GroupBy", key: group, keyColumns: columns, keyFormat: n.KeyFormat, valueFormat: n.ValueFormat,
			dropNullKey: true, changes: table, partitions: n.Partitions, need: args, source: "Aggregate.Source",
		})
		for i, c := range columns {
			group[i] = &expr.Column{Index: c.ID, Name: c.Name, T: c.Type}
		}
		b.names.add(streamRepartitionNodes)
	}
	out := &physical.Aggregate{
		Name: "Aggregate.Aggregate", In: f.node, GroupBy: f.bindAll(group), Window: n.Window, Store: "Aggregate-Aggregate-Materialize", Table: table,
		Type: physical.RowType{Key: len(n.Group), Table: true, Window: n.Windowed()},
	}
	var ids []int
	add := func(c logical.Column) {
		out.Type.Columns = append(out.Type.Columns, types.Column{Name: c.Name, Type: c.Type})
		ids = append(ids, c.ID)
	}
	for _, c := range columns {
		add(c)
	}
	var state []types.Column
	for i, c := range n.Calls {
		out.Calls = append(out.Calls, physical.AggCall{Name: c.Name, Overload: c.Overload, Args: f.bindAll(c.Args), Literals: c.Literals, T: c.Type})
		add(c.Column)
		slots, err := b.stateOf(c)
		if err != nil {
			return nil, err
		}
		for k, t := range slots {
			state = append(state, types.Column{Name: fmt.Sprintf("%s_%d_%d", c.Name, i, k), Type: t})
		}
	}
	if n.Window != nil {
		add(n.Start)
		add(n.End)
	}
	st := b.store(f.stage, out.Store, windowedKind(n.Windowed()), out.Type.Columns[:out.Type.Key], state)
	if n.Window != nil {
		st.Window, st.RetentionMs = n.Window, n.Window.RetentionMs
	}
	f.node, f.ids = out, ids
	return f, nil
}

// stateOf gives the types of the slots that an aggregate keeps.
func (b *builder) stateOf(c logical.Call) ([]*types.Type, error) {
	spec, ok := b.env.Functions.Lookup(c.Name)
	if !ok {
		return nil, diag.Errorf(diag.UnknownFunction, diag.Span{}, "Can't find any functions with the name '%s'", c.Name)
	}
	args := make([]*types.Type, len(c.Args))
	for i, a := range c.Args {
		args[i] = a.Type()
	}
	return spec.Aggregates[c.Overload].State(args)
}
