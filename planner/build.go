package planner

import (
	"slices"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/logical"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// builder cuts a logical plan into stages.
type builder struct {
	env   *Env
	names *namer
	// transient: the state of the query ends with it, so its stores have no changelogs.
	transient bool
	stages    []*physical.Stage
	nextID    uint16
}

// keyOrigin is how keys were written where rows were last partitioned.
type keyOrigin struct {
	format  physical.FormatSpec
	columns []types.Column
}

// fragment is a tree of operators that is not closed by a root yet.
type fragment struct {
	node physical.Node
	// ids are the column IDs of the node's row, by position.
	ids    []int
	stage  *openStage
	origin keyOrigin
}

// openStage collects what the operators of a stage need.
type openStage struct {
	partitions int
	inputs     []*physical.Input
	stores     []*physical.Store
	sources    []*physical.Source
}

// join puts the inputs and stores of another stage into this one.
func (s *openStage) join(o *openStage) {
	for _, src := range o.sources {
		src.Input += len(s.inputs)
	}
	s.inputs = append(s.inputs, o.inputs...)
	s.stores = append(s.stores, o.stores...)
	s.sources = append(s.sources, o.sources...)
}

// close ends a stage.
func (b *builder) close(f *fragment, root physical.Node) *physical.Stage {
	st := &physical.Stage{ID: len(b.stages), Partitions: f.stage.partitions, Inputs: f.stage.inputs, Stores: f.stage.stores, Root: root}
	b.stages = append(b.stages, st)
	return st
}

// store declares a store with its changelog.
func (b *builder) store(s *openStage, name string, kind physical.StoreKind, key, value []types.Column) *physical.Store {
	b.nextID++
	st := &physical.Store{ID: b.nextID, Name: name, Kind: kind, Key: slices.Clone(key), Value: slices.Clone(value)}
	if !b.transient {
		st.Changelog = b.names.changelog(name)
	}
	s.stores = append(s.stores, st)
	return st
}

// position finds a column of the row.
func (f *fragment) position(id int) int { return slices.Index(f.ids, id) }

// bind renumbers an expression from column IDs to positions in the row.
func (f *fragment) bind(e expr.Expr) expr.Expr {
	return rewriteExpr(e, func(x expr.Expr) expr.Expr {
		if c, ok := x.(*expr.Column); ok {
			return &expr.Column{Index: f.position(c.Index), Name: c.Name, T: c.T}
		}
		return x
	})
}

func (f *fragment) bindAll(es []expr.Expr) []expr.Expr {
	out := make([]expr.Expr, len(es))
	for i, e := range es {
		out[i] = f.bind(e)
	}
	return out
}

// build makes the operators of n; only the columns of need are wanted of it, besides its key.
func (b *builder) build(n logical.Node, need columnSet) (*fragment, error) {
	switch n := n.(type) {
	case *logical.Scan:
		return b.scan(n, need), nil
	case *logical.Filter:
		below := need.clone()
		below.addExpr(n.Cond)
		f, err := b.build(n.In, below)
		if err != nil {
			return nil, err
		}
		f.node = &physical.Filter{Name: n.Step, In: f.node, Cond: f.bind(n.Cond), Having: n.Having}
		return f, nil
	case *logical.Project:
		return b.project(n, need)
	case *logical.Rekey:
		return b.rekey(n, need)
	case *logical.FlatMap:
		return b.flatMap(n, need)
	case *logical.Join:
		return b.join(n, need)
	case *logical.ForeignKeyJoin:
		return b.foreignKeyJoin(n, need)
	case *logical.Aggregate:
		return b.aggregate(n, need)
	case *logical.Suppress:
		return b.suppress(n, need)
	}
	return nil, diag.Errorf(diag.NotSupported, diag.Span{}, "The plan holds a step that cannot be executed yet")
}

// scan reads a source: its key, and the columns somebody reads.
func (b *builder) scan(n *logical.Scan, need columnSet) *fragment {
	src := n.Source
	in := &physical.Input{
		Topic: src.Topic, Source: src.Name, Table: src.Kind == catalog.Table, Key: src.Schema.Key, Value: src.Schema.Value,
		KeyFormat: formatSpec(src.KeyFormat), ValueFormat: formatSpec(src.ValueFormat), Window: src.Window, WindowSizeMs: src.WindowSizeMs,
	}
	if src.TimestampColumn != "" {
		in.Timestamp = &physical.Timestamp{Column: src.TimestampColumn, Format: src.TimestampFormat}
	}
	node := &physical.Source{Name: n.Step + ".Source"}
	f := &fragment{node: node, origin: keyOrigin{in.KeyFormat, in.Key}}
	f.stage = &openStage{partitions: src.Partitions, inputs: []*physical.Input{in}, sources: []*physical.Source{node}}
	for _, c := range prunedColumns(n, need) {
		from := physical.SourceColumn{Origin: c.Origin, Index: c.Index}
		if c.Origin == physical.FromHeaders {
			from = physical.SourceColumn{Origin: c.Origin, Header: src.Schema.Headers[c.Index].Key}
		}
		node.Columns = append(node.Columns, from)
		node.Type.Columns = append(node.Type.Columns, types.Column{Name: c.Name, Type: c.Type})
		f.ids = append(f.ids, c.ID)
	}
	node.Type.Key, node.Type.Table, node.Type.Window = len(src.Schema.Key), in.Table, src.Window
	if n.KeepRows {
		node.Store = n.Step + "-Reduce"
		b.store(f.stage, node.Store, physical.KeyedStore, node.Type.Columns[:node.Type.Key], node.Type.Columns[node.Type.Key:])
	}
	if in.Table {
		b.names.add(tableSourceNodes)
	} else {
		b.names.add(streamSourceNodes)
	}
	return f
}

func (b *builder) project(n *logical.Project, need columnSet) (*fragment, error) {
	below := columnSet{}
	var items []logical.Item
	for i, it := range n.Items {
		if i < n.KeyCount || need[it.ID] {
			items = append(items, it)
			below.addExpr(it.Expr)
		}
	}
	f, err := b.build(n.In, below)
	if err != nil {
		return nil, err
	}
	out := &physical.Project{Name: n.Step, In: f.node, Type: physical.RowType{Key: n.KeyCount, Table: n.Table(), Window: n.Windowed()}}
	ids := make([]int, len(items))
	for i, it := range items {
		out.Exprs = append(out.Exprs, f.bind(it.Expr))
		out.Type.Columns = append(out.Type.Columns, types.Column{Name: it.Name, Type: it.Type})
		ids[i] = it.ID
	}
	f.node, f.ids = mergeRekey(out), ids
	return f, nil
}

// rekey changes the key; the rows stay where they are, since a sink partitions them anew anyway.
func (b *builder) rekey(n *logical.Rekey, need columnSet) (*fragment, error) {
	below := need.clone()
	for _, k := range n.Keys {
		delete(below, k.ID)
	}
	for _, k := range n.Keys {
		below.addExpr(k.Expr)
	}
	f, err := b.build(n.In, below)
	if err != nil {
		return nil, err
	}
	out := &physical.Project{Name: n.Step, In: f.node, Rekey: true, Type: physical.RowType{Key: len(n.Keys)}}
	var ids []int
	for _, k := range n.Keys {
		out.Exprs = append(out.Exprs, f.bind(k.Expr))
		out.Type.Columns = append(out.Type.Columns, types.Column{Name: k.Name, Type: k.Type})
		ids = append(ids, k.ID)
	}
	in := f.node.Out()
	for i, id := range f.ids {
		if need[id] && !slices.Contains(ids, id) {
			c := in.Columns[i]
			out.Exprs = append(out.Exprs, &expr.Column{Index: i, Name: c.Name, T: c.Type})
			out.Type.Columns = append(out.Type.Columns, c)
			ids = append(ids, id)
		}
	}
	f.node, f.ids = out, ids
	return f, nil
}

func (b *builder) suppress(n *logical.Suppress, need columnSet) (*fragment, error) {
	f, err := b.build(n.In, need)
	if err != nil {
		return nil, err
	}
	t := f.node.Out()
	st := b.store(f.stage, "Suppress-store", windowedKind(n.Window.Type), t.Columns[:t.Key], t.Columns[t.Key:])
	w := n.Window
	st.Window, st.RetentionMs = &w, w.RetentionMs
	f.node = &physical.Suppress{Name: "Suppress", In: f.node, Window: n.Window, Store: st.Name}
	return f, nil
}

func windowedKind(w types.WindowType) physical.StoreKind {
	switch w {
	case types.NoWindow:
		return physical.KeyedStore
	case types.Session:
		return physical.SessionStore
	}
	return physical.WindowedStore
}

// moved is a repartition: the rows of f go to an internal topic, and a new stage reads them.
type moved struct {
	step, topic string
	key         []expr.Expr
	keyColumns  []logical.Column
	keyFormat   catalog.Format
	valueFormat catalog.Format
	dropNullKey bool
	changes     bool
	partitions  int
	need        columnSet
	source      string // step of the source that reads the topic
	table       bool
}

// repartition ends the stage of f and starts the next one.
func (b *builder) repartition(f *fragment, m moved) *fragment {
	in := f.node.Out()
	node := &physical.Repartition{
		Name: m.step, In: f.node, Key: f.bindAll(m.key), DropNullKey: m.dropNullKey, Topic: b.names.repartition(m.topic),
		Partitions: m.partitions, Changes: m.changes,
	}
	var ids []int
	for _, c := range m.keyColumns {
		node.KeyColumns = append(node.KeyColumns, types.Column{Name: c.Name, Type: c.Type})
		ids = append(ids, c.ID)
	}
	used := map[string]bool{}
	for i, id := range f.ids {
		if m.need[id] && !slices.Contains(ids, id) {
			c := in.Columns[i]
			c.Name = uniqueName(c.Name, used)
			node.Value = append(node.Value, i)
			node.ValueColumns = append(node.ValueColumns, c)
			ids = append(ids, id)
		}
	}
	if len(node.Value) == 0 && len(in.Columns) > 0 {
		// An empty row would not be told from a null one by every format.
		c := in.Columns[0]
		node.Value, node.ValueColumns = []int{0}, []types.Column{c}
	}
	node.KeyFormat = formatSpec(internalFormat(m.keyFormat))
	node.ValueFormat = b.env.internalValueFormat(m.valueFormat, node.ValueColumns)
	b.close(f, node)

	input := &physical.Input{
		Topic: node.Topic, Repartition: true, Table: m.table, Key: node.KeyColumns, Value: node.ValueColumns,
		KeyFormat: node.KeyFormat, ValueFormat: node.ValueFormat, Changes: m.changes,
	}
	src := &physical.Source{Name: m.source, Type: physical.RowType{Key: len(node.KeyColumns), Table: m.table || m.changes}}
	out := &fragment{node: src, ids: ids, origin: keyOrigin{node.KeyFormat, node.KeyColumns}}
	for i, c := range node.KeyColumns {
		src.Columns = append(src.Columns, physical.SourceColumn{Origin: physical.FromKey, Index: i})
		src.Type.Columns = append(src.Type.Columns, c)
	}
	for i := range ids[len(node.KeyColumns):] {
		src.Columns = append(src.Columns, physical.SourceColumn{Origin: physical.FromValue, Index: i})
		src.Type.Columns = append(src.Type.Columns, node.ValueColumns[i])
	}
	out.stage = &openStage{partitions: m.partitions, inputs: []*physical.Input{input}, sources: []*physical.Source{src}}
	return out
}

func uniqueName(name string, used map[string]bool) string {
	unique := name
	for i := 1; used[unique]; i++ {
		unique = name + "_" + itoa(i)
	}
	used[unique] = true
	return unique
}

// internalValueFormat is the format of the values of an internal topic: that of the source, wrapped, or JSON where it
// cannot carry the columns.
func (env *Env) internalValueFormat(f catalog.Format, columns []types.Column) physical.FormatSpec {
	out, err := env.sideFormat(side{columns: columns}, f.Name, internalFormat(f).Properties)
	if err != nil {
		out = catalog.Format{Name: "JSON"}
	}
	return formatSpec(out)
}
