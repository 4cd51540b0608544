package ast

// Select is the SELECT statement, alone or within another one.
type Select struct {
	Located
	Items       []SelectItem
	From        Relation
	Window      *Window // nil if there is none
	Where       Expr    // nil if there is none
	GroupBy     *Grouping
	PartitionBy *Grouping
	Having      Expr // nil if there is none
	Emit        EmitMode
	Limit       *Limit // nil if there is none
}

// SelectItem is one item of the projection.
//
//sumtype:decl
type SelectItem interface {
	Node
	selectItem()
}

// SelectExpr is an expression with an optional alias.
type SelectExpr struct {
	Located
	Expr  Expr
	Alias *Ident // nil if not given
}

// SelectAll is * or source.*
type SelectAll struct {
	Located
	Source *Ident // nil for *
}

// SelectStructAll is struct->*
type SelectStructAll struct {
	Located
	Base Expr
}

func (*SelectExpr) selectItem()      {}
func (*SelectAll) selectItem()       {}
func (*SelectStructAll) selectItem() {}

// Relation is what stands after FROM.
//
//sumtype:decl
type Relation interface {
	Node
	relation()
}

// Source is a stream or table, maybe under another name.
type Source struct {
	Located
	Name  Ident
	Alias *Ident // nil if not given, or equal to the name
}

// NameOrAlias is the name by which columns of the source are qualified.
func (s *Source) NameOrAlias() Ident {
	if s.Alias != nil {
		return *s.Alias
	}
	return s.Name
}

// Join joins what stands on the left with one source; chains lean to the left.
type Join struct {
	Located
	Left   Relation
	Kind   JoinKind
	Right  *Source
	Within *Within // nil if not given
	On     Expr
}

func (*Source) relation() {}
func (*Join) relation()   {}

// JoinKind says which rows without a partner are kept.
type JoinKind uint8

// The kinds of join.
const (
	InnerJoin JoinKind = iota + 1
	LeftJoin
	RightJoin
	FullJoin
)

// String gives the keywords, as in "LEFT OUTER JOIN".
func (k JoinKind) String() string {
	switch k {
	case LeftJoin:
		return "LEFT OUTER JOIN"
	case RightJoin:
		return "RIGHT OUTER JOIN"
	case FullJoin:
		return "FULL OUTER JOIN"
	}
	return "INNER JOIN"
}

// Within bounds the difference of time in a stream-stream join.
type Within struct {
	Located
	Before, After Interval
	Grace         *Interval // nil if not given
	// Symmetric says that a single size was written: Before equals After.
	Symmetric bool
}

// Grouping is the list of GROUP BY or PARTITION BY, with at least one expression.
type Grouping struct {
	Located
	Exprs []Expr
}

// Limit is the LIMIT clause.
type Limit struct {
	Located
	Count int64
}

// EmitMode says when results of a continuous query are emitted.
type EmitMode uint8

// The emit modes.
const (
	EmitNone EmitMode = iota // no EMIT clause
	EmitChanges
	EmitFinal
)

// String gives the clause.
func (m EmitMode) String() string {
	switch m {
	case EmitChanges:
		return "EMIT CHANGES"
	case EmitFinal:
		return "EMIT FINAL"
	}
	return ""
}
