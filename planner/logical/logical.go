// Package logical holds what a query wants, before it is decided how it runs: relational nodes over columns that keep
// one identity through the whole plan.
package logical

import (
	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// Column is a column of a node's rows. In the expressions of a logical plan expr.Column.Index holds such an ID, so that
// nodes can be moved without renumbering.
type Column struct {
	ID   int
	Name string
	Type *types.Type
}

// Node is a relational operator. Sealed.
//
//sumtype:decl
type Node interface {
	// Columns are what the node's rows offer.
	Columns() []Column
	// Key lists the IDs of the columns that are the record's key.
	Key() []int
	// Children are the inputs, left to right.
	Children() []Node
	// Table says that the rows are changes by key.
	Table() bool
	// Windowed is the window type of the key.
	Windowed() types.WindowType
	node()
}

// ScanColumn is a column of a Scan with its origin.
type ScanColumn struct {
	Column
	Origin physical.Origin
	// Index in the source's key, value or header columns.
	Index int
}

// Scan reads a source.
type Scan struct {
	Source *catalog.Source
	// Alias by which the statement names it.
	Alias string
	// Step is the name of the step: KsqlTopic, KafkaTopic_Left.
	Step string
	Out  []ScanColumn
	// KeepRows is set by a rule: the old rows of a table are needed downstream, so it is materialised.
	KeepRows bool
}

// Filter keeps the rows for which Cond is true.
type Filter struct {
	Step   string
	In     Node
	Cond   expr.Expr
	Having bool
}

// Item is a computed column.
type Item struct {
	Column
	Expr expr.Expr
}

// Project computes new columns. The first KeyCount items are the key.
type Project struct {
	Step     string
	In       Node
	Items    []Item
	KeyCount int
}

// Rekey changes the key of a stream (PARTITION BY). Its rows offer the new key and all columns of the input.
type Rekey struct {
	Step string
	In   Node
	Keys []Item
}

// JoinSide is one input of a join.
type JoinSide struct {
	Node Node
	// On is the side of the join condition, over the columns of Node.
	On expr.Expr
	// Name and Partitions of the leftmost source, for messages.
	Name       string
	Partitions int
	// KeyFormat and ValueFormat of the rows as they come.
	KeyFormat, ValueFormat catalog.Format
	// Repartition is set by a rule: the rows must be sent to another partition first, keyed by On, in the format JoinKeyFormat.
	Repartition bool
}

// Join joins two inputs on equal keys.
type Join struct {
	// Prefix of the names of its steps: "" at the top, L_ for the left input of that, and so on.
	Prefix string
	Kind   physical.JoinKind
	L, R   JoinSide
	// KeyColumn is the key of the result: the value that both sides agree on.
	KeyColumn Column
	// Same lists columns of the inputs that equal the key in every row.
	Same []int
	// KeyFormat is how the key is written where a side is repartitioned, and by the sink unless told otherwise.
	KeyFormat catalog.Format
	// Within is set for stream-stream joins.
	Within *Within
}

// Within bounds a stream-stream join in time, in milliseconds.
type Within struct {
	BeforeMs, AfterMs, GraceMs int64
	GraceGiven                 bool
}

// Call is an aggregate call of an Aggregate.
type Call struct {
	Column
	Name     string
	Overload int
	Args     []expr.Expr
	Literals []*expr.Literal
}

// Aggregate groups rows.
type Aggregate struct {
	In     Node
	Group  []Item
	Calls  []Call
	Window *types.WindowSpec
	// Start and End are the window bounds; ID 0 without a window.
	Start, End Column
	// KeyFormat and ValueFormat of a repartition topic.
	KeyFormat, ValueFormat catalog.Format
	// Repartition is set by a rule: the rows of a group do not meet in one partition yet.
	Repartition bool
	// Partitions of the repartition topic: those of the leftmost source.
	Partitions int
}

// Suppress emits the result of a window once, when it closes.
type Suppress struct {
	In     Node
	Window types.WindowSpec
}

// Columns lists the columns of the source.
func (n *Scan) Columns() []Column {
	out := make([]Column, len(n.Out))
	for i, c := range n.Out {
		out[i] = c.Column
	}
	return out
}

// Columns are those of the input.
func (n *Filter) Columns() []Column { return n.In.Columns() }

// Columns are the items.
func (n *Project) Columns() []Column { return itemColumns(n.Items) }

// Columns are the new key and the columns of the input.
func (n *Rekey) Columns() []Column { return append(itemColumns(n.Keys), n.In.Columns()...) }

// Columns are the key and those of both sides.
func (n *Join) Columns() []Column {
	out := append([]Column{n.KeyColumn}, n.L.Node.Columns()...)
	return append(out, n.R.Node.Columns()...)
}

// Columns are the groups, the results, and the bounds of the window.
func (n *Aggregate) Columns() []Column {
	out := itemColumns(n.Group)
	for _, c := range n.Calls {
		out = append(out, c.Column)
	}
	if n.Window != nil {
		out = append(out, n.Start, n.End)
	}
	return out
}

// Columns are those of the input.
func (n *Suppress) Columns() []Column { return n.In.Columns() }

func itemColumns(items []Item) []Column {
	out := make([]Column, len(items))
	for i, it := range items {
		out[i] = it.Column
	}
	return out
}

// Key lists the source's key columns.
func (n *Scan) Key() []int {
	var out []int
	for _, c := range n.Out {
		if c.Origin == physical.FromKey {
			out = append(out, c.ID)
		}
	}
	return out
}

// Key is that of the input.
func (n *Filter) Key() []int { return n.In.Key() }

// Key lists the first KeyCount items.
func (n *Project) Key() []int { return itemIDs(n.Items[:n.KeyCount]) }

// Key lists the new key.
func (n *Rekey) Key() []int { return itemIDs(n.Keys) }

// Key is the join's.
func (n *Join) Key() []int { return []int{n.KeyColumn.ID} }

// Key lists the grouping columns.
func (n *Aggregate) Key() []int { return itemIDs(n.Group) }

// Key is that of the input.
func (n *Suppress) Key() []int { return n.In.Key() }

func itemIDs(items []Item) []int {
	out := make([]int, len(items))
	for i, it := range items {
		out[i] = it.ID
	}
	return out
}

// Children returns none.
func (n *Scan) Children() []Node { return nil }

// Children returns the input.
func (n *Filter) Children() []Node { return []Node{n.In} }

// Children returns the input.
func (n *Project) Children() []Node { return []Node{n.In} }

// Children returns the input.
func (n *Rekey) Children() []Node { return []Node{n.In} }

// Children returns both sides.
func (n *Join) Children() []Node { return []Node{n.L.Node, n.R.Node} }

// Children returns the input.
func (n *Aggregate) Children() []Node { return []Node{n.In} }

// Children returns the input.
func (n *Suppress) Children() []Node { return []Node{n.In} }

// Table says whether the source is one.
func (n *Scan) Table() bool { return n.Source.Kind == catalog.Table }

// Table is that of the input.
func (n *Filter) Table() bool { return n.In.Table() }

// Table is that of the input.
func (n *Project) Table() bool { return n.In.Table() }

// Table is false: only streams are re-keyed.
func (n *Rekey) Table() bool { return false }

// Table is true when both sides are tables.
func (n *Join) Table() bool { return n.L.Node.Table() && n.R.Node.Table() }

// Table is true.
func (n *Aggregate) Table() bool { return true }

// Table is true.
func (n *Suppress) Table() bool { return true }

// Windowed is the window type of the source's keys.
func (n *Scan) Windowed() types.WindowType { return n.Source.Window }

// Windowed is that of the input.
func (n *Filter) Windowed() types.WindowType { return n.In.Windowed() }

// Windowed is that of the input.
func (n *Project) Windowed() types.WindowType { return n.In.Windowed() }

// Windowed is none: a new key has no window.
func (n *Rekey) Windowed() types.WindowType { return types.NoWindow }

// Windowed is that of the left side.
func (n *Join) Windowed() types.WindowType { return n.L.Node.Windowed() }

// Windowed is the type of the WINDOW clause.
func (n *Aggregate) Windowed() types.WindowType {
	if n.Window == nil {
		return types.NoWindow
	}
	return n.Window.Type
}

// Windowed is that of the input.
func (n *Suppress) Windowed() types.WindowType { return n.In.Windowed() }

func (*Scan) node()      {}
func (*Filter) node()    {}
func (*Project) node()   {}
func (*Rekey) node()     {}
func (*Join) node()      {}
func (*Aggregate) node() {}
func (*Suppress) node()  {}
