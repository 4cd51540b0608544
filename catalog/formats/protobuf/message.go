package protobuf

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// message is how the columns of a side, or the fields of a STRUCT, are written.
type message struct {
	// fields in the order of the columns.
	fields []field
	// low and high find a field by its number: most numbers are small.
	low  [64]place
	high map[protowire.Number]place
	// order are the fields that are written, by number.
	order []int
}

// place is where what is read goes: the field of that index less one, or with a member above 0 the member of the oneof that the
// field is. The zero place is none.
type place struct{ field, member int32 }

// otherMember is a member of a oneof for which the column has no field.
const otherMember = -1

// find looks a number up.
func (m *message) find(number protowire.Number) place {
	if uint(number) < uint(len(m.low)) {
		return m.low[number]
	}
	return m.high[number]
}

func (m *message) put(number protowire.Number, p place) {
	if uint(number) < uint(len(m.low)) {
		m.low[number] = p
		return
	}
	if m.high == nil {
		m.high = map[protowire.Number]place{}
	}
	m.high[number] = p
}

// field is a column or a field of a STRUCT.
type field struct {
	typ *types.Type
	// number is 0 when the schema has no such field: it is always null.
	number protowire.Number
	// repeated fields are ARRAYs and MAPs; value is how their elements or entries are written, or the field itself.
	repeated bool
	value    value
	// isOptional scalars are written when they are not null, others when they are not the default.
	isOptional bool
	// required fields of proto2 must be written.
	required bool
	// members are those of a oneof, by field of the STRUCT; nil when the field is none.
	members []field
}

// value is how one value is written behind its tag.
type value struct {
	typ  *types.Type
	kind kind
	wire protowire.Type
	// wrapped scalars are in a message, as field 1.
	wrapped bool
	// packed elements of an array are written one behind the other under one tag.
	packed bool
	// fields are those of a STRUCT, or key and value of a MAP's entry.
	fields *message
	enum   *enum
}

// numbered is the message of a schema of our own: fields numbered from 1.
func numbered(list []types.Field, nullable representation) *message {
	m := &message{fields: make([]field, len(list))}
	for i, f := range list {
		x := field{
			typ: f.Type, number: protowire.Number(i + 1),
			isOptional: nullable == asOptional && kindFor(f.Type).isScalar(),
		}
		switch f.Type.Kind {
		case types.Array:
			x.repeated, x.value = true, newValue(f.Type.Elem, nullable)
		case types.Map:
			x.repeated = true
			x.value = value{typ: f.Type, kind: kindMessage, wire: protowire.BytesType, fields: numbered(
				[]types.Field{{Name: "key", Type: f.Type.Key}, {Name: "value", Type: f.Type.Elem}}, nullable)}
		default:
			x.value = newValue(f.Type, nullable)
		}
		m.fields[i] = x
		m.put(x.number, place{field: int32(i + 1)})
		m.order = append(m.order, i)
	}
	return m
}

func newValue(t *types.Type, nullable representation) value {
	k := kindFor(t)
	v := value{typ: t, kind: k, wire: k.wire(), wrapped: nullable == asWrapper && k.isScalar()}
	v.packed = v.wire != protowire.BytesType && !v.wrapped
	if t.Kind == types.Struct {
		v.fields = numbered(t.Fields, nullable)
	}
	return v
}

// outerWire is the wire type of the value's tag.
func (v *value) outerWire() protowire.Type {
	if v.wrapped {
		return protowire.BytesType
	}
	return v.wire
}

// isDefault says whether a boxed scalar is what proto3 reads for a field that is not there.
func isDefault(v any) bool {
	switch x := v.(type) {
	case bool:
		return !x
	case int32:
		return x == 0
	case int64:
		return x == 0
	case float64:
		return isZero(x)
	case string:
		return x == ""
	case []byte:
		return len(x) == 0
	}
	return false
}

// missing is the boxed value of a field, element or entry that is not there; nil for messages.
func (v *value) missing() any {
	if !v.kind.isScalar() || v.wrapped {
		return nil
	}
	return v.zero()
}

// zero is the default of a scalar, boxed.
func (v *value) zero() any {
	switch v.typ.Kind {
	case types.Boolean:
		return false
	case types.Int:
		return int32(0)
	case types.Bigint:
		return int64(0)
	case types.Double:
		return float64(0)
	case types.String:
		return string(v.zeroText())
	case types.Bytes:
		return []byte{}
	}
	return types.Slot{}.Boxed(v.typ)
}

// zeroOrNil is zero of a scalar, nil of a message.
func (v *value) zeroOrNil() any {
	if v.kind.isScalar() {
		return v.zero()
	}
	return nil
}

// zeroText is the default of a scalar as a STRING.
func (v *value) zeroText() []byte {
	switch {
	case v.kind == kindEnum:
		return v.enum.text(0)
	case v.kind == kindString:
		return nothing
	}
	return v.kind.appendText(nil, 0)
}

// missing is what a field that is not there is read as.
func (f *field) missing() any {
	switch {
	case f.number == 0 || f.members != nil || f.isOptional:
		return nil
	case f.typ.Kind == types.Map:
		return &types.MapValue{}
	case f.repeated:
		return []any{}
	}
	return f.value.missing()
}
