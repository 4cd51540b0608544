package state

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// sortItem is one dirty record while sorting: 8 bytes of its key and its place in the dirty list.
type sortItem struct {
	word uint64
	pos  uint32
}

// sorter sorts places of the dirty list by key: radix passes over the 8 bytes that follow what all keys
// have in common, then again within runs that are equal there. Its buffers are kept between uses.
type sorter struct {
	items, spare []sortItem
	order        []uint32
	// common is how long the common prefix was the last time: likely the same again.
	common int
}

// smallSort is the length below which comparing is faster than radix passes.
const smallSort = 48

// sort returns 0..n-1 in the order of their keys, which are all different. The result is valid until the
// next call. near is called before the keys of a few places in a row are asked for.
func (s *sorter) sort(n int, key func(pos uint32) []byte, near func(places []uint32)) []uint32 {
	s.items = slices.Grow(s.items[:0], n)[:n]
	s.spare = slices.Grow(s.spare[:0], n)[:n]
	s.order = slices.Grow(s.order[:0], n)[:n]
	for i := range s.items {
		s.items[i].pos, s.order[i] = uint32(i), uint32(i)
	}
	if n < smallSort {
		s.part(s.items, s.spare, 0, key)
	} else {
		s.words(key, near)
		s.byWord(s.items, s.spare, s.common, key)
	}
	for i, it := range s.items {
		s.order[i] = it.pos
	}
	return s.order
}

// words sets the words of all items to what follows the common prefix, and finds how long that is. Keys far
// apart in memory are looked at once if the prefix is as long as the last time.
func (s *sorter) words(key func(uint32) []byte, near func([]uint32)) {
	first := key(0)
	guess := min(s.common, len(first))
	common := len(first)
	for i := range s.items {
		if i%groupLen == 0 {
			near(s.order[i:min(i+groupLen, len(s.order))])
		}
		k := key(uint32(i))
		if common = commonPrefix(first[:common], k, 0); common >= guess {
			s.items[i].word = word(k[guess:])
		}
	}
	s.common = common
	if common == guess {
		return
	}
	for i := range s.items {
		s.items[i].word = word(key(uint32(i))[common:])
	}
}

// part sorts items whose keys agree in their first skip bytes.
func (s *sorter) part(items, spare []sortItem, skip int, key func(uint32) []byte) {
	if len(items) < smallSort {
		slices.SortFunc(items, func(a, b sortItem) int {
			return bytes.Compare(key(a.pos)[skip:], key(b.pos)[skip:])
		})
		return
	}
	first := key(items[0].pos)
	common := len(first)
	for _, it := range items[1:] {
		common = commonPrefix(first[:common], key(it.pos), skip)
	}
	for i := range items {
		items[i].word = word(key(items[i].pos)[common:])
	}
	s.byWord(items, spare, common, key)
}

// byWord sorts items whose words stand after common bytes.
func (s *sorter) byWord(items, spare []sortItem, common int, key func(uint32) []byte) {
	var or, and uint64 = 0, ^uint64(0)
	for i := range items {
		or, and = or|items[i].word, and&items[i].word
	}
	radix(items, spare, or&^and)
	for i := 0; i < len(items); {
		j := i + 1
		for j < len(items) && items[j].word == items[i].word {
			j++
		}
		if j-i > 1 {
			s.equalRun(items[i:j], spare[i:j], common, key)
		}
		i = j
	}
}

// equalRun sorts items with the same word after common bytes. Keys that end inside the word come before
// longer ones, since the word pads with zeros.
func (s *sorter) equalRun(items, spare []sortItem, common int, key func(uint32) []byte) {
	short := false
	for _, it := range items {
		short = short || len(key(it.pos)) < common+8
	}
	if short || len(items) < smallSort {
		slices.SortFunc(items, func(a, b sortItem) int {
			return bytes.Compare(key(a.pos)[common:], key(b.pos)[common:])
		})
		return
	}
	s.part(items, spare, common+8, key)
}

// commonPrefix returns how many bytes a and b have in common; the first skip are known to be.
func commonPrefix(a, b []byte, skip int) int {
	n := min(len(a), len(b))
	i := skip
	for i+8 <= n && binary.LittleEndian.Uint64(a[i:]) == binary.LittleEndian.Uint64(b[i:]) {
		i += 8
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return min(i, n)
}

// word returns the first 8 bytes as a number that orders like them, padded with zeros.
func word(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.BigEndian.Uint64(b)
	}
	var w uint64
	for i, c := range b {
		w |= uint64(c) << (56 - 8*i)
	}
	return w
}

// radix sorts by word, least significant byte first, over the bytes that differ somewhere.
func radix(items, spare []sortItem, differ uint64) {
	src, dst := items, spare
	for shift := 0; shift < 64; shift += 8 {
		if byte(differ>>shift) == 0 {
			continue
		}
		var count [256]uint32
		for i := range src {
			count[byte(src[i].word>>shift)]++
		}
		var sum uint32
		for i, c := range count {
			count[i], sum = sum, sum+c
		}
		for i := range src {
			b := byte(src[i].word >> shift)
			dst[count[b]] = src[i]
			count[b]++
		}
		src, dst = dst, src
	}
	if &src[0] != &items[0] {
		copy(items, src)
	}
}
