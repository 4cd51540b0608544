package eval

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// subscript compiles X[Index]. What is not there is null: a missing key, an index of 0 or beyond the ends, a null base.
func (u *unit) subscript(x *expr.Subscript) (slotFn, error) {
	base, err := u.ref(x.X)
	if err != nil {
		return nil, err
	}
	switch x.X.Type().Kind {
	case types.Array:
		return u.item(x, base)
	case types.Map:
		return u.entry(x, base)
	}
	return nil, fmt.Errorf("eval: %s has no items", x.X.Type())
}

// item compiles the access to an array, counted from 1 or, when negative, from the end.
func (u *unit) item(x *expr.Subscript, base refFn) (slotFn, error) {
	index, err := u.intOperand(x.Index)
	if err != nil {
		return nil, err
	}
	m, t, quiet := u.m, x.T, u.Mode == Interpreted
	return func(row *types.Row) types.Slot {
		v, null := base(row)
		i, noIndex := index.get(row)
		if noIndex && !quiet && !null {
			m.fail(errNullIndex)
		}
		if null || noIndex || m.err != nil {
			return types.NullSlot
		}
		items := v.([]any)
		if i < 0 {
			i += int64(len(items)) + 1
		}
		if i < 1 || i > int64(len(items)) {
			return types.NullSlot
		}
		return types.Unbox(t, items[i-1])
	}, nil
}

func (u *unit) entry(x *expr.Subscript, base refFn) (slotFn, error) {
	key, err := u.slot(x.Index)
	if err != nil {
		return nil, err
	}
	m, t, keyType := u.m, x.T, x.X.Type().Key
	if l, ok := u.fold(x.Index).(*expr.Literal); ok {
		return func(row *types.Row) types.Slot {
			v, null := base(row)
			if null || m.err != nil {
				return types.NullSlot
			}
			found, _ := v.(*types.MapValue).Get(l.Value)
			return types.Unbox(t, found)
		}, nil
	}
	return func(row *types.Row) types.Slot {
		v, null := base(row)
		k := key(row)
		if null || m.err != nil {
			return types.NullSlot
		}
		found, _ := v.(*types.MapValue).Get(k.Boxed(keyType))
		return types.Unbox(t, found)
	}, nil
}

// field compiles X->Name; null for a null struct.
func (u *unit) field(x *expr.FieldAccess) (slotFn, error) {
	base, err := u.ref(x.X)
	if err != nil {
		return nil, err
	}
	m, index, t := u.m, x.Index, x.T
	return func(row *types.Row) types.Slot {
		v, null := base(row)
		if null || m.err != nil {
			return types.NullSlot
		}
		fields := v.(types.StructValue)
		if index >= len(fields) {
			return types.NullSlot
		}
		return types.Unbox(t, fields[index])
	}, nil
}
