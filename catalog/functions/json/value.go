// Package json holds the functions on JSON text in strings.
package json

import (
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// kind is the kind of a JSON value.
type kind uint8

const (
	nullKind kind = iota
	boolKind
	numberKind
	stringKind
	arrayKind
	objectKind
)

// value is a parsed JSON value. Names of objects stay in order and numbers stay as written: decimals are exact.
type value struct {
	kind kind
	// text is the string, the number as written, or true and false.
	text string
	// items of an array, or values of an object.
	items []value
	names []string
	// index finds names of large objects.
	index map[string]int
}

// indexFrom is the number of members from which an object gets an index.
const indexFrom = 16

// set adds a member or replaces the one of that name in its place.
func (v *value) set(name string, item value) {
	if i, ok := v.place(name); ok {
		v.items[i] = item
		return
	}
	v.names, v.items = append(v.names, name), append(v.items, item)
	switch n := len(v.names); {
	case v.index != nil:
		v.index[name] = n - 1
	case n == indexFrom:
		v.index = make(map[string]int, 2*n)
		for i, m := range v.names {
			v.index[m] = i
		}
	}
}

// place finds the position of a member of an object.
func (v *value) place(name string) (int, bool) {
	if v.index != nil {
		i, ok := v.index[name]
		return i, ok
	}
	for i, n := range v.names {
		if n == name {
			return i, true
		}
	}
	return 0, false
}

// member finds a member of an object.
func (v *value) member(name string) (value, bool) {
	i, ok := v.place(name)
	if !ok {
		return value{}, false
	}
	return v.items[i], true
}

// appendJSON appends the value as compact JSON text; decimals without an exponent.
func (v *value) appendJSON(dst []byte) []byte {
	switch v.kind {
	case stringKind:
		return appendQuoted(dst, v.text)
	case numberKind:
		return append(dst, plainNumber(v.text)...)
	case arrayKind:
		dst = append(dst, '[')
		for i := range v.items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = v.items[i].appendJSON(dst)
		}
		return append(dst, ']')
	case objectKind:
		dst = append(dst, '{')
		for i := range v.items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendQuoted(dst, v.names[i]), ':')
			dst = v.items[i].appendJSON(dst)
		}
		return append(dst, '}')
	}
	return append(dst, v.text...)
}

// json is the value as JSON text.
func (v *value) json() string { return string(v.appendJSON(nil)) }

// plain is the value as text: strings unquoted, the rest as JSON.
func (v *value) plain() string {
	if v.kind == stringKind {
		return v.text
	}
	return v.json()
}

// maxExponent bounds the digits that writing a number without its exponent can make.
const maxExponent = 1000

// plainNumber drops the exponent of a number, as ksqlDB does when it prints decimals.
func plainNumber(s string) string {
	if !strings.ContainsAny(s, "eE") {
		return s
	}
	d, _, err := apd.NewFromString(s)
	if err != nil || d.Exponent > maxExponent || d.Exponent < -maxExponent {
		return s
	}
	return types.DecimalText(d)
}

func appendQuoted(dst []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= ' ':
			dst = append(dst, c)
		case c == '\b':
			dst = append(dst, '\\', 'b')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\f':
			dst = append(dst, '\\', 'f')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(dst, '"')
}
