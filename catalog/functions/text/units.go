package text

import "unicode/utf8"

// Positions and lengths of strings count UTF-16 code units, as in Java: a character beyond U+FFFF is two.

// units counts the code units of s.
func units(s string) int {
	n := 0
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c < utf8.RuneSelf:
			i++
		case c >= 0xF0:
			n++
			_, size := utf8.DecodeRuneInString(s[i:])
			i += size
		default:
			_, size := utf8.DecodeRuneInString(s[i:])
			i += size
		}
		n++
	}
	return n
}

// byteAt gives the byte offset of code unit n of s; the end of s when it has no more than n. A unit in the middle of a
// character counts as the character's end: half characters are never cut out.
func byteAt(s string, n int) int {
	i := 0
	for n > 0 && i < len(s) {
		if s[i] < utf8.RuneSelf {
			i++
			n--
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		n--
		if r > 0xFFFF {
			n--
		}
	}
	return i
}
