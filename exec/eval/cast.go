package eval

import (
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// castInt compiles a CAST whose result is of class Int64. The widenings that the planner puts into arithmetic and
// comparisons cannot fail and are done in place.
func (u *unit) castInt(x *expr.Cast) (intFn, error) {
	from, to := x.X.Type().Kind, x.T.Kind
	whole := from == types.Int || from == types.Bigint
	if x.Implicit && whole && (to == types.Double || to == types.Bigint) {
		o, err := u.intOperand(x.X)
		if to == types.Bigint {
			return func(row *types.Row) (int64, bool) { return o.get(row) }, err
		}
		return func(row *types.Row) (int64, bool) {
			v, null := o.get(row)
			return bitsOf(float64(v)), null
		}, err
	}
	f, err := u.castSlot(x)
	return func(row *types.Row) (int64, bool) {
		s := f(row)
		return s.I, s.Null
	}, err
}

// castSlot compiles any CAST. It is a guarded place: text that does not parse becomes null alone.
func (u *unit) castSlot(x *expr.Cast) (slotFn, error) {
	operand, err := u.slot(x.X)
	if err != nil {
		return nil, err
	}
	convert, err := types.NewCaster(x.X.Type(), x.T)
	if err != nil {
		return nil, err
	}
	m := u.m
	var nullText []byte
	if x.T.Kind == types.String && !x.Implicit {
		nullText = u.castNull
	}
	return u.guardSlot("CAST", func(row *types.Row) types.Slot {
		s := operand(row)
		switch {
		case m.err != nil:
			return types.NullSlot
		case s.Null && nullText != nil:
			return types.BytesSlot(nullText)
		}
		s, err := convert(s)
		if err != nil {
			m.fail(err)
			return types.NullSlot
		}
		return s
	}), nil
}

// guardSlot makes an error inside f a null of f alone. Once the column has failed, f is not run at all.
func (u *unit) guardSlot(what string, f slotFn) slotFn {
	if !u.guards {
		return f
	}
	m := u.m
	return func(row *types.Row) types.Slot {
		if m.err != nil {
			return types.NullSlot
		}
		s := f(row)
		if m.err != nil {
			m.reportGuarded(what)
			return types.NullSlot
		}
		return s
	}
}
