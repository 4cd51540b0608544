package planner

import (
	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/logical"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// join builds both sides, moves those that must, and joins them in one stage.
func (b *builder) join(n *logical.Join, need columnSet) (*fragment, error) {
	lt, rt := n.L.Node.Table(), n.R.Node.Table()
	var l, r *fragment
	var err error
	if rt && !lt {
		// ksqlDB builds the table first; the numbers in store names depend on it.
		if r, err = b.joinSide(n, &n.R, need, false); err != nil {
			return nil, err
		}
		l, err = b.joinSide(n, &n.L, need, true)
	} else {
		if l, err = b.joinSide(n, &n.L, need, true); err != nil {
			return nil, err
		}
		r, err = b.joinSide(n, &n.R, need, false)
	}
	if err != nil {
		return nil, err
	}
	out := physical.RowType{Key: 1, Table: lt && rt, Window: n.Windowed()}
	ids := []int{n.KeyColumn.ID}
	out.Columns = append(out.Columns, types.Column{Name: n.KeyColumn.Name, Type: n.KeyColumn.Type})
	for _, f := range []*fragment{l, r} {
		out.Columns = append(out.Columns, f.node.Out().Columns...)
		ids = append(ids, f.ids...)
	}
	f := &fragment{ids: ids, stage: l.stage, origin: l.origin}
	l.stage.join(r.stage)
	name := n.Prefix + "Join"
	switch {
	case rt && lt:
		j := &physical.TableTableJoin{Name: name, Kind: n.Kind, L: l.node, R: r.node, Type: out}
		j.LeftStore = b.joinStore(f.stage, n.Prefix, &n.L, l, "Left")
		j.RightStore = b.joinStore(f.stage, n.Prefix, &n.R, r, "Right")
		f.node = j
	case rt:
		j := &physical.StreamTableJoin{Name: name, Kind: n.Kind, L: l.node, R: r.node, Type: out}
		j.Store = b.joinStore(f.stage, n.Prefix, &n.R, r, "Right")
		f.node = j
	default:
		f.node = b.streamJoin(n, name, l, r, f.stage, out)
	}
	return f, nil
}

// joinSide builds one side of a join, keyed by its side of the condition.
func (b *builder) joinSide(n *logical.Join, s *logical.JoinSide, need columnSet, left bool) (*fragment, error) {
	below := columnSet{}
	for _, c := range s.Node.Columns() {
		if need[c.ID] {
			below.add(c.ID)
		}
	}
	wanted := below.clone()
	if s.Repartition {
		below.addExpr(s.On)
	}
	f, err := b.build(s.Node, below)
	if err != nil || !s.Repartition {
		return f, err
	}
	if s.Node.Table() {
		return b.repartitionTable(f, n.Prefix, s, logical.Column{Name: n.KeyColumn.Name, Type: n.KeyColumn.Type}, n.KeyFormat, wanted, left), nil
	}
	m := moved{
		key: []expr.Expr{s.On}, keyColumns: []logical.Column{{Name: n.KeyColumn.Name, Type: n.KeyColumn.Type}}, keyFormat: n.KeyFormat, valueFormat: s.ValueFormat,
		dropNullKey: true, partitions: s.Partitions, need: wanted,
	}
	if c, ok := s.On.(*expr.Column); ok {
		m.keyColumns[0].ID = c.Index
	}
	side := "right"
	if left {
		side = "left"
	}
	switch {
	case n.R.Node.Table():
		m.step, m.topic, m.source = n.Prefix+sourceSide(left)+"SourceKeyed.SelectKey", n.Prefix+"Join", n.Prefix+"Join.Source"
		b.names.add(streamRepartitionNodes)
	default:
		m.step, m.topic, m.source = n.Prefix+sourceSide(left)+"SourceKeyed.SelectKey", n.Prefix+"Join-"+side, n.Prefix+"Join."+side+".Source"
		b.names.add(streamRepartitionNodes)
	}
	return b.repartition(f, m), nil
}

// repartitionTable sends the changes of a table that takes part in a join to another topic, keyed by its side of the condition.
func (b *builder) repartitionTable(f *fragment, prefix string, s *logical.JoinSide, key logical.Column, format catalog.Format, need columnSet, left bool) *fragment {
	keyed := prefix + sourceSide(left) + "SourceKeyed"
	if c, ok := s.On.(*expr.Column); ok {
		key.ID = c.Index
	}
	b.names.add(tableRepartitionNodes)
	return b.repartition(f, moved{
		key: []expr.Expr{s.On}, keyColumns: []logical.Column{key}, keyFormat: format, valueFormat: s.ValueFormat, partitions: s.Partitions, need: need,
		table: true, step: keyed + ".SelectKey", topic: keyed + "-SelectKey", source: keyed + ".Source",
	})
}

func sourceSide(left bool) string {
	if left {
		return "Left"
	}
	return "Right"
}

// joinStore declares the store of a table that takes part in a join.
func (b *builder) joinStore(st *openStage, prefix string, s *logical.JoinSide, f *fragment, side string) string {
	name := prefix + "KafkaTopic_" + side + "-Reduce"
	if _, scan := s.Node.(*logical.Scan); !scan {
		name = prefix + "Join-" + side + "-Materialize"
	}
	if s.Repartition {
		name = prefix + side + "SourceKeyed-Materialize"
	}
	t := f.node.Out()
	return b.store(st, name, physical.KeyedStore, t.Columns[:1], t.Columns[1:]).Name
}

func (b *builder) streamJoin(n *logical.Join, name string, l, r *fragment, st *openStage, out physical.RowType) physical.Node {
	leftOuter := n.Kind == physical.Left || n.Kind == physical.Full
	rightOuter := n.Kind == physical.Right || n.Kind == physical.Full
	left, right, shared := b.names.streamJoin(leftOuter, rightOuter)
	w := n.Within
	j := &physical.StreamStreamJoin{
		Name: name, Kind: n.Kind, L: l.node, R: r.node, BeforeMs: w.BeforeMs, AfterMs: w.AfterMs, GraceMs: w.GraceMs, GraceGiven: w.GraceGiven,
		LeftStore: left, RightStore: right, Type: out,
	}
	retention := w.BeforeMs + w.AfterMs + w.GraceMs
	for i, f := range []*fragment{l, r} {
		t := f.node.Out()
		b.store(st, []string{left, right}[i], physical.BufferStore, t.Columns[:1], t.Columns[1:]).RetentionMs = retention
	}
	if (leftOuter || rightOuter) && w.GraceGiven {
		j.OuterStore = shared
		b.store(st, shared, physical.BufferStore, out.Columns[:1], out.Columns[1:]).RetentionMs = retention
	}
	return j
}
