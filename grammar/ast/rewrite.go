package ast

import "slices"

// Rewrite gives the expression with f applied to every node, children first.
// The tree it is given is not changed: a node is copied when one of its
// children was replaced. f returns its argument where nothing is to be done; it must not
// change it. Positions stay.
func Rewrite(e Expr, f func(Expr) Expr) Expr {
	if e == nil {
		return nil
	}
	return f(rewriteChildren(e, f))
}

func rewriteChildren(e Expr, f func(Expr) Expr) Expr {
	changed := false
	sub := func(x Expr) Expr {
		y := Rewrite(x, f)
		changed = changed || y != x
		return y
	}
	list := func(xs []Expr) []Expr {
		ys := slices.Clone(xs)
		for i := range ys {
			ys[i] = sub(ys[i])
		}
		return ys
	}
	var out Expr
	switch e := e.(type) {
	case *ColumnRef, *IntervalUnit, *IntLiteral, *BigintLiteral, *DecimalLiteral, *DoubleLiteral,
		*StringLiteral, *BooleanLiteral, *NullLiteral, *TypedLiteral:
		return e
	case *Deref:
		c := *e
		c.Base = sub(e.Base)
		out = &c
	case *Subscript:
		c := *e
		c.Base, c.Index = sub(e.Base), sub(e.Index)
		out = &c
	case *Unary:
		c := *e
		c.X = sub(e.X)
		out = &c
	case *Binary:
		c := *e
		c.Left, c.Right = sub(e.Left), sub(e.Right)
		out = &c
	case *Comparison:
		c := *e
		c.Left, c.Right = sub(e.Left), sub(e.Right)
		out = &c
	case *Logical:
		c := *e
		c.Left, c.Right = sub(e.Left), sub(e.Right)
		out = &c
	case *Not:
		c := *e
		c.X = sub(e.X)
		out = &c
	case *IsNull:
		c := *e
		c.X = sub(e.X)
		out = &c
	case *Between:
		c := *e
		c.X, c.Low, c.High = sub(e.X), sub(e.Low), sub(e.High)
		out = &c
	case *In:
		c := *e
		c.X, c.List = sub(e.X), list(e.List)
		out = &c
	case *Like: // the escape is a fixed literal
		c := *e
		c.X, c.Pattern = sub(e.X), sub(e.Pattern)
		out = &c
	case *Case:
		c := *e
		c.Operand = sub(e.Operand)
		c.Whens = slices.Clone(e.Whens)
		for i := range c.Whens {
			c.Whens[i].Condition, c.Whens[i].Result = sub(c.Whens[i].Condition), sub(c.Whens[i].Result)
		}
		c.Else = sub(e.Else)
		out = &c
	case *Cast:
		c := *e
		c.X = sub(e.X)
		out = &c
	case *Call:
		c := *e
		c.Args = list(e.Args)
		out = &c
	case *Lambda:
		c := *e
		c.Body = sub(e.Body)
		out = &c
	case *ArrayExpr:
		c := *e
		c.Elems = list(e.Elems)
		out = &c
	case *MapExpr:
		c := *e
		c.Entries = slices.Clone(e.Entries)
		for i := range c.Entries {
			c.Entries[i].Key, c.Entries[i].Value = sub(c.Entries[i].Key), sub(c.Entries[i].Value)
		}
		out = &c
	case *StructExpr:
		c := *e
		c.Fields = slices.Clone(e.Fields)
		for i := range c.Fields {
			c.Fields[i].Value = sub(c.Fields[i].Value)
		}
		out = &c
	case *AtTimeZone:
		c := *e
		c.X = sub(e.X)
		out = &c
	}
	if !changed {
		return e
	}
	return out
}
