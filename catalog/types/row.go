package types

import "math"

// Loc is where a column of a row lives: its class, its index in the class's array, and its bit in the null bitmap.
// The zero Loc (ClassNone) is a column that the row does not keep.
type Loc struct {
	Class Class
	Slot  int32
	Col   int32
}

// Layout assigns places to the columns of one kind of row. Immutable; shared by all rows of that kind.
type Layout struct {
	Columns []Column
	Locs    []Loc
	// NumInt64, NumBytes, NumRef are the lengths of the slot arrays.
	NumInt64, NumBytes, NumRef int
}

// NewLayout lays out the columns in order; every column is kept.
func NewLayout(columns []Column) *Layout {
	l := &Layout{Columns: columns, Locs: make([]Loc, len(columns))}
	for i, c := range columns {
		loc := Loc{Class: c.Type.Class(), Col: int32(i)}
		switch loc.Class {
		case ClassInt64:
			loc.Slot = int32(l.NumInt64)
			l.NumInt64++
		case ClassBytes:
			loc.Slot = int32(l.NumBytes)
			l.NumBytes++
		case ClassRef:
			loc.Slot = int32(l.NumRef)
			l.NumRef++
		}
		l.Locs[i] = loc
	}
	return l
}

// NewRow makes an empty row of this layout with every column null.
func (l *Layout) NewRow() *Row {
	r := &Row{
		Nulls: make([]uint64, (len(l.Columns)+63)/64),
		I:     make([]int64, l.NumInt64),
		B:     make([][]byte, l.NumBytes),
		R:     make([]any, l.NumRef),
	}
	r.Reset()
	return r
}

// Row is the values of one record in typed slots; see the package comment for what each class holds. A row belongs to
// the operator or decoder that made it and is overwritten by its next record: whoever keeps one beyond the call it was
// given in must copy it with [Row.CopyFrom]. Byte strings may point into a fetch buffer and share that lifetime.
type Row struct {
	// Nulls has bit Col set when that column is null. Slots of null columns hold anything.
	Nulls []uint64
	I     []int64
	B     [][]byte
	R     []any
}

// Reset makes every column null.
func (r *Row) Reset() {
	for i := range r.Nulls {
		r.Nulls[i] = ^uint64(0)
	}
}

// IsNull reports whether the column at l is null.
func (r *Row) IsNull(l Loc) bool { return r.Nulls[l.Col>>6]&(1<<(uint(l.Col)&63)) != 0 }

// SetNull makes the column at l null.
func (r *Row) SetNull(l Loc) { r.Nulls[l.Col>>6] |= 1 << (uint(l.Col) & 63) }

// SetInt64 stores a 64-bit value (see the package comment for each type's meaning).
func (r *Row) SetInt64(l Loc, v int64) {
	r.Nulls[l.Col>>6] &^= 1 << (uint(l.Col) & 63)
	r.I[l.Slot] = v
}

// SetDouble stores a DOUBLE.
func (r *Row) SetDouble(l Loc, v float64) { r.SetInt64(l, int64(math.Float64bits(v))) }

// Double reads a DOUBLE that is not null.
func (r *Row) Double(l Loc) float64 { return math.Float64frombits(uint64(r.I[l.Slot])) }

// SetBytes stores a byte string; the row keeps the slice, not a copy.
func (r *Row) SetBytes(l Loc, v []byte) {
	r.Nulls[l.Col>>6] &^= 1 << (uint(l.Col) & 63)
	r.B[l.Slot] = v
}

// SetRef stores a reference value (boxed form, never nil).
func (r *Row) SetRef(l Loc, v any) {
	r.Nulls[l.Col>>6] &^= 1 << (uint(l.Col) & 63)
	r.R[l.Slot] = v
}

// Slot copies the value at l out of the row; byte strings are shared, not copied.
func (r *Row) Slot(l Loc) Slot {
	if r.IsNull(l) {
		return Slot{Null: true}
	}
	switch l.Class {
	case ClassInt64:
		return Slot{I: r.I[l.Slot]}
	case ClassBytes:
		return Slot{B: r.B[l.Slot]}
	case ClassRef:
		return Slot{R: r.R[l.Slot]}
	}
	return Slot{Null: true}
}

// SetSlot stores s at l; byte strings are shared, not copied.
func (r *Row) SetSlot(l Loc, s Slot) {
	switch {
	case l.Class == ClassNone:
	case s.Null:
		r.SetNull(l)
	case l.Class == ClassInt64:
		r.SetInt64(l, s.I)
	case l.Class == ClassBytes:
		r.SetBytes(l, s.B)
	default:
		r.SetRef(l, s.R)
	}
}

// CopyFrom makes r a deep copy of src, which must have the same layout. Byte strings go into buf, which is grown as
// needed and returned: give the same buf back the next time and nothing is allocated in the steady state. References
// are shared, since boxed values are immutable.
func (r *Row) CopyFrom(src *Row, buf []byte) []byte {
	copy(r.Nulls, src.Nulls)
	copy(r.I, src.I)
	copy(r.R, src.R)
	n := 0
	for _, b := range src.B {
		n += len(b)
	}
	if cap(buf) < n {
		buf = make([]byte, 0, n+n/2)
	}
	buf = buf[:0]
	for i, b := range src.B {
		at := len(buf)
		buf = append(buf, b...)
		r.B[i] = buf[at:len(buf):len(buf)]
	}
	return buf
}

// Boxed reads the value at l, of type t, in its boxed form (nil when null). Byte strings are copied.
func (r *Row) Boxed(l Loc, t *Type) any { s := r.Slot(l); return s.Boxed(t) }

// SetBoxed stores a boxed value of type t (nil is null).
func (r *Row) SetBoxed(l Loc, t *Type, v any) { r.SetSlot(l, Unbox(t, v)) }
