package json

import "encoding/binary"

// noName follows a name of which nothing is known yet; it matches nothing.
var noName = name{raw: "\x00\x00\x00\x00\x00\x00\x00\x00", mask: ^uint64(0)}

// newName prepares a raw name (with quotes and colon) for comparing.
func newName(raw string) *name {
	n := &name{raw: raw, next: &noName}
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

// matches reports whether n's raw text stands at b[i:]. At the very end of b, where fewer than eight bytes are left, it
// says no and the slow way decides.
func (n *name) matches(b []byte, i int) bool {
	if i+8 > len(b) || (binary.LittleEndian.Uint64(b[i:])^n.head)&n.mask != 0 {
		return false
	}
	l := len(n.raw)
	if l <= 8 {
		return true
	}
	if i+l > len(b) || binary.LittleEndian.Uint64(b[i+l-8:]) != n.tail {
		return false
	}
	return l <= 16 || string(b[i+8:i+l-8]) == n.raw[8:l-8]
}
