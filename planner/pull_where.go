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
	var lookups []physical.Lookup
	exact := true
	for _, d := range disjuncts {
		l, all, err := w.lookup(d)
		if err != nil {
			return nil, nil, err
		}
		exact = exact && all
		if l.Key == nil && l.From == nil && l.To == nil {
			if len(disjuncts) > 1 {
				l = physical.Lookup{}
			}
		} else if l.Key == nil && len(disjuncts) > 1 && w.scanDisabled() {
			return nil, nil, scanNeeded(where)
		}
		if l.Key == nil && l.From == nil && l.To == nil {
			if l.StartMin == nil && l.StartMax == nil && l.EndMin == nil && l.EndMax == nil {
				return []physical.Lookup{{}}, cond, nil
			}
		}
		lookups = append(lookups, l)
	}
	if exact {
		return lookups, nil, nil
	}
	return lookups, cond, nil
}

// checkOperands words two errors as pull queries do.
func (w *pullWhere) checkOperands(b *binder, e ast.Expr) (err error) {
	ast.Inspect(e, func(x ast.Expr) bool {
		if err != nil {
			return false
		}
		switch x := x.(type) {
		case *ast.Like:
			if t, bindErr := b.bind(x.X); bindErr == nil && t.Type().Kind != types.String {
				err = diag.Errorf(diag.Type, x.X.Span(), "The column type for Like condition must be VARCHAR. The column type is %s", t.Type())
			}
		case *ast.Between:
			for i, side := range []ast.Expr{x.Low, x.High} {
				l, r, bindErr := b.pair(x.X, side)
				op := []ast.CompareOp{ast.GreaterOrEqual, ast.LessOrEqual}[i]
				if bindErr == nil && err == nil && comparisonType(l.Type(), r.Type(), compareOps[op]) == nil && !isNull(r) {
					err = diag.Errorf(diag.Type, x.Span(), "Invalid expression: Cannot compare %s (%s) to %s (%s) with %s.",
						b.text(x.X), l.Type(), b.text(side), r.Type(), op.Name())
				}
			}
		}
		return err == nil
	})
	return err
}

// checkKeyLists refuses constants in key IN (…) that the key cannot equal.
func (w *pullWhere) checkKeyLists(e ast.Expr) (err error) {
	ast.Inspect(e, func(x ast.Expr) bool {
		in, ok := x.(*ast.In)
		if !ok || err != nil {
			return err == nil
		}
		at := keyColumn(w.src, in.X)
		if at < 0 {
			return true
		}
		for _, item := range in.List {
			if !constant(item) {
				continue
			}
			if _, null := item.(*ast.NullLiteral); null {
				err = diag.Errorf(diag.InvalidQuery, item.Span(), "Primary key columns can not be NULL: (%s = null)", w.src.Schema.Key[at].Name)
				return false
			}
			bound, bindErr := w.a.binder("WHERE").bind(item)
			if bindErr == nil && comparisonType(bound.Type(), w.src.Schema.Key[at].Type, expr.Equal) == nil {
				err = w.notConvertible(item, at)
				return false
			}
		}
		return true
	})
	return err
}

func (w *pullWhere) notConvertible(e ast.Expr, key int) error {
	c := w.src.Schema.Key[key]
	return diag.Errorf(diag.Type, e.Span(), "%s can not be converted to the type of the key column: %s %s KEY", exprText(e), c.Name, c.Type)
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

func (w *pullWhere) scanDisabled() bool {
	return !w.env.flag("ksql.query.pull.table.scan.enabled", true)
}

func (w *pullWhere) combined(conjuncts []ast.Expr) error {
	return diag.Errorf(diag.NotSupported, conjuncts[0].Span(), "A comparison condition on the key column cannot be combined with other comparisons such as an IN predicate."+seeScan)
}

// seeScan ends the errors of queries that would have to read the whole table.
const seeScan = " See https://cnfl.io/queries for more info.\nAdd EMIT CHANGES if you intended to issue a push query.\n" +
	"Pull queries require a WHERE clause that limits the query to keys only: table scans are disabled, set ksql.query.pull.table.scan.enabled=true to allow them."

// needScan says why an access must read the whole table, when that is not allowed; conjuncts is nil without a WHERE.
func (w *pullWhere) needScan(conjuncts []ast.Expr, keys []*expr.Literal) error {
	if !w.scanDisabled() {
		return nil
	}
	at := w.a.sel.Span()
	if conjuncts == nil {
		return diag.Errorf(diag.NotSupported, at, "Missing WHERE clause."+seeScan)
	}
	some, keyed := false, 0
	for _, k := range keys {
		some = some || k != nil
	}
	for _, c := range conjuncts {
		cmp, ok := c.(*ast.Comparison)
		if !ok {
			continue
		}
		onKey := keyColumn(w.src, cmp.Left) >= 0 || keyColumn(w.src, cmp.Right) >= 0
		_, leftColumn := cmp.Left.(*ast.ColumnRef)
		_, rightColumn := cmp.Right.(*ast.ColumnRef)
		switch {
		case !leftColumn && !rightColumn:
			return diag.Errorf(diag.NotSupported, c.Span(), "A comparison must directly reference a key column."+seeScan)
		case onKey && !constant(cmp.Left) && !constant(cmp.Right):
			return diag.Errorf(diag.NotSupported, c.Span(), "A comparison must be between a key column and a resolvable expression."+seeScan)
		case onKey:
			keyed++
		}
	}
	text := exprTextWith(conjunctionOf(conjuncts), w.a.scope.text)
	switch {
	case keyed == 0:
		return diag.Errorf(diag.NotSupported, at, "WHERE clause missing key column for disjunct: %s."+seeScan, text)
	case len(keys) == 1 && keyed > 1 && w.src.Schema.Key[0].Type.Kind != types.String:
		return w.combined(conjuncts)
	case len(keys) > 1 && keyed < len(keys):
		return diag.Errorf(diag.NotSupported, at, "Multi-column sources must specify every key in the WHERE clause. Specified: %s Expected: %v."+seeScan, text, keyNames(w.src))
	}
	return scanNeeded(w.a.sel)
}

func scanNeeded(at ast.Node) error {
	return diag.Errorf(diag.NotSupported, at.Span(), "Query requires table scan to be enabled. Table scans can be enabled by setting ksql.query.pull.table.scan.enabled=true"+seeScan)
}

func conjunctionOf(list []ast.Expr) ast.Expr {
	out := list[0]
	for _, e := range list[1:] {
		out = &ast.Logical{Op: ast.And, Left: out, Right: e}
	}
	return out
}
