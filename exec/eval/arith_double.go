package eval

import (
	"fmt"
	"math"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// doubleArith compiles + - * / % on DOUBLE by IEEE 754: nothing is an error, x/0 is an infinity.
func (u *unit) doubleArith(x *expr.Arith) (intFn, error) {
	l, r, err := both(u.intOperand, x.L, x.R)
	if err != nil {
		return nil, err
	}
	deep := l.f != nil || r.f != nil
	switch m := u.m; x.Op {
	case expr.Add:
		return func(row *types.Row) (int64, bool) {
			if deep {
				l.prepare(row)
				r.prepare(row)
			}
			a, an := l.read(row)
			b, bn := r.read(row)
			return bitsOf(double(a) + double(b)), (an || bn) && m.nullOperand()
		}, nil
	case expr.Subtract:
		return func(row *types.Row) (int64, bool) {
			if deep {
				l.prepare(row)
				r.prepare(row)
			}
			a, an := l.read(row)
			b, bn := r.read(row)
			return bitsOf(double(a) - double(b)), (an || bn) && m.nullOperand()
		}, nil
	case expr.Multiply:
		return func(row *types.Row) (int64, bool) {
			if deep {
				l.prepare(row)
				r.prepare(row)
			}
			a, an := l.read(row)
			b, bn := r.read(row)
			return bitsOf(double(a) * double(b)), (an || bn) && m.nullOperand()
		}, nil
	case expr.Divide:
		return func(row *types.Row) (int64, bool) {
			if deep {
				l.prepare(row)
				r.prepare(row)
			}
			a, an := l.read(row)
			b, bn := r.read(row)
			return bitsOf(double(a) / double(b)), (an || bn) && m.nullOperand()
		}, nil
	case expr.Modulo:
		return func(row *types.Row) (int64, bool) {
			if deep {
				l.prepare(row)
				r.prepare(row)
			}
			a, an := l.read(row)
			b, bn := r.read(row)
			return bitsOf(math.Mod(double(a), double(b))), (an || bn) && m.nullOperand()
		}, nil
	}
	return nil, fmt.Errorf("eval: no operator %q on DOUBLE", x.Op)
}

// double gives the DOUBLE that a slot holds; bitsOf is the way back.
func double(v int64) float64 { return math.Float64frombits(uint64(v)) }

func bitsOf(v float64) int64 { return int64(math.Float64bits(v)) }
