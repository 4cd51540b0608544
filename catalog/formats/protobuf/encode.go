package protobuf

import (
	"encoding/binary"
	"math"

	"github.com/cockroachdb/apd/v3"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// encoder writes one side of a topic.
type encoder struct {
	spec    *formats.Spec
	message *message
}

// Append writes a record; see [formats.Encoder].
func (e *encoder) Append(dst []byte, row *types.Row) ([]byte, bool, error) {
	if e.spec.Unwrapped {
		if row.IsNull(e.spec.Locs[0]) {
			return dst, true, nil
		}
		if f := &e.message.fields[0]; f.typ.Kind == types.Struct {
			fields, _ := row.R[e.spec.Locs[0].Slot].(types.StructValue)
			return f.value.fields.append(dst, fields), false, nil
		}
	}
	for i, loc := range e.spec.Locs {
		if row.IsNull(loc) {
			continue
		}
		f, number := &e.message.fields[i], protowire.Number(i+1)
		switch loc.Class {
		case types.ClassInt64:
			dst = f.appendInt64(dst, number, row.I[loc.Slot])
		case types.ClassBytes:
			dst = f.appendBytes(dst, number, row.B[loc.Slot])
		default:
			dst = f.append(dst, number, row.R[loc.Slot])
		}
	}
	return dst, false, nil
}

// append writes the fields of a STRUCT; those that are null are left out.
func (m *message) append(dst []byte, fields []any) []byte {
	for i, v := range fields {
		if v != nil {
			dst = m.fields[i].append(dst, protowire.Number(i+1), v)
		}
	}
	return dst
}

// append writes a field that is not null.
func (f *field) append(dst []byte, number protowire.Number, v any) []byte {
	switch x := v.(type) {
	case []any:
		return f.value.appendList(dst, number, x)
	case *types.MapValue:
		for i, k := range x.Keys {
			dst = protowire.AppendTag(dst, number, protowire.BytesType)
			at := len(dst)
			dst = f.value.fields.append(append(dst, 0), []any{k, x.Values[i]})
			dst = prefixLength(dst, at)
		}
		return dst
	}
	if !f.isOptional && !f.value.wrapped && isDefault(v) {
		return dst
	}
	return f.value.append(protowire.AppendTag(dst, number, f.value.outerWire()), v)
}

// appendList writes the elements of an array. proto3 has no null among them: it becomes the default.
func (v *value) appendList(dst []byte, number protowire.Number, list []any) []byte {
	if len(list) == 0 {
		return dst
	}
	if v.packs() {
		dst = protowire.AppendTag(dst, number, protowire.BytesType)
		at := len(dst)
		dst = append(dst, 0)
		for _, item := range list {
			if item == nil {
				item = defaultOf(v.typ)
			}
			dst = v.appendScalar(dst, item)
		}
		return prefixLength(dst, at)
	}
	for _, item := range list {
		dst = protowire.AppendTag(dst, number, protowire.BytesType)
		if item == nil {
			dst = append(dst, 0)
			continue
		}
		dst = v.append(dst, item)
	}
	return dst
}

// outerWire is the wire type of the value's tag.
func (v *value) outerWire() protowire.Type {
	if v.wrapped {
		return protowire.BytesType
	}
	return v.wire
}

// append writes a value behind its tag.
func (v *value) append(dst []byte, x any) []byte {
	if v.wrapped {
		at := len(dst)
		dst = append(dst, 0)
		if !isDefault(x) {
			dst = v.appendScalar(protowire.AppendTag(dst, 1, v.wire), x)
		}
		return prefixLength(dst, at)
	}
	switch x := x.(type) {
	case types.StructValue:
		at := len(dst)
		return prefixLength(v.fields.append(append(dst, 0), x), at)
	case *apd.Decimal:
		at := len(dst)
		return prefixLength(appendDecimal(append(dst, 0), v.typ, x), at)
	case types.DateValue:
		return appendDate(dst, int64(x))
	case types.TimeValue:
		return appendTime(dst, int64(x))
	case types.TimestampValue:
		return appendTimestamp(dst, int64(x))
	}
	return v.appendScalar(dst, x)
}

func (v *value) appendScalar(dst []byte, x any) []byte {
	switch x := x.(type) {
	case bool:
		return protowire.AppendVarint(dst, protowire.EncodeBool(x))
	case int32:
		return protowire.AppendVarint(dst, uint64(int64(x)))
	case int64:
		return protowire.AppendVarint(dst, uint64(x))
	case float64:
		return protowire.AppendFixed64(dst, math.Float64bits(x))
	case string:
		return protowire.AppendString(dst, x)
	case []byte:
		return protowire.AppendBytes(dst, x)
	}
	return dst
}

// appendInt64 writes a column that is kept in 64 bits, as append does, without boxing it.
func (f *field) appendInt64(dst []byte, number protowire.Number, x int64) []byte {
	v := &f.value
	switch v.typ.Kind {
	case types.Date:
		return appendDate(protowire.AppendTag(dst, number, protowire.BytesType), x)
	case types.Time:
		return appendTime(protowire.AppendTag(dst, number, protowire.BytesType), x)
	case types.Timestamp:
		return appendTimestamp(protowire.AppendTag(dst, number, protowire.BytesType), x)
	}
	isDefault := x == 0
	if v.typ.Kind == types.Boolean && x != 0 {
		x = 1
	}
	at := -1
	switch {
	case v.wrapped:
		dst = protowire.AppendTag(dst, number, protowire.BytesType)
		at, number = len(dst), 1
		dst = append(dst, 0)
	case isDefault && !f.isOptional:
		return dst
	}
	if !v.wrapped || !isDefault {
		dst = protowire.AppendTag(dst, number, v.wire)
		if v.typ.Kind == types.Double {
			dst = protowire.AppendFixed64(dst, uint64(x))
		} else {
			dst = protowire.AppendVarint(dst, uint64(x))
		}
	}
	if at >= 0 {
		dst = prefixLength(dst, at)
	}
	return dst
}

// appendBytes writes a column that is kept as bytes, as append does, without boxing it.
func (f *field) appendBytes(dst []byte, number protowire.Number, x []byte) []byte {
	switch {
	case f.value.wrapped:
		dst = protowire.AppendTag(dst, number, protowire.BytesType)
		at := len(dst)
		dst = append(dst, 0)
		if len(x) > 0 {
			dst = protowire.AppendBytes(protowire.AppendTag(dst, 1, protowire.BytesType), x)
		}
		return prefixLength(dst, at)
	case len(x) == 0 && !f.isOptional:
		return dst
	}
	return protowire.AppendBytes(protowire.AppendTag(dst, number, protowire.BytesType), x)
}

// prefixLength puts the length of what stands behind the one byte at a place into it, and makes room when it takes more.
func prefixLength(dst []byte, at int) []byte {
	n := len(dst) - at - 1
	if n < 0x80 {
		dst[at] = byte(n)
		return dst
	}
	more := protowire.SizeVarint(uint64(n)) - 1
	for range more {
		dst = append(dst, 0)
	}
	copy(dst[at+1+more:], dst[at+1:at+1+n])
	binary.PutUvarint(dst[at:], uint64(n))
	return dst
}

func isZero(x float64) bool { return math.Float64bits(x) == 0 }
