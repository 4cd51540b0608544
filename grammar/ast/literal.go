package ast

// IntLiteral is an INTEGER literal.
type IntLiteral struct {
	Located
	Value int32
}

// BigintLiteral is an integer literal that does not fit INTEGER.
type BigintLiteral struct {
	Located
	Value int64
}

// DecimalLiteral is a literal with a point and no exponent. Its type follows
// from its digits, so the text is kept: -0.50 is DECIMAL(2, 2).
type DecimalLiteral struct {
	Located
	Text string // an optional minus, one digit or more, a point, digits (maybe none)
}

// DoubleLiteral is a literal with an exponent.
type DoubleLiteral struct {
	Located
	Value float64 // finite
}

// StringLiteral is a '…' literal; Value is without quotes and escapes.
type StringLiteral struct {
	Located
	Value string
}

// BooleanLiteral is TRUE or FALSE.
type BooleanLiteral struct {
	Located
	Value bool
}

// NullLiteral is NULL.
type NullLiteral struct {
	Located
}

// TypedLiteral is a string with a type before it, such as TIMESTAMP '…', DATE '…' or TIME '…'.
type TypedLiteral struct {
	Located
	Type  Ident
	Value string
}

func (*IntLiteral) expr()     {}
func (*BigintLiteral) expr()  {}
func (*DecimalLiteral) expr() {}
func (*DoubleLiteral) expr()  {}
func (*StringLiteral) expr()  {}
func (*BooleanLiteral) expr() {}
func (*NullLiteral) expr()    {}
func (*TypedLiteral) expr()   {}
