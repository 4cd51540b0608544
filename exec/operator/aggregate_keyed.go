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
	return &KeyedAggregate{
		aggregateCore: core, store: ctx.State.Keyed(state.StoreID(st.ID)), table: n.Table,
		cached: ctx.CacheBytes > 0 && !keepOld && !now,
	}, nil
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
	if a.cached && a.fold.fixed {
		return a.addInPlace(r)
	}
	return a.update(nil, r.Row, r.Time)
}

// addInPlace is the hot path: the state is changed where it lies and nothing is passed on before Flush.
func (a *KeyedAggregate) addInPlace(r *record.Record) error {
	value, found, err := a.store.Upsert(a.key, a.fold.size, r.Time)
	if err != nil {
		return err
	}
	if found {
		if err := a.fold.loadFixed(value); err != nil {
			return a.broken(err)
		}
	} else {
		a.fold.init()
	}
	a.fold.add(a.ctx, a.name, r.Row)
	a.fold.storeFixed(value)
	a.ctx.mark(fateAggregated)
	return nil
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
