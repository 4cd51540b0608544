package json

import (
	"encoding/binary"
	"math/bits"
)

// digitsEnd returns the index of the first byte from i on that is no digit.
func digitsEnd(b []byte, i int) int {
	for i+8 <= len(b) {
		n := leadingDigits(binary.LittleEndian.Uint64(b[i:]))
		i += n
		if n < 8 {
			return i
		}
	}
	for i < len(b) && b[i]-'0' < 10 {
		i++
	}
	return i
}

// leadingDigits counts the digits at the low end of eight bytes.
func leadingDigits(w uint64) int {
	t := w ^ lows*'0'
	// A byte of t over 9 gets its high bit set by the addition or has it already; carries reach only bytes above such a
	// hit, so the lowest one is always true.
	m := (t + lows*0x76 | t) & highs
	return bits.TrailingZeros64(m) >> 3
}

// leadingNumber gives the value of the first n (0 to 8) digits of eight bytes: the digits are moved to the high end,
// zeros taking their place, and then added up in pairs, fours and all eight.
func leadingNumber(w uint64, n int) uint64 {
	t := (w ^ lows*'0') << (uint(8-n) * 8)
	t = t*10 + t>>8
	t = (t & 0x00ff00ff00ff00ff * (100<<16 + 1)) >> 16 & 0x0000ffff0000ffff
	return t&0xffff*10000 + t>>32
}

// digits adds the digits from i on to v (modulo 2^64: the caller limits their number) and returns the index after them.
func digits(b []byte, i int, v uint64) (sum uint64, end int) {
	for i+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[i:])
		n := leadingDigits(w)
		v = v*scale[n] + leadingNumber(w, n)
		i += n
		if n < 8 {
			return v, i
		}
	}
	for i < len(b) && b[i]-'0' < 10 {
		v = v*10 + uint64(b[i]-'0')
		i++
	}
	return v, i
}

var scale = [...]uint64{1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000}
