package planner

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// coerceList brings expressions that stand in one list (IN, BETWEEN, ARRAY[], MAP()) to one type: the first that is not
// NULL decides the family, numbers widen, text literals are read as what the others are. It returns a nil type when all
// are NULL.
func (b *binder) coerceList(es []ast.Expr, xs []expr.Expr) (*types.Type, error) {
	var common *types.Type
	for i, x := range xs {
		t, err := b.widen(common, es[i], x)
		if err != nil {
			return nil, err
		}
		common = t
	}
	if common == nil {
		return nil, nil
	}
	for i := range xs {
		x, err := b.convert(es[i], xs[i], common)
		if err != nil {
			return nil, err
		}
		xs[i] = x
	}
	return common, nil
}

// widen gives the type that holds common (nil: nothing yet) and x.
func (b *binder) widen(common *types.Type, e ast.Expr, x expr.Expr) (*types.Type, error) {
	t := x.Type()
	switch {
	case t.Kind == types.Null, isNull(x) && common != nil:
		return common, nil
	case common == nil:
		return t, nil
	}
	if l, ok := x.(*expr.Literal); ok && l.Value != nil {
		if t.Kind == types.String && common.Kind != types.String {
			return b.widenText(common, e, l)
		}
		if common.Kind == types.String && (t.Kind == types.Boolean || t.IsNumeric()) {
			return common, nil
		}
	}
	switch x := x.(type) {
	case *expr.MakeArray:
		if common.Kind == types.Array {
			elem := common.Elem
			for i := range x.Items {
				w, err := b.widenPart(elem, common, e, arrayItem(e, i), x, x.Items[i])
				if err != nil {
					return nil, err
				}
				elem = w
			}
			return types.ArrayOf(elem), nil
		}
	case *expr.MakeMap:
		if common.Kind == types.Map {
			key, value := common.Key, common.Elem
			for i := range x.Keys {
				k, v := mapItem(e, i)
				w, err := b.widenPart(key, common, e, k, x, x.Keys[i])
				if err != nil {
					return nil, err
				}
				key = w
				if w, err = b.widenPart(value, common, e, v, x, x.Values[i]); err != nil {
					return nil, err
				}
				value = w
			}
			return types.MapOf(key, value), nil
		}
	case *expr.MakeStruct:
		if common.Kind == types.Struct {
			fields := append([]types.Field(nil), common.Fields...)
			for i, f := range x.T.Fields {
				at := common.FieldIndex(f.Name)
				if at < 0 {
					fields = append(fields, f)
					continue
				}
				w, err := b.widenPart(fields[at].Type, common, e, structItem(e, i), x, x.Fields[i])
				if err != nil {
					return nil, err
				}
				fields[at].Type = w
			}
			return types.StructOf(fields...), nil
		}
	default: // The others are not concerned.
	}
	if w := widerType(common, t); w != nil {
		return w, nil
	}
	return nil, b.noOperator(common, e, x)
}

// isNull says whether x is a NULL, whatever type it has been given.
func isNull(x expr.Expr) bool {
	l, ok := x.(*expr.Literal)
	return ok && l.Value == nil
}

// widenPart widens within a constructor; what does not fit is an error of the whole.
func (b *binder) widenPart(common, whole *types.Type, e, part ast.Expr, x, p expr.Expr) (*types.Type, error) {
	if _, isLiteral := p.(*expr.Literal); !isLiteral && p.Type().Kind != common.Kind && widerType(common, p.Type()) == nil {
		return nil, b.noOperator(whole, e, x)
	}
	return b.widen(common, part, p)
}

func (b *binder) noOperator(common *types.Type, e ast.Expr, x expr.Expr) error {
	return b.codeError(e, "operator does not exist: %s = %s (%s)\nHint: You might need to add explicit type casts.", common, x.Type(), b.text(e)).
		WithHint("You might need to add explicit type casts.")
}

// widerType gives the type that values of both types convert to; nil when there is none.
func widerType(a, b *types.Type) *types.Type {
	switch {
	case types.Equal(a, b):
		return a
	case b.Kind == types.Null:
		return a
	case a.Kind == types.Null:
		return b
	case a.IsNumeric() && b.IsNumeric():
		if a.Kind == types.Double || b.Kind == types.Double {
			return types.DoubleType
		}
		if a.Kind == types.Decimal || b.Kind == types.Decimal {
			da, _ := types.AsDecimal(a)
			db, _ := types.AsDecimal(b)
			return types.WidenDecimal(da, db)
		}
		return types.BigintType
	case a.Kind != b.Kind:
		return nil
	case a.Kind == types.Array:
		if e := widerType(a.Elem, b.Elem); e != nil {
			return types.ArrayOf(e)
		}
	case a.Kind == types.Map:
		k, v := widerType(a.Key, b.Key), widerType(a.Elem, b.Elem)
		if k != nil && v != nil {
			return types.MapOf(k, v)
		}
	case a.Kind == types.Struct:
		fields := append([]types.Field(nil), a.Fields...)
		for _, f := range b.Fields {
			i := a.FieldIndex(f.Name)
			if i < 0 {
				fields = append(fields, f)
				continue
			}
			w := widerType(a.Fields[i].Type, f.Type)
			if w == nil {
				return nil
			}
			fields[i].Type = w
		}
		return types.StructOf(fields...)
	}
	return nil
}

// widenText finds what a text literal stands for among values of another type.
func (b *binder) widenText(common *types.Type, e ast.Expr, l *expr.Literal) (*types.Type, error) {
	text := l.Value.(string)
	if common.IsNumeric() {
		t := numberType(text)
		if t == nil {
			return nil, b.invalidInput(e, common, text)
		}
		return widerType(common, t), nil
	}
	if common.Kind == types.Array || common.Kind == types.Map || common.Kind == types.Struct {
		return nil, b.noOperator(common, e, l)
	}
	_, err := b.convertLiteral(e, l, common)
	return common, err
}

func (b *binder) invalidInput(e ast.Expr, t *types.Type, text string) error {
	return b.codeError(e, "invalid input syntax for type %s: \"%s\".", t.Kind, text)
}

// numberType is the narrowest numeric type of a text; nil when it is no number.
func numberType(text string) *types.Type {
	text = strings.TrimSpace(text)
	if _, err := strconv.ParseInt(text, 10, 32); err == nil {
		return types.IntType
	}
	if _, err := strconv.ParseInt(text, 10, 64); err == nil {
		return types.BigintType
	}
	d, err := types.ParseDecimal(text)
	if err != nil {
		return nil
	}
	return decimalTypeOf(d)
}

// convert brings x to type t, which widen found.
func (b *binder) convert(e ast.Expr, x expr.Expr, t *types.Type) (expr.Expr, error) {
	if types.Equal(x.Type(), t) {
		return x, nil
	}
	switch x := x.(type) {
	case *expr.Literal:
		return b.convertLiteral(e, x, t)
	case *expr.MakeArray:
		out := &expr.MakeArray{Items: make([]expr.Expr, len(x.Items)), T: t}
		for i, item := range x.Items {
			c, err := b.convert(arrayItem(e, i), item, t.Elem)
			if err != nil {
				return nil, err
			}
			out.Items[i] = c
		}
		return out, nil
	case *expr.MakeMap:
		out := &expr.MakeMap{Keys: make([]expr.Expr, len(x.Keys)), Values: make([]expr.Expr, len(x.Values)), T: t}
		for i := range x.Keys {
			k, v := mapItem(e, i)
			c, err := b.convert(k, x.Keys[i], t.Key)
			if err != nil {
				return nil, err
			}
			out.Keys[i] = c
			if c, err = b.convert(v, x.Values[i], t.Elem); err != nil {
				return nil, err
			}
			out.Values[i] = c
		}
		return out, nil
	case *expr.MakeStruct:
		out := &expr.MakeStruct{Fields: make([]expr.Expr, len(t.Fields)), T: t}
		for i, f := range t.Fields {
			at := x.T.FieldIndex(f.Name)
			if at < 0 {
				out.Fields[i] = &expr.Literal{T: f.Type}
				continue
			}
			c, err := b.convert(structItem(e, at), x.Fields[at], f.Type)
			if err != nil {
				return nil, err
			}
			out.Fields[i] = c
		}
		return out, nil
	default: // The others are not concerned.
	}
	return implicit(x, t), nil
}

// convertLiteral converts a literal at once.
func (b *binder) convertLiteral(e ast.Expr, l *expr.Literal, t *types.Type) (expr.Expr, error) {
	if types.Equal(l.T, t) || l.Value == nil {
		return &expr.Literal{Value: l.Value, T: t}, nil
	}
	if t.Kind == types.String {
		return &expr.Literal{Value: types.FormatBoxed(l.T, l.Value), T: t}, nil
	}
	if text, ok := l.Value.(string); ok {
		v, ok := parseText(text, t)
		if !ok {
			return nil, b.invalidInput(e, t, text)
		}
		return &expr.Literal{Value: v, T: t}, nil
	}
	if v, ok := toDecimal(l.Value, t); ok {
		return &expr.Literal{Value: v, T: t}, nil
	}
	return implicit(l, t), nil
}

// toDecimal converts a boxed number to the DECIMAL t.
func toDecimal(v any, t *types.Type) (any, bool) {
	if t.Kind != types.Decimal {
		return nil, false
	}
	var d *apd.Decimal
	switch v := v.(type) {
	case int32:
		d = apd.New(int64(v), 0)
	case int64:
		d = apd.New(v, 0)
	case *apd.Decimal:
		d = v
	default:
		return nil, false
	}
	out, err := types.RoundDecimal(d, t)
	return out, err == nil
}

// parseText reads a text literal as a value of type t.
func parseText(text string, t *types.Type) (any, bool) {
	switch t.Kind {
	case types.Boolean:
		lower := strings.ToLower(text)
		switch {
		case text == "":
			return nil, false
		case strings.HasPrefix("true", lower), strings.HasPrefix("yes", lower):
			return true, true
		case strings.HasPrefix("false", lower), strings.HasPrefix("no", lower):
			return false, true
		}
		return nil, false
	case types.Int:
		v, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
		return int32(v), err == nil
	case types.Bigint:
		v, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		return v, err == nil
	case types.Double:
		v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		return v, err == nil && !math.IsInf(v, 0)
	case types.Decimal:
		d, err := types.ParseDecimal(strings.TrimSpace(text))
		if err != nil {
			return nil, false
		}
		v, err := types.RoundDecimal(d, t)
		return v, err == nil
	case types.Date:
		v, err := types.ParseDate(text)
		return types.DateValue(v), err == nil
	case types.Time:
		v, err := types.ParseTime(text)
		return types.TimeValue(v), err == nil
	case types.Timestamp:
		v, err := types.ParseTimestamp(text, nil)
		return types.TimestampValue(v), err == nil
	case types.Bytes:
		v, err := base64.StdEncoding.DecodeString(text)
		return v, err == nil
	}
	return nil, false
}

func arrayItem(e ast.Expr, i int) ast.Expr {
	if a, ok := e.(*ast.ArrayExpr); ok && i < len(a.Elems) {
		return a.Elems[i]
	}
	return e
}

func mapItem(e ast.Expr, i int) (key, value ast.Expr) {
	if m, ok := e.(*ast.MapExpr); ok && i < len(m.Entries) {
		return m.Entries[i].Key, m.Entries[i].Value
	}
	return e, e
}

func structItem(e ast.Expr, i int) ast.Expr {
	if s, ok := e.(*ast.StructExpr); ok && i < len(s.Fields) {
		return s.Fields[i].Value
	}
	return e
}
