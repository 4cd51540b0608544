package json

import (
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// boxed reads the value at i as a boxed value of type t. Boxed values outlive the record, so their texts are copies.
func (d *decoder) boxed(b []byte, i int, t *types.Type, p *path, depth int) (any, int) {
	if i >= len(b) {
		return nil, d.fail(len(b), "the text ends where a value should be")
	}
	if b[i] == 'n' {
		return nil, d.skipWord(b, i)
	}
	switch t.Kind {
	case types.Array:
		return d.array(b, i, t, p, depth+1)
	case types.Map:
		return d.mapValue(b, i, t, p, depth+1)
	case types.Struct:
		return d.structValue(b, i, t, p, depth+1)
	case types.Decimal:
		dec, end := d.decimal(b, i, t, p)
		return dec, end
	case types.String:
		text, end := d.anyText(b, i, depth)
		return string(text), end
	case types.Bytes:
		text, end := d.base64(b, i, t, p)
		return append([]byte{}, text...), end
	case types.Double:
		v, end := d.double(b, i, t, p)
		return v, end
	case types.Boolean:
		v, end := d.boolean(b, i, t, p)
		return v != 0, end
	}
	v, end := d.integer(b, i, t, p)
	return types.Slot{I: v}.Boxed(t), end
}

// open checks that the collection at i starts with the bracket and is not nested too deep.
func (d *decoder) open(b []byte, i int, bracket byte, t *types.Type, p *path, depth int) int {
	if depth >= MaxDepth {
		return d.tooDeep(i)
	}
	if b[i] != bracket {
		if d.skipValue(b, i, depth) < 0 {
			return -1
		}
		return d.mismatch(b, i, t, p)
	}
	return space(b, i+1)
}

// more passes the comma or the closing bracket at i; done says which one it was.
func (d *decoder) more(b []byte, i int, closing byte) (next int, done bool) {
	i = space(b, i)
	switch {
	case i < len(b) && b[i] == closing:
		return i + 1, true
	case i < len(b) && b[i] == ',':
		return space(b, i+1), false
	}
	return d.unexpected(b, i, "',' or '"+string(rune(closing))+"'"), false
}

func (d *decoder) array(b []byte, i int, t *types.Type, p *path, depth int) (any, int) {
	if i = d.open(b, i, '[', t, p, depth); i < 0 {
		return nil, -1
	}
	items := []any{}
	if i < len(b) && b[i] == ']' {
		return items, i + 1
	}
	at := path{outer: p}
	for done := false; !done; {
		var v any
		at.index = len(items)
		if v, i = d.boxed(b, i, t.Elem, &at, depth); i < 0 {
			return nil, -1
		}
		items = append(items, v)
		if i, done = d.more(b, i, ']'); i < 0 {
			return nil, -1
		}
	}
	return items, i
}

// key reads a member's name and the colon.
func (d *decoder) key(b []byte, i int) (string, int) {
	body, escaped, next := d.name(b, i)
	if next < 0 {
		return "", -1
	}
	if escaped {
		body = unescape(nil, body)
	}
	return string(body), next
}

func (d *decoder) mapValue(b []byte, i int, t *types.Type, p *path, depth int) (any, int) {
	if d.connect != nil && b[i] == '[' {
		return d.entries(b, i, t, p, depth)
	}
	if i = d.open(b, i, '{', t, p, depth); i < 0 {
		return nil, -1
	}
	m := &types.MapValue{}
	if i < len(b) && b[i] == '}' {
		return m, i + 1
	}
	var places map[string]int // of the keys, once there are many
	at := path{outer: p}
	for done := false; !done; {
		var key string
		var v any
		if key, i = d.key(b, i); i < 0 {
			return nil, -1
		}
		at.field = key + ".value"
		if v, i = d.boxed(b, i, t.Elem, &at, depth); i < 0 {
			return nil, -1
		}
		places = formats.PutEntry(m, places, key, v)
		if i, done = d.more(b, i, '}'); i < 0 {
			return nil, -1
		}
	}
	return m, i
}

func (d *decoder) structValue(b []byte, i int, t *types.Type, p *path, depth int) (any, int) {
	if d.connect != nil && d.connect.IsUnion(t) {
		return d.union(b, i, t, p, depth)
	}
	if i = d.open(b, i, '{', t, p, depth); i < 0 {
		return nil, -1
	}
	fields := make(types.StructValue, len(t.Fields))
	if i < len(b) && b[i] == '}' {
		return fields, i + 1
	}
	exact := make([]bool, len(t.Fields))
	at := path{outer: p}
	for done := false; !done; {
		var name string
		if name, i = d.key(b, i); i < 0 {
			return nil, -1
		}
		k := t.FieldIndex(name)
		if k >= 0 {
			exact[k] = true
		} else if k = t.FieldIndex(strings.ToUpper(name)); k >= 0 && exact[k] {
			k = -1
		}
		if k < 0 {
			i = d.skipValue(b, i, depth)
		} else {
			at.field = t.Fields[k].Name
			fields[k], i = d.boxed(b, i, t.Fields[k].Type, &at, depth)
		}
		if i < 0 {
			return nil, -1
		}
		if i, done = d.more(b, i, '}'); i < 0 {
			return nil, -1
		}
	}
	return fields, i
}
