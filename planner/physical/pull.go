package physical

import (
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// Pull is the plan of a pull query over a materialised table.
type Pull struct {
	// QueryID of the query whose state is read.
	QueryID         string
	Source          string
	Materialization *Materialization
	// Lookups are the disjuncts of the WHERE clause as accesses; empty means that nothing can match. Row order and
	// duplicates are the executor's: a row is returned once however many lookups find it.
	Lookups []Lookup
	// Where filters the rows found, over Materialization.Columns followed by WINDOWSTART, WINDOWEND when windowed, and
	// ROWTIME last when the query uses it; nil keeps all.
	Where expr.Expr
	// Exprs compute the result columns over the same row.
	Exprs   []expr.Expr
	Columns []types.Column
	// KeyPositions lists which result columns are key columns (marked KEY in the header's schema).
	KeyPositions []int
	// Limit of rows; negative for none.
	Limit int64
}

// Lookup is one access path.
type Lookup struct {
	// Key is the full key, boxed literals in key column order; nil for a range or scan.
	Key []*expr.Literal
	// From, To bound a single key column (nil: open); used when Key is nil.
	From, To                   *expr.Literal
	FromInclusive, ToInclusive bool
	// Window bounds in milliseconds, inclusive; nil: open. They apply to window start and end.
	StartMin, StartMax, EndMin, EndMax *int64
}
