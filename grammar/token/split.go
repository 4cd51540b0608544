package token

import "github.com/ksqlgo/ksqlgo/grammar/diag"

// Piece is the text of one statement within a longer text.
type Piece struct {
	// Tokens are those of the statement, without comments and without the
	// semicolon, followed by an EOF that stands at the semicolon or the end of the text.
	// There is just the EOF if nothing but white space and comments precedes the semicolon.
	Tokens []Token
	// Text is the source from the first token to the semicolon, both included.
	Text string
	// Span is the place of Text.
	Span diag.Span
	// Directives are the --@ lines that come before the statement or stand within it.
	Directives []Token
	// Complete says that there is a semicolon.
	Complete bool
}

// Split cuts a text into statements at the semicolons outside of quotes and
// comments. What follows the last semicolon is a piece of its own, not
// Complete, unless it is nothing but white space and comments.
func Split(text string) []Piece { return SplitTokens(text, Tokenize(text)) }

// SplitTokens is Split with the tokens of the text, which end with EOF.
func SplitTokens(text string, tokens []Token) []Piece {
	var pieces []Piece
	kept := make([]Token, 0, len(tokens)) // all pieces share it
	start := 0
	var directives []Token
	for _, t := range tokens {
		switch {
		case t.Kind == Directive:
			directives = append(directives, t)
		case t.Kind == Comment:
		case t.Is(";") || t.Kind == EOF:
			if t.Kind == EOF && len(kept) == start {
				return pieces
			}
			kept = append(kept, Token{Kind: EOF, Pos: t.Pos})
			p := Piece{Tokens: kept[start:len(kept):len(kept)], Directives: directives, Complete: t.Kind != EOF}
			p.Span = diag.Span{Start: p.Tokens[0].Pos, End: t.End()}
			if t.Kind == EOF && len(p.Tokens) > 1 {
				p.Span.End = p.Tokens[len(p.Tokens)-2].End()
			}
			p.Text = p.Span.Text(text)
			pieces = append(pieces, p)
			start, directives = len(kept), nil
		default:
			kept = append(kept, t)
		}
	}
	return pieces
}

// Incomplete reports whether more lines are needed before the text can be run: the last
// statement lacks its semicolon, or a quote or a comment is open.
func Incomplete(text string) bool {
	open := false
	for l := NewLexer(text); ; {
		switch t := l.Next(); {
		case t.Kind == EOF:
			return open
		case t.Is(";"):
			open = false
		case t.Kind == Invalid && len(t.Text) > 0 && (t.Text[0] == '\'' || t.Text[0] == '`' || t.Text[0] == '"' || t.Text[0] == '/'):
			return true
		case !t.IsComment():
			open = true
		}
	}
}
