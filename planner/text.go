package planner

import (
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar/ast"
)

// printer writes expressions as ksqlDB's messages show them: operators in parentheses, names without quotes.
type printer struct {
	b strings.Builder
	// column gives the text of a column; nil writes it as it stands.
	column func(*ast.ColumnRef) string
}

// exprText is an expression as messages show it.
func exprText(e ast.Expr) string { return exprTextWith(e, nil) }

// exprTextWith is exprText with columns named by column.
func exprTextWith(e ast.Expr, column func(*ast.ColumnRef) string) string {
	p := printer{column: column}
	p.expr(e)
	return p.b.String()
}

func refText(r *ast.ColumnRef) string {
	if r.Source != nil {
		return r.Source.Name + "." + r.Name.Name
	}
	return r.Name.Name
}

func (p *printer) expr(e ast.Expr) {
	w := func(s string) { p.b.WriteString(s) }
	switch e := e.(type) {
	case nil:
	case *ast.ColumnRef:
		if p.column != nil {
			w(p.column(e))
		} else {
			w(refText(e))
		}
	case *ast.Deref:
		p.expr(e.Base)
		w("->" + e.Field.Name)
	case *ast.Subscript:
		p.expr(e.Base)
		w("[")
		p.expr(e.Index)
		w("]")
	case *ast.Unary:
		w(e.Op.String())
		p.expr(e.X)
	case *ast.Binary:
		p.infix(e.Left, e.Op.String(), e.Right)
	case *ast.Comparison:
		p.infix(e.Left, e.Op.String(), e.Right)
	case *ast.Logical:
		p.infix(e.Left, e.Op.String(), e.Right)
	case *ast.Not:
		w("(NOT ")
		p.expr(e.X)
		w(")")
	case *ast.IsNull:
		w("(")
		p.expr(e.X)
		w(" IS" + not(e.Negated) + " NULL)")
	case *ast.Between:
		w("(")
		p.expr(e.X)
		w(not(e.Negated) + " BETWEEN ")
		p.expr(e.Low)
		w(" AND ")
		p.expr(e.High)
		w(")")
	case *ast.In:
		w("(")
		p.expr(e.X)
		w(not(e.Negated) + " IN (")
		p.list(e.List)
		w("))")
	case *ast.Like:
		w("(")
		p.expr(e.X)
		w(not(e.Negated) + " LIKE ")
		p.expr(e.Pattern)
		if e.Escape != nil {
			w(" ESCAPE ")
			p.expr(e.Escape)
		}
		w(")")
	case *ast.Case:
		w("(CASE")
		if e.Operand != nil {
			w(" ")
			p.expr(e.Operand)
		}
		for _, when := range e.Whens {
			w(" WHEN ")
			p.expr(when.Condition)
			w(" THEN ")
			p.expr(when.Result)
		}
		if e.Else != nil {
			w(" ELSE ")
			p.expr(e.Else)
		}
		w(" END)")
	case *ast.Cast:
		w("CAST(")
		p.expr(e.X)
		w(" AS " + typeText(e.Type) + ")")
	case *ast.Call:
		w(e.Name.Name + "(")
		if e.Star {
			w("*")
		}
		p.list(e.Args)
		w(")")
	case *ast.IntervalUnit:
		w(e.Unit.String())
	case *ast.Lambda:
		p.lambda(e)
	case *ast.ArrayExpr:
		w("ARRAY[")
		p.list(e.Elems)
		w("]")
	case *ast.MapExpr:
		w("MAP(")
		for i, entry := range e.Entries {
			if i > 0 {
				w(", ")
			}
			p.expr(entry.Key)
			w(":=")
			p.expr(entry.Value)
		}
		w(")")
	case *ast.StructExpr:
		w("STRUCT(")
		for i, f := range e.Fields {
			if i > 0 {
				w(", ")
			}
			w(f.Name.Name + ":=")
			p.expr(f.Value)
		}
		w(")")
	case *ast.AtTimeZone:
		p.expr(e.X)
		w(" AT TIME ZONE '" + e.Zone + "'")
	case *ast.IntLiteral:
		w(strconv.FormatInt(int64(e.Value), 10))
	case *ast.BigintLiteral:
		w(strconv.FormatInt(e.Value, 10))
	case *ast.DecimalLiteral:
		w(e.Text)
	case *ast.DoubleLiteral:
		w(strings.Replace(strings.ToUpper(strconv.FormatFloat(e.Value, 'e', -1, 64)), "E+", "E", 1))
	case *ast.StringLiteral:
		w("'" + strings.ReplaceAll(e.Value, "'", "''") + "'")
	case *ast.BooleanLiteral:
		w(strconv.FormatBool(e.Value))
	case *ast.NullLiteral:
		w("null")
	case *ast.TypedLiteral:
		w(e.Type.Name + " '" + e.Value + "'")
	}
}

func (p *printer) infix(l ast.Expr, op string, r ast.Expr) {
	p.b.WriteString("(")
	p.expr(l)
	p.b.WriteString(" " + op + " ")
	p.expr(r)
	p.b.WriteString(")")
}

func (p *printer) list(xs []ast.Expr) {
	for i, x := range xs {
		if i > 0 {
			p.b.WriteString(", ")
		}
		p.expr(x)
	}
}

func (p *printer) lambda(e *ast.Lambda) {
	if len(e.Params) == 1 {
		p.b.WriteString(e.Params[0].Name)
	} else {
		names := make([]string, len(e.Params))
		for i, n := range e.Params {
			names[i] = n.Name
		}
		p.b.WriteString("(" + strings.Join(names, ", ") + ")")
	}
	p.b.WriteString(" => ")
	p.expr(e.Body)
}

func not(negated bool) string {
	if negated {
		return " NOT"
	}
	return ""
}

// typeText is a type as written in SQL.
func typeText(t ast.TypeName) string {
	switch t := t.(type) {
	case *ast.BasicType:
		return t.Kind.String()
	case *ast.DecimalType:
		return "DECIMAL(" + strconv.Itoa(t.Precision) + ", " + strconv.Itoa(t.Scale) + ")"
	case *ast.ArrayType:
		return "ARRAY<" + typeText(t.Elem) + ">"
	case *ast.MapType:
		return "MAP<" + typeText(t.Key) + ", " + typeText(t.Value) + ">"
	case *ast.StructType:
		fields := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = f.Name.Name + " " + typeText(f.Type)
		}
		return "STRUCT<" + strings.Join(fields, ", ") + ">"
	case *ast.NamedType:
		return t.Name.Name
	}
	return ""
}
