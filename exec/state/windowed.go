package state

import "math"

// WindowStore reads and writes a store of kind [Windowed]: one row for a key and a window start in Unix
// milliseconds. Rows whose start is not above stream time - retention are expired: reads do not see
// them, writes are refused. Slices are as in [KeyedStore]. Keys must not be prefixes of each other if rows
// are to come in order of keys; rowcodec's never are.
type WindowStore struct{ v *view }

// StreamTime returns the largest window start seen, or false before the first.
func (s *WindowStore) StreamTime() (int64, bool) { return s.v.streamTime() }

// Advance moves the store's stream time up to t, which may expire rows.
func (s *WindowStore) Advance(t int64) { s.v.observe(t) }

// Get returns the row of a key's window.
func (s *WindowStore) Get(key []byte, start int64) (value []byte, ts int64, ok bool, err error) {
	if start < s.v.minLive() {
		return nil, 0, false, nil
	}
	return s.v.o.get(s.key(key, start))
}

// Put writes the row of a key's window and reports whether the window is still live.
func (s *WindowStore) Put(key []byte, start int64, value []byte, ts int64) bool {
	if !s.v.admit(start) {
		return false
	}
	s.v.o.put(s.key(key, start), value, ts, true)
	return true
}

// Upsert is [KeyedStore.Upsert] for a key's window; live reports whether the window is still live, and
// value is nil if it is not.
func (s *WindowStore) Upsert(key []byte, start int64, n int, ts int64) (value []byte, found, live bool, err error) {
	if !s.v.admit(start) {
		return nil, false, false, nil
	}
	value, found, err = s.v.o.upsert(s.key(key, start), n, ts)
	return value, found, true, err
}

// Delete removes the row of a key's window.
func (s *WindowStore) Delete(key []byte, start, ts int64) {
	if start >= s.v.minLive() {
		s.v.o.delete(s.key(key, start), ts, true)
	}
}

// Fetch visits the live windows of a key with from <= start <= to in order of start.
func (s *WindowStore) Fetch(key []byte, from, to int64) *Iterator {
	return s.v.iterate(keyScan(key, from, to))
}

// Scan visits the live windows of all keys with from <= start <= to, in order of time bucket, then key,
// then start. With a bucket as wide as the window's advance that is the order of starts.
func (s *WindowStore) Scan(from, to int64) *Iterator {
	return s.v.iterate(timeScan(from, to))
}

// All visits all live windows, in the order of Scan.
func (s *WindowStore) All() *Iterator { return s.Scan(math.MinInt64, math.MaxInt64) }

func (s *WindowStore) key(key []byte, start int64) []byte {
	s.v.buf = appendWindowKey(s.v.buf[:0], s.v.width, key, start)
	return s.v.buf
}

func (v *view) streamTime() (int64, bool) {
	return v.state.streamTime, v.state.streamTime != noStreamTime
}
