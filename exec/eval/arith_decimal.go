package eval

import (
	"fmt"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// decimalArith compiles + - * / % on DECIMAL: exactly, or it is an error.
func (u *unit) decimalArith(x *expr.Arith) (refFn, error) {
	l, r, err := both(u.ref, x.L, x.R)
	if err != nil {
		return nil, err
	}
	if x.T.Kind != types.Decimal {
		return nil, fmt.Errorf("eval: no operator %q on %s", x.Op, x.T)
	}
	compute, err := types.DecimalArith(string(x.Op), x.T)
	if err != nil {
		return nil, err
	}
	m := u.m
	return func(row *types.Row) (any, bool) {
		a, an := l(row)
		b, bn := r(row)
		if m.err != nil {
			return nil, true
		}
		if an || bn {
			return nil, m.nullOperand()
		}
		out := new(apd.Decimal)
		if err := compute(out, a.(*apd.Decimal), b.(*apd.Decimal)); err != nil {
			m.fail(err)
			return nil, true
		}
		return out, false
	}, nil
}

func (u *unit) negateDecimal(x *expr.Negate) (refFn, error) {
	f, err := u.ref(x.X)
	if err != nil {
		return nil, err
	}
	m := u.m
	return func(row *types.Row) (any, bool) {
		v, null := f(row)
		if null {
			return nil, m.nullOperand()
		}
		d := v.(*apd.Decimal)
		out := new(apd.Decimal).Set(d)
		out.Negative = !d.Negative && !d.IsZero()
		return out, false
	}, nil
}
