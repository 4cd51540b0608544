package json

import (
	"bytes"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// entryType is an entry of a MAP that is a list of them.
func entryType(t *types.Type) *types.Type {
	return types.StructOf(types.Field{Name: "key", Type: t.Key}, types.Field{Name: "value", Type: t.Elem})
}

// entries reads a MAP that is a list of entries.
func (d *decoder) entries(b []byte, i int, t *types.Type, p *path, depth int) (any, int) {
	m := &types.MapValue{}
	if i = space(b, i+1); i < len(b) && b[i] == ']' {
		return m, i + 1
	}
	entry := entryType(t)
	var places map[string]int // of the keys, once there are many
	at := path{outer: p}
	for n, done := 0, false; !done; n++ {
		at.index = n
		if i < len(b) && b[i] != '{' {
			if d.skipValue(b, i, depth) < 0 {
				return nil, -1
			}
			return nil, d.mismatch(b, i, entry, &at)
		}
		var v any
		if v, i = d.boxed(b, i, entry, &at, depth); i < 0 {
			return nil, -1
		}
		fields, _ := v.(types.StructValue)
		if key, ok := fields[0].(string); ok {
			places = formats.PutEntry(m, places, key, fields[1])
		}
		if i, done = d.more(b, i, ']'); i < 0 {
			return nil, -1
		}
	}
	return m, i
}

// union reads a value into the field of a STRUCT whose type it has: the first one for a value without fields, the one of which
// most fields are there for an object.
func (d *decoder) union(b []byte, i int, t *types.Type, p *path, depth int) (any, int) {
	end := d.skipValue(b, i, depth)
	if end < 0 {
		return nil, -1
	}
	best, most := -1, 0
	for k, f := range t.Fields {
		if isOf(b, i, end, f.Type) {
			best = k
			break
		}
		if f.Type.Kind == types.Struct && b[i] == '{' {
			if n := d.matching(b, i, f.Type); n > most {
				best, most = k, n
			}
		}
	}
	if best < 0 {
		return nil, d.mismatch(b, i, t, p)
	}
	out := make(types.StructValue, len(t.Fields))
	at := path{outer: p, field: t.Fields[best].Name}
	out[best], end = d.boxed(b, i, t.Fields[best].Type, &at, depth)
	if end < 0 {
		return nil, -1
	}
	return out, end
}

// isOf says whether the validated value at i is one that a type without fields of its own is written as.
func isOf(b []byte, i, end int, t *types.Type) bool {
	switch b[i] {
	case '"':
		return t.Kind == types.String || t.Kind == types.Bytes
	case 't', 'f':
		return t.Kind == types.Boolean
	case '[':
		return t.Kind == types.Array || t.Kind == types.Map
	case '{':
		return t.Kind == types.Map
	}
	for _, c := range b[i:end] {
		if c == '.' || c|0x20 == 'e' {
			return t.Kind == types.Double || t.Kind == types.Decimal
		}
	}
	return t.IsNumeric() || t.IsTime()
}

// matching counts the members of the validated object at i that are fields of a STRUCT.
func (d *decoder) matching(b []byte, i int, t *types.Type) (n int) {
	i = space(b, i+1)
	for b[i] != '}' {
		body, escaped, next := d.name(b, i)
		if escaped {
			body = unescape(nil, body)
		}
		if t.FieldIndex(string(body)) >= 0 || t.FieldIndex(string(bytes.ToUpper(body))) >= 0 {
			n++
		}
		if i = space(b, d.skipValue(b, next, 0)); b[i] == ',' {
			i = space(b, i+1)
		}
	}
	return n
}
