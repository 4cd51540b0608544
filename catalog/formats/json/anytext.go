package json

import (
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// appendText appends the STRING form of the validated value at i and returns the index after it. Inside an object
// (asJSON) texts are quoted and arrays have no white space.
func (d *decoder) appendText(dst, b []byte, i int, asJSON bool) ([]byte, int) {
	switch b[i] {
	case '"':
		end, _ := d.scanString(b, i+1)
		if asJSON {
			return appendString(dst, unescape(nil, b[i+1:end])), end + 1
		}
		return unescape(dst, b[i+1:end]), end + 1
	case '{':
		return d.appendSorted(dst, b, i)
	case '[':
		return d.appendItems(dst, b, i, asJSON)
	}
	end := d.skipValue(b, i, 0)
	return appendWord(dst, b[i:end]), end
}

// appendItems appends the array at i.
func (d *decoder) appendItems(dst, b []byte, i int, asJSON bool) ([]byte, int) {
	separator := ", "
	if asJSON {
		separator = ","
	}
	dst = append(dst, '[')
	i = space(b, i+1)
	for first := true; b[i] != ']'; first = false {
		if !first {
			dst = append(dst, separator...)
		}
		dst, i = d.appendText(dst, b, i, asJSON)
		if i = space(b, i); b[i] == ',' {
			i = space(b, i+1)
		}
	}
	return append(dst, ']'), i + 1
}

// member is one field of an object that is being printed: its name, and where its text stands in the output.
type member struct {
	name       string
	start, end int
}

// appendSorted appends the object at i as JSON without white space, names in order, of equal names the last.
func (d *decoder) appendSorted(dst, b []byte, i int) ([]byte, int) {
	at := len(dst)
	var members []member
	i = space(b, i+1)
	for b[i] != '}' {
		body, escaped, next := d.name(b, i)
		if escaped {
			body = unescape(nil, body)
		}
		m := member{name: string(body), start: len(dst)}
		dst = append(appendString(dst, body), ':')
		dst, i = d.appendText(dst, b, next, true)
		m.end = len(dst)
		members = append(members, m)
		if i = space(b, i); b[i] == ',' {
			i = space(b, i+1)
		}
	}
	slices.SortStableFunc(members, func(x, y member) int { return types.CompareText(x.name, y.name) })
	parts := slices.Clone(dst[at:])
	dst = append(dst[:at], '{')
	for k, m := range members {
		if k+1 < len(members) && members[k+1].name == m.name {
			continue
		}
		if len(dst) > at+1 {
			dst = append(dst, ',')
		}
		dst = append(dst, parts[m.start-at:m.end-at]...)
	}
	return append(dst, '}'), i + 1
}

// appendWord appends a number as Java's BigDecimal or BigInteger prints it, or a literal word.
func appendWord(dst, word []byte) []byte {
	s := types.Text(word)
	if s == "-0" {
		return append(dst, '0')
	}
	isNumber := s[0] == '-' || s[0]-'0' < 10
	if isNumber && (strings.ContainsAny(s, "eE") || strings.HasPrefix(s, "-0.") || strings.HasPrefix(s, "0.00000")) {
		if dec, err := types.ParseDecimal(s); err == nil {
			if dec.IsZero() {
				dec.Negative = false
			}
			return append(dst, dec.String()...)
		}
	}
	return append(dst, word...)
}
