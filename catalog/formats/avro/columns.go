package avro

import (
	"errors"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// maxTypes bounds the columns of a schema with all that is inside them: named types that are used again and again could
// stand for more than fits into memory.
const maxTypes = 100_000

// errNoType marks a type that ksqlDB has none for; the field it is in is left out.
var errNoType = errors.New("ksqlDB has no such type")

// columnsOf reads the columns out of a schema.
func columnsOf(n *node, unwrapped bool) ([]types.Column, error) {
	i := &inference{open: map[*node]bool{}}
	t, err := i.typeOf(n)
	if errors.Is(err, errNoType) {
		return nil, fmt.Errorf("Unsupported type at root of schema: %w", err)
	}
	if err != nil {
		return nil, err
	}
	if unwrapped {
		return []types.Column{{Type: t}}, nil
	}
	if t.Kind != types.Struct {
		return nil, errors.New("Schema returned from schema registry is anonymous type. " +
			"To use this schema with ksqlDB, set 'WRAP_SINGLE_VALUE=false' in the WITH clause properties.")
	}
	if len(t.Fields) == 0 {
		return nil, errors.New("Schema does not include any columns with types that ksqlDB supports.\nschema: ")
	}
	out := make([]types.Column, len(t.Fields))
	for k, f := range t.Fields {
		out[k] = types.Column(f)
	}
	return out, nil
}

// inference makes SQL types of a schema's.
type inference struct {
	// open are the records around the type that is being looked at.
	open  map[*node]bool
	count int
}

func (i *inference) typeOf(n *node) (*types.Type, error) {
	if i.count++; i.count > maxTypes {
		return nil, fmt.Errorf("the schema stands for more than %d types", maxTypes)
	}
	switch n.kind {
	case kindBoolean:
		return types.BooleanType, nil
	case kindInt:
		switch n.logical {
		case logicalDate:
			return types.DateType, nil
		case logicalTime:
			return types.TimeType, nil
		}
		return types.IntType, nil
	case kindLong:
		if n.logical == logicalTimestamp {
			return types.TimestampType, nil
		}
		return types.BigintType, nil
	case kindFloat, kindDouble:
		return types.DoubleType, nil
	case kindString, kindEnum:
		return types.StringType, nil
	case kindBytes, kindFixed:
		if n.logical != logicalDecimal {
			return types.BytesType, nil
		}
		switch {
		case n.precision < 1:
			return nil, fmt.Errorf("DECIMAL precision must be >= 1: DECIMAL(%d,%d)", n.precision, n.scale)
		case n.scale < 0:
			return nil, fmt.Errorf("DECIMAL scale must be >= 0: DECIMAL(%d,%d)", n.precision, n.scale)
		case n.scale > n.precision:
			return nil, fmt.Errorf("DECIMAL precision must be >= scale: DECIMAL(%d,%d)", n.precision, n.scale)
		}
		return types.DecimalOf(n.precision, n.scale), nil
	case kindArray:
		if key, value, ok := n.entry(); ok {
			return i.mapOf(key, value)
		}
		if n.items.isEntry {
			return nil, errors.New("Found map encoded as array of key-value pairs, but array elements do not match the expected format.")
		}
		elem, err := i.typeOf(n.items)
		if err != nil {
			return nil, err
		}
		return types.ArrayOf(elem), nil
	case kindMap:
		value, err := i.typeOf(n.items)
		if err != nil {
			return nil, err
		}
		return types.MapOf(types.StringType, value), nil
	case kindRecord:
		return i.record(n)
	case kindUnion:
		return i.union(n)
	}
	return nil, errors.New("Standalone null schemas are not supported by this converter")
}

// mapOf is the type of an array of entries: its keys become text, if they can.
func (i *inference) mapOf(key, value *node) (*types.Type, error) {
	k, err := i.typeOf(key)
	if err != nil {
		return nil, err
	}
	switch k.Kind {
	case types.Int, types.Bigint, types.Boolean, types.String, types.Date, types.Time, types.Timestamp:
	default:
		return nil, fmt.Errorf("Unsupported type for map key: %s: %w", key.connectName(), errNoType)
	}
	v, err := i.typeOf(value)
	if err != nil {
		return nil, err
	}
	return types.MapOf(types.StringType, v), nil
}

func (i *inference) record(n *node) (*types.Type, error) {
	if i.open[n] {
		return nil, fmt.Errorf("the record %s contains itself: there is no such STRUCT", n.name)
	}
	i.open[n] = true
	defer delete(i.open, n)
	t := &types.Type{Kind: types.Struct, Fields: []types.Field{}}
	for _, f := range n.fields {
		if err := i.add(t, f.name, f.typ); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// add gives a STRUCT another field, unless there is no type for it.
func (i *inference) add(t *types.Type, name string, n *node) error {
	ft, err := i.typeOf(n)
	switch {
	case errors.Is(err, errNoType):
		return nil
	case err != nil:
		return inField(name, err)
	}
	t.Fields = append(t.Fields, types.Field{Name: name, Type: ft})
	return nil
}

// union is the type that may be null, or a STRUCT with a field for each branch, of which one is not null.
func (i *inference) union(n *node) (*types.Type, error) {
	if inner, _, ok := n.optional(); ok {
		return i.typeOf(inner)
	}
	t := &types.Type{Kind: types.Struct, Fields: []types.Field{}}
	for _, b := range n.branches {
		if b.kind == kindNull {
			continue
		}
		if t.FieldIndex(b.branchName()) >= 0 {
			return nil, errors.New("Multiple union schemas map to the Connect union field name " + b.branchName())
		}
		if err := i.add(t, b.branchName(), b); err != nil {
			return nil, err
		}
	}
	if len(t.Fields) == 0 {
		return nil, errors.New("Standalone null schemas are not supported by this converter")
	}
	return t, nil
}

// pathError is an error in a field of a schema, which may be inside others.
type pathError struct {
	path  string
	cause error
}

func (e *pathError) Error() string { return fmt.Sprintf("field %s: %v", e.path, e.cause) }

// Unwrap returns the cause.
func (e *pathError) Unwrap() error { return e.cause }

// inField says that an error is about something in a field.
func inField(name string, err error) error {
	var p *pathError
	if errors.As(err, &p) {
		return &pathError{types.QuoteName(name) + "->" + p.path, p.cause}
	}
	return &pathError{types.QuoteName(name), err}
}
