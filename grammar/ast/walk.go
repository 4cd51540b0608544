package ast

// Children calls f with each direct subexpression of e, from left to right.
// Nil parts (a missing ELSE) are left out.
func Children(e Expr, f func(Expr)) {
	switch e := e.(type) {
	case *ColumnRef, *IntervalUnit, *IntLiteral, *BigintLiteral, *DecimalLiteral, *DoubleLiteral,
		*StringLiteral, *BooleanLiteral, *NullLiteral, *TypedLiteral:
	case *Deref:
		f(e.Base)
	case *Subscript:
		f(e.Base)
		f(e.Index)
	case *Unary:
		f(e.X)
	case *Binary:
		f(e.Left)
		f(e.Right)
	case *Comparison:
		f(e.Left)
		f(e.Right)
	case *Logical:
		f(e.Left)
		f(e.Right)
	case *Not:
		f(e.X)
	case *IsNull:
		f(e.X)
	case *Between:
		f(e.X)
		f(e.Low)
		f(e.High)
	case *In:
		f(e.X)
		for _, x := range e.List {
			f(x)
		}
	case *Like:
		f(e.X)
		f(e.Pattern)
		if e.Escape != nil {
			f(e.Escape)
		}
	case *Case:
		if e.Operand != nil {
			f(e.Operand)
		}
		for i := range e.Whens {
			f(e.Whens[i].Condition)
			f(e.Whens[i].Result)
		}
		if e.Else != nil {
			f(e.Else)
		}
	case *Cast:
		f(e.X)
	case *Call:
		for _, x := range e.Args {
			f(x)
		}
	case *Lambda:
		f(e.Body)
	case *ArrayExpr:
		for _, x := range e.Elems {
			f(x)
		}
	case *MapExpr:
		for i := range e.Entries {
			f(e.Entries[i].Key)
			f(e.Entries[i].Value)
		}
	case *StructExpr:
		for i := range e.Fields {
			f(e.Fields[i].Value)
		}
	case *AtTimeZone:
		f(e.X)
	}
}

// Inspect visits e and its subexpressions, parents first, from left to right.
// Where f returns false the subexpressions are left out. A nil e is no visit.
func Inspect(e Expr, f func(Expr) bool) {
	if e == nil || !f(e) {
		return
	}
	Children(e, func(c Expr) { Inspect(c, f) })
}

// Exprs gives the expressions that stand directly in a SELECT, in the order of
// the text: items, join conditions, WHERE, GROUP BY, PARTITION BY, HAVING.
func (s *Select) Exprs() []Expr {
	var list []Expr
	for _, item := range s.Items {
		switch item := item.(type) {
		case *SelectExpr:
			list = append(list, item.Expr)
		case *SelectStructAll:
			list = append(list, item.Base)
		case *SelectAll:
		}
	}
	var joins func(Relation)
	joins = func(r Relation) {
		if j, ok := r.(*Join); ok {
			joins(j.Left)
			list = append(list, j.On)
		}
	}
	joins(s.From)
	if s.Where != nil {
		list = append(list, s.Where)
	}
	for _, g := range []*Grouping{s.GroupBy, s.PartitionBy} {
		if g != nil {
			list = append(list, g.Exprs...)
		}
	}
	if s.Having != nil {
		list = append(list, s.Having)
	}
	return list
}

// Sources gives the sources of a relation from left to right.
func Sources(r Relation) []*Source {
	switch r := r.(type) {
	case *Source:
		return []*Source{r}
	case *Join:
		return append(Sources(r.Left), r.Right)
	}
	return nil
}
