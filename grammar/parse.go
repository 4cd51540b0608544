package grammar

import (
	"errors"
	"sync"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// root is the start of the grammar: one statement without its semicolon.
type root struct {
	Statement production `parser:"@@"`
}

// participleParser builds the parser when the first statement is parsed. It may be used at once by many.
var participleParser = sync.OnceValue(func() *participle.Parser[root] {
	return participle.MustBuild[root](
		participle.Lexer(definition{}),
		participle.CaseInsensitive(token.Keyword.String()),
		participle.UseLookahead(1),
		participle.Union(productions()...),
		participle.Union(createTargets()...),
		participle.Union(assertTargets()...),
	)
})

// parsePiece parses one statement.
func parsePiece(piece token.Piece, opts Options) (Stmt, error) {
	if err := checkPiece(piece, opts); err != nil {
		return Stmt{}, err
	}
	if err := checkAllowed(piece.Tokens, opts); err != nil {
		return Stmt{}, err
	}
	lex, err := newPeekingLexer(piece.Tokens, piece.Complete)
	if err != nil {
		return Stmt{}, err
	}
	tree, err := participleParser().ParseFromLexer(lex)
	if err != nil {
		return Stmt{}, explain(err, piece)
	}
	statement, err := tree.Statement.build()
	if err != nil {
		return Stmt{}, explain(err, piece)
	}
	stmt := Stmt{Statement: statement, Text: piece.Text, Span: piece.Span, Directives: piece.Directives}
	if !piece.Complete {
		stmt.Text += ";"
	}
	return stmt, nil
}

// checkPiece finds what needs no parser: what is too long or too deep, and broken tokens.
func checkPiece(piece token.Piece, opts Options) error {
	if piece.Truncated || len(piece.Text) > MaxStatementBytes || len(piece.Tokens) > MaxTokens {
		start := piece.Span.Start
		return diag.Errorf(diag.Limit, diag.Span{Start: start, End: start},
			"line %s: The statement is too long, the limits are %d bytes and %d words.", start, MaxStatementBytes, MaxTokens).
			WithHint("split it into several statements; an unclosed quote makes a statement long, too")
	}
	brackets, explains := 0, 0
	for i, t := range piece.Tokens {
		switch {
		case t.Kind == token.Invalid:
			return t.Err()
		case t.Is("(") || t.Is("["):
			brackets++
		case t.Is(")") || t.Is("]"):
			brackets--
		case t.Keyword == "EXPLAIN" && i == explains:
			explains++
		}
		if brackets > MaxDepth || explains > MaxDepth {
			return tooDeep(t.Span())
		}
	}
	last := piece.Tokens[len(piece.Tokens)-1]
	switch {
	case len(piece.Tokens) == 1:
		return syntaxError(last.Span(), nearMessage(";", last.Pos)).WithHint("there is no statement before the semicolon")
	case !piece.Complete && !opts.OptionalSemicolon && brackets <= 0:
		// The parser finds what is wrong before the end, so let it look first.
		if _, err := parsePiece(piece, Options{OptionalSemicolon: true, TestStatements: true, RunScript: true}); err != nil {
			return err
		}
		return syntaxError(last.Span(), "missing ';' at '<EOF>'").WithHint("end the statement with a semicolon")
	}
	return nil
}

// checkAllowed refuses the statements of tools where only a server's are accepted.
func checkAllowed(tokens []token.Token, opts Options) error {
	first, second := tokens[0], tokens[1]
	switch first.Keyword {
	case "ASSERT":
		switch second.Keyword {
		case "VALUES", "NULL", "STREAM", "TABLE":
			if !opts.TestStatements {
				return syntaxError(second.Span(), nearMessage(second.Text, second.Pos)).WithHint("this statement is for the test tool alone")
			}
		}
	case "RUN":
		if !opts.RunScript {
			return syntaxError(first.Span(), "Unknown statement '"+first.Text+"'").WithHint("this statement is for clients alone")
		}
	}
	return nil
}

// parseAlone parses a text that is one expression or one type.
func parseAlone[T any](text string, parse func(*parser) (T, error)) (T, error) {
	var none T
	piece, ok := split(text).Next()
	if !ok {
		return none, emptyText("The text is empty")
	}
	if err := checkPiece(piece, Options{OptionalSemicolon: true}); err != nil {
		return none, err
	}
	if piece.Complete {
		end := piece.Tokens[len(piece.Tokens)-1]
		return none, syntaxError(end.Span(), nearMessage(";", end.Pos)).WithHint("leave out the semicolon")
	}
	lex, err := newPeekingLexer(piece.Tokens, false)
	if err != nil {
		return none, err
	}
	p := &parser{lex: lex}
	tree, err := parse(p)
	if err == nil && !p.atEnd() {
		err = p.unexpected("the end of the text")
	}
	if err != nil {
		return none, explain(err, piece)
	}
	return tree, nil
}

// explain makes a *diag.Error of whatever the parser returns.
func explain(err error, piece token.Piece) error {
	var unexpected *unexpectedError
	if errors.As(err, &unexpected) {
		return unexpected.diagnose(piece)
	}
	if e, ok := diag.As(err); ok {
		return e
	}
	var at participle.Error
	if !errors.As(err, &at) {
		return diag.Errorf(diag.Syntax, piece.Span, "line %s: Syntax Error\n%s", piece.Span.Start, err)
	}
	out := &unexpectedError{token: lexer.Token{Pos: at.Position()}}
	var misplaced *participle.UnexpectedTokenError
	if errors.As(err, &misplaced) {
		out.token, out.expected = misplaced.Unexpected, expectation(misplaced)
	}
	return out.diagnose(piece)
}
