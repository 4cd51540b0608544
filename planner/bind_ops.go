package planner

import (
	"unicode/utf8"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

var arithOps = map[ast.BinaryOp]expr.ArithOp{
	ast.Add: expr.Add, ast.Subtract: expr.Subtract, ast.Multiply: expr.Multiply, ast.Divide: expr.Divide, ast.Modulo: expr.Modulo,
}

func (b *binder) binary(e *ast.Binary) (expr.Expr, error) {
	if e.Op == ast.Concat {
		return b.concat(e)
	}
	l, err := b.bind(e.Left)
	if err != nil {
		return nil, err
	}
	r, err := b.bind(e.Right)
	if err != nil {
		return nil, err
	}
	lt, rt := l.Type(), r.Type()
	op := arithOps[e.Op]
	switch {
	case lt.Kind == types.Null || rt.Kind == types.Null:
		return nil, b.typeError(e, "Error processing expression: %s. Arithmetic on types %s and %s are not supported.", b.text(e), nullName(lt), nullName(rt)).
			WithHint("A NULL in arithmetic has no type. Cast it: CAST(NULL AS INTEGER).")
	case lt.Kind == types.String && rt.Kind == types.String && op == expr.Add:
		return &expr.Arith{Op: op, L: l, R: r, T: types.StringType}, nil
	case !lt.IsNumeric() || !rt.IsNumeric():
		return nil, b.typeError(e, "Error processing expression: %s. Unsupported arithmetic types. %s %s", b.text(e), lt.Kind, rt.Kind)
	case lt.Kind == types.Double || rt.Kind == types.Double:
		return &expr.Arith{Op: op, L: implicit(l, types.DoubleType), R: implicit(r, types.DoubleType), T: types.DoubleType}, nil
	case lt.Kind == types.Decimal || rt.Kind == types.Decimal:
		ld, _ := types.AsDecimal(lt)
		rd, _ := types.AsDecimal(rt)
		return &expr.Arith{Op: op, L: implicit(l, ld), R: implicit(r, rd), T: types.DecimalArithType(string(op), ld, rd)}, nil
	case lt.Kind == types.Bigint || rt.Kind == types.Bigint:
		return &expr.Arith{Op: op, L: implicit(l, types.BigintType), R: implicit(r, types.BigintType), T: types.BigintType}, nil
	}
	return &expr.Arith{Op: op, L: l, R: r, T: types.IntType}, nil
}

func nullName(t *types.Type) string {
	if t.Kind == types.Null {
		return "null"
	}
	return t.String()
}

// concat binds a chain of || as one call of CONCAT, which skips nulls.
func (b *binder) concat(e *ast.Binary) (expr.Expr, error) {
	var parts []ast.Expr
	var left ast.Expr = e
	for {
		chain, ok := left.(*ast.Binary)
		if !ok || chain.Op != ast.Concat {
			break
		}
		parts = append(parts, chain.Right)
		left = chain.Left
	}
	parts = append(parts, left)
	for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
		parts[i], parts[j] = parts[j], parts[i]
	}
	return b.call(&ast.Call{Located: ast.At(e.Span()), Name: ast.NewIdent("CONCAT"), Args: parts})
}

var compareOps = map[ast.CompareOp]expr.CompareOp{
	ast.Equals: expr.Equal, ast.NotEquals: expr.NotEqual, ast.Less: expr.Less, ast.LessOrEqual: expr.LessOrEqual,
	ast.Greater: expr.Greater, ast.GreaterOrEqual: expr.GreaterOrEqual,
	ast.IsDistinctFrom: expr.DistinctFrom, ast.IsNotDistinctFrom: expr.NotDistinctFrom,
}

func (b *binder) comparison(e *ast.Comparison) (expr.Expr, error) {
	l, r, err := b.pair(e.Left, e.Right)
	if err != nil {
		return nil, err
	}
	op := compareOps[e.Op]
	lt, rt := l.Type(), r.Type()
	if lt.Kind == types.Null || rt.Kind == types.Null {
		if op == expr.DistinctFrom || op == expr.NotDistinctFrom {
			x := l
			if lt.Kind == types.Null {
				x = r
			}
			return &expr.IsNull{X: x, Negated: op == expr.DistinctFrom}, nil
		}
		return nil, b.typeError(e, "Comparison with NULL not supported: %s %s %s\nUse 'IS NULL' or 'IS NOT NULL' instead.", lt, op, rt).
			WithHint("Use 'IS NULL' or 'IS NOT NULL' instead.")
	}
	t := comparisonType(lt, rt, op)
	if t == nil {
		return nil, b.typeError(e, "Cannot compare %s (%s) to %s (%s) with %s.", b.text(e.Left), lt, b.text(e.Right), rt, e.Op.Name()).
			WithHint("Cast one side: CAST(%s AS %s).", b.text(e.Left), rt)
	}
	if l, err = b.compareAs(e.Left, l, t); err != nil {
		return nil, err
	}
	if r, err = b.compareAs(e.Right, r, t); err != nil {
		return nil, err
	}
	return &expr.Compare{Op: op, L: l, R: r}, nil
}

func trimParens(s string) string {
	if len(s) > 1 && s[0] == '(' && s[len(s)-1] == ')' {
		return s[1 : len(s)-1]
	}
	return s
}

// pair binds two operands of a comparison, reading times where a pseudo column is compared with text.
func (b *binder) pair(left, right ast.Expr) (l, r expr.Expr, err error) {
	if l, err = b.operand(left, right); err != nil {
		return nil, nil, err
	}
	r, err = b.operand(right, left)
	return l, r, err
}

// comparisonType gives the kind that two types are compared as; nil when they cannot be. A DECIMAL stands for any.
func comparisonType(l, r *types.Type, op expr.CompareOp) *types.Type {
	ordered := op != expr.Equal && op != expr.NotEqual && op != expr.DistinctFrom && op != expr.NotDistinctFrom
	switch {
	case l.IsNumeric() && r.IsNumeric():
		if numericRank(l) >= numericRank(r) {
			return l
		}
		return r
	case l.Kind == types.String && r.IsTime():
		return r
	case r.Kind == types.String && l.IsTime():
		return l
	case l.Kind == types.Date && r.Kind == types.Timestamp, l.Kind == types.Timestamp && r.Kind == types.Date:
		return types.TimestampType
	case l.Kind != r.Kind:
		return nil
	case l.Kind == types.Boolean || l.Kind == types.Array || l.Kind == types.Map || l.Kind == types.Struct:
		if ordered {
			return nil
		}
		if l.Kind != types.Boolean && !types.Equal(l, r) {
			return nil
		}
	}
	return l
}

// compareAs converts an operand to the kind of the comparison. DECIMALs keep their own precision.
func (b *binder) compareAs(e ast.Expr, x expr.Expr, t *types.Type) (expr.Expr, error) {
	from := x.Type()
	if from.Kind == t.Kind {
		return x, nil
	}
	if t.Kind == types.Decimal {
		d, _ := types.AsDecimal(from)
		return implicit(x, d), nil
	}
	if l, ok := x.(*expr.Literal); ok && from.Kind == types.String && t.IsTime() {
		return b.convertLiteral(e, l, t)
	}
	return implicit(x, t), nil
}

// logical flattens chains of one operator.
func (b *binder) logical(e *ast.Logical) (expr.Expr, error) {
	var parts []ast.Expr
	var left ast.Expr = e
	for {
		chain, ok := left.(*ast.Logical)
		if !ok || chain.Op != e.Op {
			break
		}
		parts = append(parts, chain.Right)
		left = chain.Left
	}
	parts = append(parts, left)
	xs := make([]expr.Expr, len(parts))
	for i := range parts {
		x, err := b.condition(parts[len(parts)-1-i])
		if err != nil {
			return nil, err
		}
		xs[i] = x
	}
	if e.Op == ast.And {
		return &expr.And{Xs: xs}, nil
	}
	return &expr.Or{Xs: xs}, nil
}

// condition binds an operand that must be BOOLEAN.
func (b *binder) condition(e ast.Expr) (expr.Expr, error) {
	x, err := b.bind(e)
	if err != nil {
		return nil, err
	}
	switch x.Type().Kind {
	case types.Boolean:
		return x, nil
	case types.Null:
		return &expr.Literal{T: types.BooleanType}, nil
	}
	return nil, b.typeError(e, "Expected a BOOLEAN, but %s is %s.", b.text(e), x.Type())
}

// predicate binds a whole WHERE or HAVING condition.
func (b *binder) predicate(e ast.Expr) (expr.Expr, error) {
	x, err := b.bind(e)
	if err != nil {
		return nil, err
	}
	if x.Type().Kind != types.Boolean {
		return nil, diag.Errorf(diag.Type, e.Span(), "Type error in %s expression: Should evaluate to boolean but is %s (%s) instead.",
			b.clause, b.text(e), x.Type())
	}
	return x, nil
}

func (b *binder) like(e *ast.Like) (expr.Expr, error) {
	x, err := b.bind(e.X)
	if err != nil {
		return nil, err
	}
	pattern, err := b.bind(e.Pattern)
	if err != nil {
		return nil, err
	}
	for i, side := range []expr.Expr{x, pattern} {
		if side.Type().Kind != types.String {
			return nil, b.typeError([]ast.Expr{e.X, e.Pattern}[i], "LIKE compares STRINGs, but %s is %s.",
				b.text([]ast.Expr{e.X, e.Pattern}[i]), side.Type())
		}
	}
	out := &expr.Like{X: x, Pattern: pattern, Negated: e.Negated}
	if e.Escape != nil {
		if utf8.RuneCountInString(e.Escape.Value) != 1 {
			return nil, diag.Errorf(diag.InvalidValue, e.Escape.Span(), "Invalid escape character length, expected 1 character: %s", e.Escape.Value)
		}
		out.Escape, _ = utf8.DecodeRuneInString(e.Escape.Value)
	}
	return out, nil
}

func (b *binder) searchedCase(e *ast.Case) (expr.Expr, error) {
	if e.Operand != nil {
		return nil, diag.Errorf(diag.NotSupported, e.Span(), "Simple CASE expressions are not supported: %s", b.text(e)).
			WithHint("Write CASE WHEN %s = … THEN … END.", b.text(e.Operand))
	}
	var result *types.Type
	whens := make([]expr.When, len(e.Whens))
	for i, w := range e.Whens {
		cond, err := b.bind(w.Condition)
		if err != nil {
			return nil, err
		}
		if k := cond.Type().Kind; k != types.Boolean {
			return nil, b.typeError(w.Condition, "WHEN operand type should be boolean. Type for '%s' is %s", b.text(w.Condition), nullName(cond.Type()))
		}
		then, err := b.bind(w.Result)
		if err != nil {
			return nil, err
		}
		switch t := then.Type(); {
		case t.Kind == types.Null:
		case result == nil:
			result = t
		case !types.Equal(result, t):
			return nil, b.typeError(w.Result, "Invalid Case expression. Type for all 'THEN' clauses should be the same."+
				"\nTHEN expression '%s' has type: %s.\nPrevious THEN expression(s) type: %s.", b.text(w.Result), t, result)
		}
		whens[i] = expr.When{Cond: cond, Then: then}
	}
	out := &expr.Case{Whens: whens}
	if e.Else != nil {
		x, err := b.bind(e.Else)
		if err != nil {
			return nil, err
		}
		switch t := x.Type(); {
		case t.Kind == types.Null:
		case result == nil:
			result = t
		case !types.Equal(result, t):
			return nil, b.typeError(e.Else, "Invalid Case expression. Type for the default clause should be the same as for 'THEN' clauses."+
				"\nTHEN type: %s.\nDEFAULT type: %s.", result, t)
		}
		out.Else = x
	}
	if result == nil {
		return nil, b.typeError(e, "Invalid Case expression. All case branches have NULL type")
	}
	out.T = result
	for i := range whens {
		whens[i].Then = implicit(whens[i].Then, result)
	}
	if out.Else != nil {
		out.Else = implicit(out.Else, result)
	}
	return out, nil
}

func (b *binder) cast(e *ast.Cast) (expr.Expr, error) {
	x, err := b.bind(e.X)
	if err != nil {
		return nil, err
	}
	t, err := b.env.typeOf(e.Type)
	if err != nil {
		return nil, err
	}
	from := x.Type()
	switch {
	case from.Kind == types.Null:
		return &expr.Literal{T: t}, nil
	case types.Equal(from, t):
		return x, nil
	case !castable(from, t):
		return nil, b.codeError(e, "Cast of %s to %s is not supported", from, t)
	}
	return &expr.Cast{X: x, T: t}, nil
}

// castable says whether CAST converts from one type to the other.
func castable(from, to *types.Type) bool {
	switch {
	case types.Equal(from, to):
		return true
	case to.Kind == types.String:
		return from.Kind != types.Bytes
	case from.IsNumeric() && to.IsNumeric():
		return true
	case from.Kind == types.String:
		return to.Kind != types.Array && to.Kind != types.Map && to.Kind != types.Struct
	case from.Kind == types.Date:
		return to.Kind == types.Timestamp
	case from.Kind == types.Timestamp:
		return to.Kind == types.Date || to.Kind == types.Time
	case from.Kind != to.Kind:
		return false
	case from.Kind == types.Array:
		return castable(from.Elem, to.Elem)
	case from.Kind == types.Map:
		return castable(from.Key, to.Key) && castable(from.Elem, to.Elem)
	case from.Kind == types.Struct:
		for _, f := range to.Fields {
			if i := from.FieldIndex(f.Name); i >= 0 && !castable(from.Fields[i].Type, f.Type) {
				return false
			}
		}
		return true
	}
	return false
}
