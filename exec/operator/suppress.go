package operator

import (
	"fmt"
	"math"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/exec/state/rowcodec"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// Suppress holds windowed results back until their window closes (EMIT FINAL): when stream time less grace (and gap)
// reaches the window's end, its last result leaves once, in order of time, then key.
//
// As in Kafka Streams a window must still be within the store's retention when it closes: a jump of stream time by more
// than size and grace loses the windows jumped over, unless a longer RETENTION was asked for.
type Suppress struct {
	ctx   *Context
	name  string
	spec  types.WindowSpec
	clock *Clock

	windowed *state.WindowStore
	session  *state.SessionStore
	keys     *rowcodec.KeyCodec
	values   *rowcodec.ValueCodec
	key      []byte
	value    []byte

	row    *types.Row
	keyBuf []byte
	// due is the earliest end of a window held, so that most records need no look into the store; noTime when not known.
	due    int64
	closed []closedWindow
	bytes  []byte
	rec    record.Record
	next   Operator
}

// closedWindow is a window about to leave; key and row lie in Suppress.bytes.
type closedWindow struct {
	window      types.Window
	at          int64
	key, row, z int
}

// NewSuppress builds the operator.
func NewSuppress(ctx *Context, n *physical.Suppress, next Operator) (*Suppress, error) {
	st, err := ctx.store(n.Store)
	if err != nil {
		return nil, err
	}
	out := n.In.Out()
	layout := types.NewLayout(out.Columns)
	s := &Suppress{
		ctx: ctx, name: n.Name, spec: n.Window, clock: ctx.newClock(n.Name), row: layout.NewRow(), due: noTime, next: next,
	}
	if s.keys, err = rowcodec.NewKeyCodec(layout.Columns[:out.Key], layout.Locs[:out.Key]); err != nil {
		return nil, err
	}
	if s.values, err = rowcodec.NewValueCodec(layout.Columns[out.Key:], layout.Locs[out.Key:]); err != nil {
		return nil, err
	}
	if n.Window.Type == types.Session {
		s.session = ctx.State.Session(state.StoreID(st.ID))
	} else {
		s.windowed = ctx.State.Windowed(state.StoreID(st.ID))
	}
	return s, nil
}

// Process implements [Operator].
func (s *Suppress) Process(r *record.Record) error {
	var err error
	if s.key, err = s.keys.AppendRow(s.key[:0], r.Row); err != nil {
		return err
	}
	if !r.Tombstone {
		if s.value, err = s.values.AppendRow(s.value[:0], r.Row); err != nil {
			return err
		}
	}
	switch {
	case s.session != nil && r.Tombstone:
		s.session.Delete(s.key, r.Window.Start, r.Window.End, r.Time)
	case s.session != nil:
		s.session.Put(s.key, r.Window.Start, r.Window.End, s.value, r.Time)
	case r.Tombstone:
		s.windowed.Delete(s.key, r.Window.Start, r.Time)
	default:
		s.windowed.Put(s.key, r.Window.Start, s.value, r.Time)
	}
	if s.due != noTime && !r.Tombstone {
		s.due = min(s.due, r.Window.End)
	}
	s.ctx.mark(fateAggregated)
	s.clock.advance(r.Time)
	return nil
}

// EndRecord passes on what has closed, once all windows that the input record concerns have been brought up to date: only
// then is it decided, as in Kafka Streams, what the store still retains.
func (s *Suppress) EndRecord() error {
	now, ok := s.clock.Now()
	if !ok {
		return nil
	}
	return s.release(now)
}

// release passes on the windows that are closed at a stream time.
func (s *Suppress) release(now int64) error {
	// A time window is closed when its exclusive end is reached, a session when its inclusive end is left behind.
	limit := now - s.spec.GraceMs
	if s.session != nil {
		limit -= s.spec.SizeMs + 1
	}
	if s.due > limit {
		return nil
	}
	if err := s.collect(limit); err != nil {
		return err
	}
	for i := range s.closed {
		if err := s.pass(&s.closed[i]); err != nil {
			return err
		}
	}
	return nil
}

// collect copies out the windows that end at limit or earlier.
func (s *Suppress) collect(limit int64) error {
	s.closed, s.bytes, s.due = s.closed[:0], s.bytes[:0], math.MaxInt64
	var it *state.Iterator
	if s.session != nil {
		it = s.session.All()
	} else {
		it = s.windowed.All()
	}
	for it.Next() {
		w := types.Window{Start: it.Start(), End: it.End()}
		if s.session == nil {
			w.End = w.Start + s.spec.SizeMs
		}
		if w.End > limit {
			s.due = w.End
			break
		}
		c := closedWindow{window: w, at: it.Timestamp(), key: len(s.bytes)}
		s.bytes = append(s.bytes, it.Key()...)
		c.row = len(s.bytes)
		s.bytes = append(s.bytes, it.Value()...)
		c.z = len(s.bytes)
		s.closed = append(s.closed, c)
	}
	return it.Close()
}

// pass removes a closed window and passes its row on.
func (s *Suppress) pass(c *closedWindow) error {
	key := s.bytes[c.key:c.row]
	if s.session != nil {
		s.session.Delete(key, c.window.Start, c.window.End, c.at)
	} else {
		s.windowed.Delete(key, c.window.Start, c.at)
	}
	var err error
	if s.keyBuf, err = s.keys.DecodeRow(key, s.row, s.keyBuf); err != nil {
		return fmt.Errorf("%w: %s: %w", state.ErrCorrupt, s.name, err)
	}
	if err := s.values.DecodeRow(s.bytes[c.row:c.z], s.row); err != nil {
		return fmt.Errorf("%w: %s: %w", state.ErrCorrupt, s.name, err)
	}
	s.rec = record.Record{
		Row: s.row, Time: c.at, Window: c.window, Partition: s.ctx.Partition, Offset: s.ctx.offset,
	}
	return s.next.Process(&s.rec)
}

// Abort forgets what is known of the store.
func (s *Suppress) Abort() { s.due = noTime }
