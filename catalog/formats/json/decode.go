package json

import (
	"bytes"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// decoder reads one side of a topic. Producers write the fields of an object in the same order record after record, so
// each known field name remembers which one followed it the last time: the next name is then compared as whole bytes,
// quotes and colon included, instead of being parsed and looked up.
type decoder struct {
	fields []field
	// bare is the column of an unwrapped side, nil otherwise; bareSkip tells that it exists but is not kept.
	bare      *field
	unwrapped bool
	// nulls are the bits of the kept columns, by word of the row's bitmap.
	nulls []uint64

	byName map[string]*field
	// names are the field names met so far in the data, by their raw text with quotes and colon.
	names map[string]*name
	start name

	// connect is nil for plain JSON.
	connect *Connect

	record  uint64
	scratch []byte
	err     error
}

// field is one kept column.
type field struct {
	typ  *types.Type
	kind types.Kind
	loc  types.Loc
	name string
	// exactIn is the number of the last record in which the field's name stood exactly: it wins over names that match
	// only in upper case.
	exactIn uint64
	at      path
}

// name is a field name as it stands in the data.
type name struct {
	raw string
	// field is the column it fills, nil when nobody reads it.
	field *field
	exact bool
	// next is the name that followed the last time, nil when none did.
	next *name
	// head, mask, tail are raw's first and last eight bytes for quick comparing.
	head, mask, tail uint64
}

// maxNames bounds what is remembered of names, so that a topic whose names are data cannot fill the memory.
const maxNames = 1024

func newDecoder(spec *formats.Spec) *decoder {
	d := &decoder{unwrapped: spec.Unwrapped, byName: map[string]*field{}, names: map[string]*name{}}
	root := (*path)(nil)
	for i, c := range spec.Columns {
		loc := spec.Locs[i]
		if loc.Class == types.ClassNone {
			continue
		}
		f := field{typ: c.Type, kind: c.Type.Kind, loc: loc, name: c.Name}
		if !spec.Unwrapped {
			f.at = path{outer: root, field: c.Name}
		}
		d.fields = append(d.fields, f)
		word := int(loc.Col >> 6)
		for len(d.nulls) <= word {
			d.nulls = append(d.nulls, 0)
		}
		d.nulls[word] |= 1 << (uint(loc.Col) & 63)
	}
	for i := range d.fields {
		d.byName[d.fields[i].name] = &d.fields[i]
	}
	if spec.Unwrapped && len(d.fields) == 1 {
		d.bare = &d.fields[0]
	}
	return d
}

// path gives where the field stands, for messages.
func (f *field) path() *path {
	if f.at.field == "" {
		return nil
	}
	return &f.at
}

// Decode reads a record; see [formats.Decoder].
func (d *decoder) Decode(data []byte, row *types.Row) error {
	d.record++
	d.scratch = d.scratch[:0]
	for i, m := range d.nulls {
		row.Nulls[i] |= m
	}
	i := 0
	if len(data) == 0 || data[0] != '{' {
		if i = space(data, 0); i >= len(data) {
			return d.startError(nil)
		}
	}
	switch {
	case d.unwrapped && d.bare != nil:
		i = d.value(data, i, d.bare, row)
	case d.unwrapped:
		i = d.skipValue(data, i, 0)
	case data[i] == '{':
		i = d.object(data, i+1, row)
	default:
		i = d.noObject(data, i)
	}
	if i < 0 {
		if !isStart(data[0]) {
			return d.startError(data)
		}
		return d.err
	}
	if i < len(data) {
		if i = space(data, i); i < len(data) {
			d.fail(i, "there is more after the end of the value: "+excerpt(data[i:]))
			return d.err
		}
	}
	return nil
}

// isStart reports whether JSON text can begin with c.
func isStart(c byte) bool {
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '{' || c == '[' || c == '"' || c == '-' || c-'0' < 10 ||
		c == 't' || c == 'f' || c == 'n'
}

// noObject handles a wrapped side whose text is something else than an object: null means that all columns are null.
func (d *decoder) noObject(b []byte, i int) int {
	end := d.skipValue(b, i, 0)
	if end < 0 || b[i] == 'n' {
		return end
	}
	columns := make([]types.Field, len(d.fields))
	for k := range d.fields {
		columns[k] = types.Field{Name: d.fields[k].name, Type: d.fields[k].typ}
	}
	return d.mismatch(b, i, types.StructOf(columns...), nil)
}

// object reads the fields of the record's object from i (after the brace) on and returns the index after it.
func (d *decoder) object(b []byte, i int, row *types.Row) int {
	known := &d.start
	if i < len(b) && b[i] != '"' {
		if i = space(b, i); i < len(b) && b[i] == '}' {
			return i + 1
		}
	}
	for {
		if n := known.next; n != nil && n.matches(b, i) && (len(n.raw) <= 16 || n.middle(b, i)) {
			known = n
			i += len(n.raw)
			if i < len(b) && b[i] <= ' ' {
				i = space(b, i)
			}
		} else if known, i = d.lookUp(b, i, known); i < 0 {
			return -1
		}
		if f := known.field; f == nil {
			i = d.skipValue(b, i, 1)
		} else if known.exact {
			f.exactIn = d.record
			i = d.value(b, i, f, row)
		} else if f.exactIn == d.record {
			i = d.skipValue(b, i, 1)
		} else {
			i = d.value(b, i, f, row)
		}
		if i < 0 {
			return -1
		}
		if i < len(b) && b[i] <= ' ' {
			i = space(b, i)
		}
		switch {
		case i >= len(b):
			return d.fail(len(b), "the text ends inside an object")
		case b[i] == ',':
			i++
			if i < len(b) && b[i] <= ' ' {
				i = space(b, i)
			}
		case b[i] == '}':
			return i + 1
		default:
			return d.unexpected(b, i, "',' or '}'")
		}
	}
}

// lookUp reads the name at i the slow way, finds its field, and remembers that it follows prev.
func (d *decoder) lookUp(b []byte, i int, prev *name) (*name, int) {
	body, escaped, next := d.name(b, i)
	if next < 0 {
		return nil, -1
	}
	if escaped {
		body = unescape(nil, body)
	} else if raw := b[i : i+len(body)+3]; raw[len(raw)-1] == ':' {
		n := d.names[string(raw)]
		if n == nil && len(d.names) < maxNames {
			n = newName(string(raw))
			n.field, n.exact = d.find(body)
			d.names[n.raw] = n
		}
		if n != nil {
			prev.next = n
			return n, next
		}
	}
	n := newName("")
	n.field, n.exact = d.find(body)
	return n, next
}

// find gives the column that a name in the data fills: the one of exactly that name, otherwise the one that equals the
// name in upper case (ksqlDB: unquoted column names are upper case, JSON usually is not).
func (d *decoder) find(body []byte) (*field, bool) {
	if f := d.byName[string(body)]; f != nil {
		return f, true
	}
	return d.byName[string(bytes.ToUpper(body))], false
}
