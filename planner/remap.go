package planner

import "github.com/ksqlgo/ksqlgo/planner/expr"

// rewriteExpr gives e with f applied to every node, children first; nodes are copied, never changed. f returns its
// argument where nothing is to be done.
func rewriteExpr(e expr.Expr, f func(expr.Expr) expr.Expr) expr.Expr {
	if e == nil {
		return nil
	}
	sub := func(x expr.Expr) expr.Expr { return rewriteExpr(x, f) }
	list := func(xs []expr.Expr) []expr.Expr {
		out := make([]expr.Expr, len(xs))
		for i, x := range xs {
			out[i] = sub(x)
		}
		return out
	}
	switch e := e.(type) {
	case *expr.Column, *expr.Literal, *expr.LambdaVar:
		return f(e)
	case *expr.Arith:
		return f(&expr.Arith{Op: e.Op, L: sub(e.L), R: sub(e.R), T: e.T})
	case *expr.Negate:
		return f(&expr.Negate{X: sub(e.X)})
	case *expr.Compare:
		return f(&expr.Compare{Op: e.Op, L: sub(e.L), R: sub(e.R)})
	case *expr.And:
		return f(&expr.And{Xs: list(e.Xs)})
	case *expr.Or:
		return f(&expr.Or{Xs: list(e.Xs)})
	case *expr.Not:
		return f(&expr.Not{X: sub(e.X)})
	case *expr.IsNull:
		return f(&expr.IsNull{X: sub(e.X), Negated: e.Negated})
	case *expr.Between:
		return f(&expr.Between{X: sub(e.X), Lo: sub(e.Lo), Hi: sub(e.Hi), Negated: e.Negated})
	case *expr.In:
		return f(&expr.In{X: sub(e.X), List: list(e.List), Negated: e.Negated})
	case *expr.Like:
		return f(&expr.Like{X: sub(e.X), Pattern: sub(e.Pattern), Escape: e.Escape, Negated: e.Negated})
	case *expr.Case:
		c := &expr.Case{Whens: make([]expr.When, len(e.Whens)), T: e.T}
		for i, w := range e.Whens {
			c.Whens[i] = expr.When{Cond: sub(w.Cond), Then: sub(w.Then)}
		}
		if e.Else != nil {
			c.Else = sub(e.Else)
		}
		return f(c)
	case *expr.Cast:
		return f(&expr.Cast{X: sub(e.X), T: e.T, Implicit: e.Implicit})
	case *expr.Subscript:
		return f(&expr.Subscript{X: sub(e.X), Index: sub(e.Index), T: e.T})
	case *expr.FieldAccess:
		return f(&expr.FieldAccess{X: sub(e.X), Index: e.Index, Name: e.Name, T: e.T})
	case *expr.Call:
		return f(&expr.Call{Name: e.Name, Overload: e.Overload, Args: list(e.Args), T: e.T})
	case *expr.Lambda:
		return f(&expr.Lambda{Params: e.Params, Body: sub(e.Body), T: e.T})
	case *expr.MakeArray:
		return f(&expr.MakeArray{Items: list(e.Items), T: e.T})
	case *expr.MakeMap:
		return f(&expr.MakeMap{Keys: list(e.Keys), Values: list(e.Values), T: e.T})
	case *expr.MakeStruct:
		return f(&expr.MakeStruct{Fields: list(e.Fields), T: e.T})
	}
	return e
}

// visitExpr calls f with every node of e.
func visitExpr(e expr.Expr, f func(expr.Expr)) {
	rewriteExpr(e, func(x expr.Expr) expr.Expr { f(x); return x })
}

// columnSet is a set of column IDs.
type columnSet map[int]bool

// addExpr adds the columns that e reads.
func (s columnSet) addExpr(es ...expr.Expr) {
	for _, e := range es {
		visitExpr(e, func(x expr.Expr) {
			if c, ok := x.(*expr.Column); ok {
				s[c.Index] = true
			}
		})
	}
}

func (s columnSet) add(ids ...int) {
	for _, id := range ids {
		s[id] = true
	}
}

func (s columnSet) clone() columnSet {
	out := make(columnSet, len(s))
	for id := range s {
		out[id] = true
	}
	return out
}
