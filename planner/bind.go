package planner

import (
	"fmt"
	"math"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// binder turns syntax into typed expressions over the columns of a scope.
type binder struct {
	env    *Env
	scope  *scope
	clause string // SELECT, WHERE, GROUP BY, PARTITION BY, HAVING, JOIN ON
	// replace is asked first for each node: grouping expressions and aggregate calls become columns through it.
	replace func(ast.Expr) (expr.Expr, error)
	// unknown, when set, words the error for a column that is not there.
	unknown func(*ast.ColumnRef) error
	// table, when set, binds table functions; elsewhere they are refused.
	table func(*binder, *ast.Call, *functions.Spec) (expr.Expr, error)
	// magic: text compared with ROWTIME, WINDOWSTART or WINDOWEND is read as a time.
	magic bool

	lambdas    []expr.LambdaParam // parameters in sight
	nextLambda int
	depth      int // of the node that is being bound
}

// maxExprDepth bounds how deep expressions may be, chains of operators included: what is planned must be stored, read
// again and compiled. AND, OR and || are flat, however long.
const maxExprDepth = 1500

// bind types one expression.
func (b *binder) bind(e ast.Expr) (expr.Expr, error) {
	b.depth++
	defer func() { b.depth-- }()
	if b.depth > maxExprDepth {
		return nil, diag.Errorf(diag.Limit, e.Span(), "The expression is too deep: more than %d operators and calls stand within each other", maxExprDepth).
			WithHint("Compute a part of it in a statement of its own.")
	}
	if b.replace != nil {
		if x, err := b.replace(e); x != nil || err != nil {
			return x, err
		}
	}
	switch e := e.(type) {
	case *ast.ColumnRef:
		return b.column(e)
	case *ast.Deref:
		return b.deref(e)
	case *ast.Subscript:
		return b.subscript(e)
	case *ast.Unary:
		return b.unary(e)
	case *ast.Binary:
		return b.binary(e)
	case *ast.Comparison:
		return b.comparison(e)
	case *ast.Logical:
		return b.logical(e)
	case *ast.Not:
		x, err := b.condition(e.X)
		if err != nil {
			return nil, err
		}
		return &expr.Not{X: x}, nil
	case *ast.IsNull:
		x, err := b.bind(e.X)
		if err != nil {
			return nil, err
		}
		return &expr.IsNull{X: x, Negated: e.Negated}, nil
	case *ast.Between:
		return b.between(e)
	case *ast.In:
		return b.in(e)
	case *ast.Like:
		return b.like(e)
	case *ast.Case:
		return b.searchedCase(e)
	case *ast.Cast:
		return b.cast(e)
	case *ast.Call:
		return b.call(e)
	case *ast.IntervalUnit:
		ms, ok := e.Unit.Millis()
		if !ok {
			return nil, diag.Errorf(diag.Type, e.Span(), "%s has no fixed length: use DAYS or a smaller unit.", e.Unit)
		}
		return &expr.Literal{Value: ms, T: types.IntervalUnitType}, nil
	case *ast.Lambda:
		return nil, diag.Errorf(diag.InvalidQuery, e.Span(), "Lambda functions are only allowed as arguments of functions that take them: %s", exprText(e))
	case *ast.ArrayExpr:
		return b.array(e)
	case *ast.MapExpr:
		return b.mapExpr(e)
	case *ast.StructExpr:
		return b.structExpr(e)
	case *ast.AtTimeZone:
		return nil, diag.Errorf(diag.NotSupported, e.Span(), "AT TIME ZONE is not supported: %s", exprText(e)).
			WithHint("Use CONVERT_TZ(timestamp, from_zone, to_zone).")
	default:
		return b.literal(e)
	}
}

func (b *binder) text(e ast.Expr) string { return exprTextWith(e, b.scope.text) }

// typeError is an error of ksqlDB's type inference: in conditions it says where.
func (b *binder) typeError(e ast.Node, format string, args ...any) *diag.Error {
	text := fmt.Sprintf(format, args...)
	if b.clause == "WHERE" || b.clause == "HAVING" {
		text = "Error in " + b.clause + " expression: " + text
	}
	return diag.Errorf(diag.Type, e.Span(), "%s", text)
}

// codeError is an error that ksqlDB finds while it compiles an expression.
func (b *binder) codeError(e ast.Node, format string, args ...any) *diag.Error {
	prefix := ""
	switch b.clause {
	case "WHERE", "HAVING":
		prefix = "Invalid Predicate: "
	case "SELECT":
		prefix = "Invalid Select: "
	case "GROUP BY":
		prefix = "Invalid Group By: "
	case "PARTITION BY":
		prefix = "Invalid Partition By: "
	}
	return diag.Errorf(diag.Type, e.Span(), "%s%s", prefix, fmt.Sprintf(format, args...))
}

func (b *binder) column(e *ast.ColumnRef) (expr.Expr, error) {
	if e.Source == nil {
		for i := len(b.lambdas) - 1; i >= 0; i-- {
			if p := b.lambdas[i]; p.Name == e.Name.Name {
				return &expr.LambdaVar{ID: p.ID, Name: p.Name, T: p.T}, nil
			}
		}
	}
	c, err := b.scope.resolve(e, b.clause)
	if err != nil {
		if d, ok := diag.As(err); ok && d.Code == diag.UnknownColumn && b.unknown != nil {
			if special := b.unknown(e); special != nil {
				return nil, special
			}
		}
		return nil, err
	}
	return &expr.Column{Index: c.id, Name: c.label, T: c.typ}, nil
}

func (b *binder) deref(e *ast.Deref) (expr.Expr, error) {
	base, err := b.bind(e.Base)
	if err != nil {
		return nil, err
	}
	t := base.Type()
	if t.Kind != types.Struct {
		return nil, b.typeError(e, "Expected STRUCT type, got: %s", t)
	}
	i := t.FieldIndex(e.Field.Name)
	if i < 0 {
		err := b.typeError(e, "Could not find field '%s' in '%s'.", e.Field.Name, b.text(e.Base))
		names := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			names[i] = f.Name
		}
		if name, ok := diag.Suggest(e.Field.Name, names); ok {
			return nil, err.WithHint("Did you mean %s?", types.QuoteName(name))
		}
		return nil, err.WithHint("The fields are: %s.", strings.Join(names, ", "))
	}
	return &expr.FieldAccess{X: base, Index: i, Name: e.Field.Name, T: t.Fields[i].Type}, nil
}

func (b *binder) subscript(e *ast.Subscript) (expr.Expr, error) {
	base, err := b.bind(e.Base)
	if err != nil {
		return nil, err
	}
	index, err := b.bind(e.Index)
	if err != nil {
		return nil, err
	}
	switch t := base.Type(); t.Kind {
	case types.Array:
		if k := index.Type().Kind; k != types.Int && k != types.Bigint {
			return nil, b.typeError(e.Index, "Array index must be an INTEGER or BIGINT, but %s is %s.", b.text(e.Index), index.Type())
		}
		return &expr.Subscript{X: base, Index: index, T: t.Elem}, nil
	case types.Map:
		index, ok := b.assign(index, t.Key)
		if !ok {
			return nil, b.typeError(e.Index, "Map key must be %s, but %s is %s.", t.Key, b.text(e.Index), index.Type())
		}
		return &expr.Subscript{X: base, Index: index, T: t.Elem}, nil
	default:
		return nil, b.typeError(e, "Subscript operator is only supported on arrays and maps, but %s is %s.", b.text(e.Base), t)
	}
}

// assign converts x to t where numbers only widen.
func (b *binder) assign(x expr.Expr, t *types.Type) (expr.Expr, bool) {
	if types.Equal(x.Type(), t) {
		return x, true
	}
	if x.Type().Kind == types.Null || x.Type().IsNumeric() && t.IsNumeric() && numericRank(x.Type()) < numericRank(t) {
		return implicit(x, t), true
	}
	return x, false
}

func (b *binder) literal(e ast.Expr) (expr.Expr, error) {
	switch e := e.(type) {
	case *ast.IntLiteral:
		return &expr.Literal{Value: e.Value, T: types.IntType}, nil
	case *ast.BigintLiteral:
		return &expr.Literal{Value: e.Value, T: types.BigintType}, nil
	case *ast.DoubleLiteral:
		return &expr.Literal{Value: e.Value, T: types.DoubleType}, nil
	case *ast.DecimalLiteral:
		d, err := types.ParseDecimal(e.Text)
		if err != nil {
			return nil, diag.Errorf(diag.Literal, e.Span(), "Invalid numeric literal: %s", e.Text)
		}
		return &expr.Literal{Value: d, T: decimalTypeOf(d)}, nil
	case *ast.StringLiteral:
		return &expr.Literal{Value: e.Value, T: types.StringType}, nil
	case *ast.BooleanLiteral:
		return &expr.Literal{Value: e.Value, T: types.BooleanType}, nil
	case *ast.NullLiteral:
		return &expr.Literal{T: types.NullType}, nil
	case *ast.TypedLiteral:
		kind, ok := ast.BasicKindOf(e.Type.Name)
		t := basicType(kind)
		if !ok || !t.IsTime() {
			return nil, diag.Errorf(diag.NotSupported, e.Span(), "Unknown type: %s", e.Type.Name)
		}
		return b.convertLiteral(e, &expr.Literal{Value: e.Value, T: types.StringType}, t)
	default: // The others are not concerned.
	}
	return nil, diag.Errorf(diag.NotSupported, e.Span(), "Unsupported expression: %s", exprText(e))
}

// decimalTypeOf is the type of a decimal literal: its digits, and at least as many as its scale.
func decimalTypeOf(d *apd.Decimal) *types.Type {
	scale := max(0, -int(d.Exponent))
	precision := int(d.NumDigits()) + max(0, int(d.Exponent))
	return types.DecimalOf(max(precision, scale, 1), scale)
}

func (b *binder) unary(e *ast.Unary) (expr.Expr, error) {
	x, err := b.bind(e.X)
	if err != nil {
		return nil, err
	}
	if !x.Type().IsNumeric() {
		return nil, b.typeError(e, "Error processing expression: %s. Unsupported arithmetic type %s", b.text(e), x.Type())
	}
	if e.Op == ast.Plus {
		return x, nil
	}
	return &expr.Negate{X: x}, nil
}

// numericRank orders the numeric types from narrow to wide.
func numericRank(t *types.Type) int {
	switch t.Kind {
	case types.Int:
		return 1
	case types.Bigint:
		return 2
	case types.Decimal:
		return 3
	case types.Double:
		return 4
	}
	return 0
}

// implicit casts x to t unless it has that type; literals are converted at once.
func implicit(x expr.Expr, t *types.Type) expr.Expr {
	if types.Equal(x.Type(), t) {
		return x
	}
	if l, ok := x.(*expr.Literal); ok {
		if v, ok := widenValue(l.Value, t); ok {
			return &expr.Literal{Value: v, T: t}
		}
		if v, ok := toDecimal(l.Value, t); ok {
			return &expr.Literal{Value: v, T: t}
		}
	}
	return &expr.Cast{X: x, T: t, Implicit: true}
}

// widenValue converts a boxed number without loss.
func widenValue(v any, t *types.Type) (any, bool) {
	switch v := v.(type) {
	case nil:
		return nil, true
	case int32:
		switch t.Kind {
		case types.Bigint:
			return int64(v), true
		case types.Double:
			return float64(v), true
		}
	case int64:
		if t.Kind == types.Double && v > -1<<53 && v < 1<<53 {
			return float64(v), true
		}
	case *apd.Decimal:
		if t.Kind == types.Double {
			if f := types.DecimalToDouble(v); !math.IsInf(f, 0) {
				return f, true
			}
		}
	}
	return nil, false
}
