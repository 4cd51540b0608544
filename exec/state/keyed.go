package state

// KeyedStore reads and writes a store of kind [Keyed].
//
// Slices it returns stay valid until the next writing call on the same store, the end of the interval
// (commit or abort), or the closing of the task. Slices it is given are copied.
type KeyedStore struct{ v *view }

// Get returns the row of key, as written in this interval or committed before, and its timestamp.
func (s *KeyedStore) Get(key []byte) (value []byte, ts int64, ok bool, err error) {
	return s.v.o.get(key)
}

// Put writes a row. It does not read.
func (s *KeyedStore) Put(key, value []byte, ts int64) {
	s.v.o.put(key, value, ts, true)
}

// Upsert returns the row of key for writing in place, n bytes long: what was there is kept as far as it
// goes, the rest is zero; found says whether there was a row. The timestamp becomes the larger of ts and
// the row's, as in aggregations. The slice may be written until the next call on the store.
func (s *KeyedStore) Upsert(key []byte, n int, ts int64) (value []byte, found bool, err error) {
	return s.v.o.upsert(key, n, ts)
}

// Delete removes the row of key; ts is the time of its tombstone. It does not read: a tombstone reaches
// the changelog even if there was no row.
func (s *KeyedStore) Delete(key []byte, ts int64) {
	s.v.o.delete(key, ts, true)
}

// Range visits the rows with from <= key < to in order of key bytes; nil leaves a side open. Writing to
// the store ends the iterator with an error; writing a value of a row that was already written in this
// interval does not.
func (s *KeyedStore) Range(from, to []byte) *Iterator {
	return s.v.iterate(plainScan(from, to))
}
