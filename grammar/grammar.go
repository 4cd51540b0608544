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
	pieces := token.Split(text)
	stmts := make([]Stmt, 0, len(pieces))
	for _, piece := range pieces {
		stmt, err := parsePiece(piece, opts)
		if err != nil {
			return stmts, err
		}
		stmts = append(stmts, stmt)
	}
	return stmts, nil
}

// ParseOne parses a text that holds exactly one statement.
func ParseOne(text string, opts Options) (Stmt, error) {
	pieces := token.Split(text)
	if len(pieces) == 0 {
		return Stmt{}, diag.Errorf(diag.Syntax, diag.Span{Start: diag.Start(), End: diag.Start()},
			"line %s: Syntax Error\nThe text holds no statement", diag.Start())
	}
	stmt, err := parsePiece(pieces[0], opts)
	if err == nil && len(pieces) > 1 {
		return stmt, diag.Errorf(diag.Syntax, pieces[1].Span, "Expected exactly one KSQL statement; found %d instead", len(pieces))
	}
	return stmt, err
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
