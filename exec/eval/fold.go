package eval

import (
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// fold computes an expression whose value cannot change and gives it as a literal. One that fails is left as it is: its
// error belongs to each row.
func (u *unit) fold(e expr.Expr) expr.Expr {
	if _, is := e.(*expr.Literal); is || !u.isConstant(e) {
		return e
	}
	c := u.unit(&types.Layout{})
	c.guards = false
	c.folding = true
	f, err := c.slot(e)
	if err != nil {
		return e
	}
	s := f(&types.Row{})
	if c.m.take() != nil {
		return e
	}
	return &expr.Literal{Value: s.Boxed(e.Type()), T: e.Type()}
}

// isConstant reports whether e is built of literals by deterministic means.
func (u *unit) isConstant(e expr.Expr) bool {
	if u.folding {
		return false
	}
	switch x := e.(type) {
	case *expr.Literal:
		return true
	case *expr.Cast:
		return u.isConstant(x.X)
	case *expr.Negate:
		return u.isConstant(x.X)
	case *expr.Arith:
		return u.isConstant(x.L) && u.isConstant(x.R)
	case *expr.Call:
		o, err := u.overload(x)
		return err == nil && !o.Nondeterministic && len(x.Args) > 0 && u.allConstant(x.Args)
	case *expr.MakeArray:
		return u.allConstant(x.Items)
	default:
		return false
	}
}

func (u *unit) allConstant(es []expr.Expr) bool {
	for _, e := range es {
		if !u.isConstant(e) {
			return false
		}
	}
	return true
}
