package json

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

const (
	lows  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plainRun returns the index of the first byte from i on that cannot simply be passed over inside a string: a quote, a
// backslash, a control character, a byte that is not ASCII, or the end of b. Eight bytes are looked at in one step.
func plainRun(b []byte, i int) int {
	s := b[i:]
	for len(s) >= 8 {
		w := binary.LittleEndian.Uint64(s)
		quote := w ^ lows*'"'
		slash := w ^ lows*'\\'
		// Subtracting borrows only out of a byte that is a hit itself, so the lowest marked byte is always a true one.
		m := ((quote-lows)&^quote | (slash-lows)&^slash | (w - lows*0x20) | w) & highs
		if m != 0 {
			return len(b) - len(s) + bits.TrailingZeros64(m)>>3
		}
		s = s[8:]
	}
	for i = len(b) - len(s); i < len(b) && b[i] >= 0x20 && b[i] < 0x80 && b[i] != '"' && b[i] != '\\'; {
		i++
	}
	return i
}

// scanString finds the end of a string whose first character is at i (after the quote). It returns the index of the
// closing quote and whether there are escapes in between; on broken text it fails and returns -1.
func (d *decoder) scanString(b []byte, i int) (end int, escaped bool) {
	start, ascii := i, true
	for {
		i = plainRun(b, i)
		if i >= len(b) {
			return d.fail(len(b), "the text ends inside a string"), false
		}
		switch c := b[i]; {
		case c == '"':
			if !ascii && !utf8.Valid(b[start:i]) {
				return d.fail(start, "a string is not valid UTF-8"), false
			}
			return i, escaped
		case c == '\\':
			if i = d.checkEscape(b, i); i < 0 {
				return -1, false
			}
			escaped = true
		case c < 0x20:
			return d.fail(i, "a control character inside a string must be escaped"), false
		default:
			ascii = false
			for i < len(b) && b[i] >= 0x80 {
				i++
			}
		}
	}
}

// checkEscape validates the escape sequence whose backslash is at i and returns the index after it.
func (d *decoder) checkEscape(b []byte, i int) int {
	if i+1 >= len(b) {
		return d.fail(len(b), "the text ends inside a string")
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		if _, ok := hex4(b, i+2); ok {
			return i + 6
		}
	}
	return d.fail(i, "unknown escape sequence in a string")
}

// hex4 reads four hexadecimal digits at i.
func hex4(b []byte, i int) (rune, bool) {
	if i+4 > len(b) {
		return 0, false
	}
	var r rune
	for _, c := range b[i : i+4] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// unescape appends the text of a validated string body to dst.
func unescape(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			n := i + 1
			for n < len(s) && s[n] != '\\' {
				n++
			}
			dst = append(dst, s[i:n]...)
			i = n
			continue
		}
		switch c := s[i+1]; c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, _ := hex4(s, i+2)
			i += 6
			if r >= 0xD800 && r < 0xDC00 && i+6 <= len(s) && s[i] == '\\' && s[i+1] == 'u' {
				if lo, _ := hex4(s, i+2); lo >= 0xDC00 && lo < 0xE000 {
					r = 0x10000 + (r-0xD800)<<10 + (lo - 0xDC00)
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r) // half a surrogate pair becomes U+FFFD
			continue
		default:
			dst = append(dst, c)
		}
		i += 2
	}
	return dst
}

// space returns the index of the first byte from i on that is no white space.
func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// skipValue validates the value that starts at i and returns the index after it, or -1.
func (d *decoder) skipValue(b []byte, i, depth int) int {
	if i >= len(b) {
		return d.fail(len(b), "the text ends where a value should be")
	}
	switch c := b[i]; {
	case c == '"':
		if end := plainRun(b, i+1); end < len(b) && b[end] == '"' {
			return end + 1
		}
		end, _ := d.scanString(b, i+1)
		if end < 0 {
			return -1
		}
		return end + 1
	case c == '-' || c-'0' < 10:
		return d.skipNumber(b, i)
	case c == '{':
		return d.skipObject(b, i, depth+1)
	case c == '[':
		return d.skipArray(b, i, depth+1)
	default:
		return d.skipWord(b, i)
	}
}

// skipWord passes true, false or null.
func (d *decoder) skipWord(b []byte, i int) int {
	word := ""
	switch b[i] {
	case 't':
		word = "true"
	case 'f':
		word = "false"
	case 'n':
		word = "null"
	default:
		return d.unexpected(b, i, "a value")
	}
	if len(b)-i < len(word) || string(b[i:i+len(word)]) != word {
		return d.unexpected(b, i, "a value")
	}
	return i + len(word)
}

// skipNumber passes a number by the grammar of JSON: no leading zeros, digits on both sides of the point.
func (d *decoder) skipNumber(b []byte, i int) int {
	start := i
	if b[i] == '-' {
		i++
	}
	first := i
	i = digitsEnd(b, i)
	if i == first || b[first] == '0' && i > first+1 {
		return d.fail(start, "a malformed number")
	}
	if i < len(b) && b[i] == '.' {
		first = i + 1
		if i = digitsEnd(b, first); i == first {
			return d.fail(start, "a malformed number")
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		first = i
		if i = digitsEnd(b, i); i == first {
			return d.fail(start, "a malformed number")
		}
	}
	return i
}

func (d *decoder) skipArray(b []byte, i, depth int) int {
	if depth > MaxDepth {
		return d.tooDeep(i)
	}
	i = space(b, i+1)
	if i < len(b) && b[i] == ']' {
		return i + 1
	}
	for {
		if i = d.skipValue(b, i, depth); i < 0 {
			return -1
		}
		if i = space(b, i); i >= len(b) {
			return d.fail(len(b), "the text ends inside an array")
		}
		switch b[i] {
		case ']':
			return i + 1
		case ',':
			i = space(b, i+1)
		default:
			return d.unexpected(b, i, "',' or ']'")
		}
	}
}

func (d *decoder) skipObject(b []byte, i, depth int) int {
	if depth > MaxDepth {
		return d.tooDeep(i)
	}
	i = space(b, i+1)
	if i < len(b) && b[i] == '}' {
		return i + 1
	}
	for {
		_, _, next := d.name(b, i)
		if next < 0 {
			return -1
		}
		if i = d.skipValue(b, next, depth); i < 0 {
			return -1
		}
		if i = space(b, i); i >= len(b) {
			return d.fail(len(b), "the text ends inside an object")
		}
		switch b[i] {
		case '}':
			return i + 1
		case ',':
			i = space(b, i+1)
		default:
			return d.unexpected(b, i, "',' or '}'")
		}
	}
}

// name reads a field name at i with the colon behind it: body is the text between the quotes, next the index of the
// value, or -1.
func (d *decoder) name(b []byte, i int) (body []byte, escaped bool, next int) {
	if i >= len(b) {
		return nil, false, d.fail(len(b), "the text ends inside an object")
	}
	if b[i] != '"' {
		return nil, false, d.unexpected(b, i, "a field name in quotes")
	}
	end, escaped := d.scanString(b, i+1)
	if end < 0 {
		return nil, false, -1
	}
	body = b[i+1 : end]
	i = space(b, end+1)
	if i >= len(b) {
		return nil, false, d.fail(len(b), "the text ends inside an object")
	}
	if b[i] != ':' {
		return nil, false, d.unexpected(b, i, "':'")
	}
	return body, escaped, space(b, i+1)
}
