// Package grammar turns SQL text into syntax trees; it is the only importer of participle.
//
// Statements are described by structs with participle's tags (productions.go
// and its neighbours), one union dispatched on keywords. Expressions, types, the SELECT
// statement and lists, which may be long and deep, are parsed by hand over the same tokens: by
// precedence climbing, with a cap on depth, since Go cannot recover from a stack that overflows.
package grammar

import (
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// Limits of what is parsed; beyond them there is an error with diag.Limit.
const (
	MaxStatementBytes = 1 << 20 // of the text of one statement
	MaxTokens         = 250_000 // of one statement
	MaxDepth          = 200     // of nested parentheses, CASE, types, lambdas, ...
	MaxOperators      = 50_000  // binary operators in one expression
)

// Options says what is accepted beyond what a ksqlDB server accepts.
type Options struct {
	// OptionalSemicolon accepts a last statement without its semicolon.
	OptionalSemicolon bool
	// TestStatements accepts what is for the test tool alone: ASSERT VALUES, NULL VALUES, STREAM and TABLE.
	TestStatements bool
	// RunScript accepts RUN SCRIPT, which is for clients alone.
	RunScript bool
}

// Stmt is a statement with the text it came from.
type Stmt struct {
	Statement ast.Statement
	// Text is the source from the first token to the semicolon, both included
	// (a left-out semicolon is added).
	Text string
	// Span is the place of Text; positions within Statement count from the
	// start of the whole text too.
	Span diag.Span
	// Directives are the --@ comments before and within the statement.
	Directives []token.Token
}

// Parse parses statements, each ended by a semicolon. Variables are not
// substituted (see token.Substitute). If a statement has an error, which is a
// *diag.Error, the statements before it are returned with the error.
func Parse(text string, opts Options) ([]Stmt, error) {
	var stmts []Stmt
	for pieces := split(text); ; {
		piece, ok := pieces.Next()
		if !ok {
			return stmts, nil
		}
		stmt, err := parsePiece(piece, opts)
		if err != nil {
			return stmts, err
		}
		stmts = append(stmts, stmt)
	}
}

func split(text string) *token.Splitter {
	s := token.NewSplitter(text)
	s.MaxBytes, s.MaxTokens = MaxStatementBytes, MaxTokens
	return s
}

// ParseOne parses a text that holds exactly one statement.
func ParseOne(text string, opts Options) (Stmt, error) {
	pieces := split(text)
	piece, ok := pieces.Next()
	if !ok {
		return Stmt{}, emptyText("The text holds no statement")
	}
	stmt, err := parsePiece(piece, opts)
	if err != nil {
		return Stmt{}, err
	}
	if second, ok := pieces.Next(); ok {
		return Stmt{}, diag.Errorf(diag.Syntax, second.Span, "Expected exactly one statement; found more").
			WithHint("send the statements one by one")
	}
	return stmt, nil
}

// ParsePiece parses one statement that token.Split has found, so that clients
// can go on with the next one after an error. Positions are those of the whole text.
func ParsePiece(piece token.Piece, opts Options) (Stmt, error) { return parsePiece(piece, opts) }

// ParseExpr parses a single expression.
func ParseExpr(text string) (ast.Expr, error) {
	return parseAlone(text, (*parser).expression)
}

// ParseType parses a single type.
func ParseType(text string) (ast.TypeName, error) {
	return parseAlone(text, (*parser).typeName)
}
