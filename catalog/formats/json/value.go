package json

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// value reads the value at i into column f and returns the index after it, or -1.
func (d *decoder) value(b []byte, i int, f *field, row *types.Row) int {
	if i >= len(b) {
		return d.fail(len(b), "the text ends where a value should be")
	}
	if b[i] == 'n' {
		row.SetNull(f.loc)
		return d.skipWord(b, i)
	}
	switch f.kind {
	case types.Bigint, types.Int, types.Timestamp, types.Date, types.Time:
		v, end := d.integer(b, i, f.typ, f.path())
		row.SetInt64(f.loc, v)
		return end
	case types.String:
		if b[i] == '"' {
			if end := plainRun(b, i+1); end < len(b) && b[end] == '"' {
				row.SetBytes(f.loc, b[i+1:end:end])
				return end + 1
			}
		}
		v, end := d.anyText(b, i, 1)
		row.SetBytes(f.loc, v)
		return end
	case types.Double:
		v, end := d.double(b, i, f.typ, f.path())
		row.SetDouble(f.loc, v)
		return end
	case types.Boolean:
		v, end := d.boolean(b, i, f.typ, f.path())
		row.SetInt64(f.loc, v)
		return end
	case types.Bytes:
		v, end := d.base64(b, i, f.typ, f.path())
		row.SetBytes(f.loc, v)
		return end
	}
	v, end := d.boxed(b, i, f.typ, f.path(), 0)
	if end >= 0 {
		row.SetRef(f.loc, v)
	}
	return end
}

// boolean reads true or false; nothing else becomes a BOOLEAN.
func (d *decoder) boolean(b []byte, i int, t *types.Type, p *path) (int64, int) {
	end := d.skipValue(b, i, 1)
	if end < 0 {
		return 0, -1
	}
	switch b[i] {
	case 't':
		return 1, end
	case 'f':
		return 0, end
	}
	return 0, d.mismatch(b, i, t, p)
}

// text reads the string whose opening quote is at i, unescaped: it points into b or into the decoder's scratch.
func (d *decoder) text(b []byte, i int) (text []byte, end int, ok bool) {
	end, escaped := d.scanString(b, i+1)
	if end < 0 {
		return nil, -1, false
	}
	text = b[i+1 : end : end]
	if escaped {
		at := len(d.scratch)
		d.scratch = unescape(d.scratch, text)
		text = d.scratch[at:len(d.scratch):len(d.scratch)]
	}
	return text, end + 1, true
}

// base64 reads BYTES.
func (d *decoder) base64(b []byte, i int, t *types.Type, p *path) ([]byte, int) {
	if b[i] != '"' {
		if d.skipValue(b, i, 1) < 0 {
			return nil, -1
		}
		return nil, d.mismatch(b, i, t, p)
	}
	text, end, ok := d.text(b, i)
	if !ok {
		return nil, -1
	}
	at := len(d.scratch)
	d.scratch = slices.Grow(d.scratch, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(d.scratch[at:cap(d.scratch)], text)
	if err != nil {
		return nil, d.mismatch(b, i, t, p)
	}
	d.scratch = d.scratch[:at+n]
	return d.scratch[at : at+n : at+n], end
}

// anyText reads any value but null as a STRING, as ksqlDB does: numbers and booleans as they are written, an array as
// [a, b] of such texts, an object as JSON with its names sorted.
func (d *decoder) anyText(b []byte, i, depth int) ([]byte, int) {
	if b[i] == '"' {
		text, end, ok := d.text(b, i)
		if !ok {
			return nil, -1
		}
		return text, end
	}
	end := d.skipValue(b, i, depth)
	if end < 0 {
		return nil, -1
	}
	at := len(d.scratch)
	d.scratch = d.appendText(d.scratch, b, i)
	return d.scratch[at:len(d.scratch):len(d.scratch)], end
}

// appendText appends the STRING form of the validated value at i.
func (d *decoder) appendText(dst, b []byte, i int) []byte {
	switch b[i] {
	case '"':
		end, _ := d.scanString(b, i+1)
		return unescape(dst, b[i+1:end])
	case '{':
		return d.appendSorted(dst, b, i)
	case '[':
		dst = append(dst, '[')
		first := true
		d.eachItem(b, i, func(at int) {
			if !first {
				dst = append(dst, ", "...)
			}
			first = false
			dst = d.appendText(dst, b, at)
		})
		return append(dst, ']')
	}
	return appendWord(dst, b[i:d.skipValue(b, i, 0)])
}

// appendWord appends a number as Java's BigDecimal or BigInteger prints it, or a literal word.
func appendWord(dst, word []byte) []byte {
	s := types.Text(word)
	if s == "-0" {
		return append(dst, '0')
	}
	if strings.ContainsAny(s, "eE") && s[0] != 't' && s[0] != 'f' || strings.HasPrefix(s, "-0.") || strings.HasPrefix(s, "0.00000") {
		if dec, err := types.ParseDecimal(s); err == nil {
			if dec.IsZero() {
				dec.Negative = false
			}
			return append(dst, dec.String()...)
		}
	}
	return append(dst, word...)
}

// appendSorted appends the object at i as JSON without white space, names in order.
func (d *decoder) appendSorted(dst, b []byte, i int) []byte {
	type member struct {
		name string
		at   int
	}
	var members []member
	d.eachMember(b, i, func(name []byte, at int) {
		for k := range members {
			if members[k].name == string(name) {
				members[k].at = at
				return
			}
		}
		members = append(members, member{string(name), at})
	})
	slices.SortFunc(members, func(x, y member) int { return types.CompareText(x.name, y.name) })
	dst = append(dst, '{')
	for k, m := range members {
		if k > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, types.TextBytes(m.name)), ':')
		dst = d.appendCompact(dst, b, m.at)
	}
	return append(dst, '}')
}

// appendCompact appends the value at i as JSON without white space.
func (d *decoder) appendCompact(dst, b []byte, i int) []byte {
	switch b[i] {
	case '"':
		end, _ := d.scanString(b, i+1)
		return appendString(dst, unescape(nil, b[i+1:end]))
	case '{':
		return d.appendSorted(dst, b, i)
	case '[':
		dst = append(dst, '[')
		first := true
		d.eachItem(b, i, func(at int) {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = d.appendCompact(dst, b, at)
		})
		return append(dst, ']')
	}
	return appendWord(dst, b[i:d.skipValue(b, i, 0)])
}

// eachItem calls f with the index of each item of the validated array at i.
func (d *decoder) eachItem(b []byte, i int, f func(at int)) {
	i = space(b, i+1)
	for b[i] != ']' {
		f(i)
		i = space(b, d.skipValue(b, i, 0))
		if b[i] == ',' {
			i = space(b, i+1)
		}
	}
}

// eachMember calls f with the name and the index of the value of each member of the validated object at i.
func (d *decoder) eachMember(b []byte, i int, f func(name []byte, at int)) {
	i = space(b, i+1)
	for b[i] != '}' {
		name, escaped, next := d.name(b, i)
		if escaped {
			name = unescape(nil, name)
		}
		f(name, next)
		i = space(b, d.skipValue(b, next, 0))
		if b[i] == ',' {
			i = space(b, i+1)
		}
	}
}
