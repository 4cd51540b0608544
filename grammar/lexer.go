package grammar

import (
	"io"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// definition makes the lexer of package token participle's. Values are the texts as written.
type definition struct{}

// Symbols gives the kinds of token.
func (definition) Symbols() map[string]lexer.TokenType {
	symbols := make(map[string]lexer.TokenType)
	for _, k := range token.Kinds() {
		symbols[k.String()] = typeOf(k)
	}
	return symbols
}

// Lex reads the text and starts the lexer.
func (definition) Lex(_ string, r io.Reader) (lexer.Lexer, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return definition{}.LexString("", string(text))
}

// LexString starts the lexer.
func (definition) LexString(_, text string) (lexer.Lexer, error) {
	var kept []token.Token
	for _, t := range token.Tokenize(text) {
		if !t.IsComment() {
			kept = append(kept, t)
		}
	}
	return &tokens{rest: kept}, nil
}

func typeOf(k token.Kind) lexer.TokenType {
	if k == token.EOF {
		return lexer.EOF
	}
	return lexer.TokenType(k)
}

func kindOf(t *lexer.Token) token.Kind {
	if t.Type == lexer.EOF {
		return token.EOF
	}
	return token.Kind(t.Type)
}

// tokens is a lexer over tokens that were cut already; the last one is EOF.
type tokens struct {
	rest []token.Token
	// end is the value of the EOF token: the semicolon if there is one.
	end string
}

// Next gives the next token.
func (l *tokens) Next() (lexer.Token, error) {
	t := l.rest[0]
	if t.Kind == token.Invalid {
		return lexer.Token{}, t.Err()
	}
	out := lexer.Token{
		Type: typeOf(t.Kind), Value: t.Text,
		Pos: lexer.Position{Offset: t.Pos.Offset, Line: t.Pos.Line, Column: t.Pos.Column},
	}
	if t.Kind == token.EOF {
		out.Value = l.end
		return out, nil
	}
	l.rest = l.rest[1:]
	return out, nil
}

// newPeekingLexer starts participle's lexer over the tokens of a statement.
func newPeekingLexer(list []token.Token, complete bool) (*lexer.PeekingLexer, error) {
	l := &tokens{rest: list}
	if complete {
		l.end = ";"
	}
	return lexer.Upgrade(l)
}

func posOf(t *lexer.Token) diag.Pos {
	return diag.Pos{Offset: t.Pos.Offset, Line: t.Pos.Line, Column: t.Pos.Column}
}

func endOf(t *lexer.Token) diag.Pos { return posOf(t).Advance(t.Value) }

func spanOf(t *lexer.Token) diag.Span { return diag.Span{Start: posOf(t), End: endOf(t)} }
