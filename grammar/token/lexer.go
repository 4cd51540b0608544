package token

import (
	"strings"
	"unicode/utf8"

	"github.com/ksqlgo/ksqlgo/grammar/diag"
)

// Lexer cuts a text into tokens. It never fails: what is no token comes out
// as Invalid. Names are ASCII as in ksqlDB; anything can stand in quotes.
type Lexer struct {
	text string
	pos  diag.Pos
}

// NewLexer starts a lexer at the start of the text.
func NewLexer(text string) *Lexer { return &Lexer{text: text, pos: diag.Start()} }

// Tokenize gives all tokens of the text, comments too, EOF last.
func Tokenize(text string) []Token {
	tokens := make([]Token, 0, len(text)/5+8)
	for l := NewLexer(text); ; {
		t := l.Next()
		tokens = append(tokens, t)
		if t.Kind == EOF {
			return tokens
		}
	}
}

// Next gives the next token; EOF again and again at the end.
func (l *Lexer) Next() Token {
	l.skipSpace()
	rest := l.text[l.pos.Offset:]
	if rest == "" {
		return Token{Kind: EOF, Pos: l.pos}
	}
	kind, n := scan(rest)
	t := Token{Kind: kind, Text: rest[:n], Pos: l.pos}
	switch kind {
	case Ident:
		if k, ok := lookup(t.Text); ok {
			t.Kind, t.Keyword = Keyword, k.word
		}
		l.skip(n)
	case DigitIdent, Integer, Decimal, Float, Op:
		l.skip(n)
	default:
		l.pos = l.pos.Advance(t.Text)
	}
	return t
}

// skip passes over n ASCII bytes without a line end.
func (l *Lexer) skip(n int) {
	l.pos.Offset += n
	l.pos.Column += n
}

// skipSpace passes over what is white space in ksqlDB, and over a byte order mark at the start.
func (l *Lexer) skipSpace() {
	if l.pos.Offset == 0 && strings.HasPrefix(l.text, "\ufeff") {
		l.pos = l.pos.Advance("\ufeff")
	}
	for l.pos.Offset < len(l.text) {
		switch l.text[l.pos.Offset] {
		case ' ', '\t', '\r', '\f':
			l.skip(1)
		case '\n':
			l.pos = diag.Pos{Offset: l.pos.Offset + 1, Line: l.pos.Line + 1, Column: 1}
		default:
			return
		}
	}
}

// scan finds kind and length of the token at the start of s, which is not empty.
func scan(s string) (Kind, int) {
	c := s[0]
	switch {
	case isLetter(c) || c == '_':
		return Ident, wordLen(s)
	case isDigit(c), c == '.' && len(s) > 1 && isDigit(s[1]):
		return scanNumber(s)
	case c == '\'':
		return scanQuoted(s, String)
	case c == '"' || c == '`':
		return scanQuoted(s, QuotedIdent)
	case strings.HasPrefix(s, "--"):
		return scanLineComment(s)
	case strings.HasPrefix(s, "/*"):
		if end := strings.Index(s[2:], "*/"); end >= 0 {
			return Comment, end + 4
		}
		return Invalid, len(s)
	case c == '$':
		return scanVariable(s)
	}
	if len(s) > 1 {
		switch s[:2] {
		case "->", "=>", ":=", "<>", "!=", "<=", ">=", "||":
			return Op, 2
		}
	}
	if strings.IndexByte("()[]{},;.+-*/%=<>:", c) >= 0 {
		return Op, 1
	}
	_, n := utf8.DecodeRuneInString(s)
	return Invalid, n
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

// wordLen is the length of the name at the start of s.
func wordLen(s string) int {
	n := 0
	for n < len(s) && (isLetter(s[n]) || isDigit(s[n]) || s[n] == '_' || s[n] == '@') {
		n++
	}
	return n
}

func digits(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

// scanNumber reads the longest of: integer, decimal, float, name that starts with a digit.
func scanNumber(s string) (Kind, int) {
	kind, n := Integer, digits(s)
	if n < len(s) && s[n] == '.' {
		kind = Decimal
		n += 1 + digits(s[n+1:])
	}
	if e := exponent(s[n:]); e > 0 {
		kind, n = Float, n+e
	}
	if w := wordLen(s); w > n {
		return DigitIdent, w
	}
	return kind, n
}

// exponent is the length of the exponent at the start of s, 0 if there is none.
func exponent(s string) int {
	if s == "" || s[0] != 'e' && s[0] != 'E' {
		return 0
	}
	n := 1
	if n < len(s) && (s[n] == '+' || s[n] == '-') {
		n++
	}
	d := digits(s[n:])
	if d == 0 {
		return 0
	}
	return n + d
}

// scanQuoted reads up to the closing quote; a doubled quote is part of the text.
func scanQuoted(s string, kind Kind) (Kind, int) {
	for n := 1; ; {
		i := strings.IndexByte(s[n:], s[0])
		if i < 0 {
			return Invalid, len(s)
		}
		n += i + 1
		if n == len(s) || s[n] != s[0] {
			return kind, n
		}
		n++
	}
}

// scanLineComment reads up to the end of the line, which is not part of the comment.
func scanLineComment(s string) (Kind, int) {
	n := strings.IndexByte(s, '\n')
	if n < 0 {
		n = len(s)
	}
	n = len(strings.TrimRight(s[:n], "\r"))
	if strings.HasPrefix(s, "--@") {
		return Directive, n
	}
	return Comment, n
}

// scanVariable reads ${name} and $${name}.
func scanVariable(s string) (Kind, int) {
	n := 1
	if strings.HasPrefix(s, "$${") {
		n = 2
	}
	if n < len(s) && s[n] == '{' {
		if w := wordLen(s[n+1:]); w > 0 && n+1+w < len(s) && s[n+1+w] == '}' {
			return Variable, n + w + 2
		}
	}
	return Invalid, 1
}
