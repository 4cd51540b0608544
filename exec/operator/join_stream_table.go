package operator

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// StreamTableJoin looks each stream row up in a table by key; its own input is the stream, [StreamTableJoin.Table] takes
// the table's changes. Only stream rows bring output, with their time. Rows with a null key or a null value are ignored.
type StreamTableJoin struct {
	ctx         *Context
	name        string
	left, right *joinSide
	inner       bool
	store       *state.KeyedStore
	key         []byte
	value       []byte
	out         *types.Row
	next        Operator
}

// NewStreamTableJoin builds the operator.
func NewStreamTableJoin(ctx *Context, n *physical.StreamTableJoin, next Operator) (*StreamTableJoin, error) {
	st, err := ctx.store(n.Store)
	if err != nil {
		return nil, err
	}
	j := &StreamTableJoin{
		ctx: ctx, name: n.Name, inner: n.Kind == physical.Inner, store: ctx.State.Keyed(state.StoreID(st.ID)), next: next,
	}
	if n.Kind != physical.Inner && n.Kind != physical.Left {
		return nil, fmt.Errorf("%s: a %s join of a stream with a table", n.Name, n.Kind)
	}
	var layout *types.Layout
	if j.left, j.right, layout, err = joinSides(n.L, n.R, &n.Type); err != nil {
		return nil, err
	}
	j.out = layout.NewRow()
	return j, nil
}

// Process implements [Operator] for rows of the stream.
func (j *StreamTableJoin) Process(r *record.Record) error {
	if r.Tombstone {
		j.ctx.mark(fateFiltered)
		return nil
	}
	if j.left.nullKey(r.Row) {
		j.ctx.mark(fateNullKey)
		return nil
	}
	var err error
	if j.key, err = j.left.appendKey(j.key[:0], r); err != nil {
		return err
	}
	value, _, ok, err := j.store.Get(j.key)
	if err != nil {
		return err
	}
	if !ok && j.inner {
		j.ctx.mark(fateFiltered)
		return nil
	}
	j.left.put(r.Row, j.out)
	if ok {
		if err := j.right.decode(value, j.out); err != nil {
			return fmt.Errorf("%w: %s: %w", state.ErrCorrupt, j.name, err)
		}
	} else {
		j.right.clear(j.out)
	}
	r.Row = j.out
	return j.next.Process(r)
}

// Table is the operator that takes the table's changes: it keeps the rows and passes nothing on.
func (j *StreamTableJoin) Table() Operator { return (*joinTable)(j) }

type joinTable StreamTableJoin

// Process implements [Operator] for changes of the table.
func (t *joinTable) Process(r *record.Record) error {
	if t.right.nullKey(r.Row) {
		t.ctx.mark(fateNullKey)
		return nil
	}
	var err error
	if t.key, err = t.right.appendKey(t.key[:0], r); err != nil {
		return err
	}
	t.ctx.mark(fateKept)
	if r.Tombstone {
		t.store.Delete(t.key, r.Time)
		return nil
	}
	if t.value, err = t.right.values.AppendRow(t.value[:0], r.Row); err != nil {
		return err
	}
	t.store.Put(t.key, t.value, r.Time)
	return nil
}
