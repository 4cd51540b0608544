package eval

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// intArith compiles + - * / % on INT and BIGINT. Both wrap around, as in Java; a zero divisor is an error.
func (u *unit) intArith(x *expr.Arith) (intFn, error) {
	l, r, err := both(u.intOperand, x.L, x.R)
	if err != nil {
		return nil, err
	}
	deep := l.f != nil || r.f != nil
	// The result is shifted up and down again: by 32 bits it wraps around as an INT.
	var cut uint
	if x.T.Kind == types.Int {
		cut = 32
	}
	switch m := u.m; x.Op {
	case expr.Add:
		return func(row *types.Row) (int64, bool) {
			if deep {
				l.prepare(row)
				r.prepare(row)
			}
			a, an := l.read(row)
			b, bn := r.read(row)
			return (a + b) << (cut & 63) >> (cut & 63), (an || bn) && m.nullOperand()
		}, nil
	case expr.Subtract:
		return func(row *types.Row) (int64, bool) {
			if deep {
				l.prepare(row)
				r.prepare(row)
			}
			a, an := l.read(row)
			b, bn := r.read(row)
			return (a - b) << (cut & 63) >> (cut & 63), (an || bn) && m.nullOperand()
		}, nil
	case expr.Multiply:
		return func(row *types.Row) (int64, bool) {
			if deep {
				l.prepare(row)
				r.prepare(row)
			}
			a, an := l.read(row)
			b, bn := r.read(row)
			return (a * b) << (cut & 63) >> (cut & 63), (an || bn) && m.nullOperand()
		}, nil
	case expr.Divide:
		return divide(m, l, r, deep, func(a, b int64) int64 { return a / b << (cut & 63) >> (cut & 63) }), nil
	case expr.Modulo:
		return divide(m, l, r, deep, func(a, b int64) int64 { return a % b }), nil
	}
	return nil, fmt.Errorf("eval: no operator %q on %s", x.Op, x.T)
}

// divide makes / or %.
func divide(m *machine, l, r *intOperand, deep bool, op func(a, b int64) int64) intFn {
	return func(row *types.Row) (int64, bool) {
		if deep {
			l.prepare(row)
			r.prepare(row)
		}
		a, an := l.read(row)
		b, bn := r.read(row)
		if an || bn {
			return 0, m.nullOperand()
		}
		if b == 0 {
			m.fail(types.ErrDivisionByZero)
			return 0, true
		}
		return op(a, b), false
	}
}

// negateInt compiles unary minus on INT, BIGINT and DOUBLE.
func (u *unit) negateInt(x *expr.Negate) (intFn, error) {
	o, err := u.intOperand(x.X)
	if err != nil {
		return nil, err
	}
	m := u.m
	switch x.X.Type().Kind {
	case types.Int:
		return func(row *types.Row) (int64, bool) {
			v, null := o.get(row)
			return int64(int32(-v)), null && m.nullOperand()
		}, nil
	case types.Bigint:
		return func(row *types.Row) (int64, bool) {
			v, null := o.get(row)
			return -v, null && m.nullOperand()
		}, nil
	case types.Double:
		const sign = -1 << 63
		return func(row *types.Row) (int64, bool) {
			v, null := o.get(row)
			return v ^ sign, null && m.nullOperand()
		}, nil
	}
	return nil, fmt.Errorf("eval: no minus on %s", x.X.Type())
}
