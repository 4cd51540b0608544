package grammar

import (
	"errors"
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// parser is what the parts share that are parsed by hand. One lives for one part of one statement.
type parser struct {
	lex       *lexer.PeekingLexer
	last      diag.Pos // the end of the last token that was consumed
	depth     int      // how deep the tree is here
	operators int      // binary operators of the current expression
}

func (p *parser) peek() *lexer.Token { return p.lex.Peek() }

// peekAt looks n tokens ahead; peekAt(0) is peek.
func (p *parser) peekAt(n int) *lexer.Token {
	mark := p.lex.MakeCheckpoint()
	for range n {
		p.lex.Next()
	}
	t := p.lex.Peek()
	p.lex.LoadCheckpoint(mark)
	return t
}

func (p *parser) next() *lexer.Token {
	t := p.lex.Next()
	p.last = endOf(t)
	return t
}

func (p *parser) atEnd() bool { return p.peek().EOF() }

func isOp(t *lexer.Token, op string) bool { return kindOf(t) == token.Op && t.Value == op }

func isKeyword(t *lexer.Token, word string) bool {
	return kindOf(t) == token.Keyword && len(t.Value) == len(word) && strings.EqualFold(t.Value, word)
}

// keyword gives the upper-case form of a keyword, "" for other tokens.
func keyword(t *lexer.Token) string {
	if kindOf(t) != token.Keyword {
		return ""
	}
	word, _ := token.KeywordOf(t.Value)
	return word
}

// takeOp consumes the operator if it is next.
func (p *parser) takeOp(op string) bool {
	if !isOp(p.peek(), op) {
		return false
	}
	p.next()
	return true
}

// take consumes the keywords if all of them are next.
func (p *parser) take(words ...string) bool {
	for i, w := range words {
		if t := p.peek(); i > 0 {
			t = p.peekAt(i)
			if !isKeyword(t, w) {
				return false
			}
		} else if !isKeyword(t, w) {
			return false
		}
	}
	for range words {
		p.next()
	}
	return true
}

func (p *parser) expectOp(op string) error {
	if p.takeOp(op) {
		return nil
	}
	return p.unexpected("'" + op + "'")
}

func (p *parser) expect(words ...string) error {
	for _, w := range words {
		if !p.take(w) {
			return p.unexpected(w)
		}
	}
	return nil
}

// unexpected refuses the next token.
func (p *parser) unexpected(expected string) error {
	return &unexpectedError{token: *p.peek(), expected: expected}
}

// refuse refuses the next token with ksqlDB's special text.
func (p *parser) refuse(what, expected string) error {
	return &unexpectedError{token: *p.peek(), what: what, expected: expected}
}

// enter counts a level of depth; leave must follow.
func (p *parser) enter() error {
	p.depth++
	if p.depth > MaxDepth {
		return tooDeep(spanOf(p.peek()))
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

// from is the place from a position to the last token.
func (p *parser) from(start diag.Pos) ast.Located {
	return ast.At(diag.Span{Start: start, End: p.last})
}

// isName reports whether the token can be a name.
func isName(t *lexer.Token) bool {
	switch kindOf(t) {
	case token.Ident, token.DigitIdent, token.QuotedIdent:
		return true
	case token.Keyword:
		return !token.IsReserved(t.Value)
	default:
		return false
	}
}

// ident parses a name.
func (p *parser) ident() (ast.Ident, error) {
	t := p.peek()
	if !isName(t) {
		return ast.Ident{}, &unexpectedError{token: *t, expected: "a name", wantName: true}
	}
	p.next()
	name := token.Value(kindOf(t), t.Value)
	if name == "" {
		return ast.Ident{}, diag.Errorf(diag.Syntax, spanOf(t), "line %s: Syntax Error\nA name cannot be empty", posOf(t)).
			WithHint("write the name between the quotes")
	}
	return ast.Ident{Located: ast.At(spanOf(t)), Name: name, Quoted: kindOf(t) == token.QuotedIdent}, nil
}

// identPointer parses a name and gives a pointer to it.
func (p *parser) identPointer() (*ast.Ident, error) {
	id, err := p.ident()
	if err != nil {
		return nil, err
	}
	return &id, nil
}

// stringLiteral parses '…'.
func (p *parser) stringLiteral() (*ast.StringLiteral, error) {
	t := p.peek()
	if kindOf(t) != token.String {
		return nil, p.unexpected("a string in single quotes")
	}
	p.next()
	return &ast.StringLiteral{Located: ast.At(spanOf(t)), Value: token.Value(token.String, t.Value)}, nil
}

// list parses "(" item {"," item} ")"; an empty list is refused unless empty is set.
func list[T any](p *parser, empty bool, item func() (T, error)) ([]T, error) {
	if err := p.expectOp("("); err != nil {
		return nil, err
	}
	if empty && p.takeOp(")") {
		return nil, nil
	}
	items, err := commaSeparated(p, item)
	if err != nil {
		return nil, err
	}
	if !p.takeOp(")") {
		return nil, p.unexpected("',' or ')'")
	}
	return items, nil
}

// commaSeparated parses item {"," item}.
func commaSeparated[T any](p *parser, item func() (T, error)) ([]T, error) {
	var items []T
	for {
		it, err := item()
		if err != nil {
			return nil, err
		}
		items = append(items, it)
		if !p.takeOp(",") {
			return items, nil
		}
	}
}

// part runs a hand-written parser within participle's grammar. An error after
// the first token is final: the lexer is moved to the end, which participle
// takes for "too far to try something else", so the error is not lost.
func part[T any](lex *lexer.PeekingLexer, into *T, parse func(*parser) (T, error)) error {
	p := &parser{lex: lex}
	start := lex.Cursor()
	v, err := parse(p)
	if err != nil {
		if lex.Cursor() > start && !errors.Is(err, participle.NextMatch) {
			for !lex.Peek().EOF() {
				lex.Next()
			}
		}
		return err
	}
	*into = v
	return nil
}
