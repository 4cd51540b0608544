package protobuf

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// message is how the columns of a side, or the fields of a STRUCT, are written.
type message struct{ fields []field }

// field is one of them, number i+1.
type field struct {
	typ *types.Type
	// repeated fields are ARRAYs and MAPs; value is how their elements or entries are written, or the field itself.
	repeated bool
	value    value
	// isOptional scalars are written when they are not null, others when they are not the default.
	isOptional bool
}

// value is how one value is written behind its tag.
type value struct {
	typ  *types.Type
	wire protowire.Type
	// wrapped scalars are in a message, as field 1.
	wrapped bool
	// fields are those of a STRUCT, or key and value of a MAP's entry.
	fields *message
}

func newMessage(list []types.Field, nullable representation) *message {
	m := &message{fields: make([]field, len(list))}
	for i, f := range list {
		x := field{typ: f.Type, isOptional: nullable == asOptional && isScalar(f.Type)}
		switch f.Type.Kind {
		case types.Array:
			x.repeated, x.value = true, newValue(f.Type.Elem, nullable)
		case types.Map:
			x.repeated = true
			x.value = value{typ: f.Type, wire: protowire.BytesType, fields: newMessage(
				[]types.Field{{Name: "key", Type: f.Type.Key}, {Name: "value", Type: f.Type.Elem}}, nullable)}
		default:
			x.value = newValue(f.Type, nullable)
		}
		m.fields[i] = x
	}
	return m
}

func newValue(t *types.Type, nullable representation) value {
	v := value{typ: t, wire: wireType(t), wrapped: nullable == asWrapper && isScalar(t)}
	if t.Kind == types.Struct {
		v.fields = newMessage(t.Fields, nullable)
	}
	return v
}

// isScalar says whether a value is no message.
func isScalar(t *types.Type) bool {
	switch t.Kind {
	case types.Boolean, types.Int, types.Bigint, types.Double, types.String, types.Bytes:
		return true
	}
	return false
}

// wireType is that of a value which is not wrapped.
func wireType(t *types.Type) protowire.Type {
	switch t.Kind {
	case types.Boolean, types.Int, types.Bigint:
		return protowire.VarintType
	case types.Double:
		return protowire.Fixed64Type
	}
	return protowire.BytesType
}

// packs says whether elements of an array are written one behind the other under one tag.
func (v *value) packs() bool { return v.wire != protowire.BytesType && !v.wrapped }

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

// defaultOf is the boxed value of a field, element or entry that is not there; nil for messages.
func defaultOf(t *types.Type) any {
	switch t.Kind {
	case types.Boolean:
		return false
	case types.Int:
		return int32(0)
	case types.Bigint:
		return int64(0)
	case types.Double:
		return float64(0)
	case types.String:
		return ""
	case types.Bytes:
		return []byte{}
	case types.Array:
		return []any{}
	case types.Map:
		return &types.MapValue{}
	}
	return nil
}

// missing is what a field that is not there is read as.
func (f *field) missing() any {
	if !f.repeated && (f.isOptional || f.value.wrapped) {
		return nil
	}
	return defaultOf(f.typ)
}
