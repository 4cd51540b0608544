// Package physical holds plans as what runs: stages, operators, stores and topics, as plain serialisable data. A plan is
// immutable once built, is written into the command log, and is never made again on a restart.
package physical

import (
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// Version of the plan format written by this build. A reader refuses a higher one.
const Version = 1

// Plan is one query: a tree of operators cut into stages where the key changes.
type Plan struct {
	Version int
	// QueryID such as CTAS_TOTALS_7. Empty until the command's offset is known; internal topic names hold it.
	QueryID string
	// SQL is the statement the plan was made from, as canonicalised.
	SQL string
	// Stages in topological order: a stage reads only topics of the outside and internal topics of earlier stages. The
	// exception is the right side of a [ForeignKeyJoin], which reads the subscriptions of a later stage.
	Stages []*Stage
	// Sink is where a persistent query writes; nil for a push query, and for the query of a source table.
	Sink *SinkInfo
	// Sources are the names of the streams and tables read, leftmost first.
	Sources []string
	// Materialization says how pull queries read the result; nil when they cannot.
	Materialization *Materialization
	// Output describes the rows of a push query; nil for a persistent one.
	Output *Output
}

// SinkInfo names what a persistent query writes into.
type SinkInfo struct {
	Name    string `json:"name"`
	IsTable bool   `json:"isTable,omitempty"`
	Topic   string `json:"topic"`
}

// Output describes the rows a push query hands to its client.
type Output struct {
	Columns []types.Column `json:"columns"`
	// KeyColumns is the number of leading Columns that are the key of a table row; tombstones keep them.
	KeyColumns int `json:"keyColumns,omitempty"`
	// KeyPositions lists which Columns hold key columns (tombstone rows of the JSON format keep these).
	KeyPositions []int `json:"keyPositions,omitempty"`
	IsTable      bool  `json:"isTable,omitempty"`
	// Limit of rows, 0 for none.
	Limit int64 `json:"limit,omitempty"`
}

// Stage is what one task runs for one partition number of all its inputs.
type Stage struct {
	ID int
	// Partitions of every input topic at planning time; they must agree.
	Partitions int
	Inputs     []*Input
	// Stores of the stage's operators.
	Stores []*Store
	// Root is a *Sink, *Repartition, *ForeignKeyAnswer or *Emit, or a *Materialize where rows are kept and go nowhere.
	Root Node
}

// FormatSpec is a wire format with its properties.
type FormatSpec struct {
	Name string `json:"name"`
	// Unwrapped: a single column is the whole value.
	Unwrapped bool `json:"unwrapped,omitempty"`
	// Properties without KEY_/VALUE_ prefix, upper case.
	Properties map[string]string `json:"properties,omitempty"`
}

// Input is a topic that a stage reads.
type Input struct {
	Topic string `json:"topic"`
	// Source is the stream or table that the topic belongs to; empty for repartition topics.
	Source string `json:"source,omitempty"`
	// Repartition marks internal topics written by another stage of the same query.
	Repartition bool `json:"repartition,omitempty"`
	// Table: read as a changelog (starts at earliest unless the user set auto.offset.reset; records are upserts).
	Table bool `json:"table,omitempty"`
	// Key and Value are the topic's columns on the wire.
	Key         []types.Column `json:"key,omitempty"`
	Value       []types.Column `json:"value,omitempty"`
	KeyFormat   FormatSpec     `json:"keyFormat"`
	ValueFormat FormatSpec     `json:"valueFormat"`
	// Window of topics whose keys carry one.
	Window       types.WindowType `json:"window,omitempty"`
	WindowSizeMs int64            `json:"windowSizeMs,omitempty"`
	// Timestamp extraction; nil uses the record's own.
	Timestamp *Timestamp `json:"timestamp,omitempty"`
	// Changes: values carry old and new row (repartition for aggregation over a table, see operator docs).
	Changes bool `json:"changes,omitempty"`
	// StartAt is where a query that starts at the end begins, by partition: the ends when its statement was taken, so that what is
	// written after the statement is read, however long the query takes to start. Empty: at the ends when it starts.
	StartAt []int64 `json:"startAt,omitempty"`
}

// Timestamp names the column that gives ROWTIME.
type Timestamp struct {
	Column string `json:"column"`
	// Format is a pattern for STRING columns; empty for BIGINT and TIMESTAMP ones, and for ISO-8601 text.
	Format string `json:"format,omitempty"`
}

// StoreKind is the shape of a store.
type StoreKind string

// The store kinds.
const (
	// KeyedStore holds one row a key.
	KeyedStore StoreKind = "KEYED"
	// WindowedStore holds one row a key and window start.
	WindowedStore StoreKind = "WINDOWED"
	// SessionStore holds one row a key and session.
	SessionStore StoreKind = "SESSION"
	// BufferStore holds rows of a stream by key and time, duplicates kept (stream-stream join).
	BufferStore StoreKind = "BUFFER"
)

// Store is the state of one operator.
type Store struct {
	// ID is unique in the plan and part of the key in the state database.
	ID   uint16    `json:"id"`
	Name string    `json:"name"`
	Kind StoreKind `json:"kind"`
	// Key columns are encoded order-preserving; Value columns by the row codec.
	Key   []types.Column `json:"key,omitempty"`
	Value []types.Column `json:"value,omitempty"`
	// Changelog topic name; empty for a store that is not logged.
	Changelog string `json:"changelog,omitempty"`
	// Window of windowed and session stores.
	Window *types.WindowSpec `json:"window,omitempty"`
	// RetentionMs of windowed, session and buffer stores.
	RetentionMs int64 `json:"retentionMs,omitempty"`
}

// Node is an operator of a stage. Each node's output row is described by its Schema. Sealed.
//
//sumtype:decl
type Node interface {
	// Out describes the rows the node passes on.
	Out() *RowType
	// Inputs are the nodes it reads from, left to right.
	Children() []Node
	node()
}

// RowType is the columns of a row between operators: the first Key columns are the record's key, the others its value
// and whatever pseudo columns later operators need.
type RowType struct {
	Columns []types.Column `json:"columns"`
	Key     int            `json:"key,omitempty"`
	// Table: records are changes by key.
	Table bool `json:"table,omitempty"`
	// Windowed: the key includes a window (Record.Window).
	Window types.WindowType `json:"window,omitempty"`
}

// Origin says where a column of a source row comes from.
type Origin string

// The origins.
const (
	FromKey         Origin = "KEY"
	FromValue       Origin = "VALUE"
	FromRowTime     Origin = "ROWTIME"
	FromPartition   Origin = "ROWPARTITION"
	FromOffset      Origin = "ROWOFFSET"
	FromWindowStart Origin = "WINDOWSTART"
	FromWindowEnd   Origin = "WINDOWEND"
	FromHeaders     Origin = "HEADERS"
)

// Pseudo says whether the column is one that every source has, and that SELECT * leaves out.
func (o Origin) Pseudo() bool {
	switch o {
	case FromKey, FromValue, FromHeaders:
		return false
	}
	return true
}

// SourceColumn is where one column of a Source's row comes from: Index counts in the input's Key or Value columns.
type SourceColumn struct {
	Origin Origin `json:"origin"`
	Index  int    `json:"index,omitempty"`
	// Header is the name of the header that a column of FromHeaders shows; nil for all of them.
	Header *string `json:"header,omitempty"`
}

// Source reads one input of the stage: decodes it, extracts the timestamp, and for tables keeps the rows when Store is
// set so that changes carry the old row. Only columns somebody reads are among its columns; the key's columns always
// come first.
type Source struct {
	// Name is the step's name in EXPLAIN and error records.
	Name string
	// Input indexes Stage.Inputs.
	Input   int
	Columns []SourceColumn
	// Store (name in Stage.Stores) materialises a table; empty: the old row is not known.
	Store string
	Type  RowType
}

// Filter keeps records whose condition is true. On a table a row that stops matching becomes a tombstone.
type Filter struct {
	Name string
	In   Node
	Cond expr.Expr
	// Having marks the HAVING filter (groups that never matched emit nothing).
	Having bool
}

// Project computes new columns: Exprs one for each column of Type. It is also what PARTITION BY and the renaming of
// sources in joins become: the first Type.Key expressions are the new key.
type Project struct {
	Name  string
	In    Node
	Exprs []expr.Expr
	Type  RowType
	// Rekey marks a changed key (PARTITION BY): a failing or null key expression gives a null key.
	Rekey bool
}

// AggCall is one aggregate function of an Aggregate.
type AggCall struct {
	Name     string
	Overload int
	// Args over the input row; Literals are the boxed values of literal parameters as expr.Literal (nil elsewhere).
	Args     []expr.Expr
	Literals []*expr.Literal
	T        *types.Type
}

// Aggregate folds rows by group. The input is keyed so that all rows of a group meet in one partition: GroupBy are its
// grouping expressions over the input row. Output columns: the grouping columns (key), the results, and for windows
// WINDOWSTART and WINDOWEND at the end. Over a table it undoes old rows.
type Aggregate struct {
	Name    string
	In      Node
	GroupBy []expr.Expr
	Calls   []AggCall
	Window  *types.WindowSpec
	Store   string
	Type    RowType
	// Table: the input is a changelog, see Input.Changes.
	Table bool
}

// Suppress holds windowed results back until their window closes (EMIT FINAL).
type Suppress struct {
	Name   string
	In     Node
	Window types.WindowSpec
	Store  string
}

// JoinKind is the kind of a join.
type JoinKind string

// The join kinds.
const (
	Inner JoinKind = "INNER"
	Left  JoinKind = "LEFT"
	Right JoinKind = "RIGHT"
	Full  JoinKind = "FULL"
)

// StreamTableJoin looks each stream row up in a table by key. Output columns: the key, then the left row's columns,
// then the right row's.
type StreamTableJoin struct {
	Name string
	Kind JoinKind
	// L is the stream, R the table, which materialises its rows in Store.
	L, R  Node
	Store string
	Type  RowType
}

// StreamStreamJoin joins rows of equal key whose times lie within the window: R.time in [L.time-BeforeMs,
// L.time+AfterMs]. Output columns: the key, then the left row's columns, then the right row's.
type StreamStreamJoin struct {
	Name              string
	Kind              JoinKind
	L, R              Node
	BeforeMs, AfterMs int64
	GraceMs           int64
	// GraceGiven: non-matches of outer joins wait until the window closes; otherwise they are emitted at once.
	GraceGiven bool
	// LeftStore, RightStore are buffers; OuterStore holds rows still without a match (outer joins with grace).
	LeftStore, RightStore, OuterStore string
	Type                              RowType
}

// TableTableJoin joins two tables by their primary key. Both sides' rows are materialised. Output columns: the key,
// then the left row's columns, then the right row's.
type TableTableJoin struct {
	Name                  string
	Kind                  JoinKind
	L, R                  Node
	LeftStore, RightStore string
	Type                  RowType
}

// Materialize keeps the latest row of each key for pull queries and gives changes their old row. As the root of a stage, the
// only one of the query of a source table, it keeps them and that is all.
type Materialize struct {
	Name  string
	In    Node
	Store string
}

// Repartition ends a stage: it writes rows under a new key to an internal topic that a later stage reads.
type Repartition struct {
	Name string
	In   Node
	// Key expressions over the input row (grouping, PARTITION BY, join key); a failing or null one drops the row when
	// DropNullKey is set (grouping, joins), else the key is null.
	Key         []expr.Expr
	DropNullKey bool
	// Value are the columns of the input row (by index) that are written, in order.
	Value []int
	// Topic and formats as the reading stage's Input has them.
	Topic                    string
	KeyColumns, ValueColumns []types.Column
	KeyFormat, ValueFormat   FormatSpec
	// Partitions of the topic.
	Partitions int
	// Changes: the input is a table and old and new row are both sent on.
	Changes bool
}

// Sink ends the last stage of a persistent query: it writes rows to the sink topic. The input's first Type.Key columns
// are the key, the next Value columns the value.
type Sink struct {
	Name  string
	In    Node
	Topic string
	// Key and Value are the sink's columns in order; KeyIndex and ValueIndex say which input columns they are.
	Key, Value             []types.Column
	KeyIndex, ValueIndex   []int
	KeyFormat, ValueFormat FormatSpec
	Table                  bool
	Window                 types.WindowType
	// Timestamp column of the sink (TIMESTAMP property): its value becomes the record's timestamp.
	Timestamp *Timestamp
	// ForwardKey: the key's bytes as read are the key's bytes to write.
	ForwardKey bool
}

// Emit ends the last stage of a push query: rows go to the subscriber.
type Emit struct {
	Name string
	In   Node
	// Index lists the input columns in the order of Output.Columns.
	Index []int
}

// Materialization says how pull queries read a table's rows.
type Materialization struct {
	// Stage and Store (name) hold the rows.
	Stage int
	Store string
	// Aggregate is set when the store holds aggregate state: results are computed on reading.
	Aggregate *Aggregate
	// Steps are the Filters (HAVING) and Projects between the store's rows and the table's, to be applied in order; their
	// In fields are nil.
	Steps []Node
	// Columns of the table as pull queries see it: key columns first.
	Columns []types.Column
	Key     int
	Window  types.WindowType
	// KeyFormat and KeyColumns of the input that decides which partition a key is in.
	KeyFormat  FormatSpec
	KeyColumns []types.Column
	Partitions int
}

// Out describes the rows.
func (n *Source) Out() *RowType { return &n.Type }

// Out describes the rows.
func (n *Filter) Out() *RowType { return n.In.Out() }

// Out describes the rows.
func (n *Project) Out() *RowType { return &n.Type }

// Out describes the rows.
func (n *Aggregate) Out() *RowType { return &n.Type }

// Out describes the rows.
func (n *Suppress) Out() *RowType { return n.In.Out() }

// Out describes the rows.
func (n *StreamTableJoin) Out() *RowType { return &n.Type }

// Out describes the rows.
func (n *StreamStreamJoin) Out() *RowType { return &n.Type }

// Out describes the rows.
func (n *TableTableJoin) Out() *RowType { return &n.Type }

// Out describes the rows.
func (n *Materialize) Out() *RowType { return n.In.Out() }

// Out describes the rows.
func (n *Repartition) Out() *RowType { return n.In.Out() }

// Out describes the rows.
func (n *Sink) Out() *RowType { return n.In.Out() }

// Out describes the rows.
func (n *Emit) Out() *RowType { return n.In.Out() }

// Children returns none: a source is a leaf.
func (n *Source) Children() []Node { return nil }

// Children returns the input.
func (n *Filter) Children() []Node { return []Node{n.In} }

// Children returns the input.
func (n *Project) Children() []Node { return []Node{n.In} }

// Children returns the input.
func (n *Aggregate) Children() []Node { return []Node{n.In} }

// Children returns the input.
func (n *Suppress) Children() []Node { return []Node{n.In} }

// Children returns both sides.
func (n *StreamTableJoin) Children() []Node { return []Node{n.L, n.R} }

// Children returns both sides.
func (n *StreamStreamJoin) Children() []Node { return []Node{n.L, n.R} }

// Children returns both sides.
func (n *TableTableJoin) Children() []Node { return []Node{n.L, n.R} }

// Children returns the input.
func (n *Materialize) Children() []Node { return []Node{n.In} }

// Children returns the input.
func (n *Repartition) Children() []Node { return []Node{n.In} }

// Children returns the input.
func (n *Sink) Children() []Node { return []Node{n.In} }

// Children returns the input.
func (n *Emit) Children() []Node { return []Node{n.In} }

func (*Source) node()           {}
func (*Filter) node()           {}
func (*Project) node()          {}
func (*Aggregate) node()        {}
func (*Suppress) node()         {}
func (*StreamTableJoin) node()  {}
func (*StreamStreamJoin) node() {}
func (*TableTableJoin) node()   {}
func (*Materialize) node()      {}
func (*Repartition) node()      {}
func (*Sink) node()             {}
func (*Emit) node()             {}
