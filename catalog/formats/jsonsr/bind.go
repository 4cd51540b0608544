package jsonsr

import (
	"errors"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/formats/json"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// writer is how a value is written by a schema.
type writer struct {
	typ      *types.Type
	shape    *shape
	nullable bool
	// elem writes the elements of an ARRAY or the values of a MAP.
	elem *writer
	// parts are the members of an object, in the order of the schema; for a union one for each field of the STRUCT.
	parts []part
}

// part is a member of an object.
type part struct {
	// name with quotes and colon.
	name string
	// from is the column or field that it is, -1 for none: null where the schema takes that, else it is left out.
	from     int
	required bool
	writer
}

// bind finds how values of a type are written by a schema.
func bind(t *types.Type, s *shape) (*writer, error) {
	w := &writer{typ: t, shape: s, nullable: s.nullable}
	if s.isAny {
		w.nullable = true
		return w, nil
	}
	var err error
	switch {
	case t.Kind == types.Int && s.typ.Kind == types.Bigint:
		return w, nil
	case t.Kind != s.typ.Kind, t.Kind == types.Decimal && !types.Equal(t, s.typ):
		return nil, fmt.Errorf("the schema has %s where %s would be written", s.typ, t)
	case t.Kind == types.Array, t.Kind == types.Map:
		w.elem, err = bind(t.Elem, s.elem)
		return w, err
	case t.Kind == types.Struct && isUnion(t) != isUnion(s.typ), t.Kind == types.Struct && isUnion(t) && len(t.Fields) != len(s.fields):
		return nil, fmt.Errorf("the schema has %s where %s would be written", s.typ, t)
	case t.Kind == types.Struct && isUnion(t):
		for i, f := range t.Fields {
			one, err := bind(f.Type, s.fields[i].shape)
			if err != nil {
				return nil, err
			}
			w.parts = append(w.parts, part{from: i, writer: *one})
		}
	case t.Kind == types.Struct:
		w.parts, err = bindFields(t.Fields, s)
	}
	return w, err
}

// bindFields finds the members of an object for columns or fields.
func bindFields(fields []types.Field, s *shape) ([]part, error) {
	for _, f := range fields {
		if s.field(f.Name) == nil {
			return nil, fmt.Errorf("Schema from Schema Registry misses field with name: %s", f.Name)
		}
	}
	var parts []part
	for _, p := range s.fields {
		one := part{name: string(append(json.AppendText(nil, []byte(p.name)), ':')), from: -1, required: p.required}
		one.nullable = p.shape.nullable
		for i, f := range fields {
			if f.Name == p.name {
				w, err := bind(f.Type, p.shape)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", f.Name, err)
				}
				one.from, one.writer = i, *w
			}
		}
		if one.from < 0 && one.required && !one.nullable {
			return nil, fmt.Errorf("Schema from Schema Registry requires field %s, which no column has", p.name)
		}
		parts = append(parts, one)
	}
	return parts, nil
}

var errNull = errors.New("it is null, which the schema does not take")
