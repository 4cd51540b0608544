package avro

import (
	"encoding/binary"
	"math"
)

// Functions that read return the place behind what they read, or -1 where there is no such thing.

// uvarint reads a number of up to ten bytes.
func uvarint(b []byte, i int) (uint64, int) {
	if i < len(b) && b[i] < 0x80 {
		return uint64(b[i]), i + 1
	}
	if i >= len(b) {
		return 0, -1
	}
	v, n := binary.Uvarint(b[i:])
	if n <= 0 {
		return 0, -1
	}
	return v, i + n
}

// long reads a zig-zag number.
func long(b []byte, i int) (int64, int) {
	u, i := uvarint(b, i)
	return int64(u>>1) ^ -int64(u&1), i
}

// appendLong writes a zig-zag number.
func appendLong(dst []byte, v int64) []byte {
	return binary.AppendUvarint(dst, uint64(v)<<1^uint64(v>>63))
}

// take gives n bytes.
func take(b []byte, i, n int) ([]byte, int) {
	if n > len(b)-i {
		return nil, -1
	}
	return b[i : i+n : i+n], i + n
}

// lengthPrefixed reads bytes behind their length.
func lengthPrefixed(b []byte, i int) ([]byte, int) {
	n, i := long(b, i)
	if i < 0 || n < 0 || n > int64(len(b)-i) {
		return nil, -1
	}
	return take(b, i, int(n))
}

// block reads the head of a block of an array or map whose items take at least least bytes, and gives how many there are, 0 at
// the end. A count that the rest of the data cannot hold is none; of items without bytes there may be many. A block may say how
// long it is: that is not looked at, so that what is skipped is as well formed as what is read.
func block(b []byte, i, least int) (count int64, next int) {
	n, i := long(b, i)
	if i < 0 || n == math.MinInt64 {
		return 0, -1
	}
	if n < 0 {
		n = -n
		if _, i = long(b, i); i < 0 {
			return 0, -1
		}
	}
	if least > 0 && n > int64((len(b)-i)/least) {
		return 0, -1
	}
	return n, i
}

// maxDepth is how deep what is skipped may nest.
const maxDepth = 500

// skip passes a value that nobody reads.
func skip(n *node, b []byte, i, depth int) int {
	if depth > maxDepth {
		return -1
	}
	if n.exact >= 0 {
		_, i = take(b, i, n.exact)
		return i
	}
	switch n.kind {
	case kindInt, kindLong, kindEnum:
		_, i = uvarint(b, i)
	case kindBytes, kindString:
		_, i = lengthPrefixed(b, i)
	case kindArray, kindMap:
		return skipBlocks(n, b, i, depth)
	case kindRecord:
		for k := range n.fields {
			if i = skip(n.fields[k].typ, b, i, depth+1); i < 0 {
				return -1
			}
		}
	case kindUnion:
		var at int64
		if at, i = long(b, i); i < 0 || at < 0 || at >= int64(len(n.branches)) {
			return -1
		}
		return skip(n.branches[at], b, i, depth+1)
	}
	return i
}

func skipBlocks(n *node, b []byte, i, depth int) int {
	least := n.items.least
	if n.kind == kindMap {
		least++ // the key
	}
	for {
		count, next := block(b, i, least)
		if next < 0 || count == 0 {
			return next
		}
		i = next
		if n.kind == kindArray && n.items.exact == 0 {
			continue
		}
		for range count {
			if n.kind == kindMap {
				if _, i = lengthPrefixed(b, i); i < 0 {
					return -1
				}
			}
			if i = skip(n.items, b, i, depth+1); i < 0 {
				return -1
			}
		}
	}
}
