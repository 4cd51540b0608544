package planner

import (
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

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
		default: // The others are not concerned.
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
