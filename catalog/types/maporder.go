package types

import (
	"sort"
	"unicode/utf8"
)

// HashOrder gives the places of the entries in the order in which Java's HashMap of string keys visits them, which is
// what ksqlDB's functions over maps see. Other keys keep their order of insertion.
func (m *MapValue) HashOrder() []int {
	order := make([]int, len(m.Keys))
	buckets := make([]uint32, len(m.Keys))
	// ksqlDB's JSON reader makes the table just large enough for the entries at a load of three quarters.
	capacity := uint32(1)
	for uint32(len(m.Keys))*4 > capacity*3 {
		capacity *= 2
	}
	for i, k := range m.Keys {
		order[i] = i
		s, ok := k.(string)
		if !ok {
			continue
		}
		h := javaHash(s)
		buckets[i] = (h ^ h>>16) & (capacity - 1)
	}
	sort.SliceStable(order, func(a, b int) bool { return buckets[order[a]] < buckets[order[b]] })
	return order
}

// javaHash is Java's String.hashCode, over UTF-16 code units.
func javaHash(s string) uint32 {
	var h uint32
	for i := 0; i < len(s); {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		i += size
		if r > 0xFFFF {
			r -= 0x10000
			h = 31*h + uint32(0xD800+r>>10)
			r = 0xDC00 + r&0x3FF
		}
		h = 31*h + uint32(r)
	}
	return h
}
