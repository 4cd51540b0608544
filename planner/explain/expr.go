package explain

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// printer prints typed expressions; ids shows column numbers.
type printer struct{ ids bool }

var logicalPrinter = printer{ids: true}

// Expr prints a typed expression as SQL; implicit casts show as type(x).
func Expr(e expr.Expr) string { return printer{}.Expr(e) }

// Expr prints one expression.
func (p printer) Expr(e expr.Expr) string {
	switch e := e.(type) {
	case nil:
		return ""
	case *expr.Column:
		if p.ids {
			return fmt.Sprintf("%s#%d", e.Name, e.Index)
		}
		return e.Name
	case *expr.Literal:
		return literal(e)
	case *expr.Arith:
		return "(" + p.Expr(e.L) + " " + string(e.Op) + " " + p.Expr(e.R) + ")"
	case *expr.Negate:
		return "-" + p.Expr(e.X)
	case *expr.Compare:
		return "(" + p.Expr(e.L) + " " + string(e.Op) + " " + p.Expr(e.R) + ")"
	case *expr.And:
		return "(" + p.list(e.Xs, " AND ") + ")"
	case *expr.Or:
		return "(" + p.list(e.Xs, " OR ") + ")"
	case *expr.Not:
		return "NOT " + p.Expr(e.X)
	case *expr.IsNull:
		return "(" + p.Expr(e.X) + " IS" + not(e.Negated) + " NULL)"
	case *expr.Between:
		return "(" + p.Expr(e.X) + not(e.Negated) + " BETWEEN " + p.Expr(e.Lo) + " AND " + p.Expr(e.Hi) + ")"
	case *expr.In:
		return "(" + p.Expr(e.X) + not(e.Negated) + " IN (" + p.list(e.List, ", ") + "))"
	case *expr.Like:
		return "(" + p.Expr(e.X) + not(e.Negated) + " LIKE " + p.Expr(e.Pattern) + ")"
	case *expr.Case:
		var b strings.Builder
		b.WriteString("CASE")
		for _, w := range e.Whens {
			b.WriteString(" WHEN " + p.Expr(w.Cond) + " THEN " + p.Expr(w.Then))
		}
		if e.Else != nil {
			b.WriteString(" ELSE " + p.Expr(e.Else))
		}
		return b.String() + " END"
	case *expr.Cast:
		if e.Implicit {
			return e.T.String() + "(" + p.Expr(e.X) + ")"
		}
		return "CAST(" + p.Expr(e.X) + " AS " + e.T.String() + ")"
	case *expr.Subscript:
		return p.Expr(e.X) + "[" + p.Expr(e.Index) + "]"
	case *expr.FieldAccess:
		return p.Expr(e.X) + "->" + e.Name
	case *expr.Call:
		return e.Name + "(" + p.list(e.Args, ", ") + ")"
	case *expr.Lambda:
		names := make([]string, len(e.Params))
		for i, n := range e.Params {
			names[i] = n.Name
		}
		return "(" + strings.Join(names, ", ") + ") => " + p.Expr(e.Body)
	case *expr.LambdaVar:
		return e.Name
	case *expr.MakeArray:
		return "ARRAY[" + p.list(e.Items, ", ") + "]"
	case *expr.MakeMap:
		parts := make([]string, len(e.Keys))
		for i := range e.Keys {
			parts[i] = p.Expr(e.Keys[i]) + ":=" + p.Expr(e.Values[i])
		}
		return "MAP(" + strings.Join(parts, ", ") + ")"
	case *expr.MakeStruct:
		parts := make([]string, len(e.Fields))
		for i := range e.Fields {
			parts[i] = e.T.Fields[i].Name + ":=" + p.Expr(e.Fields[i])
		}
		return "STRUCT(" + strings.Join(parts, ", ") + ")"
	}
	return fmt.Sprintf("%T", e)
}

func (p printer) list(xs []expr.Expr, sep string) string {
	out := make([]string, len(xs))
	for i, x := range xs {
		out[i] = p.Expr(x)
	}
	return strings.Join(out, sep)
}

func literal(l *expr.Literal) string {
	switch {
	case l.Value == nil:
		return "NULL"
	case l.T.Kind == types.String:
		return "'" + strings.ReplaceAll(l.Value.(string), "'", "''") + "'"
	case l.T.Kind == types.Bigint:
		return strconv.FormatInt(l.Value.(int64), 10)
	case l.T.Kind == types.IntervalUnit:
		return fmt.Sprint(l.Value)
	}
	return types.FormatBoxed(l.T, l.Value)
}

func not(negated bool) string {
	if negated {
		return " NOT"
	}
	return ""
}
