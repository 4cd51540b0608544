package planner

import (
	"slices"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

func (b *binder) bindAll(es []ast.Expr) ([]expr.Expr, error) {
	xs := make([]expr.Expr, len(es))
	for i, e := range es {
		x, err := b.bind(e)
		if err != nil {
			return nil, err
		}
		xs[i] = x
	}
	return xs, nil
}

func (b *binder) between(e *ast.Between) (expr.Expr, error) {
	es := []ast.Expr{e.X, e.Low, e.High}
	xs := make([]expr.Expr, 3)
	for i := range es {
		other := e.X
		if i == 0 {
			other = e.Low
		}
		x, err := b.operand(es[i], other)
		if err != nil {
			return nil, err
		}
		xs[i] = x
	}
	t, err := b.coerceList(es, xs)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, b.typeError(e, "Cannot compare NULL values: %s", b.text(e))
	}
	if t.Kind == types.Boolean || t.Kind == types.Array || t.Kind == types.Map || t.Kind == types.Struct {
		return nil, b.typeError(e, "BETWEEN is not supported for %s: %s", t, b.text(e))
	}
	return &expr.Between{X: xs[0], Lo: xs[1], Hi: xs[2], Negated: e.Negated}, nil
}

func (b *binder) in(e *ast.In) (expr.Expr, error) {
	es := append([]ast.Expr{e.X}, e.List...)
	xs, err := b.bindAll(es)
	if err != nil {
		return nil, err
	}
	t, err := b.coerceList(es, xs)
	if err != nil {
		return nil, err
	}
	if t == nil {
		t = types.StringType // nothing but NULLs: it never matches
		for i := range xs {
			xs[i] = &expr.Literal{T: t}
		}
	}
	return &expr.In{X: xs[0], List: xs[1:], Negated: e.Negated}, nil
}

func (b *binder) array(e *ast.ArrayExpr) (expr.Expr, error) {
	if len(e.Elems) == 0 {
		return nil, b.typeError(e, "Array constructor cannot be empty. Please supply at least one element (see https://github.com/confluentinc/ksql/issues/4239).")
	}
	xs, err := b.bindAll(e.Elems)
	if err != nil {
		return nil, err
	}
	t, err := b.coerceList(e.Elems, xs)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, b.typeError(e, "Cannot construct an array with all NULL elements (see https://github.com/confluentinc/ksql/issues/4239). As a workaround, you may cast a NULL value to the desired type.")
	}
	return &expr.MakeArray{Items: xs, T: types.ArrayOf(t)}, nil
}

func (b *binder) mapExpr(e *ast.MapExpr) (expr.Expr, error) {
	if len(e.Entries) == 0 {
		return nil, b.typeError(e, "Map constructor cannot be empty. Please supply at least one key value pair (see https://github.com/confluentinc/ksql/issues/4239).")
	}
	var keyExprs, valueExprs []ast.Expr
	for _, entry := range e.Entries {
		keyExprs = append(keyExprs, entry.Key)
		valueExprs = append(valueExprs, entry.Value)
	}
	keys, err := b.bindAll(keyExprs)
	if err != nil {
		return nil, err
	}
	values, err := b.bindAll(valueExprs)
	if err != nil {
		return nil, err
	}
	k, err := b.coerceList(keyExprs, keys)
	if err != nil {
		return nil, err
	}
	v, err := b.coerceList(valueExprs, values)
	if err != nil {
		return nil, err
	}
	if k == nil || v == nil {
		return nil, b.typeError(e, "Cannot construct a map with all NULL values (see https://github.com/confluentinc/ksql/issues/4239). As a workaround, you may cast a NULL value to the desired type.")
	}
	return &expr.MakeMap{Keys: keys, Values: values, T: types.MapOf(k, v)}, nil
}

func (b *binder) structExpr(e *ast.StructExpr) (expr.Expr, error) {
	out := &expr.MakeStruct{Fields: make([]expr.Expr, len(e.Fields))}
	fields := make([]types.Field, len(e.Fields))
	for i, f := range e.Fields {
		if slices.ContainsFunc(fields[:i], func(o types.Field) bool { return o.Name == f.Name.Name }) {
			return nil, b.typeError(f.Name, "Duplicate field names found in STRUCT: '%s'.", b.text(e))
		}
		x, err := b.bind(f.Value)
		if err != nil {
			return nil, err
		}
		if x.Type().Kind == types.Null {
			return nil, untypedNull(f.Value)
		}
		out.Fields[i], fields[i] = x, types.Field{Name: f.Name.Name, Type: x.Type()}
	}
	out.T = types.StructOf(fields...)
	return out, nil
}

func untypedNull(e ast.Node) error {
	return diag.Errorf(diag.Type, e.Span(), "Can't infer a type of null. Please explicitly cast it to a required type, e.g. CAST(null AS VARCHAR).")
}

// operand binds one side of a comparison. Text that is compared with ROWTIME or a window bound is a time, in WHERE.
func (b *binder) operand(e, other ast.Expr) (expr.Expr, error) {
	text, ok := e.(*ast.StringLiteral)
	if !ok || !b.magic || !isMagic(other) {
		return b.bind(e)
	}
	ms, err := types.ParseTimestamp(text.Value, nil)
	if err != nil {
		return nil, diag.Errorf(diag.Literal, e.Span(), "Failed to parse timestamp '%s': %v", text.Value, err).
			WithHint("Required format is: \"yyyy-MM-dd'T'HH:mm:ss.SSS\", with an optional timezone; partial times such as '2024-05-01' are allowed.")
	}
	return &expr.Literal{Value: ms, T: types.BigintType}, nil
}

func isMagic(e ast.Expr) bool {
	ref, ok := e.(*ast.ColumnRef)
	if !ok {
		return false
	}
	switch ref.Name.Name {
	case types.RowTime, types.WindowStart, types.WindowEnd:
		return true
	}
	return false
}
