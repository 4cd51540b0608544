// Package expr holds typed expressions: names are bound to columns of one row, calls to overloads, and every implicit
// conversion is a Cast. They are plain serialisable data; exec/eval compiles them.
package expr

import "github.com/ksqlgo/ksqlgo/catalog/types"

// Expr is a typed expression. The set is sealed: see the types of this file.
//
//sumtype:decl
type Expr interface {
	// Type is the expression's SQL type, never nil.
	Type() *types.Type
	exprNode()
}

// Column reads a column of the input row.
type Column struct {
	// Index into the row's columns (types.Layout.Columns).
	Index int
	// Name for people.
	Name string
	T    *types.Type
}

// Literal is a constant in boxed form (nil is NULL).
type Literal struct {
	Value any
	T     *types.Type
}

// ArithOp is an arithmetic operator.
type ArithOp string

// The arithmetic operators.
const (
	Add      ArithOp = "+"
	Subtract ArithOp = "-"
	Multiply ArithOp = "*"
	Divide   ArithOp = "/"
	Modulo   ArithOp = "%"
)

// Arith computes L op R. Both operands have been cast to one kind: INT, BIGINT, DOUBLE, STRING (Add only), or DECIMALs
// of their own precision and scale with T the DECIMAL result by ksqlDB's rules. A null operand is an error in ksqlDB's
// compiled code: column null and an error entry.
type Arith struct {
	Op   ArithOp
	L, R Expr
	T    *types.Type
}

// Negate is unary minus on INT, BIGINT, DOUBLE, DECIMAL.
type Negate struct{ X Expr }

// CompareOp is a comparison operator.
type CompareOp string

// The comparison operators.
const (
	Equal          CompareOp = "="
	NotEqual       CompareOp = "<>"
	Less           CompareOp = "<"
	LessOrEqual    CompareOp = "<="
	Greater        CompareOp = ">"
	GreaterOrEqual CompareOp = ">="
	// DistinctFrom and NotDistinctFrom are null-safe.
	DistinctFrom    CompareOp = "IS DISTINCT FROM"
	NotDistinctFrom CompareOp = "IS NOT DISTINCT FROM"
)

// Compare compares L and R, which have the same kind (DECIMALs may differ in precision and scale). A null operand makes
// it false (ksqlDB's two-valued logic), but for the null-safe operators.
type Compare struct {
	Op   CompareOp
	L, R Expr
}

// And is the conjunction of two or more conditions, evaluated left to right, stopping at the first false.
type And struct{ Xs []Expr }

// Or is the disjunction of two or more conditions.
type Or struct{ Xs []Expr }

// Not negates a condition.
type Not struct{ X Expr }

// IsNull is X IS NULL, or IS NOT NULL when Negated.
type IsNull struct {
	X       Expr
	Negated bool
}

// Between is X BETWEEN Lo AND Hi, all of one kind; false when any is null.
type Between struct {
	X, Lo, Hi Expr
	Negated   bool
}

// In is X IN (List), all of one kind. It never matches null; NOT IN with a null X is true.
type In struct {
	X       Expr
	List    []Expr
	Negated bool
}

// Like matches X against Pattern with % and _; a null X is an error.
type Like struct {
	X, Pattern Expr
	// Escape is the escape character, 0 for none.
	Escape  rune
	Negated bool
}

// When is one branch of a CASE.
type When struct {
	Cond, Then Expr
}

// Case is a searched CASE, lazy; without a match and Else it is null. A null condition counts as false.
type Case struct {
	Whens []When
	// Else may be nil.
	Else Expr
	T    *types.Type
}

// Cast converts X to T by the rules of CAST. Implicit ones are those the planner put in.
type Cast struct {
	X        Expr
	T        *types.Type
	Implicit bool
}

// Subscript is X[Index] on an ARRAY (from 1, negative from the end) or MAP; null when absent.
type Subscript struct {
	X, Index Expr
	T        *types.Type
}

// FieldAccess is X->Name on a STRUCT; null when X is null.
type FieldAccess struct {
	X     Expr
	Index int
	Name  string
	T     *types.Type
}

// Call is a scalar function call bound to one overload: Overload indexes Spec.Scalars of the function Name. Args have
// been cast to the parameter types.
type Call struct {
	Name     string
	Overload int
	Args     []Expr
	T        *types.Type
}

// LambdaParam is a parameter of a lambda. IDs are unique within one whole expression.
type LambdaParam struct {
	ID   int
	Name string
	T    *types.Type
}

// Lambda is a lambda argument of a call; its type is that of its body's result as a lambda type.
type Lambda struct {
	Params []LambdaParam
	Body   Expr
	T      *types.Type
}

// LambdaVar reads a lambda parameter.
type LambdaVar struct {
	ID   int
	Name string
	T    *types.Type
}

// MakeArray is ARRAY[…]; the items have been cast to the element type.
type MakeArray struct {
	Items []Expr
	T     *types.Type
}

// MakeMap is MAP(k := v, …).
type MakeMap struct {
	Keys, Values []Expr
	T            *types.Type
}

// MakeStruct is STRUCT(f := v, …), fields in T's order.
type MakeStruct struct {
	Fields []Expr
	T      *types.Type
}

// Type returns the column's type.
func (e *Column) Type() *types.Type { return e.T }

// Type returns the literal's type.
func (e *Literal) Type() *types.Type { return e.T }

// Type returns the result type.
func (e *Arith) Type() *types.Type { return e.T }

// Type returns the operand's type.
func (e *Negate) Type() *types.Type { return e.X.Type() }

// Type is BOOLEAN.
func (e *Compare) Type() *types.Type { return types.BooleanType }

// Type is BOOLEAN.
func (e *And) Type() *types.Type { return types.BooleanType }

// Type is BOOLEAN.
func (e *Or) Type() *types.Type { return types.BooleanType }

// Type is BOOLEAN.
func (e *Not) Type() *types.Type { return types.BooleanType }

// Type is BOOLEAN.
func (e *IsNull) Type() *types.Type { return types.BooleanType }

// Type is BOOLEAN.
func (e *Between) Type() *types.Type { return types.BooleanType }

// Type is BOOLEAN.
func (e *In) Type() *types.Type { return types.BooleanType }

// Type is BOOLEAN.
func (e *Like) Type() *types.Type { return types.BooleanType }

// Type returns the branches' common type.
func (e *Case) Type() *types.Type { return e.T }

// Type returns the target type.
func (e *Cast) Type() *types.Type { return e.T }

// Type returns the element type.
func (e *Subscript) Type() *types.Type { return e.T }

// Type returns the field's type.
func (e *FieldAccess) Type() *types.Type { return e.T }

// Type returns the overload's resolved result type.
func (e *Call) Type() *types.Type { return e.T }

// Type returns the lambda type.
func (e *Lambda) Type() *types.Type { return e.T }

// Type returns the parameter's type.
func (e *LambdaVar) Type() *types.Type { return e.T }

// Type returns the ARRAY type.
func (e *MakeArray) Type() *types.Type { return e.T }

// Type returns the MAP type.
func (e *MakeMap) Type() *types.Type { return e.T }

// Type returns the STRUCT type.
func (e *MakeStruct) Type() *types.Type { return e.T }

func (*Column) exprNode()      {}
func (*Literal) exprNode()     {}
func (*Arith) exprNode()       {}
func (*Negate) exprNode()      {}
func (*Compare) exprNode()     {}
func (*And) exprNode()         {}
func (*Or) exprNode()          {}
func (*Not) exprNode()         {}
func (*IsNull) exprNode()      {}
func (*Between) exprNode()     {}
func (*In) exprNode()          {}
func (*Like) exprNode()        {}
func (*Case) exprNode()        {}
func (*Cast) exprNode()        {}
func (*Subscript) exprNode()   {}
func (*FieldAccess) exprNode() {}
func (*Call) exprNode()        {}
func (*Lambda) exprNode()      {}
func (*LambdaVar) exprNode()   {}
func (*MakeArray) exprNode()   {}
func (*MakeMap) exprNode()     {}
func (*MakeStruct) exprNode()  {}
