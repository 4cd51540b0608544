package protobuf

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/cockroachdb/apd/v3"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// encoder writes one side of a row as a message.
type encoder struct {
	spec    *formats.Spec
	message *message
}

// Append writes a message; see [formats.Encoder].
func (e *encoder) Append(dst []byte, row *types.Row) ([]byte, bool, error) {
	if e.spec.Unwrapped {
		if row.IsNull(e.spec.Locs[0]) {
			return dst, true, nil
		}
		if f := &e.message.fields[0]; f.typ.Kind == types.Struct {
			fields, _ := row.R[e.spec.Locs[0].Slot].(types.StructValue)
			dst, err := f.value.fields.append(dst, fields)
			return dst, false, err
		}
	}
	var err error
	for _, i := range e.message.order {
		f, loc := &e.message.fields[i], e.spec.Locs[i]
		switch {
		case row.IsNull(loc):
			if f.required {
				err = errRequired
			}
		case loc.Class == types.ClassInt64:
			dst, err = f.appendInt64(dst, row.I[loc.Slot])
		case loc.Class == types.ClassBytes:
			dst, err = f.appendBytes(dst, row.B[loc.Slot])
		default:
			dst, err = f.append(dst, row.R[loc.Slot])
		}
		if err != nil {
			return dst, false, fmt.Errorf("field %d (%s): %w", f.number, e.spec.Columns[i].Name, err)
		}
	}
	return dst, false, nil
}

var errRequired = fmt.Errorf("it is null, but the schema says that it is required")

// append writes the fields of a STRUCT; those that are null are left out.
func (m *message) append(dst []byte, fields []any) ([]byte, error) {
	for _, i := range m.order {
		if i >= len(fields) || fields[i] == nil {
			if m.fields[i].required {
				return dst, errRequired
			}
			continue
		}
		var err error
		if dst, err = m.fields[i].append(dst, fields[i]); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// append writes a field that is not null.
func (f *field) append(dst []byte, v any) ([]byte, error) {
	switch x := v.(type) {
	case []any:
		return f.value.appendList(dst, f.number, x)
	case *types.MapValue:
		var err error
		for i, k := range x.Keys {
			dst = protowire.AppendTag(dst, f.number, protowire.BytesType)
			at := len(dst)
			if dst, err = f.value.fields.append(append(dst, 0), []any{k, x.Values[i]}); err != nil {
				return dst, err
			}
			dst = prefixLength(dst, at)
		}
		return dst, nil
	case types.StructValue:
		if f.members != nil {
			// Only one member of a oneof can be there: the first that is not null.
			for i, member := range x {
				if member != nil {
					return f.members[i].append(dst, member)
				}
			}
			return dst, nil
		}
	}
	if !f.isOptional && !f.required && !f.value.wrapped && f.value.isDefault(v) {
		return dst, nil
	}
	return f.value.append(protowire.AppendTag(dst, f.number, f.value.outerWire()), f.number, v)
}

// isDefault says whether a boxed scalar is what is read for a field that is not there.
func (v *value) isDefault(x any) bool {
	if v.kind == kindEnum {
		s, _ := x.(string)
		number, ok := v.enum.numbers[s]
		return ok && number == 0
	}
	return isDefault(x)
}

// appendList writes the elements of an array. proto3 has no null among them: it becomes the default.
func (v *value) appendList(dst []byte, number protowire.Number, list []any) ([]byte, error) {
	if len(list) == 0 {
		return dst, nil
	}
	var err error
	if v.packed {
		dst = protowire.AppendTag(dst, number, protowire.BytesType)
		at := len(dst)
		dst = append(dst, 0)
		for _, item := range list {
			if item == nil {
				item = v.zero()
			}
			if dst, err = v.appendScalar(dst, item); err != nil {
				return dst, err
			}
		}
		return prefixLength(dst, at), nil
	}
	for _, item := range list {
		dst = protowire.AppendTag(dst, number, v.outerWire())
		switch {
		case item != nil:
			dst, err = v.append(dst, number, item)
		case v.kind == kindGroup:
			dst = protowire.AppendTag(dst, number, protowire.EndGroupType)
		case v.kind.isScalar() && !v.wrapped:
			dst, err = v.appendScalar(dst, v.zero())
		default:
			dst = append(dst, 0)
		}
		if err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// append writes a value behind its tag.
func (v *value) append(dst []byte, number protowire.Number, x any) ([]byte, error) {
	at := len(dst)
	var err error
	if v.wrapped {
		dst = append(dst, 0)
		if !v.isDefault(x) {
			if dst, err = v.appendScalar(protowire.AppendTag(dst, 1, v.wire), x); err != nil {
				return dst, err
			}
		}
		return prefixLength(dst, at), nil
	}
	switch x := x.(type) {
	case types.StructValue:
		if v.kind == kindGroup {
			dst, err = v.fields.append(dst, x)
			return protowire.AppendTag(dst, number, protowire.EndGroupType), err
		}
		if dst, err = v.fields.append(append(dst, 0), x); err != nil {
			return dst, err
		}
		return prefixLength(dst, at), nil
	case *apd.Decimal:
		return prefixLength(appendDecimal(append(dst, 0), x), at), nil
	case types.DateValue:
		return appendDate(dst, int64(x)), nil
	case types.TimeValue:
		return appendTime(dst, int64(x)), nil
	case types.TimestampValue:
		return appendTimestamp(dst, int64(x)), nil
	}
	return v.appendScalar(dst, x)
}

// appendScalar writes a boxed scalar without its tag.
func (v *value) appendScalar(dst []byte, x any) ([]byte, error) {
	switch x := x.(type) {
	case string:
		return v.appendText(dst, types.TextBytes(x))
	case []byte:
		return protowire.AppendBytes(dst, x), nil
	}
	return v.appendNumber(dst, types.Unbox(v.typ, x).I)
}

// appendText writes a STRING or BYTES without its tag.
func (v *value) appendText(dst, x []byte) ([]byte, error) {
	if v.kind != kindEnum {
		return protowire.AppendBytes(dst, x), nil
	}
	number, ok := v.enum.numbers[types.Text(x)]
	if !ok {
		return dst, fmt.Errorf("%q is no value of enum %s", x, v.enum.name)
	}
	return v.kind.appendTo(dst, int64(number)), nil
}

func (v *value) appendNumber(dst []byte, x int64) ([]byte, error) {
	if !v.kind.fits(x) {
		return dst, fmt.Errorf("%d does not fit the type of the field in the schema", x)
	}
	return v.kind.appendTo(dst, x), nil
}

// appendInt64 writes a column that is kept in 64 bits, as append does, without boxing it.
func (f *field) appendInt64(dst []byte, x int64) ([]byte, error) {
	v := &f.value
	switch v.kind {
	case kindDate:
		return appendDate(protowire.AppendTag(dst, f.number, protowire.BytesType), x), nil
	case kindTime:
		return appendTime(protowire.AppendTag(dst, f.number, protowire.BytesType), x), nil
	case kindTimestamp:
		return appendTimestamp(protowire.AppendTag(dst, f.number, protowire.BytesType), x), nil
	}
	at, number := -1, f.number
	switch {
	case v.wrapped:
		dst = protowire.AppendTag(dst, number, protowire.BytesType)
		at, number = len(dst), 1
		dst = append(dst, 0)
	case x == 0 && !f.isOptional && !f.required:
		return dst, nil
	}
	var err error
	if !v.wrapped || x != 0 {
		if dst, err = v.appendNumber(protowire.AppendTag(dst, number, v.wire), x); err != nil {
			return dst, err
		}
	}
	if at >= 0 {
		dst = prefixLength(dst, at)
	}
	return dst, nil
}

// appendBytes writes a column that is kept as bytes, as append does, without boxing it.
func (f *field) appendBytes(dst []byte, x []byte) ([]byte, error) {
	v := &f.value
	switch {
	case v.wrapped:
		dst = protowire.AppendTag(dst, f.number, protowire.BytesType)
		at := len(dst)
		dst = append(dst, 0)
		if len(x) > 0 {
			dst = protowire.AppendBytes(protowire.AppendTag(dst, 1, protowire.BytesType), x)
		}
		return prefixLength(dst, at), nil
	case v.kind == kindEnum:
		if number, ok := v.enum.numbers[types.Text(x)]; ok && number == 0 && !f.isOptional && !f.required {
			return dst, nil
		}
	case len(x) == 0 && !f.isOptional && !f.required:
		return dst, nil
	}
	return v.appendText(protowire.AppendTag(dst, f.number, v.wire), x)
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
