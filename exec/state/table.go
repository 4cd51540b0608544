package state

import (
	"bytes"
	"hash/maphash"
	"math/bits"
)

// table is an open-addressing hash table from key to record over an arena. Slots come in groups of eight:
// a control byte each, which says empty, removed, or 7 bits of the hash, and a ref each. A lookup compares
// eight control bytes at once; for 100 k keys control bytes and refs together stay in the second-level
// cache, so that a hit costs one miss, the record's. There are no pointers beside the slices.
type table struct {
	seed maphash.Seed
	// control holds a group's control bytes each.
	control []uint64
	refs    []ref
	// room is how many empty slots may still be filled before the table must grow.
	room  int
	live  int
	arena arena
}

const (
	groupSize = 8
	// A control byte is 0 for empty, 1 for removed, or has its high bit set.
	controlRemoved = 1
	minGroups      = 8

	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

func (t *table) hash(key []byte) uint64 { return maphash.Bytes(t.seed, key) }

// tagOf spreads the control byte of a hash over a word.
func tagOf(hash uint64) uint64 { return (hash>>57 | 0x80) * lowBits }

// zeroBytes marks the high bit of each zero byte; bytes above a zero byte may be marked wrongly.
func zeroBytes(w uint64) uint64 { return (w - lowBits) &^ w & highBits }

// find returns the slot and record of key, or a nil record.
func (t *table) find(hash uint64, key []byte) (int, record) {
	if len(t.control) == 0 {
		return -1, nil
	}
	tag := tagOf(hash)
	mask := uint64(len(t.control) - 1)
	for g := hash & mask; ; g = (g + 1) & mask {
		w := t.control[g]
		for m := zeroBytes(w ^ tag); m != 0; m &= m - 1 {
			slot := int(g)*groupSize + bits.TrailingZeros64(m)/8
			r := t.arena.at(t.refs[slot])
			// Bytes past the key are never compared: the key's length is part of the record.
			if r.keyLen() == len(key) && bytes.Equal(r[headerLen:headerLen+len(key)], key) {
				return slot, r
			}
		}
		if zeroBytes(w) != 0 {
			return -1, nil
		}
	}
}

// near reads, for up to groupLen hashes, what find is going to read: group, ref and start of the record, each for all
// before the next. It returns how many records it has come by; some may be of other keys.
func (t *table) near(hashes []uint64) int {
	if len(t.control) == 0 {
		return 0
	}
	mask := uint64(len(t.control) - 1)
	var slots [groupLen]int
	n := 0
	for _, hash := range hashes {
		g := hash & mask
		if m := zeroBytes(t.control[g] ^ tagOf(hash)); m != 0 {
			slots[n] = int(g)*groupSize + bits.TrailingZeros64(m)/8
			n++
		}
	}
	var refs [groupLen]ref
	for i, slot := range slots[:n] {
		refs[i] = t.refs[slot]
	}
	t.arena.bringClose(refs[:n])
	return n
}

// insert adds a record for a key that the table does not hold, with room for a value of valueCap bytes and
// length 0.
func (t *table) insert(hash uint64, key []byte, valueCap int) (int, record) {
	if t.room == 0 {
		t.grow()
	}
	at, r := t.alloc(key, valueCap)
	return t.place(hash, at), r
}

// place puts a ref into the first free slot for a hash.
func (t *table) place(hash uint64, at ref) int {
	mask := uint64(len(t.control) - 1)
	for g := hash & mask; ; g = (g + 1) & mask {
		w := t.control[g]
		free := ^w & highBits
		if free == 0 {
			continue
		}
		i := bits.TrailingZeros64(free) / 8
		if w>>(8*i)&0xff != controlRemoved {
			t.room--
		}
		t.setControl(int(g)*groupSize+i, byte(hash>>57|0x80))
		t.refs[int(g)*groupSize+i] = at
		t.live++
		return int(g)*groupSize + i
	}
}

func (t *table) setControl(slot int, c byte) {
	shift := 8 * (slot % groupSize)
	g := &t.control[slot/groupSize]
	*g = *g&^(0xff<<shift) | uint64(c)<<shift
}

func (t *table) alloc(key []byte, valueCap int) (ref, record) {
	at, r := t.arena.alloc(len(key) + valueCap)
	r.setKeyLen(len(key))
	r.setValueCap(valueCap)
	copy(r[headerLen:], key)
	return at, r
}

// resize moves the record of a slot to a place with room for a value of valueCap bytes; flags, dirty place,
// timestamp and the value, as far as it goes, are copied.
func (t *table) resize(slot int, old record, valueCap int) (ref, record) {
	at, r := t.alloc(old.key(), valueCap)
	copy(r[12:headerLen], old[12:headerLen])
	n := min(old.valueLen(), valueCap)
	r.setValueLen(n)
	copy(r.room(), old.value()[:n])
	t.refs[slot] = at
	return at, r
}

// removeSlot takes the record of a slot out of the table.
func (t *table) removeSlot(slot int) {
	t.setControl(slot, controlRemoved)
	t.live--
}

// remove takes the record at place at out of the table.
func (t *table) remove(at ref) {
	if slot, r := t.find(t.hash(t.arena.at(at).key()), t.arena.at(at).key()); r != nil && t.refs[slot] == at {
		t.removeSlot(slot)
	}
}

// grow makes room: twice the slots, or as many when removed ones can be cleaned out.
func (t *table) grow() {
	groups := max(minGroups, len(t.control))
	for t.live+1 > groups*groupSize/2 {
		groups *= 2
	}
	control, refs := t.control, t.refs
	t.control, t.refs = make([]uint64, groups), make([]ref, groups*groupSize)
	t.room, t.live = capacity(groups), 0
	for g, w := range control {
		for m := w & highBits; m != 0; m &= m - 1 {
			at := refs[g*groupSize+bits.TrailingZeros64(m)/8]
			t.place(t.hash(t.arena.at(at).key()), at)
		}
	}
}

// capacity is how many slots of a table may be in use: seven of eight.
func capacity(groups int) int { return groups * (groupSize - 1) }

// reset empties the table and keeps up to keep bytes of its memory.
func (t *table) reset(keep int64) {
	if int64(len(t.control))*8*5 > keep {
		t.control, t.refs = nil, nil
	} else {
		clear(t.control)
	}
	t.room, t.live = capacity(len(t.control)), 0
	t.arena.reset(keep)
}
