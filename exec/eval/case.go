package eval

import (
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// branch is one WHEN.
type branch[T any] struct {
	cond condFn
	then fn[T]
}

// compileCase compiles a searched CASE: lazily, the first true condition counts.
func compileCase[F fn[T], T any](u *unit, x *expr.Case, compile func(expr.Expr) (F, error)) (fn[T], error) {
	branches := make([]branch[T], len(x.Whens))
	for i, w := range x.Whens {
		cond, err := u.condition(w.Cond)
		if err != nil {
			return nil, err
		}
		then, err := compile(w.Then)
		if err != nil {
			return nil, err
		}
		branches[i] = branch[T]{cond, fn[T](then)}
	}
	var otherwise fn[T]
	if x.Else != nil {
		f, err := compile(x.Else)
		if err != nil {
			return nil, err
		}
		otherwise = fn[T](f)
	}
	m := u.m
	return func(row *types.Row) (T, bool) {
		var zero T
		for i := range branches {
			if branches[i].cond(row) {
				return branches[i].then(row)
			}
			if m.err != nil {
				return zero, true
			}
		}
		if otherwise == nil {
			return zero, true
		}
		return otherwise(row)
	}, nil
}
