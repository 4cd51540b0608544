package eval

import (
	"fmt"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// compare compiles a comparison. With a null operand it is false, <> included; only the null-safe operators see nulls.
func (u *unit) compare(x *expr.Compare) (condFn, error) {
	if x.Op == expr.DistinctFrom || x.Op == expr.NotDistinctFrom {
		return u.distinct(x)
	}
	switch t := x.L.Type(); {
	case t.Kind == types.Double:
		return u.compareDoubles(x)
	case t.Kind == types.String && (x.Op == expr.Equal || x.Op == expr.NotEqual), t.Kind == types.Bytes && (x.Op == expr.Equal || x.Op == expr.NotEqual):
		return u.equalBytes(x)
	case t.Kind == types.String:
		return u.orderBytes(x, func(a, b []byte) int { return types.CompareText(types.Text(a), types.Text(b)) })
	case t.Kind == types.Bytes:
		return u.orderBytes(x, types.CompareSignedBytes)
	case t.Class() == types.ClassInt64:
		return u.compareInts(x)
	case t.Kind == types.Decimal:
		return u.compareDecimals(x)
	}
	return u.equalRefs(x)
}

func unknownComparison(x *expr.Compare) error {
	return fmt.Errorf("eval: no comparison %q on %s", x.Op, x.L.Type())
}

func (u *unit) compareInts(x *expr.Compare) (condFn, error) {
	l, r, err := both(u.intOperand, x.L, x.R)
	if err != nil {
		return nil, err
	}
	deep := l.f != nil || r.f != nil
	switch x.Op {
	case expr.Equal:
		return func(row *types.Row) bool {
			if deep {
				l.prepare(row)
				r.prepare(row)
			}
			a, an := l.read(row)
			b, bn := r.read(row)
			return a == b && !an && !bn
		}, nil
	case expr.NotEqual:
		return func(row *types.Row) bool {
			if deep {
				l.prepare(row)
				r.prepare(row)
			}
			a, an := l.read(row)
			b, bn := r.read(row)
			return a != b && !an && !bn
		}, nil
	case expr.Less:
		return func(row *types.Row) bool {
			if deep {
				l.prepare(row)
				r.prepare(row)
			}
			a, an := l.read(row)
			b, bn := r.read(row)
			return a < b && !an && !bn
		}, nil
	case expr.LessOrEqual:
		return func(row *types.Row) bool {
			if deep {
				l.prepare(row)
				r.prepare(row)
			}
			a, an := l.read(row)
			b, bn := r.read(row)
			return a <= b && !an && !bn
		}, nil
	case expr.Greater:
		return func(row *types.Row) bool {
			if deep {
				l.prepare(row)
				r.prepare(row)
			}
			a, an := l.read(row)
			b, bn := r.read(row)
			return a > b && !an && !bn
		}, nil
	case expr.GreaterOrEqual:
		return func(row *types.Row) bool {
			if deep {
				l.prepare(row)
				r.prepare(row)
			}
			a, an := l.read(row)
			b, bn := r.read(row)
			return a >= b && !an && !bn
		}, nil
	}
	return nil, unknownComparison(x)
}

// compareDoubles compares by IEEE 754: NaN equals nothing, not even itself.
func (u *unit) compareDoubles(x *expr.Compare) (condFn, error) {
	l, r, err := both(u.intOperand, x.L, x.R)
	if err != nil {
		return nil, err
	}
	deep := l.f != nil || r.f != nil
	switch x.Op {
	case expr.Equal:
		return func(row *types.Row) bool {
			if deep {
				l.prepare(row)
				r.prepare(row)
			}
			a, an := l.read(row)
			b, bn := r.read(row)
			return double(a) == double(b) && !an && !bn
		}, nil
	case expr.NotEqual:
		return func(row *types.Row) bool {
			if deep {
				l.prepare(row)
				r.prepare(row)
			}
			a, an := l.read(row)
			b, bn := r.read(row)
			return double(a) != double(b) && !an && !bn
		}, nil
	case expr.Less:
		return func(row *types.Row) bool {
			if deep {
				l.prepare(row)
				r.prepare(row)
			}
			a, an := l.read(row)
			b, bn := r.read(row)
			return double(a) < double(b) && !an && !bn
		}, nil
	case expr.LessOrEqual:
		return func(row *types.Row) bool {
			if deep {
				l.prepare(row)
				r.prepare(row)
			}
			a, an := l.read(row)
			b, bn := r.read(row)
			return double(a) <= double(b) && !an && !bn
		}, nil
	case expr.Greater:
		return func(row *types.Row) bool {
			if deep {
				l.prepare(row)
				r.prepare(row)
			}
			a, an := l.read(row)
			b, bn := r.read(row)
			return double(a) > double(b) && !an && !bn
		}, nil
	case expr.GreaterOrEqual:
		return func(row *types.Row) bool {
			if deep {
				l.prepare(row)
				r.prepare(row)
			}
			a, an := l.read(row)
			b, bn := r.read(row)
			return double(a) >= double(b) && !an && !bn
		}, nil
	}
	return nil, unknownComparison(x)
}

func (u *unit) equalBytes(x *expr.Compare) (condFn, error) {
	l, r, err := both(u.bytesOperand, x.L, x.R)
	if err != nil {
		return nil, err
	}
	deep := l.f != nil || r.f != nil
	want := x.Op == expr.Equal
	return func(row *types.Row) bool {
		if deep {
			l.prepare(row)
			r.prepare(row)
		}
		a, an := l.read(row)
		b, bn := r.read(row)
		return !an && !bn && (string(a) == string(b)) == want
	}, nil
}

// signs tells for an ordering operator which of less, equal, greater make it true.
func signs(op expr.CompareOp) (less, equal, greater, ok bool) {
	switch op {
	case expr.Equal:
		return false, true, false, true
	case expr.NotEqual:
		return true, false, true, true
	case expr.Less:
		return true, false, false, true
	case expr.LessOrEqual:
		return true, true, false, true
	case expr.Greater:
		return false, false, true, true
	case expr.GreaterOrEqual:
		return false, true, true, true
	}
	return false, false, false, false
}

func (u *unit) orderBytes(x *expr.Compare, order func(a, b []byte) int) (condFn, error) {
	l, r, err := both(u.bytesOperand, x.L, x.R)
	if err != nil {
		return nil, err
	}
	deep := l.f != nil || r.f != nil
	less, equal, greater, ok := signs(x.Op)
	if !ok {
		return nil, unknownComparison(x)
	}
	return func(row *types.Row) bool {
		if deep {
			l.prepare(row)
			r.prepare(row)
		}
		a, an := l.read(row)
		b, bn := r.read(row)
		if an || bn {
			return false
		}
		c := order(a, b)
		return c < 0 && less || c == 0 && equal || c > 0 && greater
	}, nil
}

// compareDecimals compares by value: 1.0 equals 1.00.
func (u *unit) compareDecimals(x *expr.Compare) (condFn, error) {
	l, r, err := both(u.ref, x.L, x.R)
	if err != nil {
		return nil, err
	}
	less, equal, greater, ok := signs(x.Op)
	if !ok {
		return nil, unknownComparison(x)
	}
	return func(row *types.Row) bool {
		a, an := l(row)
		b, bn := r(row)
		if an || bn {
			return false
		}
		c := a.(*apd.Decimal).Cmp(b.(*apd.Decimal))
		return c < 0 && less || c == 0 && equal || c > 0 && greater
	}, nil
}

// equalRefs compares ARRAYs, MAPs and STRUCTs, which have no order.
func (u *unit) equalRefs(x *expr.Compare) (condFn, error) {
	if x.Op != expr.Equal && x.Op != expr.NotEqual {
		return nil, unknownComparison(x)
	}
	l, r, err := both(u.ref, x.L, x.R)
	want := x.Op == expr.Equal
	return func(row *types.Row) bool {
		a, an := l(row)
		b, bn := r(row)
		return !an && !bn && types.EqualBoxed(a, b) == want
	}, err
}

// distinct compiles IS [NOT] DISTINCT FROM, for which null equals null and nothing else.
func (u *unit) distinct(x *expr.Compare) (condFn, error) {
	l, r, err := both(u.slot, x.L, x.R)
	if err != nil {
		return nil, err
	}
	want := x.Op == expr.DistinctFrom
	equal := types.SlotEqualer(x.L.Type())
	return func(row *types.Row) bool {
		a, b := l(row), r(row)
		differ := a.Null != b.Null
		if !a.Null && !b.Null {
			differ = !equal(a, b)
		}
		return differ == want
	}, nil
}
