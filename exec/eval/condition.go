package eval

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// condition compiles a BOOLEAN expression whose null counts as false: WHERE, HAVING, WHEN.
func (u *unit) condition(e expr.Expr) (condFn, error) {
	switch x := u.fold(e).(type) {
	case *expr.Compare:
		return u.compare(x)
	case *expr.And:
		return u.and(x)
	case *expr.Or:
		return u.or(x)
	case *expr.Not:
		f, err := u.operand(x.X)
		return func(row *types.Row) bool { return !f(row) }, err
	case *expr.IsNull:
		return u.isNull(x)
	case *expr.Between:
		return u.between(x)
	case *expr.In:
		return u.inList(x)
	case *expr.Like:
		return u.like(x)
	default:
		return u.truth(e)
	}
}

// truth compiles a BOOLEAN value as a condition.
func (u *unit) truth(e expr.Expr) (condFn, error) {
	if k := e.Type().Kind; k != types.Boolean && k != types.Null {
		return nil, fmt.Errorf("eval: %s is no condition", e.Type())
	}
	o, err := u.intOperand(e)
	return func(row *types.Row) bool {
		v, null := o.get(row)
		return !null && v != 0
	}, err
}

// operand compiles an operand of AND, OR and NOT, where a null is an error: Java unboxes it.
func (u *unit) operand(e expr.Expr) (condFn, error) {
	switch e.(type) {
	case *expr.Compare, *expr.And, *expr.Or, *expr.Not, *expr.IsNull, *expr.Between, *expr.In, *expr.Like:
		return u.condition(e) // never null
	default:
		o, err := u.intOperand(e)
		m := u.m
		return func(row *types.Row) bool {
			v, null := o.get(row)
			if null {
				m.fail(errNullCondition)
			}
			return v != 0 && !null
		}, err
	}
}

func (u *unit) operands(es []expr.Expr) ([]condFn, error) {
	fs := make([]condFn, len(es))
	for i, e := range es {
		f, err := u.operand(e)
		if err != nil {
			return nil, err
		}
		fs[i] = f
	}
	return fs, nil
}

func (u *unit) and(x *expr.And) (condFn, error) {
	fs, err := u.operands(x.Xs)
	if len(fs) == 2 {
		a, b := fs[0], fs[1]
		return func(row *types.Row) bool { return a(row) && b(row) }, err
	}
	return func(row *types.Row) bool {
		for _, f := range fs {
			if !f(row) {
				return false
			}
		}
		return true
	}, err
}

// or stops at the first true, and at the first error: what follows would not have been looked at.
func (u *unit) or(x *expr.Or) (condFn, error) {
	fs, err := u.operands(x.Xs)
	m := u.m
	return func(row *types.Row) bool {
		for _, f := range fs {
			if f(row) {
				return true
			}
			if m.err != nil {
				return false
			}
		}
		return false
	}, err
}

func (u *unit) isNull(x *expr.IsNull) (condFn, error) {
	negated := x.Negated
	if c, ok := x.X.(*expr.Column); ok {
		loc, err := u.place(c)
		return func(row *types.Row) bool { return row.IsNull(loc) != negated }, err
	}
	f, err := u.slot(x.X)
	return func(row *types.Row) bool { return f(row).Null != negated }, err
}

// between compiles X BETWEEN Lo AND Hi: false when any is null, and NOT BETWEEN is its contrary.
func (u *unit) between(x *expr.Between) (condFn, error) {
	v, prepare, err := u.once(x.X)
	if err != nil {
		return nil, err
	}
	low, err := u.compare(&expr.Compare{Op: expr.GreaterOrEqual, L: v, R: x.Lo})
	if err != nil {
		return nil, err
	}
	high, err := u.compare(&expr.Compare{Op: expr.LessOrEqual, L: v, R: x.Hi})
	if err != nil {
		return nil, err
	}
	negated := x.Negated
	return func(row *types.Row) bool {
		if prepare != nil {
			prepare(row)
		}
		return (low(row) && high(row)) != negated
	}, nil
}

// like compiles LIKE. A null text or pattern is an error.
func (u *unit) like(x *expr.Like) (condFn, error) {
	text, pattern, err := both(u.bytesOperand, x.X, x.Pattern)
	if err != nil {
		return nil, err
	}
	m, negated, escape := u.m, x.Negated, x.Escape
	var matcher *types.Like
	var last []byte
	return func(row *types.Row) bool {
		s, null := text.get(row)
		p, noPattern := pattern.get(row)
		if null || noPattern {
			m.fail(errNullLike)
			return false
		}
		if matcher == nil || string(p) != string(last) {
			last = append(last[:0], p...)
			matcher = types.NewLike(string(p), escape)
		}
		return matcher.Match(s) != negated
	}, nil
}
