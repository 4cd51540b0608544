package planner

import (
	"math"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// maxDisjuncts bounds the normal form of a WHERE clause; beyond it the table is scanned.
const maxDisjuncts = 1024

// pullWhere turns the WHERE clause of a pull query into accesses and a filter.
type pullWhere struct {
	env *Env
	a   *analyzer
	src *catalog.Source
}

// plan gives the accesses that find all rows for which the condition may hold, and the condition as a filter, nil where
// the accesses find nothing else.
func (w *pullWhere) plan(where ast.Expr) ([]physical.Lookup, expr.Expr, error) {
	if where == nil {
		if err := w.needScan(nil, nil); err != nil {
			return nil, nil, err
		}
		return []physical.Lookup{{}}, nil, nil
	}
	q, err := w.a.qualify(where, "WHERE")
	if err != nil {
		return nil, nil, err
	}
	if err := w.checkKeyLists(q); err != nil {
		return nil, nil, err
	}
	b := w.a.binder("WHERE")
	b.magic = true
	if err := w.checkOperands(b, q); err != nil {
		return nil, nil, err
	}
	cond, err := b.predicate(q)
	if err != nil {
		if d, ok := diag.As(err); ok && d.Code == diag.Type {
			c := *d
			c.Message += "\nStatement: " + exprTextWith(q, w.a.scope.text)
			return nil, nil, &c
		}
		return nil, nil, err
	}
	disjuncts, ok := normalForm(expandLists(q))
	if !ok {
		disjuncts = [][]ast.Expr{{q}}
	}
	lookups, exact, err := w.lookups(disjuncts, where)
	if err != nil || exact {
		return lookups, nil, err
	}
	return lookups, cond, nil
}

// lookups finds an access for each part of the condition; one that must read the whole table makes the others needless.
// exact says that the accesses find nothing but what the condition asks for.
func (w *pullWhere) lookups(disjuncts [][]ast.Expr, where ast.Expr) (out []physical.Lookup, exact bool, err error) {
	exact = true
	for _, d := range disjuncts {
		l, all, err := w.lookup(d)
		if err != nil {
			return nil, false, err
		}
		exact = exact && all
		keyed := l.Key != nil || l.From != nil || l.To != nil
		switch {
		case l.Key == nil && len(disjuncts) > 1 && w.scanDisabled():
			return nil, false, scanNeeded(where)
		case !keyed && (len(disjuncts) > 1 || l.StartMin == nil && l.StartMax == nil && l.EndMin == nil && l.EndMax == nil):
			return []physical.Lookup{{}}, false, nil
		}
		out = append(out, l)
	}
	return out, exact, nil
}

// constant says whether an expression reads no column.
func constant(e ast.Expr) bool {
	yes := true
	ast.Inspect(e, func(x ast.Expr) bool {
		if _, ok := x.(*ast.ColumnRef); ok {
			yes = false
		}
		return yes
	})
	return yes
}

// expandLists writes IN and BETWEEN as comparisons.
func expandLists(e ast.Expr) ast.Expr {
	return ast.Rewrite(e, func(x ast.Expr) ast.Expr {
		switch x := x.(type) {
		case *ast.In:
			if x.Negated || len(x.List) > maxDisjuncts {
				return x
			}
			var out ast.Expr
			for _, item := range x.List {
				eq := &ast.Comparison{Located: x.Located, Op: ast.Equals, Left: x.X, Right: item}
				if out == nil {
					out = eq
				} else {
					out = &ast.Logical{Located: x.Located, Op: ast.Or, Left: out, Right: eq}
				}
			}
			return out
		case *ast.Between:
			if x.Negated {
				return x
			}
			return &ast.Logical{
				Located: x.Located, Op: ast.And,
				Left:  &ast.Comparison{Located: x.Located, Op: ast.GreaterOrEqual, Left: x.X, Right: x.Low},
				Right: &ast.Comparison{Located: x.Located, Op: ast.LessOrEqual, Left: x.X, Right: x.High},
			}
		default: // The others are not concerned.
		}
		return x
	})
}

// normalForm brings a condition to disjunctive normal form; ok is false when that has too many parts.
func normalForm(e ast.Expr) (out [][]ast.Expr, ok bool) {
	l, isLogical := e.(*ast.Logical)
	if !isLogical {
		return [][]ast.Expr{{e}}, true
	}
	left, ok := normalForm(l.Left)
	if !ok {
		return nil, false
	}
	right, ok := normalForm(l.Right)
	if !ok {
		return nil, false
	}
	if l.Op == ast.Or {
		out = append(left, right...)
		return out, len(out) <= maxDisjuncts
	}
	if len(left)*len(right) > maxDisjuncts {
		return nil, false
	}
	for _, a := range left {
		for _, b := range right {
			out = append(out, append(append([]ast.Expr(nil), a...), b...))
		}
	}
	return out, true
}

// lookup finds the access for one conjunction. all says that it finds exactly the rows of the conjunction.
func (w *pullWhere) lookup(conjuncts []ast.Expr) (l physical.Lookup, all bool, err error) {
	keys := make([]*expr.Literal, len(w.src.Schema.Key))
	given, used := 0, 0
	var ranged, clash bool
	for _, c := range conjuncts {
		left, op, right, ok := oriented(c)
		if !ok {
			continue
		}
		if at := keyColumn(w.src, left); at >= 0 {
			lit, err := w.key(right, at)
			if err != nil {
				return l, false, err
			}
			if op == ast.Equals {
				if keys[at] != nil {
					clash = true
					continue
				}
				keys[at] = lit
				given++
				used++
				continue
			}
			ranged = true
			w.bound(&l, op, lit)
			continue
		}
		w.windowBound(&l, left, op, right)
	}
	if given == len(keys) && !clash {
		l.Key, l.From, l.To = keys, nil, nil
		return l, used == len(conjuncts), nil
	}
	if given == len(keys) {
		if w.scanDisabled() {
			return l, false, w.combined(conjuncts)
		}
		l.Key, l.From, l.To = keys, nil, nil
		return l, false, nil
	}
	rangeable := ranged && len(keys) == 1 && w.src.Window == types.NoWindow && w.env.flag("ksql.query.pull.range.scan.enabled", true)
	if k := w.src.Schema.Key; rangeable && (k[0].Type.Kind == types.String || k[0].Type.Kind == types.Bytes) {
		return l, false, nil
	}
	l.From, l.To = nil, nil
	return l, false, w.needScan(conjuncts, keys)
}

// oriented gives a comparison of a column with a constant, the column on the left.
func oriented(e ast.Expr) (column ast.Expr, op ast.CompareOp, constantSide ast.Expr, ok bool) {
	c, isComparison := e.(*ast.Comparison)
	if !isComparison {
		return nil, 0, nil, false
	}
	switch c.Op {
	case ast.Equals, ast.Less, ast.LessOrEqual, ast.Greater, ast.GreaterOrEqual:
	default:
		return nil, 0, nil, false
	}
	if _, isColumn := c.Left.(*ast.ColumnRef); isColumn && constant(c.Right) {
		return c.Left, c.Op, c.Right, true
	}
	if _, isColumn := c.Right.(*ast.ColumnRef); isColumn && constant(c.Left) {
		return c.Right, c.Op.Flip(), c.Left, true
	}
	return nil, 0, nil, false
}

// key computes a constant as a value of a key column.
func (w *pullWhere) key(e ast.Expr, at int) (*expr.Literal, error) {
	t := w.src.Schema.Key[at].Type
	x, err := w.a.binder("WHERE").bind(e)
	if err != nil {
		return nil, err
	}
	if x.Type().Kind == types.Null {
		return nil, diag.Errorf(diag.InvalidQuery, e.Span(), "Primary key columns can not be NULL: (%s = null)", w.src.Schema.Key[at].Name)
	}
	v, err := w.env.evaluate(x)
	if err != nil {
		return nil, diag.Errorf(diag.InvalidQuery, e.Span(), "%s cannot be computed: %v", exprText(e), err)
	}
	if v.Null {
		return nil, diag.Errorf(diag.InvalidQuery, e.Span(), "Primary key columns can not be NULL: (%s = null)", w.src.Schema.Key[at].Name)
	}
	boxed := v.Boxed(x.Type())
	if n, ok := boxed.(int64); ok && t.Kind == types.Int && n >= math.MinInt32 && n <= math.MaxInt32 {
		return &expr.Literal{Value: int32(n), T: t}, nil
	}
	out, ok := coerceValue(boxed, x.Type(), t)
	ok = ok && len(unknownFields(nil, "", x.Type(), t)) == 0
	if !ok {
		return nil, w.notConvertible(e, at)
	}
	return &expr.Literal{Value: out, T: t}, nil
}

// bound narrows the range of a single key column.
func (w *pullWhere) bound(l *physical.Lookup, op ast.CompareOp, lit *expr.Literal) {
	switch op {
	case ast.Greater, ast.GreaterOrEqual:
		if l.From == nil || types.Compare(lit.Value, l.From.Value) > 0 {
			l.From, l.FromInclusive = lit, op == ast.GreaterOrEqual
		} else if types.Compare(lit.Value, l.From.Value) == 0 && op == ast.Greater {
			l.FromInclusive = false
		}
	case ast.Less, ast.LessOrEqual:
		if l.To == nil || types.Compare(lit.Value, l.To.Value) < 0 {
			l.To, l.ToInclusive = lit, op == ast.LessOrEqual
		} else if types.Compare(lit.Value, l.To.Value) == 0 && op == ast.Less {
			l.ToInclusive = false
		}
	}
}

// windowBound narrows the windows looked at, if the column is a window bound.
func (w *pullWhere) windowBound(l *physical.Lookup, column ast.Expr, op ast.CompareOp, e ast.Expr) {
	lo, hi := &l.StartMin, &l.StartMax
	switch column.(*ast.ColumnRef).Name.Name {
	case types.WindowStart:
	case types.WindowEnd:
		lo, hi = &l.EndMin, &l.EndMax
	default:
		return
	}
	b := w.a.binder("WHERE")
	b.magic = true
	x, err := b.operand(e, column)
	if err != nil {
		return
	}
	v, err := w.env.evaluate(x)
	if k := x.Type().Kind; err != nil || v.Null || k != types.Int && k != types.Bigint {
		return
	}
	atLeast := func(ms int64) {
		if *lo == nil || **lo < ms {
			*lo = &ms
		}
	}
	atMost := func(ms int64) {
		if *hi == nil || **hi > ms {
			*hi = &ms
		}
	}
	switch op {
	case ast.Equals:
		atLeast(v.I)
		atMost(v.I)
	case ast.GreaterOrEqual:
		atLeast(v.I)
	case ast.Greater:
		if v.I < math.MaxInt64 {
			atLeast(v.I + 1)
		}
	case ast.LessOrEqual:
		atMost(v.I)
	case ast.Less:
		if v.I > math.MinInt64 {
			atMost(v.I - 1)
		}
	}
}
