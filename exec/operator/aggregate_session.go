package operator

import (
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// SessionAggregate folds rows by group and SESSION window: rows of a group that are at most the gap apart belong to one
// session, whose start and end are the times of its first and last row. A row may extend a session or join several: the
// old sessions leave as tombstones, as the window is part of the key, and then the new one. A row is late if the session
// it would make ended before stream time less grace and gap. Every update is passed on at once.
type SessionAggregate struct {
	*aggregateCore
	store *state.SessionStore
	spec  types.WindowSpec
	clock *Clock
	found []session
	bytes []byte
	src   []types.Slot
}

// session is a session found in the store; its state lies in SessionAggregate.bytes.
type session struct {
	window   types.Window
	from, to int
}

// NewSessionAggregate builds the operator. keepOld says that old results are wanted downstream.
func NewSessionAggregate(ctx *Context, n *physical.Aggregate, keepOld bool, next Operator) (*SessionAggregate, error) {
	core, err := newAggregateCore(ctx, n, keepOld, next)
	if err != nil {
		return nil, err
	}
	st, err := ctx.store(n.Store)
	if err != nil {
		return nil, err
	}
	return &SessionAggregate{
		aggregateCore: core, store: ctx.State.Session(state.StoreID(st.ID)), spec: *n.Window, clock: ctx.newClock(n.Name),
		src: make([]types.Slot, len(core.fold.state)),
	}, nil
}

// Process implements [Operator].
func (a *SessionAggregate) Process(r *record.Record) error {
	if r.Tombstone {
		a.ctx.mark(fateFiltered)
		return nil
	}
	if !a.group(r.Row) {
		return nil
	}
	closed := a.clock.advance(r.Time) - a.spec.GraceMs - a.spec.SizeMs
	if err := a.find(r.Time); err != nil {
		return err
	}
	own := types.Window{Start: r.Time, End: r.Time}
	merged := own
	for i := range a.found {
		merged.Start = min(merged.Start, a.found[i].window.Start)
		merged.End = max(merged.End, a.found[i].window.End)
	}
	if merged.End < closed {
		a.ctx.mark(fateLate)
		return nil
	}
	if merged != own {
		if err := a.removeFound(); err != nil {
			return err
		}
	}
	return a.write(r, merged, merged == own && len(a.found) > 0)
}

// find copies out the sessions that a row at time t extends or joins.
func (a *SessionAggregate) find(t int64) error {
	a.found, a.bytes = a.found[:0], a.bytes[:0]
	it := a.store.Find(a.key, t-a.spec.SizeMs, t+a.spec.SizeMs)
	for it.Next() {
		at := len(a.bytes)
		a.bytes = append(a.bytes, it.Value()...)
		a.found = append(a.found, session{types.Window{Start: it.Start(), End: it.End()}, at, len(a.bytes)})
	}
	return it.Close()
}

// removeFound deletes the sessions found and passes their tombstones on. As in Kafka Streams a tombstone carries the time
// of its session's end.
func (a *SessionAggregate) removeFound() error {
	for i := range a.found {
		s := &a.found[i]
		a.store.Delete(a.key, s.window.Start, s.window.End, s.window.End)
		r := &a.rec
		*r = record.Record{
			Row: a.row, Time: s.window.End, Window: s.window, Tombstone: true,
			Partition: a.ctx.Partition, Offset: a.ctx.offset,
		}
		if a.old != nil {
			if err := a.fold.load(a.bytes[s.from:s.to]); err != nil {
				return a.broken(err)
			}
			a.keepResult()
			a.setWindow(a.old, s.window)
			r.Old = a.old
		}
		a.setWindow(a.row, s.window)
		for j := range a.fold.calls {
			a.row.SetNull(a.fold.calls[j].out)
		}
		if err := a.next.Process(r); err != nil {
			return err
		}
	}
	return nil
}

// write merges the sessions found, adds the row, and passes the session on. same says that the session had these bounds
// before.
func (a *SessionAggregate) write(r *record.Record, w types.Window, same bool) error {
	if len(a.found) == 0 {
		a.fold.init()
	}
	for i := range a.found {
		s := &a.found[i]
		if i > 0 {
			copy(a.src, a.fold.state)
		}
		if err := a.fold.loadFrom(a.bytes[s.from:s.to]); err != nil {
			return a.broken(err)
		}
		if i > 0 {
			a.src, a.fold.state = a.fold.state, a.src
			a.fold.merge(a.ctx, a.name, a.src)
		}
	}
	if same && a.old != nil {
		a.keepResult()
		a.setWindow(a.old, w)
	}
	a.fold.add(a.ctx, a.name, r.Row)
	value, err := a.fold.encode()
	if err != nil {
		return err
	}
	if !a.store.Put(a.key, w.Start, w.End, value, w.End) {
		a.ctx.mark(fateLate)
		return nil
	}
	a.ctx.mark(fateAggregated)
	a.setWindow(a.row, w)
	return a.emit(same, w, w.End)
}
