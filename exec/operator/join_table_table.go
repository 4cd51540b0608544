package operator

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// TableTableJoin joins two tables by primary key: a change of either side changes the result, and a result that vanishes
// becomes a tombstone. The time of a change is the larger of both rows'.
type TableTableJoin struct {
	ctx         *Context
	name        string
	left, right *tableSide
}

// tableSide is one side of a TableTableJoin; its input is that side's table.
type tableSide struct {
	join  *TableTableJoin
	side  *joinSide
	other *tableSide
	// needsOther: without a row of the other side there is no result; needsOwn: without a row of this side.
	needsOther, needsOwn bool
	store                *state.KeyedStore
	key                  []byte
	value                []byte
	// otherValue is a copy of the other side's row.
	otherValue []byte
	oldValue   []byte
	out, old   *types.Row
	rec        record.Record
	next       Operator
}

// NewTableTableJoin builds the operator; keepOld says that old results are wanted downstream.
func NewTableTableJoin(
	ctx *Context, n *physical.TableTableJoin, keepOld bool, next Operator,
) (*TableTableJoin, error) {
	l, r, layout, err := joinSides(n.L, n.R, &n.Type)
	if err != nil {
		return nil, err
	}
	leftStore, err := ctx.store(n.LeftStore)
	if err != nil {
		return nil, err
	}
	rightStore, err := ctx.store(n.RightStore)
	if err != nil {
		return nil, err
	}
	j := &TableTableJoin{ctx: ctx, name: n.Name}
	j.left = &tableSide{
		join: j, side: l, store: ctx.State.Keyed(state.StoreID(leftStore.ID)), out: layout.NewRow(), next: next,
		needsOther: n.Kind == physical.Inner || n.Kind == physical.Right,
		needsOwn:   n.Kind == physical.Inner || n.Kind == physical.Left,
	}
	j.right = &tableSide{
		join: j, side: r, store: ctx.State.Keyed(state.StoreID(rightStore.ID)), out: layout.NewRow(), next: next,
		needsOther: n.Kind == physical.Inner || n.Kind == physical.Left,
		needsOwn:   n.Kind == physical.Inner || n.Kind == physical.Right,
	}
	j.left.other, j.right.other = j.right, j.left
	if keepOld {
		j.left.old, j.right.old = layout.NewRow(), layout.NewRow()
	}
	return j, nil
}

// Left is the operator that takes changes of the left table.
func (j *TableTableJoin) Left() Operator { return j.left }

// Right is the operator that takes changes of the right table.
func (j *TableTableJoin) Right() Operator { return j.right }

// Process implements [Operator].
func (t *tableSide) Process(r *record.Record) error {
	ctx := t.join.ctx
	if t.side.nullKey(r.Row) {
		ctx.mark(fateNullKey)
		return nil
	}
	var err error
	if t.key, err = t.side.appendKey(t.key[:0], r); err != nil {
		return err
	}
	before, err := t.keep(r)
	if err != nil {
		return err
	}
	value, otherTime, hasOther, err := t.other.store.Get(t.key)
	if err != nil {
		return err
	}
	ctx.mark(fateKept)
	if !hasOther && t.needsOther {
		return nil
	}
	t.otherValue = append(t.otherValue[:0], value...)
	// Results exist as the kind of join says; a change from nothing to nothing says nothing, where it is known.
	hasNew := !r.Tombstone || hasOther && !t.needsOwn
	hadOld := before || hasOther && !t.needsOwn
	if !hasNew && !hadOld {
		return nil
	}
	at := r.Time
	if hasOther {
		at = max(at, otherTime)
	}
	t.rec = record.Record{
		Row: t.out, Tombstone: !hasNew, Time: at, Partition: r.Partition, Offset: r.Offset, RawKey: r.RawKey,
		Window: r.Window,
	}
	t.side.key.run(r.Row, t.out)
	if r.Tombstone {
		t.side.clear(t.out)
	} else {
		t.side.all.run(r.Row, t.out)
	}
	if err := t.otherPart(hasOther && hasNew, t.out); err != nil {
		return err
	}
	if t.old != nil && hadOld {
		if err := t.oldResult(r, before, hasOther); err != nil {
			return err
		}
		t.rec.Old = t.old
	}
	return t.next.Process(&t.rec)
}

// keep stores the side's new row and tells whether there was one before; that one is copied to oldValue.
func (t *tableSide) keep(r *record.Record) (before bool, err error) {
	value, _, before, err := t.store.Get(t.key)
	if err != nil {
		return false, err
	}
	t.oldValue = append(t.oldValue[:0], value...)
	if r.Tombstone {
		t.store.Delete(t.key, r.Time)
		return before, nil
	}
	if t.value, err = t.side.values.AppendRow(t.value[:0], r.Row); err != nil {
		return false, err
	}
	t.store.Put(t.key, t.value, r.Time)
	return before, nil
}

// otherPart fills the other side's part of a result, whose key is set.
func (t *tableSide) otherPart(has bool, out *types.Row) error {
	if !has {
		t.other.side.clear(out)
		return nil
	}
	return t.broken(t.other.side.decode(t.otherValue, out))
}

// oldResult makes the result that was there before the change.
func (t *tableSide) oldResult(r *record.Record, before, hasOther bool) error {
	t.side.key.run(r.Row, t.old)
	if before {
		if err := t.broken(t.side.decode(t.oldValue, t.old)); err != nil {
			return err
		}
	} else {
		t.side.clear(t.old)
	}
	return t.otherPart(hasOther, t.old)
}

func (t *tableSide) broken(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %s: %w", state.ErrCorrupt, t.join.name, err)
}
