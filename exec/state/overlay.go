package state

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// overlay holds the uncommitted writes of one store and partition, and a cache of rows that are as Pebble
// has them. Rows live in two generations: lookups move a row from the old one to the current one, and when
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

	keyBuf []byte
	// iter is an idle Pebble iterator of the current commit, for reuse.
	iter *pebble.Iterator
	free []*Iterator
}

func newOverlay(db *DB, spec StoreSpec, partition int32) *overlay {
	p := rowPrefix(spec.ID, partition)
	return &overlay{
		db: db, kind: spec.Kind, prefix: p, keyBuf: append([]byte(nil), p[:]...),
		cur: table{seed: db.seed}, old: table{seed: db.seed},
	}
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
	slot, r := o.cur.insert(hash, key, old.valueCap())
	r.setFlags(old.flags())
	r.setTimestamp(old.timestamp())
	r.setValueLen(old.valueLen())
	copy(r.room(), old.value())
	return slot, r
}

// load returns the record of key, read from Pebble if it is in neither generation. The record may be
// absent (flagAbsent), it is never nil without an error.
func (o *overlay) load(hash uint64, key []byte) (int, record, error) {
	if slot, r := o.cached(hash, key); r != nil {
		return slot, r, nil
	}
	return o.fetch(hash, key)
}

// fetch reads key from Pebble into the current generation.
func (o *overlay) fetch(hash uint64, key []byte) (slot int, r record, err error) {
	if err := o.db.Err(); err != nil {
		return -1, nil, err
	}
	o.keyBuf = append(o.keyBuf[:prefixLen], key...)
	v, closer, err := o.db.pdb.Get(o.keyBuf)
	if errors.Is(err, pebble.ErrNotFound) {
		slot, r = o.cur.insert(hash, key, 0)
		r.setFlags(flagAbsent)
		return slot, r, nil
	}
	if err != nil {
		return -1, nil, o.db.failure(err)
	}
	ts, value, err := decodeRow(v)
	if err == nil {
		slot, r = o.cur.insert(hash, key, len(value))
		r.setTimestamp(ts)
		r.setValueLen(copy(r.room(), value))
	}
	if cerr := closer.Close(); err == nil && cerr != nil {
		err = o.db.failure(cerr)
	}
	return slot, r, err
}

func (o *overlay) hash(key []byte) uint64 { return o.cur.hash(key) }

// get returns the row of key.
func (o *overlay) get(key []byte) (value []byte, ts int64, ok bool, err error) {
	_, r, err := o.load(o.hash(key), key)
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
		slot, r = o.cur.insert(hash, key, len(value))
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
	slot, r, err := o.load(o.hash(key), key)
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
		slot, r = o.cur.insert(hash, key, 0)
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
		o.order = o.sorter.sort(len(o.dirty), o.dirtyKey)
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

// appendTo writes the dirty records to a batch in order of their keys, except those that skip names.
func (o *overlay) appendTo(b *pebble.Batch, skip func(key []byte) bool) error {
	for _, pos := range o.sortedDirty() {
		r := o.cur.arena.at(o.dirty[pos])
		key := r.key()
		if skip != nil && skip(key) {
			continue
		}
		if r.has(flagAbsent) {
			op := b.DeleteDeferred(prefixLen + len(key))
			copy(op.Key, o.prefix[:])
			copy(op.Key[prefixLen:], key)
			if err := op.Finish(); err != nil {
				return err
			}
			continue
		}
		v := r.value()
		op := b.SetDeferred(prefixLen+len(key), rowHeaderLen+len(v))
		copy(op.Key, o.prefix[:])
		copy(op.Key[prefixLen:], key)
		binary.BigEndian.PutUint64(op.Value, uint64(r.timestamp()))
		copy(op.Value[rowHeaderLen:], v)
		if err := op.Finish(); err != nil {
			return err
		}
	}
	return nil
}

// committed turns the dirty records into cached ones and drops what has gone out of use, so that at most
// about limit bytes stay.
func (o *overlay) committed(limit int64) {
	for _, at := range o.dirty {
		r := o.cur.arena.at(at)
		r.setFlags(r.flags() &^ (flagDirty | flagUnlogged))
	}
	o.settle()
	if o.cur.arena.bytes > limit/2 {
		o.cur, o.old = o.old, o.cur
		o.cur.reset(limit)
	}
}

// abort forgets the dirty records; the next read of their keys goes to Pebble.
func (o *overlay) abort() {
	for _, at := range o.dirty {
		o.cur.remove(at)
	}
	o.settle()
}

// clear forgets everything, cached rows too: Pebble was changed underneath.
func (o *overlay) clear() {
	o.settle()
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

// closeIter gives the idle Pebble iterator back: it shows the state before the commit.
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
