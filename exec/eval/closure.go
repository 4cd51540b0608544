package eval

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// fn computes a value of one class; null says that there is none.
type fn[T any] func(*types.Row) (v T, null bool)

// The closures by class. A ref is never nil unless null.
type (
	intFn   = fn[int64]
	bytesFn = fn[[]byte]
	refFn   = fn[any]
	// slotFn computes a value of any class.
	slotFn = func(*types.Row) types.Slot
	// condFn computes a condition, which is never null.
	condFn = func(*types.Row) bool
)

// slot compiles an expression of any class.
func (u *unit) slot(e expr.Expr) (slotFn, error) {
	switch x := u.fold(e).(type) {
	case *expr.Column:
		loc, err := u.place(x)
		return func(row *types.Row) types.Slot { return row.Slot(loc) }, err
	case *expr.Literal:
		s := literalSlot(x)
		return func(*types.Row) types.Slot { return s }, nil
	case *expr.Call:
		return u.call(x)
	case *expr.Subscript:
		return u.subscript(x)
	case *expr.FieldAccess:
		return u.field(x)
	case *expr.LambdaVar:
		return u.lambdaVar(x)
	case *expr.Lambda:
		return u.lambda(x)
	case *expr.Cast:
		return u.castSlot(x)
	default:
		return u.slotByClass(x)
	}
}

// slotByClass compiles what is computed by class, and puts it into a slot.
func (u *unit) slotByClass(e expr.Expr) (slotFn, error) {
	switch e.Type().Class() {
	case types.ClassInt64:
		f, err := u.int64(e)
		return func(row *types.Row) types.Slot {
			v, null := f(row)
			return types.Slot{I: v, Null: null}
		}, err
	case types.ClassBytes:
		f, err := u.bytes(e)
		return func(row *types.Row) types.Slot {
			v, null := f(row)
			return types.Slot{B: v, Null: null}
		}, err
	default:
		f, err := u.ref(e)
		return func(row *types.Row) types.Slot {
			v, null := f(row)
			return types.Slot{R: v, Null: null}
		}, err
	}
}

// int64 compiles an expression of class Int64.
func (u *unit) int64(e expr.Expr) (intFn, error) {
	e = u.fold(e)
	switch x := e.(type) {
	case *expr.Column, *expr.Literal:
		o, err := u.intOperand(x)
		return func(row *types.Row) (int64, bool) { return o.get(row) }, err
	case *expr.Arith:
		if x.T.Kind == types.Double {
			return u.doubleArith(x)
		}
		return u.intArith(x)
	case *expr.Negate:
		return u.negateInt(x)
	case *expr.Compare, *expr.And, *expr.Or, *expr.Not, *expr.IsNull, *expr.Between, *expr.In, *expr.Like:
		f, err := u.condition(e)
		return func(row *types.Row) (int64, bool) {
			if f(row) {
				return 1, false
			}
			return 0, false
		}, err
	case *expr.Case:
		return compileCase(u, x, u.int64)
	case *expr.Cast:
		return u.castInt(x)
	default:
		f, err := u.primary(e)
		return func(row *types.Row) (int64, bool) {
			s := f(row)
			return s.I, s.Null
		}, err
	}
}

// bytes compiles an expression of class Bytes.
func (u *unit) bytes(e expr.Expr) (bytesFn, error) {
	e = u.fold(e)
	switch x := e.(type) {
	case *expr.Column, *expr.Literal:
		o, err := u.bytesOperand(x)
		return func(row *types.Row) ([]byte, bool) { return o.get(row) }, err
	case *expr.Arith:
		return u.join(x)
	case *expr.Case:
		return compileCase(u, x, u.bytes)
	default:
		f, err := u.primary(e)
		return func(row *types.Row) ([]byte, bool) {
			s := f(row)
			return s.B, s.Null
		}, err
	}
}

// ref compiles an expression of class Ref.
func (u *unit) ref(e expr.Expr) (refFn, error) {
	e = u.fold(e)
	switch x := e.(type) {
	case *expr.Column:
		loc, err := u.place(x)
		return func(row *types.Row) (any, bool) {
			if row.IsNull(loc) {
				return nil, true
			}
			return row.R[loc.Slot], false
		}, err
	case *expr.Literal:
		s := literalSlot(x)
		return func(*types.Row) (any, bool) { return s.R, s.Null }, nil
	case *expr.Arith:
		return u.decimalArith(x)
	case *expr.Negate:
		return u.negateDecimal(x)
	case *expr.Case:
		return compileCase(u, x, u.ref)
	case *expr.MakeArray:
		return u.makeArray(x)
	case *expr.MakeMap:
		return u.makeMap(x)
	case *expr.MakeStruct:
		return u.makeStruct(x)
	default:
		f, err := u.primary(e)
		return func(row *types.Row) (any, bool) {
			s := f(row)
			return s.R, s.Null
		}, err
	}
}

// primary compiles what is computed as a slot whatever its class: calls, accesses, casts, lambda variables.
func (u *unit) primary(e expr.Expr) (slotFn, error) {
	switch e.(type) {
	case *expr.Call, *expr.Subscript, *expr.FieldAccess, *expr.LambdaVar, *expr.Cast:
		return u.slot(e)
	default:
		return nil, fmt.Errorf("eval: %T cannot be computed as %s", e, e.Type())
	}
}

// place finds a column in the input row.
func (u *unit) place(x *expr.Column) (types.Loc, error) {
	if x.Index < 0 || x.Index >= len(u.in.Locs) {
		return types.Loc{}, fmt.Errorf("eval: the row has no column %d (%s)", x.Index, x.Name)
	}
	loc := u.in.Locs[x.Index]
	switch {
	case loc.Class == types.ClassNone:
		return loc, fmt.Errorf("eval: column %d (%s) is not kept in the row", x.Index, x.Name)
	case loc.Class != x.T.Class():
		return loc, fmt.Errorf("eval: column %d (%s) is %s in the row, not %s", x.Index, x.Name, u.in.Columns[x.Index].Type, x.T)
	}
	return loc, nil
}

// literalSlot gives a literal's value. Texts given for keywords (SECONDS) come in B.
func literalSlot(x *expr.Literal) types.Slot { return types.Unbox(x.T, x.Value) }
