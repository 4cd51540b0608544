package operator

import (
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// KeyedAggregate folds rows by group without windows. Over a stream null values are ignored; over a table each change
// undoes its old row and adds its new one.
//
// With the record cache on, results leave at Flush: one for each group that changed, in the order in which they first
// changed. The timestamp of a result is the largest of its group.
type KeyedAggregate struct {
	*aggregateCore
	store  *state.KeyedStore
	table  bool
	cached bool
	// gather is nil where rows are folded in one by one.
	gather *gather
}

// NewKeyedAggregate builds the operator. keepOld says that old results are wanted downstream, now that every
// update is; either turns the cache off.
func NewKeyedAggregate(ctx *Context, n *physical.Aggregate, keepOld, now bool, next Operator) (*KeyedAggregate, error) {
	core, err := newAggregateCore(ctx, n, keepOld, next)
	if err != nil {
		return nil, err
	}
	st, err := ctx.store(n.Store)
	if err != nil {
		return nil, err
	}
	a := &KeyedAggregate{
		aggregateCore: core, store: ctx.State.Keyed(state.StoreID(st.ID)), table: n.Table,
		cached: ctx.CacheBytes > 0 && !keepOld && !now,
	}
	if a.cached && !a.table && core.fold.canGather() {
		a.gather = newGather(core, a.store.Upserts())
	}
	return a, nil
}

// Process implements [Operator].
func (a *KeyedAggregate) Process(r *record.Record) error {
	if a.table {
		return a.change(r)
	}
	if r.Tombstone {
		a.ctx.mark(fateFiltered)
		return nil
	}
	if !a.group(r.Row) {
		return nil
	}
	if a.gather != nil {
		// The hot path: the state is changed where it lies and nothing is passed on before Flush.
		a.ctx.mark(fateAggregated)
		a.gather.rows.Add(a.key, r.Time)
		return a.gather.put(r.Row)
	}
	return a.update(nil, r.Row, r.Time)
}

// change handles a change of the table below: undo the old row, then add the new one, in one step if their group is the
// same.
func (a *KeyedAggregate) change(r *record.Record) error {
	if r.Old == nil {
		if r.Tombstone {
			a.ctx.mark(fateFiltered)
			return nil
		}
		if !a.group(r.Row) {
			return nil
		}
		return a.update(nil, r.Row, r.Time)
	}
	hasOld := a.group(r.Old)
	if r.Tombstone {
		if !hasOld {
			return nil
		}
		return a.update(r.Old, nil, r.Time)
	}
	oldKey := string(a.key)
	hasNew := a.group(r.Row)
	if hasOld && hasNew && oldKey == string(a.key) {
		return a.update(r.Old, r.Row, r.Time)
	}
	if hasOld && a.group(r.Old) {
		if err := a.update(r.Old, nil, r.Time); err != nil {
			return err
		}
	}
	if hasNew && a.group(r.Row) {
		return a.update(nil, r.Row, r.Time)
	}
	return nil
}

// update changes the state of the group in hand: takes out, puts in, and passes the result on unless cached.
func (a *KeyedAggregate) update(out, in *types.Row, at int64) error {
	value, last, found, err := a.store.Get(a.key)
	if err != nil {
		return err
	}
	if found {
		if err := a.fold.load(value); err != nil {
			return a.broken(err)
		}
		at = max(at, last)
		if a.old != nil {
			a.keepResult()
		}
	} else {
		if in == nil {
			// Nothing is known of the group the row is to be taken out of.
			a.ctx.mark(fateFiltered)
			return nil
		}
		a.fold.init()
	}
	if out != nil && found {
		a.fold.undo(a.ctx, a.name, out)
	}
	if in != nil {
		a.fold.add(a.ctx, a.name, in)
	}
	if value, err = a.fold.encode(); err != nil {
		return err
	}
	a.store.Put(a.key, value, at)
	a.ctx.mark(fateAggregated)
	if a.cached {
		return nil
	}
	return a.emit(found, types.Window{}, at)
}

// Flush passes on what changed since the last time.
func (a *KeyedAggregate) Flush() error {
	if !a.cached {
		return nil
	}
	if a.gather != nil {
		if err := a.gather.run(); err != nil {
			return err
		}
	}
	return a.store.Changed(func(key, value []byte, at int64, deleted bool) error {
		if deleted {
			return nil
		}
		if err := a.ungroup(key); err != nil {
			return err
		}
		if err := a.fold.load(value); err != nil {
			return a.broken(err)
		}
		return a.emit(false, types.Window{}, at)
	})
}

// Abort forgets the rows that were not folded in yet.
func (a *KeyedAggregate) Abort() {
	if a.gather != nil {
		a.gather.drop()
	}
}
