package state

import "math"

// SessionStore reads and writes a store of kind [Session]: one row for a key, a session start and a
// session end in Unix milliseconds, both inclusive. Rows whose end is not above stream time - retention
// are expired, as in [WindowStore].
type SessionStore struct{ v *view }

// StreamTime returns the largest session end seen, or false before the first.
func (s *SessionStore) StreamTime() (int64, bool) { return s.v.streamTime() }

// Advance moves the store's stream time up to t, which may expire rows.
func (s *SessionStore) Advance(t int64) { s.v.observe(t) }

// Get returns the row of one session.
func (s *SessionStore) Get(key []byte, start, end int64) (value []byte, ts int64, ok bool, err error) {
	if end < s.v.minLive() {
		return nil, 0, false, nil
	}
	return s.v.o.get(s.key(key, start, end))
}

// Put writes the row of one session and reports whether the session is still live.
func (s *SessionStore) Put(key []byte, start, end int64, value []byte, ts int64) bool {
	if !s.v.admit(end) {
		return false
	}
	s.v.o.put(s.key(key, start, end), value, ts, true)
	return true
}

// Delete removes the row of one session; merging sessions deletes the old ones and puts the merged one.
func (s *SessionStore) Delete(key []byte, start, end, ts int64) {
	if end >= s.v.minLive() {
		s.v.o.delete(s.key(key, start, end), ts, true)
	}
}

// Find visits the live sessions of a key that end at earliestEnd or later and start at latestStart or
// earlier, in order of end, then start. For a record at time t and a gap g ask for t-g and t+g: the
// sessions that the record extends or joins.
func (s *SessionStore) Find(key []byte, earliestEnd, latestStart int64) *Iterator {
	sc := keyScan(key, earliestEnd, math.MaxInt64)
	sc.maxStart = latestStart
	return s.v.iterate(sc)
}

// All visits all live sessions in order of time bucket of their end, then key, end, start.
func (s *SessionStore) All() *Iterator {
	return s.v.iterate(timeScan(math.MinInt64, math.MaxInt64))
}

func (s *SessionStore) key(key []byte, start, end int64) []byte {
	s.v.buf = appendSessionKey(s.v.buf[:0], s.v.width, key, start, end)
	return s.v.buf
}
