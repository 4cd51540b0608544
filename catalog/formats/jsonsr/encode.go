package jsonsr

import (
	"encoding/base64"
	"fmt"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/formats/json"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// encoder writes records of one schema. What it is is found out with the first record.
type encoder struct {
	format Format
	spec   *formats.Spec
	// head is what each record begins with; nil until the schema is known.
	head []byte
	// parts are the columns by the schema, of an unwrapped side one of the value itself.
	parts []part
}

// Append writes a record; see [formats.Encoder]. An unwrapped null column is null bytes.
func (e *encoder) Append(dst []byte, row *types.Row) ([]byte, bool, error) {
	if e.head == nil {
		if err := e.prepare(); err != nil {
			return dst, false, err
		}
	}
	at := len(dst)
	if e.spec.Unwrapped {
		if row.IsNull(e.spec.Locs[0]) {
			return dst, true, nil
		}
		dst, err := e.parts[0].column(append(dst, e.head...), row, e.spec.Locs[0])
		if err != nil {
			return dst[:at], false, e.failed(0, err)
		}
		return dst, false, nil
	}
	dst = append(append(dst, e.head...), '{')
	first := len(dst)
	for i := range e.parts {
		p := &e.parts[i]
		if p.from < 0 || row.IsNull(e.spec.Locs[p.from]) {
			var err error
			if dst, err = p.appendNull(dst, first); err != nil {
				return dst[:at], false, e.failed(p.from, err)
			}
			continue
		}
		var err error
		if dst, err = p.column(p.appendName(dst, first), row, e.spec.Locs[p.from]); err != nil {
			return dst[:at], false, e.failed(p.from, err)
		}
	}
	return append(dst, '}'), false, nil
}

// failed says which column an error is about.
func (e *encoder) failed(i int, err error) error {
	return fmt.Errorf("column %s: %w", types.QuoteName(e.spec.Columns[i].Name), err)
}

// appendName writes the name of a member, behind a comma unless it is the first of the object whose members begin at a place.
func (p *part) appendName(dst []byte, first int) []byte {
	if len(dst) > first {
		dst = append(dst, ',')
	}
	return append(dst, p.name...)
}

// appendNull writes a member that is null, or nothing if the schema does not take null.
func (p *part) appendNull(dst []byte, first int) ([]byte, error) {
	switch {
	case p.nullable:
		return append(p.appendName(dst, first), "null"...), nil
	case p.required:
		return dst, errNull
	}
	return dst, nil
}

// column writes a column that is not null.
func (w *writer) column(dst []byte, row *types.Row, loc types.Loc) ([]byte, error) {
	if loc.Class == types.ClassRef {
		return w.append(dst, row.R[loc.Slot])
	}
	return json.AppendColumn(dst, w.typ, row, loc), nil
}

// append writes a boxed value.
func (w *writer) append(dst []byte, v any) ([]byte, error) {
	if v == nil {
		if !w.nullable {
			return dst, errNull
		}
		return append(dst, "null"...), nil
	}
	if w.shape.isAny {
		return json.Append(dst, w.typ, v), nil
	}
	switch x := v.(type) {
	case []any:
		return w.appendList(dst, x)
	case *types.MapValue:
		return w.appendMap(dst, x)
	case types.StructValue:
		if isUnion(w.typ) {
			return w.appendUnion(dst, x)
		}
		return w.appendObject(dst, x)
	case *apd.Decimal:
		if w.shape.isText {
			return append(base64.StdEncoding.AppendEncode(append(dst, '"'), formats.AppendUnscaled(nil, x)), '"'), nil
		}
	}
	return json.Append(dst, w.typ, v), nil
}

func (w *writer) appendList(dst []byte, list []any) ([]byte, error) {
	dst = append(dst, '[')
	for i, item := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = w.elem.append(dst, item); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func (w *writer) appendMap(dst []byte, m *types.MapValue) ([]byte, error) {
	open, closing := byte('{'), byte('}')
	if w.shape.isList {
		open, closing = '[', ']'
	}
	dst = append(dst, open)
	for i, k := range m.Keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		if w.shape.isList {
			dst = append(dst, `{"key":`...)
		}
		key, _ := k.(string)
		dst = json.AppendText(dst, types.TextBytes(key))
		if w.shape.isList {
			dst = append(dst, `,"value":`...)
		} else {
			dst = append(dst, ':')
		}
		var err error
		if dst, err = w.elem.append(dst, m.Values[i]); err != nil {
			return dst, err
		}
		if w.shape.isList {
			dst = append(dst, '}')
		}
	}
	return append(dst, closing), nil
}

// appendUnion writes the first field that is not null.
func (w *writer) appendUnion(dst []byte, fields types.StructValue) ([]byte, error) {
	for i, v := range fields {
		if v != nil {
			return w.parts[i].append(dst, v)
		}
	}
	if !w.nullable {
		return dst, errNull
	}
	return append(dst, "null"...), nil
}

func (w *writer) appendObject(dst []byte, fields types.StructValue) ([]byte, error) {
	dst = append(dst, '{')
	first := len(dst)
	for i := range w.parts {
		p := &w.parts[i]
		var err error
		if p.from < 0 || fields[p.from] == nil {
			dst, err = p.appendNull(dst, first)
		} else {
			dst, err = p.append(p.appendName(dst, first), fields[p.from])
		}
		if err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// prepare finds the schema.
func (e *encoder) prepare() error {
	id, s, imports, err := formats.WrittenSchema(e.format.registry, e.format, e.spec)
	if err != nil {
		return err
	}
	if e.parts, err = bindSpec(e.spec, s, imports); err != nil {
		return formats.Unwritable(e.spec, err)
	}
	e.head = schemas.AppendHeader(nil, id)
	return nil
}

// bindSpec finds how a side is written by a schema.
func bindSpec(spec *formats.Spec, s schemas.Schema, imports map[string]schemas.Schema) ([]part, error) {
	root, err := shapeOf(s, imports)
	if err != nil {
		return nil, err
	}
	if spec.Unwrapped {
		w, err := bind(spec.Columns[0].Type, root)
		if err != nil {
			return nil, err
		}
		return []part{{writer: *w}}, nil
	}
	if root.typ.Kind != types.Struct || isUnion(root.typ) {
		return nil, fmt.Errorf("the schema is one of %s, not of an object with a field for each column", root.typ)
	}
	return bindFields(fieldsOf(spec), root)
}
