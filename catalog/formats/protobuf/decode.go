package protobuf

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// decoder reads messages into one side of a row.
type decoder struct {
	spec    *formats.Spec
	message *message
	// lists are the elements and entries of repeated columns seen so far, by column; repeated are those columns.
	lists    []repeated
	repeated []int
	// scratch are texts that had to be made, by column.
	scratch [][]byte
	// missing are scalars' defaults that are texts, by column.
	missing [][]byte
	// left is what the record may still hold.
	left budget
}

// budget is how many values a record may hold that are kept one by one. A record can name many that take no bytes: empty messages
// of many fields.
type budget int

// Each record may hold a number of values, and some more for each byte.
const (
	valuesOfRecord = 1 << 22
	valuesOfByte   = 16
)

func (d *decoder) budget(data []byte) *budget {
	d.left = budget(valuesOfRecord + valuesOfByte*len(data))
	return &d.left
}

func (b *budget) take(n int) error {
	if *b -= budget(n); *b < 0 {
		return errors.New("the record holds too many values")
	}
	return nil
}

func newDecoder(spec *formats.Spec, m *message) *decoder {
	n := len(spec.Columns)
	d := &decoder{spec: spec, message: m, lists: make([]repeated, n), scratch: make([][]byte, n), missing: make([][]byte, n)}
	for i := range m.fields {
		if f := &m.fields[i]; f.typ.Kind == types.String && f.number > 0 && !f.repeated {
			d.missing[i] = f.value.zeroText()
		}
		if m.fields[i].repeated && spec.Locs[i].Class != types.ClassNone {
			d.repeated = append(d.repeated, i)
		}
	}
	return d
}

// Decode reads a message; see [formats.Decoder]. Fields of other numbers are skipped; of a field that is there several times
// the last one counts.
func (d *decoder) Decode(data []byte, row *types.Row) error {
	if d.spec.Unwrapped && d.message.fields[0].typ.Kind == types.Struct {
		if d.spec.Locs[0].Class == types.ClassNone {
			return nil
		}
		fields, err := d.message.fields[0].value.fields.decode(data, d.budget(data))
		if err != nil {
			return d.failed(0, err)
		}
		row.SetRef(d.spec.Locs[0], fields)
		return nil
	}
	d.budget(data)
	for _, i := range d.repeated {
		d.lists[i] = repeated{}
	}
	for i, loc := range d.spec.Locs {
		if loc.Class != types.ClassNone {
			d.setMissing(i, row, loc)
		}
	}
	for len(data) > 0 {
		number, wire, n := protowire.ConsumeTag(data)
		if n < 0 {
			return broken(n)
		}
		data = data[n:]
		p := d.message.find(number)
		if i := int(p.field) - 1; i >= 0 && d.spec.Locs[i].Class != types.ClassNone {
			var err error
			if n, err = d.column(i, p.member, number, wire, data, row); err != nil {
				return d.failed(i, err)
			}
		} else if n = protowire.ConsumeFieldValue(number, wire, data); n < 0 {
			return broken(n)
		}
		data = data[n:]
	}
	for _, i := range d.repeated {
		if v := d.lists[i].boxed(); v != nil {
			row.SetRef(d.spec.Locs[i], v)
		}
	}
	return nil
}

// failed says which column an error is about.
func (d *decoder) failed(i int, err error) error {
	return fmt.Errorf("field %d (%s): %w", d.message.fields[i].number, d.spec.Columns[i].Name, err)
}

func broken(n int) error { return fmt.Errorf("no protobuf message: %w", protowire.ParseError(n)) }

// setMissing makes a column what a field is that is not there.
func (d *decoder) setMissing(i int, row *types.Row, loc types.Loc) {
	f := &d.message.fields[i]
	switch {
	case f.repeated:
		row.SetRef(loc, emptyOf[f.typ.Kind])
	case f.number == 0 || f.isOptional || f.members != nil || f.value.wrapped || !f.value.kind.isScalar():
		row.SetNull(loc)
	case f.typ.Kind == types.String:
		row.SetBytes(loc, d.missing[i])
	case loc.Class == types.ClassBytes:
		row.SetBytes(loc, nothing)
	default:
		row.SetInt64(loc, 0)
	}
}

// emptyOf are arrays and maps without elements, which are never changed.
var emptyOf = map[types.Kind]any{types.Array: []any{}, types.Map: &types.MapValue{}}

var nothing = []byte{}

// column reads the value of a column and returns how long it was.
func (d *decoder) column(i int, member int32, number protowire.Number, wire protowire.Type, data []byte, row *types.Row) (int, error) {
	f, loc := &d.message.fields[i], d.spec.Locs[i]
	if loc.Class == types.ClassRef {
		if f.repeated {
			return f.gather(&d.lists[i], number, wire, data, &d.left)
		}
		v, n, err := f.decode(member, number, wire, data, &d.left)
		if err == nil {
			row.SetRef(loc, v)
		}
		return n, err
	}
	if wire != f.value.outerWire() {
		return 0, wrongType(wire)
	}
	whole := 0
	if f.value.wrapped {
		inner, n := protowire.ConsumeBytes(data)
		if n < 0 {
			return 0, broken(n)
		}
		whole = n
		var err error
		if data, err = lastField(inner, f.value.wire); err != nil {
			return 0, err
		}
		if data == nil {
			switch {
			case f.typ.Kind == types.String:
				row.SetBytes(loc, d.missing[i])
			case loc.Class == types.ClassBytes:
				row.SetBytes(loc, nothing)
			default:
				row.SetInt64(loc, 0)
			}
			return whole, nil
		}
	}
	n, err := d.scalar(i, loc, data, row)
	if whole > 0 {
		n = whole
	}
	return n, err
}

// scalar reads what a column holds in 64 bits or as bytes.
func (d *decoder) scalar(i int, loc types.Loc, data []byte, row *types.Row) (int, error) {
	v := &d.message.fields[i].value
	var x int64
	n := 0
	switch v.kind {
	case kindString, kindBytes, kindDate, kindTime, kindTimestamp:
		b, length := protowire.ConsumeBytes(data)
		if length < 0 {
			return 0, broken(length)
		}
		switch v.kind {
		case kindString:
			b, d.scratch[i] = formats.ValidText(b, d.scratch[i][:0])
			row.SetBytes(loc, b)
			return length, nil
		case kindBytes:
			row.SetBytes(loc, b)
			return length, nil
		}
		var err error
		if x, err = decodeLogical(v.kind, b); err != nil {
			return 0, err
		}
		n = length
	default:
		if x, n = v.kind.consume(data); n < 0 {
			return 0, broken(n)
		}
	}
	switch {
	case v.kind == kindEnum:
		row.SetBytes(loc, v.enum.text(int32(x)))
	case loc.Class == types.ClassBytes:
		d.scratch[i] = v.kind.appendText(d.scratch[i][:0], x)
		row.SetBytes(loc, d.scratch[i])
	default:
		if v.typ.Kind == types.Time {
			if err := fitsType(v.typ, x); err != nil {
				return 0, err
			}
		}
		row.SetInt64(loc, x)
	}
	return n, nil
}

func decodeLogical(k kind, data []byte) (int64, error) {
	switch k {
	case kindDate:
		return decodeDate(data)
	case kindTime:
		return decodeTime(data)
	}
	return decodeTimestamp(data)
}

// lastField is the value of field 1 of a wrapper, nil when it is not there.
func lastField(data []byte, wire protowire.Type) (value []byte, err error) {
	err = eachField(data, func(number protowire.Number, have protowire.Type, data []byte) (int, error) {
		n, err := skip(number, have, data)
		switch {
		case err != nil:
			return 0, err
		case number == 1 && have != wire:
			return 0, wrongType(have)
		case number == 1:
			value = data[:n]
		}
		return n, nil
	})
	return value, err
}

// eachField calls read with each field of a message, which returns how long the value was.
func eachField(data []byte, read func(number protowire.Number, wire protowire.Type, data []byte) (int, error)) error {
	for len(data) > 0 {
		number, wire, n := protowire.ConsumeTag(data)
		if n < 0 {
			return broken(n)
		}
		data = data[n:]
		n, err := read(number, wire, data)
		switch {
		case err != nil:
			return err
		case n < 0:
			return broken(n)
		}
		data = data[n:]
	}
	return nil
}

func skip(number protowire.Number, wire protowire.Type, data []byte) (int, error) {
	n := protowire.ConsumeFieldValue(number, wire, data)
	if n < 0 {
		return 0, broken(n)
	}
	return n, nil
}

func wrongType(wire protowire.Type) error {
	return fmt.Errorf("the record has another type of field there (wire type %d)", wire)
}

// repeated gathers what belongs to one ARRAY or MAP.
type repeated struct {
	list []any
	m    *types.MapValue
	// at finds the keys of m when there are many.
	at map[any]int
}

// boxed is what was gathered, nil if nothing.
func (r *repeated) boxed() any {
	switch {
	case r.m != nil:
		return r.m
	case r.list != nil:
		return r.list
	}
	return nil
}

// put adds an entry; of several with the same key the last one counts.
func (r *repeated) put(key, value any) {
	if r.m == nil {
		r.m, r.at = &types.MapValue{}, map[any]int{}
	}
	// Keys that cannot be looked up are compared by their text.
	look := key
	switch k := key.(type) {
	case nil, bool, int32, int64, float64, string, types.DateValue, types.TimeValue, types.TimestampValue:
	default:
		look = fmt.Sprint(k)
	}
	if i, ok := r.at[look]; ok {
		r.m.Values[i] = value
		return
	}
	r.at[look] = len(r.m.Keys)
	r.m.Keys, r.m.Values = append(r.m.Keys, key), append(r.m.Values, value)
}

// gather reads one element, several packed ones, or an entry.
func (f *field) gather(into *repeated, number protowire.Number, wire protowire.Type, data []byte, left *budget) (int, error) {
	v := &f.value
	switch {
	case f.typ.Kind == types.Map:
		if wire != protowire.BytesType {
			return 0, wrongType(wire)
		}
		b, n := protowire.ConsumeBytes(data)
		if n < 0 {
			return 0, broken(n)
		}
		entry, err := v.fields.decode(b, left)
		if err != nil {
			return 0, err
		}
		if entry[0] == nil {
			if entry[0] = v.fields.fields[0].value.zeroOrNil(); entry[0] == nil {
				return 0, errors.New("an entry of a MAP has no key")
			}
		}
		into.put(entry[0], entry[1])
		return n, nil
	case v.wire != protowire.BytesType && v.wire != protowire.StartGroupType && !v.wrapped && wire == protowire.BytesType:
		b, n := protowire.ConsumeBytes(data)
		if n < 0 {
			return 0, broken(n)
		}
		for len(b) > 0 {
			x, used, err := v.decodeScalar(b)
			if err != nil {
				return 0, err
			}
			into.list, b = append(into.list, x), b[used:]
		}
		return n, nil
	}
	x, n, err := v.decode(number, wire, data, left)
	if err == nil {
		into.list = append(into.list, x)
	}
	return n, err
}

// decode reads the fields of a STRUCT or an entry.
func (m *message) decode(data []byte, left *budget) (types.StructValue, error) {
	if err := left.take(1 + len(m.fields)); err != nil {
		return nil, err
	}
	out := make(types.StructValue, len(m.fields))
	for i := range m.fields {
		out[i] = m.fields[i].missing()
	}
	var lists []repeated
	err := eachField(data, func(number protowire.Number, wire protowire.Type, data []byte) (int, error) {
		p := m.find(number)
		i := int(p.field) - 1
		if i < 0 {
			return skip(number, wire, data)
		}
		f := &m.fields[i]
		if !f.repeated {
			v, n, err := f.decode(p.member, number, wire, data, left)
			out[i] = v
			return n, err
		}
		if lists == nil {
			lists = make([]repeated, len(m.fields))
		}
		return f.gather(&lists[i], number, wire, data, left)
	})
	for i := range lists {
		if v := lists[i].boxed(); v != nil {
			out[i] = v
		}
	}
	return out, err
}

// decode reads a field that does not repeat, or a member of a oneof: the STRUCT in which all others are null.
func (f *field) decode(member int32, number protowire.Number, wire protowire.Type, data []byte, left *budget) (any, int, error) {
	if f.members == nil {
		return f.value.decode(number, wire, data, left)
	}
	if err := left.take(len(f.members)); err != nil {
		return nil, 0, err
	}
	out := make(types.StructValue, len(f.members))
	if member <= 0 {
		n, err := skip(number, wire, data)
		return out, n, err
	}
	v, n, err := f.members[member-1].value.decode(number, wire, data, left)
	out[member-1] = v
	return out, n, err
}

// decode reads a value behind its tag; what it returns does not point into data.
func (v *value) decode(number protowire.Number, wire protowire.Type, data []byte, left *budget) (any, int, error) {
	if wire != v.outerWire() {
		return nil, 0, wrongType(wire)
	}
	if v.kind == kindGroup {
		b, n := protowire.ConsumeGroup(number, data)
		if n < 0 {
			return nil, 0, broken(n)
		}
		x, err := v.fields.decode(b, left)
		return x, n, err
	}
	if v.kind.isScalar() && !v.wrapped {
		return v.decodeScalar(data)
	}
	b, n := protowire.ConsumeBytes(data)
	if n < 0 {
		return nil, 0, broken(n)
	}
	var x any
	var err error
	switch v.kind {
	case kindMessage:
		x, err = v.fields.decode(b, left)
	case kindDecimal:
		x, err = decodeDecimal(b, v.typ)
	case kindDate, kindTime, kindTimestamp:
		var i int64
		if i, err = decodeLogical(v.kind, b); err == nil {
			x, err = v.box(i)
		}
	default:
		x = v.zero()
		var inner []byte
		if inner, err = lastField(b, v.wire); err == nil && inner != nil {
			x, _, err = v.decodeScalar(inner)
		}
	}
	return x, n, err
}

// box is what is kept in 64 bits as a boxed value of the type.
func (v *value) box(x int64) (any, error) {
	if v.typ.Kind == types.String {
		return string(v.kind.appendText(nil, x)), nil
	}
	if err := fitsType(v.typ, x); err != nil {
		return nil, err
	}
	return types.Slot{I: x}.Boxed(v.typ), nil
}

// decodeScalar reads a scalar without its tag.
func (v *value) decodeScalar(data []byte) (any, int, error) {
	switch v.kind {
	case kindString, kindBytes:
		x, n := protowire.ConsumeBytes(data)
		if n < 0 {
			return nil, 0, broken(n)
		}
		if v.kind == kindBytes {
			return append([]byte{}, x...), n, nil
		}
		text, _ := formats.ValidText(x, nil)
		return string(text), n, nil
	}
	x, n := v.kind.consume(data)
	switch {
	case n < 0:
		return nil, 0, broken(n)
	case v.kind == kindEnum:
		return string(v.enum.text(int32(x))), n, nil
	}
	boxed, err := v.box(x)
	return boxed, n, err
}
