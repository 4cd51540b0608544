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
	// Truncated says that the statement goes beyond a bound of the Splitter; the rest is missing.
	Truncated bool
}

// Splitter cuts a text into statements at the semicolons outside of quotes and comments.
type Splitter struct {
	lexer Lexer
	// MaxBytes and MaxTokens bound one statement, 0 is no bound. A statement
	// that goes beyond comes out Truncated, and is the last one.
	MaxBytes, MaxTokens int
	done                bool
}

// NewSplitter starts at the start of the text.
func NewSplitter(text string) *Splitter {
	return &Splitter{lexer: Lexer{text: text, pos: diag.Start()}}
}

// Next gives the next statement; ok is false at the end. What follows the last semicolon is
// a statement of its own, not Complete, unless it is nothing but white space and comments.
func (s *Splitter) Next() (p Piece, ok bool) {
	for !s.done {
		t := s.lexer.Next()
		switch {
		case t.Kind == Directive:
			p.Directives = append(p.Directives, t)
		case t.Kind == Comment:
		case t.Kind == EOF:
			s.done = true
			if len(p.Tokens) == 0 {
				return Piece{}, false
			}
			return s.finish(p, t, p.Tokens[len(p.Tokens)-1].End()), true
		case t.Is(";"):
			p.Complete = true
			return s.finish(p, t, t.End()), true
		default:
			p.Tokens = append(p.Tokens, t)
			bytes := t.Pos.Offset + len(t.Text) - p.Tokens[0].Pos.Offset
			if s.MaxBytes > 0 && bytes > s.MaxBytes || s.MaxTokens > 0 && len(p.Tokens) > s.MaxTokens {
				s.done, p.Truncated = true, true
				return s.finish(p, Token{Kind: EOF, Pos: t.End()}, t.End()), true
			}
		}
	}
	return Piece{}, false
}

// finish fills in the piece; last is the token that ended it.
func (s *Splitter) finish(p Piece, last Token, end diag.Pos) Piece {
	p.Tokens = append(p.Tokens, Token{Kind: EOF, Pos: last.Pos})
	p.Span = diag.Span{Start: p.Tokens[0].Pos, End: end}
	p.Text = p.Span.Text(s.lexer.text)
	return p
}

// Split gives all statements of a text.
func Split(text string) []Piece {
	var pieces []Piece
	for s := NewSplitter(text); ; {
		p, ok := s.Next()
		if !ok {
			return pieces
		}
		pieces = append(pieces, p)
	}
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
