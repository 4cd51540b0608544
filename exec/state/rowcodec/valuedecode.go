package rowcodec

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// DecodeRow sets the columns of row from an encoded row; columns that the row does not keep (ClassNone) are
// passed over. Strings point into value.
func (c *ValueCodec) DecodeRow(value []byte, row *types.Row) error {
	if err := c.check(value); err != nil {
		return err
	}
	for i, loc := range c.locs {
		switch {
		case loc.Class == types.ClassNone:
		case value[headerLen+i>>3]&(1<<(i&7)) != 0:
			row.SetNull(loc)
		case c.fixed[i] >= 0:
			v, err := getFixed(value[c.fixed[i]:], c.width[i])
			if err != nil {
				return err
			}
			row.SetInt64(loc, v)
		}
	}
	d := valueDecoder{in: value[c.tail:]}
	for _, i := range c.loose {
		if value[headerLen+i>>3]&(1<<(i&7)) != 0 {
			continue
		}
		s, err := d.value(c.columns[i].Type)
		if err != nil {
			return err
		}
		row.SetSlot(c.locs[i], s)
	}
	if len(d.in) > 0 {
		return fmt.Errorf("%w: %d bytes after a row", ErrCorrupt, len(d.in))
	}
	return nil
}

// check compares the header and the length of the fixed part.
func (c *ValueCodec) check(value []byte) error {
	switch {
	case len(value) < headerLen:
		return fmt.Errorf("%w: a row of %d bytes", ErrCorrupt, len(value))
	case value[0] == 0:
		return fmt.Errorf("%w: a row of version 0", ErrCorrupt)
	case value[0] != valueVersion:
		return fmt.Errorf("%w: a row of version %d", ErrVersion, value[0])
	case [headerLen]byte(value) != c.header:
		return fmt.Errorf("%w: schema hash %#x, expected %#x", ErrSchema, value[1:headerLen], c.header[1:])
	case len(value) < c.tail:
		return fmt.Errorf("%w: a row of %d bytes", ErrCorrupt, len(value))
	}
	return nil
}

// getFixed reads a value of the 64-bit class.
func getFixed(b []byte, width int) (int64, error) {
	switch width {
	case 1:
		if b[0] > 1 {
			return 0, fmt.Errorf("%w: a BOOLEAN of %#x", ErrCorrupt, b[0])
		}
		return int64(b[0]), nil
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(b))), nil
	}
	return int64(binary.LittleEndian.Uint64(b)), nil
}

// valueDecoder reads the part after the fixed one from front to back.
type valueDecoder struct{ in []byte }

var errShort = fmt.Errorf("%w: a row ends early", ErrCorrupt)

func (d *valueDecoder) take(n uint64) ([]byte, error) {
	if n > uint64(len(d.in)) {
		return nil, errShort
	}
	b := d.in[:n:n]
	d.in = d.in[n:]
	return b, nil
}

func (d *valueDecoder) uvarint() (uint64, error) {
	v, n := binary.Uvarint(d.in)
	if n <= 0 {
		return 0, errShort
	}
	d.in = d.in[n:]
	return v, nil
}

func (d *valueDecoder) value(t *types.Type) (types.Slot, error) {
	if w := fixedWidth(t); w > 0 {
		b, err := d.take(uint64(w))
		if err != nil {
			return types.NullSlot, err
		}
		v, err := getFixed(b, w)
		return types.IntSlot(v), err
	}
	switch t.Kind {
	case types.String, types.Bytes:
		n, err := d.uvarint()
		if err != nil {
			return types.NullSlot, err
		}
		b, err := d.take(n)
		return types.BytesSlot(b), err
	case types.Decimal:
		return d.decimal()
	case types.Array:
		n, err := d.uvarint()
		if err != nil {
			return types.NullSlot, err
		}
		list, err := d.list(t.Elem, n)
		return types.RefSlot(list), err
	case types.Map:
		return d.mapping(t)
	case types.Struct:
		return d.fields(t)
	}
	return types.NullSlot, fmt.Errorf("%w: %s in a row", ErrUnsupported, t)
}

func (d *valueDecoder) decimal() (types.Slot, error) {
	head, err := d.uvarint()
	if err != nil {
		return types.NullSlot, err
	}
	exp, n := binary.Varint(d.in)
	if n <= 0 || exp < math.MinInt32 || exp > math.MaxInt32 {
		return types.NullSlot, fmt.Errorf("%w: exponent of a DECIMAL", ErrCorrupt)
	}
	d.in = d.in[n:]
	magnitude, err := d.take(head >> 1)
	if err != nil {
		return types.NullSlot, err
	}
	v := &apd.Decimal{Exponent: int32(exp), Negative: head&1 != 0}
	setCoefficient(v, magnitude)
	return types.RefSlot(v), nil
}

// list reads n elements. The bitmap alone takes n bits of the input, which bounds the memory.
func (d *valueDecoder) list(elem *types.Type, n uint64) ([]any, error) {
	if n > 8*uint64(len(d.in)) {
		return nil, errShort
	}
	nulls, err := d.take((n + 7) / 8)
	if err != nil {
		return nil, err
	}
	list := make([]any, n)
	for i := range list {
		if nulls[i/8]&(1<<(i%8)) != 0 {
			continue
		}
		s, err := d.value(elem)
		if err != nil {
			return nil, err
		}
		list[i] = s.Boxed(elem)
	}
	return list, nil
}

func (d *valueDecoder) mapping(t *types.Type) (types.Slot, error) {
	n, err := d.uvarint()
	if err != nil {
		return types.NullSlot, err
	}
	m := &types.MapValue{}
	if m.Keys, err = d.list(t.Key, n); err != nil {
		return types.NullSlot, err
	}
	m.Values, err = d.list(t.Elem, n)
	return types.RefSlot(m), err
}

func (d *valueDecoder) fields(t *types.Type) (types.Slot, error) {
	nulls, err := d.take(uint64(len(t.Fields)+7) / 8)
	if err != nil {
		return types.NullSlot, err
	}
	fields := make(types.StructValue, len(t.Fields))
	for i, f := range t.Fields {
		if nulls[i/8]&(1<<(i%8)) != 0 {
			continue
		}
		s, err := d.value(f.Type)
		if err != nil {
			return types.NullSlot, err
		}
		fields[i] = s.Boxed(f.Type)
	}
	return types.RefSlot(fields), nil
}
