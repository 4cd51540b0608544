package state

import "bytes"

// table is an open-addressing hash table from key to record over an arena. A slot is 0 when it was never
// used, 1 when its record was removed, otherwise 24 bits of hash and 40 bits of ref. It holds no pointers
// beside two slices.
type table struct {
	slots []uint64
	// used counts slots that are not 0.
	used  int
	arena arena
}

const (
	slotRemoved = 1
	refBits     = 40
	refMask     = 1<<refBits - 1
	minSlots    = 64
)

// find returns the slot and record of key, or a nil record.
func (t *table) find(hash uint64, key []byte) (int, record) {
	if len(t.slots) == 0 {
		return -1, nil
	}
	mask := uint64(len(t.slots) - 1)
	tag := hash >> refBits
	for i := hash & mask; ; i = (i + 1) & mask {
		s := t.slots[i]
		if s>>refBits == tag && s > slotRemoved {
			r := t.arena.at(ref(s & refMask))
			if r.keyLen() == len(key) && bytes.Equal(r.key(), key) {
				return int(i), r
			}
		} else if s == 0 {
			return -1, nil
		}
	}
}

// insert adds a record for a key that the table does not hold, with room for a value of valueCap bytes and
// length 0.
func (t *table) insert(hash uint64, key []byte, valueCap int) (ref, record) {
	if (t.used+1)*4 > len(t.slots)*3 {
		t.grow()
	}
	at, r := t.alloc(uint32(hash), key, valueCap)
	mask := uint64(len(t.slots) - 1)
	i := hash & mask
	for t.slots[i] > slotRemoved {
		i = (i + 1) & mask
	}
	if t.slots[i] == 0 {
		t.used++
	}
	t.slots[i] = hash>>refBits<<refBits | uint64(at)
	return at, r
}

func (t *table) alloc(hash uint32, key []byte, valueCap int) (ref, record) {
	at, r := t.arena.alloc(len(key) + valueCap)
	r.setHash(hash)
	r.setKeyLen(len(key))
	r.setValueCap(valueCap)
	copy(r[headerLen:], key)
	return at, r
}

// resize moves the record of a slot to a place with room for a value of valueCap bytes; the value is
// copied as far as it goes, and so are timestamp, flags and dirty place.
func (t *table) resize(slot int, old record, valueCap int) (ref, record) {
	at, r := t.alloc(old.hash(), old.key(), valueCap)
	copy(r[16:headerLen], old[16:headerLen])
	n := min(old.valueLen(), valueCap)
	r.setValueLen(n)
	copy(r.room(), old.value()[:n])
	t.slots[slot] = t.slots[slot]>>refBits<<refBits | uint64(at)
	return at, r
}

// remove takes the record at place at out of the table.
func (t *table) remove(at ref) {
	mask := uint64(len(t.slots) - 1)
	for i := uint64(t.arena.at(at).hash()) & mask; t.slots[i] != 0; i = (i + 1) & mask {
		if t.slots[i]&refMask == uint64(at) && t.slots[i] != slotRemoved {
			t.slots[i] = slotRemoved
			return
		}
	}
}

// grow doubles the slots, or cleans out removed ones.
func (t *table) grow() {
	live := 0
	for _, s := range t.slots {
		if s > slotRemoved {
			live++
		}
	}
	n := max(minSlots, len(t.slots))
	for (live+1)*2 > n {
		n *= 2
	}
	old := t.slots
	t.slots = make([]uint64, n)
	mask := uint64(n - 1)
	for _, s := range old {
		if s <= slotRemoved {
			continue
		}
		i := uint64(t.arena.at(ref(s&refMask)).hash()) & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = s
	}
	t.used = live
}

// reset empties the table and keeps up to keep bytes of its memory.
func (t *table) reset(keep int64) {
	if int64(len(t.slots))*8 > keep {
		t.slots = nil
	} else {
		clear(t.slots)
	}
	t.used = 0
	t.arena.reset(keep)
}
