package operator

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// StreamStreamJoin joins rows of equal key whose times lie within the window of each other. Each side keeps its rows in a
// buffer; a row looks for matches among the other side's. Results carry the larger of both times. Rows with a null key or
// a null value are ignored.
//
// In an outer join a row without a match is passed on with nulls: at once if no GRACE PERIOD was given (a match may
// follow), else once its window has closed, in order of time.
type StreamStreamJoin struct {
	ctx         *Context
	name        string
	clock       *Clock
	left, right *streamSide
	graceMs     int64
	// waiting holds rows without a match until their window closes; nil unless it is an outer join with grace.
	waiting *state.KeyedStore
	// due is the earliest time of a waiting row, noTime when not known.
	due    int64
	seq    uint64
	found  []waitingRow
	bytes  []byte
	prefix []byte
	out    *types.Row
	rec    record.Record
	next   Operator
}

// streamSide is one side of a StreamStreamJoin; its input is that side's stream.
type streamSide struct {
	join   *StreamStreamJoin
	side   *joinSide
	other  *streamSide
	isLeft bool
	// outer: rows of this side without a match are passed on.
	outer bool
	// beforeMs and afterMs say where the other side's rows may lie, seen from this side's.
	beforeMs, afterMs int64
	store             *state.BufferStore
	key, value        []byte
	matches           []match
	bytes             []byte
	// row takes the key of a stored row; its key's strings lie in keyBuf.
	row    *types.Row
	keyBuf []byte
}

// match is a row of the other side; its value lies in streamSide.bytes.
type match struct {
	time     int64
	from, to int
}

// NewStreamStreamJoin builds the operator.
func NewStreamStreamJoin(ctx *Context, n *physical.StreamStreamJoin, next Operator) (*StreamStreamJoin, error) {
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
	j := &StreamStreamJoin{
		ctx: ctx, name: n.Name, clock: ctx.newClock(n.Name), graceMs: n.GraceMs, due: noTime, out: layout.NewRow(), next: next,
	}
	j.left = &streamSide{
		join: j, side: l, isLeft: true, beforeMs: n.BeforeMs, afterMs: n.AfterMs,
		outer: n.Kind == physical.Left || n.Kind == physical.Full, store: ctx.State.Buffer(state.StoreID(leftStore.ID)),
	}
	j.right = &streamSide{
		join: j, side: r, beforeMs: n.AfterMs, afterMs: n.BeforeMs,
		outer: n.Kind == physical.Right || n.Kind == physical.Full, store: ctx.State.Buffer(state.StoreID(rightStore.ID)),
	}
	j.left.other, j.right.other = j.right, j.left
	j.left.row, j.right.row = l.in.NewRow(), r.in.NewRow()
	if n.OuterStore != "" {
		st, err := ctx.store(n.OuterStore)
		if err != nil {
			return nil, err
		}
		j.waiting = ctx.State.Keyed(state.StoreID(st.ID))
	}
	return j, nil
}

// Left is the operator that takes rows of the left stream.
func (j *StreamStreamJoin) Left() Operator { return j.left }

// Right is the operator that takes rows of the right stream.
func (j *StreamStreamJoin) Right() Operator { return j.right }

// Process implements [Operator].
func (s *streamSide) Process(r *record.Record) error {
	j := s.join
	if r.Tombstone {
		j.ctx.mark(fateFiltered)
		return nil
	}
	if s.side.nullKey(r.Row) {
		j.ctx.mark(fateNullKey)
		return nil
	}
	var err error
	if s.key, err = s.side.appendKey(s.key[:0], r); err != nil {
		return err
	}
	now := j.clock.advance(r.Time)
	if j.waiting != nil && r.Time == now {
		if err := j.release(now); err != nil {
			return err
		}
	}
	if s.value, err = s.side.values.AppendRow(s.value[:0], r.Row); err != nil {
		return err
	}
	if _, live := s.store.Add(s.key, r.Time, s.value); live {
		j.ctx.mark(fateKept)
	} else {
		j.ctx.mark(fateLate)
	}
	if err := s.findMatches(r.Time); err != nil {
		return err
	}
	s.side.put(r.Row, j.out)
	for i := range s.matches {
		if err := s.pass(r, &s.matches[i]); err != nil {
			return err
		}
	}
	if len(s.matches) > 0 || !s.outer {
		return nil
	}
	return s.unmatched(r, now)
}

// findMatches copies out the other side's rows within the window.
func (s *streamSide) findMatches(at int64) error {
	s.matches, s.bytes = s.matches[:0], s.bytes[:0]
	it := s.other.store.Fetch(s.key, max(0, at-s.beforeMs), at+s.afterMs)
	for it.Next() {
		m := match{time: it.Time(), from: len(s.bytes)}
		s.bytes = append(s.bytes, it.Value()...)
		m.to = len(s.bytes)
		s.matches = append(s.matches, m)
	}
	return it.Close()
}

// pass emits the join of the row in the output row with a match, which waits no longer.
func (s *streamSide) pass(r *record.Record, m *match) error {
	j := s.join
	if j.waiting != nil && s.other.outer {
		if err := j.forget(s.other, s.key, m.time); err != nil {
			return err
		}
	}
	if err := s.other.side.decode(s.bytes[m.from:m.to], j.out); err != nil {
		return fmt.Errorf("%w: %s: %w", state.ErrCorrupt, j.name, err)
	}
	j.rec = record.Record{
		Row: j.out, Time: max(r.Time, m.time), Partition: r.Partition, Offset: r.Offset, RawKey: r.RawKey,
		Window: r.Window,
	}
	return j.next.Process(&j.rec)
}

// unmatched handles a row of an outer join that has no match yet.
func (s *streamSide) unmatched(r *record.Record, now int64) error {
	j := s.join
	if j.waiting == nil || r.Time+s.afterMs+j.graceMs < now {
		s.other.side.clear(j.out)
		j.rec = record.Record{
			Row: j.out, Time: r.Time, Partition: r.Partition, Offset: r.Offset, RawKey: r.RawKey, Window: r.Window,
		}
		return j.next.Process(&j.rec)
	}
	if j.due != noTime {
		j.due = min(j.due, r.Time)
	}
	key := j.waitingKey(s, s.key, r.Time)
	if err := j.nextSeq(key); err != nil {
		return err
	}
	key = binary.BigEndian.AppendUint64(key, j.seq)
	j.prefix = key
	j.waiting.Put(key, s.value, r.Time)
	return nil
}

// The key of a waiting row is its time, its side (right before left, as in Kafka Streams), its key, and a number that
// tells rows with all of these equal apart. So rows come in the order in which windows close.
func (j *StreamStreamJoin) waitingKey(s *streamSide, key []byte, at int64) []byte {
	j.prefix = binary.BigEndian.AppendUint64(j.prefix[:0], uint64(at)^1<<63)
	side := byte(0)
	if s.isLeft {
		side = 1
	}
	j.prefix = append(j.prefix, side)
	j.prefix = append(j.prefix, key...)
	return j.prefix
}

// nextSeq sets seq to the number after the last waiting row that starts with prefix.
func (j *StreamStreamJoin) nextSeq(prefix []byte) error {
	j.seq = 0
	it := j.waiting.Range(prefix, sequenceEnd(prefix))
	for it.Next() {
		key := it.Key()
		j.seq = binary.BigEndian.Uint64(key[len(key)-8:]) + 1
	}
	return it.Close()
}

// sequenceEnd is an upper bound of the keys that are prefix and a sequence number.
func sequenceEnd(prefix []byte) []byte {
	end := append(make([]byte, 0, len(prefix)+8), prefix...)
	return binary.BigEndian.AppendUint64(end, math.MaxUint64)
}

// forget removes the waiting rows of a side with a key and time: they have a match.
func (j *StreamStreamJoin) forget(s *streamSide, key []byte, at int64) error {
	if j.due != noTime && at < j.due {
		return nil
	}
	prefix := j.waitingKey(s, key, at)
	j.bytes, j.found = j.bytes[:0], j.found[:0]
	it := j.waiting.Range(prefix, sequenceEnd(prefix))
	for it.Next() {
		from := len(j.bytes)
		j.bytes = append(j.bytes, it.Key()...)
		j.found = append(j.found, waitingRow{from: from, value: len(j.bytes)})
	}
	if err := it.Close(); err != nil {
		return err
	}
	for i := range j.found {
		j.waiting.Delete(j.bytes[j.found[i].from:j.found[i].value], at)
	}
	return nil
}

// waitingRow is a row taken out of the waiting store; key and value lie in StreamStreamJoin.bytes.
type waitingRow struct {
	from, value, to int
}

// release passes on the waiting rows whose window has closed.
func (j *StreamStreamJoin) release(now int64) error {
	reach := max(j.left.afterMs, j.right.afterMs)
	least := min(j.left.afterMs, j.right.afterMs)
	if j.due != noTime && j.due+least+j.graceMs >= now {
		return nil
	}
	j.found, j.bytes, j.due = j.found[:0], j.bytes[:0], math.MaxInt64
	it := j.waiting.Range(nil, nil)
	for it.Next() {
		key := it.Key()
		at := int64(binary.BigEndian.Uint64(key) ^ 1<<63)
		if at+j.sideOf(key).afterMs+j.graceMs >= now {
			j.due = min(j.due, at)
			if at+reach+j.graceMs >= now {
				// No later row of either side is due.
				break
			}
			continue
		}
		w := waitingRow{from: len(j.bytes)}
		j.bytes = append(j.bytes, key...)
		w.value = len(j.bytes)
		j.bytes = append(j.bytes, it.Value()...)
		w.to = len(j.bytes)
		j.found = append(j.found, w)
	}
	if err := it.Close(); err != nil {
		return err
	}
	for i := range j.found {
		if err := j.passAlone(&j.found[i]); err != nil {
			return err
		}
	}
	return nil
}

func (j *StreamStreamJoin) sideOf(key []byte) *streamSide {
	if key[8] == 1 {
		return j.left
	}
	return j.right
}

// passAlone emits a row whose window has closed without a match.
func (j *StreamStreamJoin) passAlone(w *waitingRow) error {
	key, value := j.bytes[w.from:w.value], j.bytes[w.value:w.to]
	s := j.sideOf(key)
	at := int64(binary.BigEndian.Uint64(key) ^ 1<<63)
	rowKey, window := s.side.splitKey(key[9 : len(key)-8])
	if err := s.restore(rowKey, value, j.out); err != nil {
		return fmt.Errorf("%w: %s: %w", state.ErrCorrupt, j.name, err)
	}
	s.other.side.clear(j.out)
	j.waiting.Delete(key, at)
	j.rec = record.Record{
		Row: j.out, Time: at, Partition: j.ctx.Partition, Offset: j.ctx.offset, Window: window,
	}
	return j.next.Process(&j.rec)
}

// restore puts a stored row of this side and its key into the output row.
func (s *streamSide) restore(key, value []byte, out *types.Row) error {
	var err error
	if s.keyBuf, err = s.side.keys.DecodeRow(key, s.row, s.keyBuf); err != nil {
		return err
	}
	s.side.key.run(s.row, out)
	return s.side.decode(value, out)
}

// Abort forgets what is known of the stores.
func (j *StreamStreamJoin) Abort() { j.due = noTime }
