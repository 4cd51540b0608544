package ast

// Expr is an expression. Parentheses leave no node: the shape of the tree says it.
//
//sumtype:decl
type Expr interface {
	Node
	expr()
}

// ColumnRef names a column, maybe of a given source.
type ColumnRef struct {
	Located
	Source *Ident // nil if not qualified
	Name   Ident
}

// Deref is a field of a struct: Base->Field.
type Deref struct {
	Located
	Base  Expr
	Field Ident
}

// Subscript is an element of an array or map: Base[Index].
type Subscript struct {
	Located
	Base, Index Expr
}

// Sign is the operator of Unary.
type Sign uint8

// The signs.
const (
	Minus Sign = iota + 1
	Plus
)

// String gives the operator as written.
func (s Sign) String() string {
	if s == Minus {
		return "-"
	}
	return "+"
}

// Unary is a signed expression. A minus directly before a number is part of
// the literal instead.
type Unary struct {
	Located
	Op Sign
	X  Expr
}

// BinaryOp is the operator of Binary.
type BinaryOp uint8

// The arithmetic operators and concatenation.
const (
	Add BinaryOp = iota + 1
	Subtract
	Multiply
	Divide
	Modulo
	Concat
)

var binaryText = [...]string{Add: "+", Subtract: "-", Multiply: "*", Divide: "/", Modulo: "%", Concat: "||"}

// String gives the operator as written.
func (o BinaryOp) String() string { return binaryText[o] }

// Binary is arithmetic or concatenation.
type Binary struct {
	Located
	Op          BinaryOp
	Left, Right Expr
}

// CompareOp is the operator of Comparison.
type CompareOp uint8

// The comparison operators; the last two treat nulls as values.
const (
	Equals CompareOp = iota + 1
	NotEquals
	Less
	LessOrEqual
	Greater
	GreaterOrEqual
	IsDistinctFrom
	IsNotDistinctFrom
)

var compareText = [...]string{
	Equals: "=", NotEquals: "<>", Less: "<", LessOrEqual: "<=", Greater: ">", GreaterOrEqual: ">=",
	IsDistinctFrom: "IS DISTINCT FROM", IsNotDistinctFrom: "IS NOT DISTINCT FROM",
}

var compareNames = [...]string{
	Equals: "EQUAL", NotEquals: "NOT_EQUAL", Less: "LESS_THAN", LessOrEqual: "LESS_THAN_OR_EQUAL",
	Greater: "GREATER_THAN", GreaterOrEqual: "GREATER_THAN_OR_EQUAL",
	IsDistinctFrom: "IS_DISTINCT_FROM", IsNotDistinctFrom: "IS_NOT_DISTINCT_FROM",
}

// String gives the operator as written; != is <>.
func (o CompareOp) String() string { return compareText[o] }

// Name gives ksqlDB's name of the operator, as its error messages have it: EQUAL, LESS_THAN, ...
func (o CompareOp) Name() string { return compareNames[o] }

// Flip gives the operator that holds when the sides are exchanged.
func (o CompareOp) Flip() CompareOp {
	switch o {
	case Less:
		return Greater
	case LessOrEqual:
		return GreaterOrEqual
	case Greater:
		return Less
	case GreaterOrEqual:
		return LessOrEqual
	}
	return o
}

// Comparison compares two values.
type Comparison struct {
	Located
	Op          CompareOp
	Left, Right Expr
}

// LogicalOp is the operator of Logical.
type LogicalOp uint8

// The logical operators of two operands.
const (
	And LogicalOp = iota + 1
	Or
)

// String gives the operator as written.
func (o LogicalOp) String() string {
	if o == And {
		return "AND"
	}
	return "OR"
}

// Logical is AND or OR. Chains lean to the left and may be thousands of nodes deep.
type Logical struct {
	Located
	Op          LogicalOp
	Left, Right Expr
}

// Not is NOT X.
type Not struct {
	Located
	X Expr
}

// IsNull is X IS [NOT] NULL.
type IsNull struct {
	Located
	X       Expr
	Negated bool
}

// Between is X [NOT] BETWEEN Low AND High.
type Between struct {
	Located
	X, Low, High Expr
	Negated      bool
}

// In is X [NOT] IN (List…); the list has at least one element.
type In struct {
	Located
	X       Expr
	List    []Expr
	Negated bool
}

// Like is X [NOT] LIKE Pattern [ESCAPE c].
type Like struct {
	Located
	X, Pattern Expr
	Escape     *StringLiteral // nil if not given; its length is not checked
	Negated    bool
}

// Case is CASE [Operand] WHEN … THEN … [ELSE …] END with at least one branch.
type Case struct {
	Located
	Operand Expr // nil for a searched CASE
	Whens   []When
	Else    Expr // nil if not given
}

// When is one branch of a Case.
type When struct {
	Located
	Condition, Result Expr
}

// Cast is CAST(X AS Type).
type Cast struct {
	Located
	X    Expr
	Type TypeName
}

// Call is a call of a function of any kind.
type Call struct {
	Located
	Name Ident
	Args []Expr
	Star bool // f(*); then there are no Args
}

// IntervalUnit is a unit of time as an argument of a function: TIMESTAMPADD(SECONDS, …).
type IntervalUnit struct {
	Located
	Unit TimeUnit
}

// Lambda is an anonymous function as an argument of a function: (a, b) => Body.
type Lambda struct {
	Located
	Params []Ident
	Body   Expr
}

// ArrayExpr is ARRAY[Elems…].
type ArrayExpr struct {
	Located
	Elems []Expr
}

// MapExpr is MAP(k := v, …).
type MapExpr struct {
	Located
	Entries []MapEntry
}

// MapEntry is one entry of a MapExpr.
type MapEntry struct {
	Key, Value Expr
}

// StructExpr is STRUCT(f := v, …).
type StructExpr struct {
	Located
	Fields []StructField
}

// StructField is one field of a StructExpr.
type StructField struct {
	Name  Ident
	Value Expr
}

// AtTimeZone is X AT TIME ZONE 'zone'; ksqlDB parses it and refuses it later.
type AtTimeZone struct {
	Located
	X    Expr
	Zone string
}

func (*ColumnRef) expr()    {}
func (*Deref) expr()        {}
func (*Subscript) expr()    {}
func (*Unary) expr()        {}
func (*Binary) expr()       {}
func (*Comparison) expr()   {}
func (*Logical) expr()      {}
func (*Not) expr()          {}
func (*IsNull) expr()       {}
func (*Between) expr()      {}
func (*In) expr()           {}
func (*Like) expr()         {}
func (*Case) expr()         {}
func (*Cast) expr()         {}
func (*Call) expr()         {}
func (*IntervalUnit) expr() {}
func (*Lambda) expr()       {}
func (*ArrayExpr) expr()    {}
func (*MapExpr) expr()      {}
func (*StructExpr) expr()   {}
func (*AtTimeZone) expr()   {}
