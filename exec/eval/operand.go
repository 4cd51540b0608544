package eval

import (
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// An operand is read from a row: columns from the row in hand, constants from a row of their own, and what has to be
// computed first from a row of its own too, where prepare puts it. So reading is the same few instructions in every case
// and is inlined into the operator, which asks once whether there is anything to prepare at all.

// intOperand is an operand of class Int64.
type intOperand struct {
	// own is the operand's own row, nil for a column.
	own  *types.Row
	mask uint64
	word int32
	slot int32
	// f computes the value; nil for columns and constants.
	f intFn
}

func (u *unit) intOperand(e expr.Expr) (*intOperand, error) {
	switch x := u.fold(e).(type) {
	case *expr.Column:
		loc, err := u.place(x)
		return &intOperand{mask: 1 << (uint(loc.Col) & 63), word: loc.Col >> 6, slot: loc.Slot}, err
	case *expr.Literal:
		s := literalSlot(x)
		o := newIntOperand(nil)
		o.put(s.I, s.Null)
		return o, nil
	default:
		f, err := u.int64(x)
		return newIntOperand(f), err
	}
}

func newIntOperand(f intFn) *intOperand {
	return &intOperand{own: &types.Row{Nulls: make([]uint64, 1), I: make([]int64, 1)}, mask: 1, f: f}
}

// prepare computes the operand if it must be.
func (o *intOperand) prepare(row *types.Row) {
	if o.f != nil {
		o.put(o.f(row))
	}
}

func (o *intOperand) put(v int64, null bool) {
	o.own.I[0] = v
	o.own.Nulls[0] = 0
	if null {
		o.own.Nulls[0] = 1
	}
}

// read reads the operand, prepared.
func (o *intOperand) read(row *types.Row) (v int64, null bool) {
	if o.own != nil {
		row = o.own
	}
	return row.I[o.slot], row.Nulls[o.word]&o.mask != 0
}

// get prepares and reads.
func (o *intOperand) get(row *types.Row) (v int64, null bool) {
	o.prepare(row)
	return o.read(row)
}

// bytesOperand is an operand of class Bytes.
type bytesOperand struct {
	own  *types.Row
	mask uint64
	word int32
	slot int32
	f    bytesFn
}

func (u *unit) bytesOperand(e expr.Expr) (*bytesOperand, error) {
	switch x := u.fold(e).(type) {
	case *expr.Column:
		loc, err := u.place(x)
		return &bytesOperand{mask: 1 << (uint(loc.Col) & 63), word: loc.Col >> 6, slot: loc.Slot}, err
	case *expr.Literal:
		s := literalSlot(x)
		o := newBytesOperand(nil)
		o.put(s.B, s.Null)
		return o, nil
	default:
		f, err := u.bytes(x)
		return newBytesOperand(f), err
	}
}

func newBytesOperand(f bytesFn) *bytesOperand {
	return &bytesOperand{own: &types.Row{Nulls: make([]uint64, 1), B: make([][]byte, 1)}, mask: 1, f: f}
}

// prepare computes the operand if it must be.
func (o *bytesOperand) prepare(row *types.Row) {
	if o.f != nil {
		o.put(o.f(row))
	}
}

func (o *bytesOperand) put(v []byte, null bool) {
	o.own.B[0] = v
	o.own.Nulls[0] = 0
	if null {
		o.own.Nulls[0] = 1
	}
}

// read reads the operand, prepared.
func (o *bytesOperand) read(row *types.Row) (v []byte, null bool) {
	if o.own != nil {
		row = o.own
	}
	return row.B[o.slot], row.Nulls[o.word]&o.mask != 0
}

// get prepares and reads.
func (o *bytesOperand) get(row *types.Row) (v []byte, null bool) {
	o.prepare(row)
	return o.read(row)
}

// both compiles the two operands of a binary expression.
func both[O any](compile func(expr.Expr) (O, error), l, r expr.Expr) (a, b O, err error) {
	if a, err = compile(l); err != nil {
		return a, b, err
	}
	b, err = compile(r)
	return a, b, err
}

// once gives an expression that may be compiled into several operands while e is computed only once a row: by calling
// prepare, which is nil for columns and literals.
func (u *unit) once(e expr.Expr) (shared expr.Expr, prepare func(*types.Row), err error) {
	switch x := u.fold(e).(type) {
	case *expr.Column, *expr.Literal:
		return x, nil, nil
	default:
		f, err := u.slot(e)
		cell := &types.Slot{Null: true}
		id := -len(u.vars) - 1
		for u.vars[id] != nil {
			id--
		}
		u.vars[id] = cell
		return &expr.LambdaVar{ID: id, T: e.Type()}, func(row *types.Row) { *cell = f(row) }, err
	}
}
