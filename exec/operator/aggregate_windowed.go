package operator

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// WindowedAggregate folds rows by group and TUMBLING or HOPPING window. A window takes rows as long as its end lies after
// stream time less the grace period, where stream time is the largest timestamp this operator has seen; a row for which
// no window is open is late. The record cache works as in [KeyedAggregate].
type WindowedAggregate struct {
	*aggregateCore
	store  *state.WindowStore
	spec   types.WindowSpec
	clock  *Clock
	cached bool
	// gather is nil where rows are folded in one by one.
	gather *gather
}

// NewWindowedAggregate builds the operator. keepOld says that old results are wanted downstream, now that every
// update is; either turns the cache off.
func NewWindowedAggregate(
	ctx *Context, n *physical.Aggregate, keepOld, now bool, next Operator,
) (*WindowedAggregate, error) {
	core, err := newAggregateCore(ctx, n, keepOld, next)
	if err != nil {
		return nil, err
	}
	st, err := ctx.store(n.Store)
	if err != nil {
		return nil, err
	}
	if n.Window.SizeMs <= 0 || n.Window.AdvanceMs < 0 {
		return nil, fmt.Errorf("%s: a window of %d ms by %d ms", n.Name, n.Window.SizeMs, n.Window.AdvanceMs)
	}
	a := &WindowedAggregate{
		aggregateCore: core, store: ctx.State.Windowed(state.StoreID(st.ID)), spec: *n.Window,
		clock: ctx.newClock(n.Name), cached: ctx.CacheBytes > 0 && !keepOld && !now,
	}
	if a.spec.AdvanceMs == 0 {
		a.spec.AdvanceMs = a.spec.SizeMs
	}
	if a.cached && core.fold.canGather() {
		a.gather = newGather(core, a.store.Upserts())
	}
	return a, nil
}

// Process implements [Operator].
func (a *WindowedAggregate) Process(r *record.Record) error {
	if r.Tombstone {
		a.ctx.mark(fateFiltered)
		return nil
	}
	if !a.group(r.Row) {
		return nil
	}
	closed := a.clock.advance(r.Time) - a.spec.GraceMs
	a.ctx.mark(fateLate)
	for start := firstWindow(r.Time, &a.spec); start <= r.Time; start += a.spec.AdvanceMs {
		w := types.Window{Start: start, End: start + a.spec.SizeMs}
		if w.End <= closed {
			continue
		}
		if err := a.update(r, w); err != nil {
			return err
		}
	}
	return nil
}

// firstWindow is the start of the earliest window that holds time t; no window starts before 1970.
func firstWindow(t int64, w *types.WindowSpec) int64 {
	return max(0, t-w.SizeMs+w.AdvanceMs) / w.AdvanceMs * w.AdvanceMs
}

func (a *WindowedAggregate) update(r *record.Record, w types.Window) error {
	if a.gather != nil {
		// The hot path: the state is changed where it lies and nothing is passed on before Flush.
		if !a.gather.rows.AddWindow(a.key, w.Start, r.Time) {
			return nil
		}
		a.ctx.mark(fateAggregated)
		return a.gather.put(r.Row)
	}
	value, last, found, err := a.store.Get(a.key, w.Start)
	if err != nil {
		return err
	}
	at := r.Time
	if found {
		if err := a.fold.load(value); err != nil {
			return a.broken(err)
		}
		at = max(at, last)
		if a.old != nil {
			a.keepResult()
			a.setWindow(a.old, w)
		}
	} else {
		a.fold.init()
	}
	a.fold.add(a.ctx, a.name, r.Row)
	if value, err = a.fold.encode(); err != nil {
		return err
	}
	if !a.store.Put(a.key, w.Start, value, at) {
		return nil
	}
	a.ctx.mark(fateAggregated)
	if a.cached {
		return nil
	}
	a.setWindow(a.row, w)
	return a.emit(found, w, at)
}

// Flush passes on what changed since the last time.
func (a *WindowedAggregate) Flush() error {
	if !a.cached {
		return nil
	}
	if a.gather != nil {
		if err := a.gather.run(); err != nil {
			return err
		}
	}
	return a.store.Changed(func(key []byte, start int64, value []byte, at int64, deleted bool) error {
		if deleted {
			return nil
		}
		if err := a.ungroup(key); err != nil {
			return err
		}
		if err := a.fold.load(value); err != nil {
			return a.broken(err)
		}
		w := types.Window{Start: start, End: start + a.spec.SizeMs}
		a.setWindow(a.row, w)
		return a.emit(false, w, at)
	})
}

// Abort forgets the rows that were not folded in yet.
func (a *WindowedAggregate) Abort() {
	if a.gather != nil {
		a.gather.drop()
	}
}
