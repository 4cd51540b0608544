package state

import "math"

// BufferStore reads and writes a store of kind [Buffer]: rows by key and time, duplicates kept in order of
// arrival. Rows whose time is not above stream time - retention are expired, as in [WindowStore].
type BufferStore struct{ v *view }

// StreamTime returns the largest record time seen, or false before the first.
func (s *BufferStore) StreamTime() (int64, bool) { return s.v.streamTime() }

// Advance moves the store's stream time up to t, which may expire rows.
func (s *BufferStore) Advance(t int64) { s.v.observe(t) }

// Add appends a row and returns its sequence number; it reports false, and adds nothing, if the row is
// expired on arrival.
func (s *BufferStore) Add(key []byte, time int64, value []byte) (seq uint64, live bool) {
	if !s.v.admit(time) {
		return 0, false
	}
	seq = s.v.state.nextSeq
	s.v.state.nextSeq++
	s.v.o.put(s.key(key, time, seq), value, time, true)
	return seq, true
}

// Delete removes one row.
func (s *BufferStore) Delete(key []byte, time int64, seq uint64) {
	if time >= s.v.minLive() {
		s.v.o.delete(s.key(key, time, seq), time, true)
	}
}

// Fetch visits the live rows of a key with from <= time <= to in order of time, then arrival.
func (s *BufferStore) Fetch(key []byte, from, to int64) *Iterator {
	return s.v.iterate(keyScan(key, from, to))
}

// Scan visits the live rows of all keys with from <= time <= to, in order of time bucket, then key, time
// and arrival.
func (s *BufferStore) Scan(from, to int64) *Iterator {
	return s.v.iterate(timeScan(from, to))
}

// All visits all live rows, in the order of Scan.
func (s *BufferStore) All() *Iterator { return s.Scan(math.MinInt64, math.MaxInt64) }

func (s *BufferStore) key(key []byte, time int64, seq uint64) []byte {
	s.v.buf = appendBufferKey(s.v.buf[:0], s.v.width, key, time, seq)
	return s.v.buf
}
