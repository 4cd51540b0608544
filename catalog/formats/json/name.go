package json

import "encoding/binary"

// newName prepares a raw name (with quotes and colon) for comparing.
func newName(raw string) *name {
	n := &name{raw: raw}
	var first, last [8]byte
	copy(first[:], raw)
	n.head = binary.LittleEndian.Uint64(first[:])
	n.mask = ^uint64(0)
	if len(raw) < 8 {
		n.mask >>= uint(8-len(raw)) * 8
	} else {
		copy(last[:], raw[len(raw)-8:])
		n.tail = binary.LittleEndian.Uint64(last[:])
	}
	return n
}

// matches reports whether n's raw text stands at b[i:], leaving out the middle of names longer than 16 bytes, so that it
// can be inlined. At the very end of b, where fewer than eight bytes are left, it says no and the slow way decides.
func (n *name) matches(b []byte, i int) bool {
	if i+8 > len(b) || (binary.LittleEndian.Uint64(b[i:])^n.head)&n.mask != 0 {
		return false
	}
	l := len(n.raw)
	return l <= 8 || i+l <= len(b) && binary.LittleEndian.Uint64(b[i+l-8:]) == n.tail
}

// middle completes matches for a long name.
func (n *name) middle(b []byte, i int) bool {
	return string(b[i+8:i+len(n.raw)-8]) == n.raw[8:len(n.raw)-8]
}
