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
}

// smallSort is the length below which comparing is faster than radix passes.
const smallSort = 48

// sort returns 0..n-1 in the order of their keys, which are all different. The result is valid until the
// next call.
func (s *sorter) sort(n int, key func(pos uint32) []byte) []uint32 {
	s.items = slices.Grow(s.items[:0], n)[:n]
	s.spare = slices.Grow(s.spare[:0], n)[:n]
	for i := range s.items {
		s.items[i].pos = uint32(i)
	}
	s.part(s.items, s.spare, 0, key)
	s.order = slices.Grow(s.order[:0], n)[:n]
	for i, it := range s.items {
		s.order[i] = it.pos
	}
	return s.order
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
	var or, and uint64 = 0, ^uint64(0)
	for i := range items {
		w := word(key(items[i].pos)[common:])
		items[i].word = w
		or, and = or|w, and&w
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
