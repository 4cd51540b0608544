package rowcodec

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Marks of the key encoding. Each column starts with one, so a null comes before every value.
const (
	markNull    = 0x00
	markPresent = 0x01
	// Inside arrays the end comes before a null, which comes before an element.
	listEnd     = 0x00
	listNull    = 0x01
	listElement = 0x02
	// A zero byte inside a string is followed by escaped, its end is a zero byte followed by terminator.
	escaped    = 0xff
	terminator = 0x01
	// keyNaN stands for every NaN.
	keyNaN = 0x7ff8000000000001
	// decimalZero is the length mark of 0; larger lengths of positive, smaller of negative numbers.
	decimalZero = 0x8000
)

// KeyCodec encodes key columns such that bytes.Compare on keys is [types.Compare] column by column, nulls
// first. No key is a prefix of another one of the same columns. A key of the first n columns alone is a
// prefix of all keys that agree in them.
type KeyCodec struct {
	columns []types.Column
	locs    []types.Loc
}

// NewKeyCodec returns the codec of key columns; locs says where they are in the rows that AppendRow and
// DecodeRow are given, and may be nil if only slots are used. MAP is refused, also inside ([ErrUnsupported]).
func NewKeyCodec(columns []types.Column, locs []types.Loc) (*KeyCodec, error) {
	if locs != nil && len(locs) != len(columns) {
		return nil, fmt.Errorf("%w: %d columns at %d places", ErrUnsupported, len(columns), len(locs))
	}
	for _, c := range columns {
		if err := checkKeyType(c.Type); err != nil {
			return nil, fmt.Errorf("key column %s: %w", types.QuoteName(c.Name), err)
		}
	}
	return &KeyCodec{columns: columns, locs: locs}, nil
}

func checkKeyType(t *types.Type) error {
	switch t.Kind {
	case types.Boolean, types.Int, types.Bigint, types.Double, types.Decimal, types.String, types.Bytes,
		types.Date, types.Time, types.Timestamp:
		return nil
	case types.Array:
		return checkKeyType(t.Elem)
	case types.Struct:
		for _, f := range t.Fields {
			if err := checkKeyType(f.Type); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("%w: %s as a key", ErrUnsupported, t)
}

// AppendRow appends the key of a row.
func (c *KeyCodec) AppendRow(dst []byte, row *types.Row) ([]byte, error) {
	var err error
	for i, loc := range c.locs {
		if dst, err = appendKeyColumn(dst, c.columns[i].Type, row.Slot(loc)); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// AppendSlots appends the key of values given in order of the columns; fewer values give the prefix that
// all keys with these values share.
func (c *KeyCodec) AppendSlots(dst []byte, slots ...types.Slot) ([]byte, error) {
	var err error
	for i, s := range slots {
		if dst, err = appendKeyColumn(dst, c.columns[i].Type, s); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func appendKeyColumn(dst []byte, t *types.Type, s types.Slot) ([]byte, error) {
	if s.Null {
		return append(dst, markNull), nil
	}
	return appendKeyValue(append(dst, markPresent), t, s)
}

func appendKeyValue(dst []byte, t *types.Type, s types.Slot) ([]byte, error) {
	switch t.Kind {
	case types.Boolean:
		return append(dst, byte(s.I&1)), nil
	case types.Int, types.Date, types.Time:
		return binary.BigEndian.AppendUint32(dst, uint32(s.I)^1<<31), nil
	case types.Bigint, types.Timestamp:
		return binary.BigEndian.AppendUint64(dst, uint64(s.I)^1<<63), nil
	case types.Double:
		return binary.BigEndian.AppendUint64(dst, doubleKey(uint64(s.I))), nil
	case types.String:
		return appendKeyText(dst, s.B), nil
	case types.Bytes:
		return appendKeyBytes(dst, s.B), nil
	case types.Decimal:
		d, ok := s.R.(*apd.Decimal)
		if !ok {
			return dst, fmt.Errorf("%w: %T as %s", ErrUnsupported, s.R, t)
		}
		return appendKeyDecimal(dst, t, d)
	case types.Array:
		list, ok := s.R.([]any)
		if !ok {
			return dst, fmt.Errorf("%w: %T as %s", ErrUnsupported, s.R, t)
		}
		return appendKeyList(dst, t.Elem, list)
	case types.Struct:
		fields, ok := s.R.(types.StructValue)
		if !ok || len(fields) > len(t.Fields) {
			return dst, fmt.Errorf("%w: %T as %s", ErrUnsupported, s.R, t)
		}
		return appendKeyStruct(dst, t, fields)
	}
	return dst, fmt.Errorf("%w: %s as a key", ErrUnsupported, t)
}

func appendKeyList(dst []byte, elem *types.Type, list []any) ([]byte, error) {
	var err error
	for _, v := range list {
		if v == nil {
			dst = append(dst, listNull)
			continue
		}
		if dst, err = appendKeyValue(append(dst, listElement), elem, types.Unbox(elem, v)); err != nil {
			return dst, err
		}
	}
	return append(dst, listEnd), nil
}

func appendKeyStruct(dst []byte, t *types.Type, fields types.StructValue) ([]byte, error) {
	var err error
	for i, f := range t.Fields {
		s := types.NullSlot
		if i < len(fields) {
			s = types.Unbox(f.Type, fields[i])
		}
		if dst, err = appendKeyColumn(dst, f.Type, s); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// doubleKey orders doubles as numbers, -0.0 before 0.0, one NaN above all.
func doubleKey(bits uint64) uint64 {
	if f := math.Float64frombits(bits); f != f {
		bits = keyNaN
	}
	if bits>>63 != 0 {
		return ^bits
	}
	return bits | 1<<63
}

// textOrder maps UTF-8 bytes such that byte order becomes the order of UTF-16 code units, which is ksqlDB's:
// the first bytes of characters beyond U+FFFF (F0-F4) go below those of U+E000..U+FFFF (EE, EF). These
// bytes are nothing but first bytes. textBack is its inverse.
var textOrder, textBack = func() (to, from [256]byte) {
	for i := range to {
		to[i] = byte(i)
	}
	for i := range 5 {
		to[0xf0+i] = byte(0xee + i)
	}
	to[0xee], to[0xef] = 0xf3, 0xf4
	for i, b := range to {
		from[b] = byte(i)
	}
	return to, from
}()

// isPlain says whether 8 bytes are ASCII other than NUL: they are their own encoding.
func isPlain(w uint64) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	return (w|(w-ones))&highs == 0
}

func appendKeyText(dst, s []byte) []byte {
	i := 0
	for ; i+8 <= len(s) && isPlain(binary.LittleEndian.Uint64(s[i:])); i += 8 {
	}
	dst = append(dst, s[:i]...)
	for _, b := range s[i:] {
		dst = append(dst, textOrder[b])
		if b == 0 {
			dst = append(dst, escaped)
		}
	}
	return append(dst, 0, terminator)
}

// appendKeyBytes orders by signed bytes, as ksqlDB does.
func appendKeyBytes(dst, s []byte) []byte {
	for _, b := range s {
		dst = append(dst, b^0x80)
		if b == 0x80 {
			dst = append(dst, escaped)
		}
	}
	return append(dst, 0, terminator)
}

// appendKeyDecimal writes the number at the type's scale as an integer: length mark, then the magnitude,
// complemented if negative.
func appendKeyDecimal(dst []byte, t *types.Type, d *apd.Decimal) ([]byte, error) {
	if d.Form != apd.Finite {
		return dst, fmt.Errorf("%w: %s as %s", ErrUnsupported, d, t)
	}
	if int64(d.Exponent) != -int64(t.Scale) {
		scaled := new(apd.Decimal)
		if err := types.SetScale(scaled, d, t.Scale, apd.RoundHalfUp, false); err != nil {
			return dst, fmt.Errorf("%w: %w", ErrUnsupported, err)
		}
		d = scaled
	}
	var buf [8]byte
	magnitude := coefficient(d, &buf)
	n := len(magnitude)
	if n >= decimalZero {
		return dst, fmt.Errorf("%w: a DECIMAL of %d bytes", ErrUnsupported, n)
	}
	if !d.Negative {
		return append(binary.BigEndian.AppendUint16(dst, uint16(decimalZero+n)), magnitude...), nil
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(decimalZero-n))
	for _, b := range magnitude {
		dst = append(dst, ^b)
	}
	return dst, nil
}

// coefficient returns the bytes of a decimal's coefficient, most significant first, without leading zeros;
// in buf if they fit.
func coefficient(d *apd.Decimal, buf *[8]byte) []byte {
	if !d.Coeff.IsUint64() {
		return d.Coeff.Bytes()
	}
	binary.BigEndian.PutUint64(buf[:], d.Coeff.Uint64())
	i := 0
	for i < len(buf) && buf[i] == 0 {
		i++
	}
	return buf[i:]
}

// setCoefficient is the inverse of coefficient.
func setCoefficient(d *apd.Decimal, b []byte) {
	if len(b) > 8 {
		d.Coeff.SetBytes(b)
		return
	}
	var v uint64
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	d.Coeff.SetUint64(v)
}
