package operator

import (
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/eval"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// StreamFilter keeps the events whose condition is true. Null values are dropped, as in ksqlDB.
type StreamFilter struct {
	ctx  *Context
	name string
	cond *eval.Predicate
	// guarded takes the errors of guarded places.
	guarded func(error)
	next    Operator
}

// NewStreamFilter builds the operator.
func NewStreamFilter(ctx *Context, n *physical.Filter, next Operator) (*StreamFilter, error) {
	cond, err := ctx.compiler().Predicate(n.Cond, types.NewLayout(n.In.Out().Columns))
	f := &StreamFilter{ctx: ctx, name: n.Name, cond: cond, next: next}
	f.guarded = func(err error) { ctx.conditionFailed(n.Name, err, false) }
	return f, err
}

// Process implements [Operator].
func (f *StreamFilter) Process(r *record.Record) error {
	if r.Tombstone {
		f.ctx.mark(fateFiltered)
		return nil
	}
	keep, err := f.cond.Test(r.Row, f.guarded)
	if err != nil {
		f.ctx.conditionFailed(f.name, err, true)
		return nil
	}
	if !keep {
		f.ctx.mark(fateFiltered)
		return nil
	}
	return f.next.Process(r)
}

// TableFilter keeps the rows of a table whose condition is true: a row that stops matching becomes a tombstone. Where the
// old row is known, rows that did not match before and do not now say nothing; elsewhere a superfluous tombstone goes
// out, as in ksqlDB.
type TableFilter struct {
	ctx  *Context
	name string
	cond *eval.Predicate
	// guarded takes the errors of guarded places.
	guarded func(error)
	// tracked: Record.Old is the row that was there before.
	tracked bool
	next    Operator
}

// NewTableFilter builds the operator; tracked says that the input's changes carry their old row.
func NewTableFilter(ctx *Context, n *physical.Filter, tracked bool, next Operator) (*TableFilter, error) {
	cond, err := ctx.compiler().Predicate(n.Cond, types.NewLayout(n.In.Out().Columns))
	f := &TableFilter{ctx: ctx, name: n.Name, cond: cond, tracked: tracked, next: next}
	f.guarded = func(err error) { ctx.conditionFailed(n.Name, err, false) }
	return f, err
}

// Process implements [Operator].
func (f *TableFilter) Process(r *record.Record) error {
	if r.Old != nil {
		// An old row whose condition fails to evaluate was not passed on.
		if keep, err := f.cond.Test(r.Old, nil); err != nil || !keep {
			r.Old = nil
		}
	}
	if !r.Tombstone {
		keep, err := f.cond.Test(r.Row, f.guarded)
		if err != nil {
			f.ctx.conditionFailed(f.name, err, f.tracked && r.Old == nil)
		}
		r.Tombstone = err != nil || !keep
	}
	if r.Tombstone && f.tracked && r.Old == nil {
		f.ctx.mark(fateFiltered)
		return nil
	}
	return f.next.Process(r)
}
