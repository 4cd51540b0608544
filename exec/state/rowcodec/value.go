package rowcodec

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// valueVersion is the first byte of every encoded row.
const valueVersion = 1

// headerLen is version and schema hash.
const headerLen = 5

// ValueCodec encodes the value columns of rows: version, schema hash, null bitmap, the 64-bit class at
// fixed places, then strings and composite values one after the other.
type ValueCodec struct {
	columns []types.Column
	locs    []types.Loc
	header  [headerLen]byte
	// fixed is where each 64-bit column stands, -1 for others, width how wide it is; tail is where the
	// rest begins, loose which columns it holds.
	fixed, width []int
	tail         int
	loose        []int
}

// NewValueCodec returns the codec of value columns, in this order; locs says where they are in the rows
// that are encoded and decoded. A row encoded with other names, types or order is refused on decoding
// ([ErrSchema]).
func NewValueCodec(columns []types.Column, locs []types.Loc) (*ValueCodec, error) {
	if len(locs) != len(columns) {
		return nil, fmt.Errorf("%w: %d columns at %d places", ErrUnsupported, len(columns), len(locs))
	}
	c := &ValueCodec{columns: columns, locs: locs, fixed: make([]int, len(columns)), width: make([]int, len(columns))}
	c.header[0] = valueVersion
	binary.LittleEndian.PutUint32(c.header[1:], SchemaHash(columns))
	c.tail = headerLen + (len(columns)+7)/8
	for i, col := range columns {
		c.fixed[i] = -1
		if w := fixedWidth(col.Type); w > 0 {
			c.fixed[i], c.width[i] = c.tail, w
			c.tail += w
		} else {
			c.loose = append(c.loose, i)
		}
	}
	return c, nil
}

// SchemaHash returns the hash that encoded rows carry: FNV-1a of the names and types of the columns.
func SchemaHash(columns []types.Column) uint32 {
	h := fnv.New32a()
	for _, c := range columns {
		fmt.Fprintf(h, "%s %s,", types.QuoteName(c.Name), c.Type)
	}
	return h.Sum32()
}

// fixedWidth is the width of a type of the 64-bit class, 0 for other types.
func fixedWidth(t *types.Type) int {
	switch t.Kind {
	case types.Boolean:
		return 1
	case types.Int, types.Date, types.Time:
		return 4
	case types.Bigint, types.Timestamp, types.Double:
		return 8
	}
	return 0
}

// FixedOffset returns where column i stands in every encoded row, and how wide it is (1, 4 or 8 bytes,
// little-endian), so that it can be updated in place; ok is false if it has no fixed place.
// [ValueCodec.SetPresent] marks it as not null.
func (c *ValueCodec) FixedOffset(i int) (offset, width int, ok bool) {
	return c.fixed[i], c.width[i], c.fixed[i] >= 0
}

// SetPresent marks column i of an encoded row as not null.
func (c *ValueCodec) SetPresent(value []byte, i int) {
	value[headerLen+i/8] &^= 1 << (i % 8)
}

// MinLen is the length of an encoded row whose columns are all null or of fixed width.
func (c *ValueCodec) MinLen() int { return c.tail }

// AppendRow appends the encoding of a row's columns.
func (c *ValueCodec) AppendRow(dst []byte, row *types.Row) ([]byte, error) {
	start := len(dst)
	dst = slices.Grow(dst, c.tail)[:start+c.tail]
	head := dst[start:]
	copy(head, c.header[:])
	clear(head[headerLen:])
	for i, loc := range c.locs {
		if loc.Class == types.ClassNone || row.IsNull(loc) {
			head[headerLen+i>>3] |= 1 << (i & 7)
		} else if at := c.fixed[i]; at >= 0 {
			putFixed(head[at:], c.width[i], row.I[loc.Slot])
		}
	}
	var err error
	for _, i := range c.loose {
		loc := c.locs[i]
		switch {
		case loc.Class == types.ClassNone || row.IsNull(loc):
		case loc.Class == types.ClassBytes:
			b := row.B[loc.Slot]
			dst = append(binary.AppendUvarint(dst, uint64(len(b))), b...)
		default:
			if dst, err = appendValue(dst, c.columns[i].Type, types.RefSlot(row.R[loc.Slot])); err != nil {
				return dst, err
			}
		}
	}
	return dst, nil
}

func putFixed(dst []byte, width int, v int64) {
	switch width {
	case 1:
		dst[0] = byte(v)
	case 4:
		binary.LittleEndian.PutUint32(dst, uint32(v))
	case 8:
		binary.LittleEndian.PutUint64(dst, uint64(v))
	}
}

// appendValue appends a value that is not null, outside the fixed part.
func appendValue(dst []byte, t *types.Type, s types.Slot) ([]byte, error) {
	if w := fixedWidth(t); w > 0 {
		var b [8]byte
		putFixed(b[:], w, s.I)
		return append(dst, b[:w]...), nil
	}
	switch t.Kind {
	case types.String, types.Bytes:
		return append(binary.AppendUvarint(dst, uint64(len(s.B))), s.B...), nil
	case types.Decimal:
		if d, ok := s.R.(*apd.Decimal); ok {
			return appendDecimal(dst, d)
		}
	case types.Array:
		if list, ok := s.R.([]any); ok {
			return appendList(binary.AppendUvarint(dst, uint64(len(list))), t.Elem, list)
		}
	case types.Map:
		if m, ok := s.R.(*types.MapValue); ok {
			dst, err := appendList(binary.AppendUvarint(dst, uint64(len(m.Keys))), t.Key, m.Keys)
			if err != nil {
				return dst, err
			}
			return appendList(dst, t.Elem, m.Values)
		}
	case types.Struct:
		if fields, ok := s.R.(types.StructValue); ok && len(fields) <= len(t.Fields) {
			return appendStruct(dst, t, fields)
		}
	}
	return dst, fmt.Errorf("%w: %T as %s", ErrUnsupported, s.R, t)
}

// appendDecimal writes length and sign, the exponent, the magnitude.
func appendDecimal(dst []byte, d *apd.Decimal) ([]byte, error) {
	if d.Form != apd.Finite {
		return dst, fmt.Errorf("%w: the decimal %s", ErrUnsupported, d)
	}
	var buf [8]byte
	magnitude := coefficient(d, &buf)
	head := uint64(len(magnitude)) << 1
	if d.Negative {
		head |= 1
	}
	dst = binary.AppendUvarint(dst, head)
	dst = binary.AppendVarint(dst, int64(d.Exponent))
	return append(dst, magnitude...), nil
}

// appendList writes a null bitmap and the elements that are not null.
func appendList(dst []byte, elem *types.Type, list []any) ([]byte, error) {
	dst, nulls := appendBitmap(dst, len(list))
	var err error
	for i, v := range list {
		if v == nil {
			dst[nulls+i/8] |= 1 << (i % 8)
			continue
		}
		if dst, err = appendValue(dst, elem, types.Unbox(elem, v)); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func appendStruct(dst []byte, t *types.Type, fields types.StructValue) ([]byte, error) {
	dst, nulls := appendBitmap(dst, len(t.Fields))
	var err error
	for i, f := range t.Fields {
		if i >= len(fields) || fields[i] == nil {
			dst[nulls+i/8] |= 1 << (i % 8)
			continue
		}
		if dst, err = appendValue(dst, f.Type, types.Unbox(f.Type, fields[i])); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// appendBitmap appends n zero bits and returns where they start.
func appendBitmap(dst []byte, n int) ([]byte, int) {
	at := len(dst)
	for range (n + 7) / 8 {
		dst = append(dst, 0)
	}
	return dst, at
}
