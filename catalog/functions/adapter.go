package functions

import (
	"fmt"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Value lists the Go types that stand for SQL types in typed functions: the boxed forms of package types. A string or
// []byte argument is a view that is valid during the call only.
type Value interface {
	bool | int32 | int64 | float64 | string | []byte | *apd.Decimal | types.DateValue | types.TimeValue |
		types.TimestampValue | []any | *types.MapValue | types.StructValue
}

// reader gives the conversion from a slot that is not null; chosen once, so that a call costs no type switch.
func reader[T Value]() func(*types.Slot) T {
	var zero T
	var f any
	switch any(zero).(type) {
	case bool:
		f = func(s *types.Slot) bool { return s.I != 0 }
	case int32:
		f = func(s *types.Slot) int32 { return int32(s.I) }
	case int64:
		f = func(s *types.Slot) int64 { return s.I }
	case float64:
		f = func(s *types.Slot) float64 { return s.Double() }
	case string:
		f = func(s *types.Slot) string { return types.Text(s.B) }
	case []byte:
		f = func(s *types.Slot) []byte {
			if s.B == nil {
				return []byte{}
			}
			return s.B
		}
	case *apd.Decimal:
		f = func(s *types.Slot) *apd.Decimal { return s.R.(*apd.Decimal) }
	case types.DateValue:
		f = func(s *types.Slot) types.DateValue { return types.DateValue(s.I) }
	case types.TimeValue:
		f = func(s *types.Slot) types.TimeValue { return types.TimeValue(s.I) }
	case types.TimestampValue:
		f = func(s *types.Slot) types.TimestampValue { return types.TimestampValue(s.I) }
	case []any:
		f = func(s *types.Slot) []any { return s.R.([]any) }
	case *types.MapValue:
		f = func(s *types.Slot) *types.MapValue { return s.R.(*types.MapValue) }
	case types.StructValue:
		f = func(s *types.Slot) types.StructValue { return s.R.(types.StructValue) }
	}
	return f.(func(*types.Slot) T)
}

// writer gives the conversion to a slot. A nil slice, map or decimal becomes null.
func writer[T Value]() func(T) types.Slot {
	var zero T
	var f any
	switch any(zero).(type) {
	case bool:
		f = types.BoolSlot
	case int32:
		f = func(v int32) types.Slot { return types.Slot{I: int64(v)} }
	case int64:
		f = types.IntSlot
	case float64:
		f = types.DoubleSlot
	case string:
		f = types.StringSlot
	case []byte:
		f = func(v []byte) types.Slot { return types.Slot{B: v, Null: v == nil} }
	case *apd.Decimal:
		f = func(v *apd.Decimal) types.Slot {
			if v == nil {
				return types.NullSlot
			}
			return types.Slot{R: v}
		}
	case types.DateValue:
		f = func(v types.DateValue) types.Slot { return types.Slot{I: int64(v)} }
	case types.TimeValue:
		f = func(v types.TimeValue) types.Slot { return types.Slot{I: int64(v)} }
	case types.TimestampValue:
		f = func(v types.TimestampValue) types.Slot { return types.Slot{I: int64(v)} }
	case []any:
		f = func(v []any) types.Slot {
			if v == nil {
				return types.NullSlot
			}
			return types.Slot{R: v}
		}
	case *types.MapValue:
		f = func(v *types.MapValue) types.Slot {
			if v == nil {
				return types.NullSlot
			}
			return types.Slot{R: v}
		}
	case types.StructValue:
		f = func(v types.StructValue) types.Slot {
			if v == nil {
				return types.NullSlot
			}
			return types.Slot{R: v}
		}
	}
	return f.(func(T) types.Slot)
}

// Slots makes an overload of a function on slots, which sees nulls itself and keeps nothing between calls.
func Slots(f func(args []types.Slot) (types.Slot, error)) Constructor {
	return func(*Env, []*types.Type, *types.Type) (Call, error) { return f, nil }
}

// Nullary makes an overload without parameters.
func Nullary[R Value](f func() R) Constructor {
	return func(*Env, []*types.Type, *types.Type) (Call, error) {
		write := writer[R]()
		return func([]types.Slot) (types.Slot, error) { return write(f()), nil }, nil
	}
}

// Unary makes an overload of one parameter; null in, null out.
func Unary[A, R Value](f func(A) R) Constructor {
	return func(*Env, []*types.Type, *types.Type) (Call, error) {
		read, write := reader[A](), writer[R]()
		return func(args []types.Slot) (types.Slot, error) {
			if args[0].Null {
				return types.NullSlot, nil
			}
			return write(f(read(&args[0]))), nil
		}, nil
	}
}

// TryUnary is [Unary] for a function that can fail.
func TryUnary[A, R Value](f func(A) (R, error)) Constructor {
	return func(*Env, []*types.Type, *types.Type) (Call, error) {
		read, write := reader[A](), writer[R]()
		return func(args []types.Slot) (types.Slot, error) {
			if args[0].Null {
				return types.NullSlot, nil
			}
			r, err := f(read(&args[0]))
			if err != nil {
				return types.NullSlot, err
			}
			return write(r), nil
		}, nil
	}
}

// Binary makes an overload of two parameters; any null in, null out.
func Binary[A, B, R Value](f func(A, B) R) Constructor {
	return func(*Env, []*types.Type, *types.Type) (Call, error) {
		a, b, write := reader[A](), reader[B](), writer[R]()
		return func(args []types.Slot) (types.Slot, error) {
			if args[0].Null || args[1].Null {
				return types.NullSlot, nil
			}
			return write(f(a(&args[0]), b(&args[1]))), nil
		}, nil
	}
}

// TryBinary is [Binary] for a function that can fail.
func TryBinary[A, B, R Value](f func(A, B) (R, error)) Constructor {
	return func(*Env, []*types.Type, *types.Type) (Call, error) {
		a, b, write := reader[A](), reader[B](), writer[R]()
		return func(args []types.Slot) (types.Slot, error) {
			if args[0].Null || args[1].Null {
				return types.NullSlot, nil
			}
			r, err := f(a(&args[0]), b(&args[1]))
			if err != nil {
				return types.NullSlot, err
			}
			return write(r), nil
		}, nil
	}
}

// Ternary makes an overload of three parameters; any null in, null out.
func Ternary[A, B, C, R Value](f func(A, B, C) R) Constructor {
	return TryTernary(func(a A, b B, c C) (R, error) { return f(a, b, c), nil })
}

// TryTernary is [Ternary] for a function that can fail.
func TryTernary[A, B, C, R Value](f func(A, B, C) (R, error)) Constructor {
	return func(*Env, []*types.Type, *types.Type) (Call, error) {
		a, b, c, write := reader[A](), reader[B](), reader[C](), writer[R]()
		return func(args []types.Slot) (types.Slot, error) {
			if args[0].Null || args[1].Null || args[2].Null {
				return types.NullSlot, nil
			}
			r, err := f(a(&args[0]), b(&args[1]), c(&args[2]))
			if err != nil {
				return types.NullSlot, err
			}
			return write(r), nil
		}, nil
	}
}

// RefuseNull wraps an overload whose parameters at the given places are machine numbers in ksqlDB: a null there is an
// error of the call, not a null result.
func RefuseNull(construct Constructor, params ...int) Constructor {
	return func(env *Env, args []*types.Type, result *types.Type) (Call, error) {
		call, err := construct(env, args, result)
		if err != nil {
			return nil, err
		}
		return func(args []types.Slot) (types.Slot, error) {
			for _, i := range params {
				if args[i].Null {
					return types.NullSlot, fmt.Errorf("argument %d must not be null", i+1)
				}
			}
			return call(args)
		}, nil
	}
}
