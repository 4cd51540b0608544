package protobuf

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// decoder reads one side of a topic.
type decoder struct {
	spec    *formats.Spec
	message *message
	// lists are the elements and entries of repeated columns seen so far, by column.
	lists []repeated
	// scratch are texts whose bytes had to be mended, by column.
	scratch [][]byte
}

func newDecoder(spec *formats.Spec, m *message) *decoder {
	return &decoder{spec: spec, message: m, lists: make([]repeated, len(spec.Columns)), scratch: make([][]byte, len(spec.Columns))}
}

// Decode reads a record; see [formats.Decoder]. Fields of other numbers are skipped; of a field that is there several times
// the last one counts.
func (d *decoder) Decode(data []byte, row *types.Row) error {
	if d.spec.Unwrapped && d.message.fields[0].typ.Kind == types.Struct {
		if d.spec.Locs[0].Class == types.ClassNone {
			return nil
		}
		fields, err := d.message.fields[0].value.fields.decode(data)
		if err != nil {
			return d.failed(0, err)
		}
		row.SetRef(d.spec.Locs[0], fields)
		return nil
	}
	for i, loc := range d.spec.Locs {
		d.lists[i] = repeated{}
		if loc.Class != types.ClassNone {
			d.message.fields[i].setMissing(row, loc)
		}
	}
	for len(data) > 0 {
		number, wire, n := protowire.ConsumeTag(data)
		if n < 0 {
			return broken(n)
		}
		data = data[n:]
		if i := int(number) - 1; i < len(d.spec.Locs) && d.spec.Locs[i].Class != types.ClassNone {
			var err error
			if n, err = d.column(i, wire, data, row); err != nil {
				return d.failed(i, err)
			}
		} else if n = protowire.ConsumeFieldValue(number, wire, data); n < 0 {
			return broken(n)
		}
		data = data[n:]
	}
	for i, loc := range d.spec.Locs {
		if v := d.lists[i].boxed(); v != nil {
			row.SetRef(loc, v)
		}
	}
	return nil
}

// failed says which column an error is about.
func (d *decoder) failed(i int, err error) error {
	return fmt.Errorf("field %d (%s): %w", i+1, d.spec.Columns[i].Name, err)
}

func broken(n int) error { return fmt.Errorf("no protobuf message: %w", protowire.ParseError(n)) }

// setMissing makes a column what a field is that is not there.
func (f *field) setMissing(row *types.Row, loc types.Loc) {
	switch {
	case f.repeated:
		row.SetRef(loc, emptyOf[f.typ.Kind])
	case f.isOptional || f.value.wrapped || !isScalar(f.typ):
		row.SetNull(loc)
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
func (d *decoder) column(i int, wire protowire.Type, data []byte, row *types.Row) (int, error) {
	f, loc := &d.message.fields[i], d.spec.Locs[i]
	if f.repeated || loc.Class == types.ClassRef {
		if f.repeated {
			return f.gather(&d.lists[i], wire, data)
		}
		v, n, err := f.value.decode(wire, data)
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
			if loc.Class == types.ClassBytes {
				row.SetBytes(loc, nothing)
			} else {
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
	switch kind := d.message.fields[i].typ.Kind; kind {
	case types.Boolean, types.Int, types.Bigint:
		v, n := protowire.ConsumeVarint(data)
		if n < 0 {
			return 0, broken(n)
		}
		row.SetInt64(loc, narrow(kind, v))
		return n, nil
	case types.Double:
		v, n := protowire.ConsumeFixed64(data)
		if n < 0 {
			return 0, broken(n)
		}
		row.SetInt64(loc, int64(v))
		return n, nil
	default:
		b, n := protowire.ConsumeBytes(data)
		if n < 0 {
			return 0, broken(n)
		}
		switch kind {
		case types.String:
			b, d.scratch[i] = formats.ValidText(b, d.scratch[i][:0])
			row.SetBytes(loc, b)
		case types.Bytes:
			row.SetBytes(loc, b)
		default:
			v, err := decodeLogical(kind, b)
			if err != nil {
				return 0, err
			}
			row.SetInt64(loc, v)
		}
		return n, nil
	}
}

// narrow is an integer as a kind holds it: of an int32 the low bits count.
func narrow(kind types.Kind, v uint64) int64 {
	switch kind {
	case types.Boolean:
		if v != 0 {
			return 1
		}
		return 0
	case types.Int:
		return int64(int32(v))
	}
	return int64(v)
}

func decodeLogical(kind types.Kind, data []byte) (int64, error) {
	switch kind {
	case types.Date:
		return decodeDate(data)
	case types.Time:
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
func (f *field) gather(into *repeated, wire protowire.Type, data []byte) (int, error) {
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
		entry, err := v.fields.decode(b)
		if err != nil {
			return 0, err
		}
		if entry[0] == nil {
			entry[0] = defaultOf(f.typ.Key)
		}
		into.put(entry[0], entry[1])
		return n, nil
	case v.packs() && wire == protowire.BytesType:
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
	x, n, err := v.decode(wire, data)
	if err == nil {
		into.list = append(into.list, x)
	}
	return n, err
}

// decode reads the fields of a STRUCT or an entry.
func (m *message) decode(data []byte) (types.StructValue, error) {
	out := make(types.StructValue, len(m.fields))
	for i := range m.fields {
		out[i] = m.fields[i].missing()
	}
	var lists []repeated
	err := eachField(data, func(number protowire.Number, wire protowire.Type, data []byte) (int, error) {
		i := int(number) - 1
		if i >= len(m.fields) {
			return skip(number, wire, data)
		}
		f := &m.fields[i]
		if !f.repeated {
			v, n, err := f.value.decode(wire, data)
			out[i] = v
			return n, err
		}
		if lists == nil {
			lists = make([]repeated, len(m.fields))
		}
		return f.gather(&lists[i], wire, data)
	})
	for i := range lists {
		if v := lists[i].boxed(); v != nil {
			out[i] = v
		}
	}
	return out, err
}

// decode reads a value behind its tag.
func (v *value) decode(wire protowire.Type, data []byte) (any, int, error) {
	if wire != v.outerWire() {
		return nil, 0, wrongType(wire)
	}
	if isScalar(v.typ) && !v.wrapped {
		return v.decodeScalar(data)
	}
	b, n := protowire.ConsumeBytes(data)
	if n < 0 {
		return nil, 0, broken(n)
	}
	var x any
	var err error
	switch v.typ.Kind {
	case types.Struct:
		x, err = v.fields.decode(b)
	case types.Decimal:
		x, err = decodeDecimal(b, v.typ)
	case types.Date, types.Time, types.Timestamp:
		var i int64
		i, err = decodeLogical(v.typ.Kind, b)
		x = types.Slot{I: i}.Boxed(v.typ)
	default:
		x = defaultOf(v.typ)
		var inner []byte
		if inner, err = lastField(b, v.wire); err == nil && inner != nil {
			x, _, err = v.decodeScalar(inner)
		}
	}
	return x, n, err
}

// decodeScalar reads a scalar without its tag; what it returns does not point into data.
func (v *value) decodeScalar(data []byte) (any, int, error) {
	switch v.typ.Kind {
	case types.Boolean, types.Int, types.Bigint:
		x, n := protowire.ConsumeVarint(data)
		if n < 0 {
			return nil, 0, broken(n)
		}
		return types.Slot{I: narrow(v.typ.Kind, x)}.Boxed(v.typ), n, nil
	case types.Double:
		x, n := protowire.ConsumeFixed64(data)
		if n < 0 {
			return nil, 0, broken(n)
		}
		return math.Float64frombits(x), n, nil
	case types.String:
		x, n := protowire.ConsumeBytes(data)
		if n < 0 {
			return nil, 0, broken(n)
		}
		text, _ := formats.ValidText(x, nil)
		return string(text), n, nil
	case types.Bytes:
		x, n := protowire.ConsumeBytes(data)
		if n < 0 {
			return nil, 0, broken(n)
		}
		return append([]byte{}, x...), n, nil
	}
	return nil, 0, errors.New("no scalar")
}
