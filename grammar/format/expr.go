package format

import (
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// expr writes an expression as ksqlDB does: everything with an operator stands in parentheses.
func (p *printer) expr(e ast.Expr) {
	switch e := e.(type) {
	case *ast.ColumnRef:
		if e.Source != nil {
			p.name(*e.Source)
			p.put(".")
		}
		p.name(e.Name)
	case *ast.Deref:
		p.base(e.Base)
		p.put("->")
		p.name(e.Field)
	case *ast.Subscript:
		p.base(e.Base)
		p.put("[")
		p.expr(e.Index)
		p.put("]")
	case *ast.Unary:
		p.unary(e)
	case *ast.Binary:
		p.infix(e.Left, e.Op.String(), e.Right)
	case *ast.Comparison:
		p.infix(e.Left, e.Op.String(), e.Right)
	case *ast.Logical:
		p.infix(e.Left, e.Op.String(), e.Right)
	case *ast.Not:
		p.put("(NOT ")
		p.expr(e.X)
		p.put(")")
	case *ast.IsNull, *ast.Between, *ast.In, *ast.Like:
		p.predicate(e)
	case *ast.Case:
		p.caseExpr(e)
	case *ast.Cast:
		p.put("CAST(")
		p.expr(e.X)
		p.put(" AS ")
		p.typeName(e.Type)
		p.put(")")
	case *ast.Call:
		p.call(e)
	case *ast.IntervalUnit:
		p.put(e.Unit.String())
	case *ast.Lambda:
		p.put("(")
		list(p, e.Params, p.name)
		p.put(") => ")
		p.expr(e.Body)
	case *ast.ArrayExpr, *ast.MapExpr, *ast.StructExpr:
		p.constructor(e)
	case *ast.AtTimeZone:
		p.base(e.X)
		p.put(" AT TIME ZONE ", token.Quote(e.Zone))
	case *ast.IntLiteral, *ast.BigintLiteral, *ast.DecimalLiteral, *ast.DoubleLiteral,
		*ast.StringLiteral, *ast.BooleanLiteral, *ast.NullLiteral, *ast.TypedLiteral:
		p.literal(e)
	}
}

func (p *printer) infix(left ast.Expr, op string, right ast.Expr) {
	p.put("(")
	p.expr(left)
	p.put(" ", op, " ")
	p.expr(right)
	p.put(")")
}

// base writes what stands before [ ], -> and AT TIME ZONE, which bind tighter than signs.
func (p *printer) base(e ast.Expr) {
	switch e.(type) {
	case *ast.Unary, *ast.AtTimeZone:
		p.put("(")
		p.expr(e)
		p.put(")")
	default:
		p.expr(e)
	}
}

// unary keeps a sign apart from a number, which would take it in, and from another sign.
func (p *printer) unary(e *ast.Unary) {
	operand := p.options.Expr(e.X)
	p.put(e.Op.String())
	switch c := operand[0]; {
	case e.Op == ast.Minus && ('0' <= c && c <= '9' || c == '.'):
		p.put("(", operand, ")")
	case c == '-' || c == '+':
		p.put(" ", operand)
	default:
		p.put(operand)
	}
}

func (p *printer) predicate(e ast.Expr) {
	not := func(negated bool) { p.when(negated, "NOT ") }
	p.put("(")
	switch e := e.(type) {
	case *ast.IsNull:
		p.expr(e.X)
		p.put(" IS ")
		not(e.Negated)
		p.put("NULL")
	case *ast.Between:
		p.expr(e.X)
		p.put(" ")
		not(e.Negated)
		p.put("BETWEEN ")
		p.expr(e.Low)
		p.put(" AND ")
		p.expr(e.High)
	case *ast.In:
		p.expr(e.X)
		p.put(" ")
		not(e.Negated)
		p.put("IN (")
		list(p, e.List, p.expr)
		p.put(")")
	case *ast.Like:
		p.expr(e.X)
		p.put(" ")
		not(e.Negated)
		p.put("LIKE ")
		p.expr(e.Pattern)
		if e.Escape != nil {
			p.put(" ESCAPE ")
			p.expr(e.Escape)
		}
	default: // The others are not concerned.
	}
	p.put(")")
}

func (p *printer) caseExpr(e *ast.Case) {
	p.put("(CASE")
	if e.Operand != nil {
		p.put(" ")
		p.expr(e.Operand)
	}
	for i := range e.Whens {
		p.put(" WHEN ")
		p.expr(e.Whens[i].Condition)
		p.put(" THEN ")
		p.expr(e.Whens[i].Result)
	}
	if e.Else != nil {
		p.put(" ELSE ")
		p.expr(e.Else)
	}
	p.put(" END)")
}

func (p *printer) call(e *ast.Call) {
	if p.options.Quoting == QuoteIfNeeded || needsQuotes(e.Name.Name) {
		p.name(e.Name)
	} else {
		p.put(e.Name.Name)
	}
	p.put("(")
	p.when(e.Star, "*")
	list(p, e.Args, p.expr)
	p.put(")")
}

func (p *printer) constructor(e ast.Expr) {
	switch e := e.(type) {
	case *ast.ArrayExpr:
		p.put("ARRAY[")
		list(p, e.Elems, p.expr)
		p.put("]")
	case *ast.MapExpr:
		p.put("MAP(")
		list(p, e.Entries, func(m ast.MapEntry) {
			p.expr(m.Key)
			p.put(":=")
			p.expr(m.Value)
		})
		p.put(")")
	case *ast.StructExpr:
		p.put("STRUCT(")
		list(p, e.Fields, func(f ast.StructField) {
			p.name(f.Name)
			p.put(":=")
			p.expr(f.Value)
		})
		p.put(")")
	default: // The others are not concerned.
	}
}

func (p *printer) literal(e ast.Expr) {
	switch e := e.(type) {
	case *ast.IntLiteral:
		p.number(int64(e.Value))
	case *ast.BigintLiteral:
		p.number(e.Value)
	case *ast.DecimalLiteral:
		p.put(e.Text)
	case *ast.DoubleLiteral:
		p.put(double(e.Value))
	case *ast.StringLiteral:
		p.put(token.Quote(e.Value))
	case *ast.BooleanLiteral:
		p.put(strconv.FormatBool(e.Value))
	case *ast.NullLiteral:
		p.put("null")
	case *ast.TypedLiteral:
		p.name(e.Type)
		p.put(" ", token.Quote(e.Value))
	default: // The others are not concerned.
	}
}

// double writes the shortest form with an exponent, such as 1.5E3.
func double(f float64) string {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'E', -1, 64), "E")
	sign := ""
	if exponent[0] == '-' {
		sign = "-"
	}
	digits := strings.TrimLeft(exponent[1:], "0")
	if digits == "" {
		digits = "0"
	}
	return mantissa + "E" + sign + digits
}

func (p *printer) typeName(t ast.TypeName) {
	switch t := t.(type) {
	case *ast.BasicType:
		p.put(t.Kind.String())
	case *ast.DecimalType:
		p.put("DECIMAL(")
		p.number(int64(t.Precision))
		p.put(", ")
		p.number(int64(t.Scale))
		p.put(")")
	case *ast.ArrayType:
		p.put("ARRAY<")
		p.typeName(t.Elem)
		p.put(">")
	case *ast.MapType:
		p.put("MAP<")
		p.typeName(t.Key)
		p.put(", ")
		p.typeName(t.Value)
		p.put(">")
	case *ast.StructType:
		p.put("STRUCT<")
		list(p, t.Fields, func(f ast.FieldType) {
			p.name(f.Name)
			p.put(" ")
			p.typeName(f.Type)
		})
		p.put(">")
	case *ast.NamedType:
		p.name(t.Name)
	}
}
