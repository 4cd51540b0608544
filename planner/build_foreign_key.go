package planner

import (
	"slices"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/logical"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// foreignKeyJoin builds both sides. The stage of the right side ends with its answers; that of the left side goes on.
func (b *builder) foreignKeyJoin(n *logical.ForeignKeyJoin, need columnSet) (*fragment, error) {
	below := columnSet{}
	for _, c := range n.L.Node.Columns() {
		if need[c.ID] {
			below.add(c.ID)
		}
	}
	below.addExpr(n.L.On)
	l, err := b.build(n.L.Node, below)
	if err != nil {
		return nil, err
	}
	r, err := b.foreignKeyRight(n, need)
	if err != nil {
		return nil, err
	}
	subscriptions, store, answers := b.names.foreignKeyJoin()
	left, right := *l.node.Out(), *r.node.Out()
	rowFormat := physical.FormatSpec{Name: physical.RowFormat}

	subscribed := &physical.Input{
		Topic: subscriptions, Repartition: true, Key: r.origin.columns, Value: physical.SubscriptionColumns(left.Columns[:left.Key]),
		KeyFormat: r.origin.format, ValueFormat: rowFormat,
	}
	answer := &physical.ForeignKeyAnswer{
		Name: n.Prefix + "Join.Answer", R: r.node, Subscriptions: internalSource(n.Prefix+"Join.Subscriptions", subscribed), Topic: answers,
		KeyColumns: slices.Clone(left.Columns[:left.Key]), ValueColumns: physical.AnswerColumns(right.Columns), Partitions: l.stage.partitions,
	}
	answer.Store = b.joinStore(r.stage, n.Prefix, &n.R, r, "Right")
	answer.SubscriptionStore = b.store(r.stage, store, physical.KeyedStore, slices.Concat(right.Columns[:1], left.Columns[:left.Key]),
		physical.SubscriptionStateColumns()).Name
	r.stage.read(subscribed, answer.Subscriptions)
	b.close(r, answer)

	answered := &physical.Input{
		Topic: answers, Repartition: true, Key: answer.KeyColumns, Value: answer.ValueColumns, KeyFormat: rowFormat, ValueFormat: rowFormat,
	}
	join := &physical.ForeignKeyJoin{
		Name: n.Prefix + "Join", Kind: n.Kind, L: l.node, Answers: internalSource(n.Prefix+"Join.Answers", answered), On: l.bind(n.L.On),
		Topic: subscriptions, KeyColumns: subscribed.Key, ValueColumns: subscribed.Value, KeyFormat: subscribed.KeyFormat, Partitions: r.stage.partitions,
		Type: physical.RowType{Columns: slices.Concat(left.Columns, right.Columns), Key: left.Key, Table: true},
	}
	join.Store = b.store(l.stage, n.Prefix+"KafkaTopic_Left-Reduce", physical.KeyedStore, left.Columns[:left.Key],
		physical.ForeignKeyStateColumns(left, n.L.On.Type())).Name
	l.stage.read(answered, join.Answers)
	f := &fragment{node: join, ids: slices.Concat(l.ids, r.ids), stage: l.stage, origin: l.origin}
	if n.KeepRows {
		st := b.store(f.stage, n.Prefix+"Join-Materialize", physical.KeyedStore, join.Type.Columns[:left.Key], join.Type.Columns[left.Key:])
		f.node = &physical.Materialize{Name: n.Prefix + "Join.Materialize", In: join, Store: st.Name}
	}
	return f, nil
}

// foreignKeyRight builds the right side, repartitioned where subscriptions would not meet the rows otherwise.
func (b *builder) foreignKeyRight(n *logical.ForeignKeyJoin, need columnSet) (*fragment, error) {
	below := columnSet{}
	for _, c := range n.R.Node.Columns() {
		if need[c.ID] {
			below.add(c.ID)
		}
	}
	r, err := b.build(n.R.Node, below)
	if err != nil || !n.R.Repartition {
		return r, err
	}
	key := n.R.Node.Key()
	for _, c := range n.R.Node.Columns() {
		if c.ID == key[0] {
			return b.repartitionTable(r, n.Prefix, &n.R, c, n.R.KeyFormat, below, false), nil
		}
	}
	return r, nil
}

// read adds an internal topic to the inputs of a stage.
func (s *openStage) read(in *physical.Input, src *physical.Source) {
	src.Input = len(s.inputs)
	s.inputs = append(s.inputs, in)
	s.sources = append(s.sources, src)
}

// internalSource is the source of a topic between the stages of a foreign-key join. Its rows are what the topic holds.
func internalSource(name string, in *physical.Input) *physical.Source {
	src := &physical.Source{Name: name, Type: physical.RowType{Key: len(in.Key)}}
	for i, c := range in.Key {
		src.Columns = append(src.Columns, physical.SourceColumn{Origin: physical.FromKey, Index: i})
		src.Type.Columns = append(src.Type.Columns, c)
	}
	for i, c := range in.Value {
		src.Columns = append(src.Columns, physical.SourceColumn{Origin: physical.FromValue, Index: i})
		src.Type.Columns = append(src.Type.Columns, types.Column{Name: c.Name, Type: c.Type})
	}
	return src
}
