package rowcodec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// DecodeRow sets the key columns of row from a key and returns buf, grown as needed: strings that differ
// from their encoding are put there, others point into key. Give the same buf again for the next key, once
// the row is no longer used.
func (c *KeyCodec) DecodeRow(key []byte, row *types.Row, buf []byte) ([]byte, error) {
	d := keyDecoder{in: key, buf: buf[:0]}
	for i, loc := range c.locs {
		s, err := d.column(c.columns[i].Type)
		if err != nil {
			return d.buf, err
		}
		row.SetSlot(loc, s)
	}
	return d.buf, d.end()
}

// DecodeSlots sets slots, one a column, from a key; buf is as in DecodeRow.
func (c *KeyCodec) DecodeSlots(key []byte, slots []types.Slot, buf []byte) ([]byte, error) {
	d := keyDecoder{in: key, buf: buf[:0]}
	for i, col := range c.columns {
		s, err := d.column(col.Type)
		if err != nil {
			return d.buf, err
		}
		slots[i] = s
	}
	return d.buf, d.end()
}

// keyDecoder reads a key from front to back.
type keyDecoder struct {
	in  []byte
	buf []byte
}

func (d *keyDecoder) take(n int) ([]byte, error) {
	if n > len(d.in) {
		return nil, fmt.Errorf("%w: a key ends early", ErrCorrupt)
	}
	b := d.in[:n]
	d.in = d.in[n:]
	return b, nil
}

func (d *keyDecoder) mark() (byte, error) {
	b, err := d.take(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

func (d *keyDecoder) end() error {
	if len(d.in) > 0 {
		return fmt.Errorf("%w: %d bytes after a key", ErrCorrupt, len(d.in))
	}
	return nil
}

func (d *keyDecoder) column(t *types.Type) (types.Slot, error) {
	switch m, err := d.mark(); {
	case err != nil:
		return types.NullSlot, err
	case m == markNull:
		return types.NullSlot, nil
	case m != markPresent:
		return types.NullSlot, fmt.Errorf("%w: a column starts with %#x", ErrCorrupt, m)
	}
	return d.value(t)
}

func (d *keyDecoder) value(t *types.Type) (types.Slot, error) {
	switch t.Kind {
	case types.Boolean:
		b, err := d.mark()
		if err == nil && b > 1 {
			err = fmt.Errorf("%w: a BOOLEAN of %#x", ErrCorrupt, b)
		}
		return types.IntSlot(int64(b)), err
	case types.Int, types.Date, types.Time:
		b, err := d.take(4)
		if err != nil {
			return types.NullSlot, err
		}
		return types.IntSlot(int64(int32(binary.BigEndian.Uint32(b) ^ 1<<31))), nil
	case types.Bigint, types.Timestamp:
		b, err := d.take(8)
		if err != nil {
			return types.NullSlot, err
		}
		return types.IntSlot(int64(binary.BigEndian.Uint64(b) ^ 1<<63)), nil
	case types.Double:
		b, err := d.take(8)
		if err != nil {
			return types.NullSlot, err
		}
		return d.double(binary.BigEndian.Uint64(b))
	case types.String:
		b, err := d.text(&textBack)
		return types.BytesSlot(b), err
	case types.Bytes:
		b, err := d.text(&signedBack)
		return types.BytesSlot(b), err
	case types.Decimal:
		return d.decimal(t)
	case types.Array:
		return d.list(t.Elem)
	case types.Struct:
		return d.fields(t)
	}
	return types.NullSlot, fmt.Errorf("%w: %s as a key", ErrUnsupported, t)
}

func (d *keyDecoder) double(w uint64) (types.Slot, error) {
	bits := w &^ (1 << 63)
	if w>>63 == 0 {
		bits = ^w
	}
	s := types.IntSlot(int64(bits))
	if doubleKey(bits) != w {
		return s, fmt.Errorf("%w: a DOUBLE of %#x", ErrCorrupt, w)
	}
	return s, nil
}

var signedBack = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i) ^ 0x80
	}
	return t
}()

// text reads an escaped string whose bytes were mapped; back undoes that.
func (d *keyDecoder) text(back *[256]byte) ([]byte, error) {
	start := len(d.buf)
	same := true
	for {
		i := bytes.IndexByte(d.in, 0)
		if i < 0 || i+1 >= len(d.in) {
			return nil, fmt.Errorf("%w: a string without end", ErrCorrupt)
		}
		run, after := d.in[:i], d.in[i+1]
		if same && after == terminator && isMappedToItself(run, back) {
			d.in = d.in[i+2:]
			return run[:len(run):len(run)], nil
		}
		same = false
		for _, b := range run {
			d.buf = append(d.buf, back[b])
		}
		d.in = d.in[i+2:]
		switch after {
		case terminator:
			return d.buf[start:len(d.buf):len(d.buf)], nil
		case escaped:
			d.buf = append(d.buf, back[0])
		default:
			return nil, fmt.Errorf("%w: %#x after a zero byte", ErrCorrupt, after)
		}
	}
}

func isMappedToItself(run []byte, back *[256]byte) bool {
	i := 0
	if back == &textBack {
		for ; i+8 <= len(run) && isPlain(binary.LittleEndian.Uint64(run[i:])); i += 8 {
		}
	}
	for _, b := range run[i:] {
		if back[b] != b {
			return false
		}
	}
	return true
}

func (d *keyDecoder) decimal(t *types.Type) (types.Slot, error) {
	b, err := d.take(2)
	if err != nil {
		return types.NullSlot, err
	}
	n := int(binary.BigEndian.Uint16(b)) - decimalZero
	v := &apd.Decimal{Exponent: -int32(t.Scale), Negative: n < 0}
	magnitude, err := d.take(max(n, -n))
	if err != nil {
		return types.NullSlot, err
	}
	if v.Negative {
		flipped := make([]byte, len(magnitude))
		for i, c := range magnitude {
			flipped[i] = ^c
		}
		magnitude = flipped
	}
	if len(magnitude) > 0 && magnitude[0] == 0 {
		return types.NullSlot, fmt.Errorf("%w: a DECIMAL with a leading zero", ErrCorrupt)
	}
	setCoefficient(v, magnitude)
	return types.RefSlot(v), nil
}

func (d *keyDecoder) list(elem *types.Type) (types.Slot, error) {
	list := []any{}
	for {
		m, err := d.mark()
		if err != nil {
			return types.NullSlot, err
		}
		switch m {
		case listEnd:
			return types.RefSlot(list), nil
		case listNull:
			list = append(list, nil)
		case listElement:
			s, err := d.value(elem)
			if err != nil {
				return types.NullSlot, err
			}
			list = append(list, s.Boxed(elem))
		default:
			return types.NullSlot, fmt.Errorf("%w: an element starts with %#x", ErrCorrupt, m)
		}
	}
}

func (d *keyDecoder) fields(t *types.Type) (types.Slot, error) {
	fields := make(types.StructValue, len(t.Fields))
	for i, f := range t.Fields {
		s, err := d.column(f.Type)
		if err != nil {
			return types.NullSlot, err
		}
		fields[i] = s.Boxed(f.Type)
	}
	return types.RefSlot(fields), nil
}

// Successor returns the smallest key above all keys that start with prefix, nil if there is none: the
// exclusive upper bound of a range read of all keys with that prefix. It is appended to dst.
func Successor(dst, prefix []byte) []byte {
	for n := len(prefix); n > 0; n-- {
		if prefix[n-1] != math.MaxUint8 {
			return append(append(dst, prefix[:n-1]...), prefix[n-1]+1)
		}
	}
	return nil
}
