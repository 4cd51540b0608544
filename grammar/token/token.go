// Package token holds the tokens of SQL text: the lexer, the keywords, ${} substitution, splitting into statements.
package token

import (
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar/diag"
)

// Kind is the kind of a token.
type Kind uint8

// The kinds of token. White space makes no token.
const (
	EOF         Kind = iota
	Keyword          // a word of the keyword table, reserved or not
	Ident            // an unquoted name
	DigitIdent       // an unquoted name that starts with a digit
	QuotedIdent      // `name` or "name"
	String           // 'text'
	Integer          // 1
	Decimal          // 1.5, .5, 1.
	Float            // 1e3
	Op               // operators and punctuation, one token each
	Variable         // ${name}, or $${name} which stands for itself
	Comment          // -- … or /* … */
	Directive        // --@ …
	Invalid          // see Token.Err
)

var kindNames = [...]string{
	EOF: "EOF", Keyword: "Keyword", Ident: "Ident", DigitIdent: "DigitIdent", QuotedIdent: "QuotedIdent",
	String: "String", Integer: "Integer", Decimal: "Decimal", Float: "Float", Op: "Op", Variable: "Variable",
	Comment: "Comment", Directive: "Directive", Invalid: "Invalid",
}

// String gives the name of the kind.
func (k Kind) String() string { return kindNames[k] }

// Kinds gives all kinds.
func Kinds() []Kind {
	kinds := make([]Kind, len(kindNames))
	for k := range kinds {
		kinds[k] = Kind(k)
	}
	return kinds
}

// Token is one token. Text is a part of the source, so that the texts of all
// tokens and the white space between them are the source.
type Token struct {
	Kind    Kind
	Text    string // as written, quotes included
	Pos     diag.Pos
	Keyword string // the upper-case word for Keyword, else ""
}

// End is the position after the token.
func (t Token) End() diag.Pos { return t.Pos.Advance(t.Text) }

// Span is the place of the token.
func (t Token) Span() diag.Span { return diag.Span{Start: t.Pos, End: t.End()} }

// Is reports whether the token is the operator.
func (t Token) Is(op string) bool { return t.Kind == Op && t.Text == op }

// IsComment reports whether the parser passes over the token.
func (t Token) IsComment() bool { return t.Kind == Comment || t.Kind == Directive }

// Value is what the token stands for: strings and quoted identifiers without
// quotes and doubled quotes, unquoted names and keywords in upper case, the name in ${name}.
func (t Token) Value() string { return Value(t.Kind, t.Text) }

// Value is Token.Value for a kind and a text.
func Value(kind Kind, text string) string {
	switch kind {
	case Keyword, Ident, DigitIdent:
		return strings.ToUpper(text)
	case QuotedIdent, String:
		quote := text[:1]
		return strings.ReplaceAll(text[1:len(text)-1], quote+quote, quote)
	case Variable:
		return strings.TrimSuffix(strings.TrimLeft(text, "${"), "}")
	case EOF, Integer, Decimal, Float, Op, Comment, Directive, Invalid:
	}
	return text
}

// Quote writes a string literal.
func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// QuoteIdent writes a name in back-quotes.
func QuoteIdent(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// NeedsQuotes reports whether a name must be quoted to be read back as it is:
// it has lower-case letters, is no identifier, or is a reserved word.
func NeedsQuotes(name string) bool {
	if name == "" || strings.ToUpper(name) != name {
		return true
	}
	l := NewLexer(name)
	switch t := l.Next(); t.Kind {
	case Ident, DigitIdent:
		return len(t.Text) != len(name)
	case Keyword:
		return len(t.Text) != len(name) || IsReserved(t.Keyword)
	default:
		return true
	}
}

// Err tells what is wrong with an Invalid token; nil for every other kind.
func (t Token) Err() *diag.Error {
	if t.Kind != Invalid {
		return nil
	}
	span := diag.Span{Start: t.Pos, End: t.Pos.Advance(t.Text[:1])}
	fail := func(what, hint string) *diag.Error {
		return diag.Errorf(diag.Syntax, span, "line %s: Syntax Error\n%s", t.Pos, what).WithHint("%s", hint)
	}
	switch {
	case t.Text[0] == '\'':
		return fail("Unterminated string literal", "close the string with a single quote; a quote inside a string is written twice")
	case t.Text[0] == '`' || t.Text[0] == '"':
		return fail("Unterminated quoted identifier", "close the name with "+t.Text[:1])
	case strings.HasPrefix(t.Text, "/*"):
		return fail("Unterminated comment", "close the comment with */")
	case t.Text == "$":
		return fail("Syntax error at or near '$' at line "+t.Pos.String(), "a variable is written ${name}")
	}
	span.End = t.End()
	return fail("Syntax error at or near '"+t.Text+"' at line "+t.Pos.String(),
		"this character can only stand in a string or in a quoted identifier")
}
