package state

import (
	"bytes"
	"slices"
	"sort"
)

// index keeps places of the dirty list ordered by key: a list of short sorted blocks. It exists only while
// range reads of an interval need it. Keys are never removed; a deleted row stays as a dirty record.
type index struct {
	key    func(pos uint32) []byte
	blocks [][]uint32
}

const indexBlock = 128

// newIndex returns an index of places that are sorted already.
func newIndex(sorted []uint32, key func(uint32) []byte) *index {
	x := &index{key: key}
	for len(sorted) > 0 {
		n := min(indexBlock/2, len(sorted))
		x.blocks = append(x.blocks, append(make([]uint32, 0, indexBlock), sorted[:n]...))
		sorted = sorted[n:]
	}
	return x
}

// block returns the number of the last block whose first key is at most key, or 0.
func (x *index) block(key []byte) int {
	n := sort.Search(len(x.blocks), func(i int) bool {
		return bytes.Compare(x.key(x.blocks[i][0]), key) > 0
	})
	return max(n-1, 0)
}

// insert adds a place whose key is not yet there.
func (x *index) insert(pos uint32) {
	if len(x.blocks) == 0 {
		x.blocks = append(x.blocks, append(make([]uint32, 0, indexBlock), pos))
		return
	}
	key := x.key(pos)
	bi := x.block(key)
	b := x.blocks[bi]
	at := sort.Search(len(b), func(i int) bool { return bytes.Compare(x.key(b[i]), key) > 0 })
	if len(b) < indexBlock {
		x.blocks[bi] = slices.Insert(b, at, pos)
		return
	}
	half := append(make([]uint32, 0, indexBlock), b[indexBlock/2:]...)
	b = b[:indexBlock/2]
	if at <= len(b) {
		b = slices.Insert(b, at, pos)
	} else {
		half = slices.Insert(half, at-len(b), pos)
	}
	x.blocks[bi] = b
	x.blocks = slices.Insert(x.blocks, bi+1, half)
}

// indexPos is a place in an index.
type indexPos struct{ block, i int }

// seek returns the first place whose key is at least key.
func (x *index) seek(key []byte) indexPos {
	if len(x.blocks) == 0 {
		return indexPos{}
	}
	bi := x.block(key)
	b := x.blocks[bi]
	i := sort.Search(len(b), func(i int) bool { return bytes.Compare(x.key(b[i]), key) >= 0 })
	return x.normal(indexPos{bi, i})
}

func (x *index) next(p indexPos) indexPos { return x.normal(indexPos{p.block, p.i + 1}) }

func (x *index) normal(p indexPos) indexPos {
	if p.block < len(x.blocks) && p.i >= len(x.blocks[p.block]) {
		return indexPos{block: p.block + 1}
	}
	return p
}

// get returns the place in the dirty list, false at the end.
func (x *index) get(p indexPos) (uint32, bool) {
	if p.block >= len(x.blocks) {
		return 0, false
	}
	return x.blocks[p.block][p.i], true
}

// appendAll appends all places in order.
func (x *index) appendAll(out []uint32) []uint32 {
	for _, b := range x.blocks {
		out = append(out, b...)
	}
	return out
}
