package state

import (
	"encoding/binary"
	"fmt"
	"math"
)

// overlay holds the uncommitted writes of one store and partition, and a cache of rows that are as committed. Rows live in two generations: lookups move a row from the old one to the current one, and when
// the current one has grown the old one is thrown away whole (rotate), which keeps what is in use
// without bookkeeping per row.
type overlay struct {
	db     *DB
	kind   Kind
	prefix prefix

	cur, old table
	// dirty lists the records changed since the last commit, in order of their first change.
	dirty []ref
	// dirtyBytes is what they take.
	dirtyBytes int64
	// unlogged counts changes that Changes has not visited.
	unlogged int
	// order is dirty sorted by key as far as sorted says.
	order  []uint32
	sorted int
	sorter sorter
	// index is dirty ordered by key, nil unless a range was read since the last commit.
	index *index
	// version grows when iterators lose their footing.
	version uint64
	// wholeFrom says that rows with this time (see [rowTime]) or a later one are in one of the generations, if
	// they are at all: a key that is not there needs no read from Pebble. Rows of Keyed stores count as
	// earliest; unknown when nothing is known.
	wholeFrom int64
	// latest and oldLatest are the latest times of rows that entered each generation.
	latest, oldLatest int64

	keyBuf []byte
	// iter is an idle iterator over the rows as of the last commit, for reuse.
	iter *baseIter
	free []*Iterator
}

func newOverlay(db *DB, spec StoreSpec, partition int32) *overlay {
	p := rowPrefix(spec.ID, partition)
	return &overlay{
		db: db, kind: spec.Kind, prefix: p, keyBuf: append([]byte(nil), p[:]...),
		cur: table{seed: db.seed}, old: table{seed: db.seed},
		wholeFrom: unknown, latest: noRows, oldLatest: noRows,
	}
}

const (
	// unknown is a wholeFrom that no row reaches.
	unknown = math.MaxInt64
	// noRows is the latest time of an empty generation.
	noRows = math.MinInt64
)

// insert adds a record to the current generation, which does not hold the key.
func (o *overlay) insert(hash uint64, key []byte, valueCap int) (int, record) {
	o.latest = max(o.latest, o.timeOf(key))
	return o.cur.insert(hash, key, valueCap)
}

// timeOf is the time of a row key, the earliest for Keyed stores.
func (o *overlay) timeOf(key []byte) int64 {
	if o.kind == Keyed {
		return noRows + 1
	}
	return rowTime(o.kind, key)
}

// isAbsent says whether a key that is in neither generation is known not to be in Pebble either.
func (o *overlay) isAbsent(key []byte) bool {
	if o.kind == Keyed {
		return o.wholeFrom == math.MinInt64
	}
	return o.wholeFrom != unknown && rowTime(o.kind, key) >= o.wholeFrom
}

// dirtyKey returns the key at a place of the dirty list.
func (o *overlay) dirtyKey(pos uint32) []byte { return o.cur.arena.at(o.dirty[pos]).key() }

// cached returns the slot and record of key in the current generation, moving it there if need be.
func (o *overlay) cached(hash uint64, key []byte) (int, record) {
	if slot, r := o.cur.find(hash, key); r != nil {
		return slot, r
	}
	slot, old := o.old.find(hash, key)
	if old == nil {
		return -1, nil
	}
	o.old.removeSlot(slot)
	slot, r := o.insert(hash, key, old.valueCap())
	r.setFlags(old.flags())
	r.setTimestamp(old.timestamp())
	r.setValueLen(old.valueLen())
	copy(r.room(), old.value())
	return slot, r
}

// near brings the records of up to groupLen keys close, as far as they are in a generation.
func (o *overlay) near(hashes []uint64) {
	if o.cur.near(hashes) < len(hashes) && o.old.live > 0 {
		o.old.near(hashes)
	}
}

// load returns the record of key, read from what was committed if it is in neither generation. The record may be
// absent (flagAbsent), it is never nil without an error. One that is new to the overlay has room for a value of n bytes.
func (o *overlay) load(hash uint64, key []byte, n int) (int, record, error) {
	if slot, r := o.cached(hash, key); r != nil {
		return slot, r, nil
	}
	return o.fetch(hash, key, n)
}

// fetch reads key from what was committed into the current generation.
func (o *overlay) fetch(hash uint64, key []byte, n int) (slot int, r record, err error) {
	if o.isAbsent(key) {
		slot, r = o.insert(hash, key, n)
		r.setFlags(flagAbsent)
		return slot, r, nil
	}
	if err := o.db.Err(); err != nil {
		return -1, nil, err
	}
	o.keyBuf = append(o.keyBuf[:prefixLen], key...)
	found, err := o.db.getInto(o.db.committedRuns(), o.db.pdb, o.keyBuf, func(v []byte) error {
		ts, value, err := decodeRow(v)
		if err == nil {
			slot, r = o.insert(hash, key, max(n, len(value)))
			r.setTimestamp(ts)
			r.setValueLen(copy(r.room(), value))
		}
		return err
	})
	switch {
	case err != nil:
		return -1, nil, o.db.failure(err)
	case !found:
		slot, r = o.insert(hash, key, n)
		r.setFlags(flagAbsent)
	}
	return slot, r, nil
}

func (o *overlay) hash(key []byte) uint64 { return o.cur.hash(key) }

// get returns the row of key.
func (o *overlay) get(key []byte) (value []byte, ts int64, ok bool, err error) {
	_, r, err := o.load(o.hash(key), key, 0)
	if err != nil || r.has(flagAbsent) {
		return nil, 0, false, err
	}
	return r.value(), r.timestamp(), true, nil
}

// put writes a row; logged says whether the changelog must hear of it.
func (o *overlay) put(key, value []byte, ts int64, logged bool) {
	hash := o.hash(key)
	slot, r := o.cached(hash, key)
	if r == nil {
		slot, r = o.insert(hash, key, len(value))
	} else {
		r = o.room(slot, r, len(value))
	}
	o.touch(slot, r, logged)
	r.setFlags(r.flags() &^ flagAbsent)
	r.setTimestamp(ts)
	r.setValueLen(len(value))
	copy(r.room(), value)
}

// upsert makes the value n bytes long, keeping what was there and filling with zeros, and returns it for
// writing. The timestamp becomes the larger of ts and the row's.
func (o *overlay) upsert(key []byte, n int, ts int64) (value []byte, found bool, err error) {
	return o.upsertHashed(o.hash(key), key, n, ts)
}

func (o *overlay) upsertHashed(hash uint64, key []byte, n int, ts int64) (value []byte, found bool, err error) {
	slot, r, err := o.load(hash, key, n)
	if err != nil {
		return nil, false, err
	}
	found = !r.has(flagAbsent)
	have := 0
	if found {
		have = r.valueLen()
		ts = max(ts, r.timestamp())
	}
	r = o.room(slot, r, n)
	o.touch(slot, r, true)
	r.setFlags(r.flags() &^ flagAbsent)
	r.setTimestamp(ts)
	r.setValueLen(n)
	value = r.value()
	if have < n {
		clear(value[have:])
	}
	return value, found, nil
}

// delete removes a row without looking whether there is one.
func (o *overlay) delete(key []byte, ts int64, logged bool) {
	hash := o.hash(key)
	slot, r := o.cached(hash, key)
	if r == nil {
		slot, r = o.insert(hash, key, 0)
	}
	o.touch(slot, r, logged)
	r.setFlags(r.flags() | flagAbsent)
	r.setTimestamp(ts)
	r.setValueLen(0)
}

// room returns the record of a slot with capacity for a value of n bytes, moving it when it must grow.
// Growth leaves half as much to spare, so that a growing value is not moved at each step.
func (o *overlay) room(slot int, r record, n int) record {
	if n <= r.valueCap() {
		return r
	}
	spare := 0
	if r.valueCap() > 0 {
		spare = n / 2
	}
	at, moved := o.cur.resize(slot, r, n+spare)
	if moved.has(flagDirty) {
		o.dirty[moved.dirtyPos()] = at
		o.dirtyBytes += moved.size() - r.size()
	}
	return moved
}

// touch marks the record of a slot changed.
func (o *overlay) touch(slot int, r record, logged bool) {
	f := r.flags()
	if f&flagDirty == 0 {
		if len(o.dirty) == maxDirty {
			panic("state: more than 2^29 changes in one interval; the host commits early by Task.Size")
		}
		r.setDirtyPos(len(o.dirty)) // keeps the flags
		o.dirty = append(o.dirty, o.cur.refs[slot])
		o.dirtyBytes += r.size()
		if o.index != nil {
			o.index.insert(uint32(len(o.dirty) - 1))
			o.version++
		}
	}
	if logged && f&flagUnlogged == 0 {
		f |= flagUnlogged
		o.unlogged++
	}
	r.setFlags(f | flagDirty)
}

// sortedDirty returns the places of the dirty list in order of their keys.
func (o *overlay) sortedDirty() []uint32 {
	if o.sorted == len(o.dirty) {
		return o.order
	}
	if o.index != nil {
		o.order = o.index.appendAll(o.order[:0])
	} else {
		o.order = o.sorter.sort(len(o.dirty), o.dirtyKey, o.bringClose)
	}
	o.sorted = len(o.dirty)
	return o.order
}

// ordered returns the index of dirty records, building it at the first range read of an interval.
func (o *overlay) ordered() *index {
	if o.index == nil {
		o.index = newIndex(o.sortedDirty(), o.dirtyKey)
	}
	return o.index
}

// appendTo adds the dirty records to a run in order of their keys, except those that skip names.
func (o *overlay) appendTo(run *run, skip func(key []byte) bool) {
	order := o.sortedDirty()
	for i, pos := range order {
		if i%groupLen == 0 {
			o.bringClose(order[i:min(i+groupLen, len(order))])
		}
		r := o.cur.arena.at(o.dirty[pos])
		rowKey := r.key()
		if skip != nil && skip(rowKey) {
			continue
		}
		var key []byte
		if r.has(flagAbsent) {
			key = run.delete(prefixLen + len(rowKey))
		} else {
			v := r.value()
			var value []byte
			key, value = run.set(prefixLen+len(rowKey), rowHeaderLen+len(v))
			binary.BigEndian.PutUint64(value, uint64(r.timestamp()))
			copy(value[rowHeaderLen:], v)
		}
		copy(key, o.prefix[:])
		copy(key[prefixLen:], rowKey)
	}
}

// bringClose is [arena.bringClose] for up to groupLen places of the dirty list.
func (o *overlay) bringClose(places []uint32) {
	var refs [groupLen]ref
	for i, pos := range places {
		refs[i] = o.dirty[pos]
	}
	o.cur.arena.bringClose(refs[:len(places)])
}

// committed turns the dirty records into cached ones and drops what has gone out of use, so that at most
// about limit bytes stay.
func (o *overlay) committed(limit int64) {
	for i, at := range o.dirty {
		if i%groupLen == 0 {
			o.cur.arena.bringClose(o.dirty[i:min(i+groupLen, len(o.dirty))])
		}
		r := o.cur.arena.at(at)
		r.setFlags(r.flags() &^ (flagDirty | flagUnlogged))
	}
	o.settle()
	if o.cur.arena.bytes > limit/2 {
		o.cur, o.old = o.old, o.cur
		o.forgetTo(o.oldLatest)
		o.latest, o.oldLatest = noRows, o.latest
		o.cur.reset(limit / 2)
	}
}

// forgetTo notes that rows up to a time may no longer be in a generation.
func (o *overlay) forgetTo(latest int64) {
	switch {
	case latest == noRows:
	case o.kind == Keyed || latest == math.MaxInt64:
		o.wholeFrom = unknown
	default:
		o.wholeFrom = max(o.wholeFrom, latest+1)
	}
}

// abort forgets the dirty records; the next read of their keys goes to Pebble.
func (o *overlay) abort() {
	for _, at := range o.dirty {
		r := o.cur.arena.at(at)
		o.forgetTo(o.timeOf(r.key()))
		o.cur.remove(at)
	}
	o.settle()
}

// clear forgets everything, cached rows too: Pebble was changed underneath.
func (o *overlay) clear() {
	o.settle()
	o.wholeFrom, o.latest, o.oldLatest = unknown, noRows, noRows
	o.cur.reset(0)
	o.old.reset(0)
}

// settle empties the dirty list and what hangs on it.
func (o *overlay) settle() {
	o.dirty = o.dirty[:0]
	o.dirtyBytes, o.unlogged, o.sorted = 0, 0, 0
	o.order = o.order[:0]
	o.index = nil
	o.version++
	o.closeIter()
}

// closeIter gives the idle iterator back: it shows the state before the commit.
func (o *overlay) closeIter() {
	if o.iter != nil {
		_ = o.iter.Close()
		o.iter = nil
	}
}

// size returns the bytes that count towards an early commit: uncommitted rows, and what reads of this
// interval have cached beyond limit.
func (o *overlay) size(limit int64) int64 {
	return o.dirtyBytes + max(0, o.cur.arena.bytes-o.dirtyBytes-limit)
}

// rowHeaderLen is the length of the timestamp before each stored value.
const rowHeaderLen = 8

// decodeRow takes a stored value apart; value aliases v.
func decodeRow(v []byte) (ts int64, value []byte, err error) {
	if len(v) < rowHeaderLen {
		return 0, nil, fmt.Errorf("%w: row value of %d bytes", ErrCorrupt, len(v))
	}
	return int64(binary.BigEndian.Uint64(v)), v[rowHeaderLen:], nil
}
