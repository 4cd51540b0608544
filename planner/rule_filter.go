package planner

import (
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/logical"
)

// pushFilters is the rule that moves conditions on stream columns below a stream-table join, so that rows which are
// dropped anyway are neither looked up nor repartitioned.
//
// It is allowed where nobody can tell: the join passes each stream row on at most once and has no time of its own. Only
// conditions that cannot fail move, since a failing one is reported, and it would now be for rows that the join dropped.
// Below stream-stream joins the rows that are dropped would no longer move stream time, below table joins the tombstones
// would differ.
func pushFilters(p *logical.Project) logical.Node {
	out := *p
	out.In = pushDown(p.In)
	return &out
}

func pushDown(n logical.Node) logical.Node {
	switch n := n.(type) {
	case *logical.Filter:
		if join, ok := n.In.(*logical.Join); ok && !n.Having {
			return pushThrough(n, join)
		}
		out := *n
		out.In = pushDown(n.In)
		return &out
	case *logical.FlatMap:
		out := *n
		out.In = pushDown(n.In)
		return &out
	case *logical.Rekey:
		out := *n
		out.In = pushDown(n.In)
		return &out
	case *logical.Aggregate:
		n.In = pushDown(n.In)
		return n
	case *logical.Suppress:
		out := *n
		out.In = pushDown(n.In)
		return &out
	default: // The others are not concerned.
	}
	return n
}

// pushThrough splits a condition over a join.
func pushThrough(f *logical.Filter, join *logical.Join) logical.Node {
	if join.L.Node.Table() || !join.R.Node.Table() {
		return f
	}
	left := columnSet{}
	for _, c := range join.L.Node.Columns() {
		left.add(c.ID)
	}
	conjuncts := []expr.Expr{f.Cond}
	if and, ok := f.Cond.(*expr.And); ok {
		conjuncts = and.Xs
	}
	var down, stay []expr.Expr
	for _, c := range conjuncts {
		if reads(c, left) && cannotFail(c) {
			down = append(down, c)
		} else {
			stay = append(stay, c)
		}
	}
	if len(down) == 0 {
		return f
	}
	moved := *join
	below := &logical.Filter{Step: f.Step, In: join.L.Node, Cond: conjunction(down)}
	moved.L.Node = pushDown(below)
	if len(stay) == 0 {
		return &moved
	}
	return &logical.Filter{Step: f.Step, In: &moved, Cond: conjunction(stay)}
}

func conjunction(xs []expr.Expr) expr.Expr {
	if len(xs) == 1 {
		return xs[0]
	}
	return &expr.And{Xs: xs}
}

// reads says whether e reads nothing but the given columns, and at least one of them.
func reads(e expr.Expr, columns columnSet) bool {
	seen := columnSet{}
	seen.addExpr(e)
	for id := range seen {
		if !columns[id] {
			return false
		}
	}
	return len(seen) > 0
}

// cannotFail says whether evaluating e never is an error.
func cannotFail(e expr.Expr) bool {
	safe := true
	visitExpr(e, func(x expr.Expr) {
		switch x.(type) {
		case *expr.Column, *expr.Literal, *expr.Compare, *expr.And, *expr.Or, *expr.Not, *expr.IsNull, *expr.Between, *expr.In, *expr.FieldAccess:
		default:
			safe = false
		}
	})
	return safe
}
