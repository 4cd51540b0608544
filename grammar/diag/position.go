// Package diag holds positions in SQL text, and the errors that point at them.
package diag

import (
	"fmt"
	"unicode/utf8"
)

// Pos is a place in a text. The zero Pos means "nowhere": a node that was
// made by the planner rather than read from a text has it.
type Pos struct {
	Offset int // bytes before it
	Line   int // from 1
	Column int // from 1, counted in runes
}

// IsValid reports whether the position points into a text.
func (p Pos) IsValid() bool { return p.Line > 0 }

// String gives "line:column".
func (p Pos) String() string { return fmt.Sprintf("%d:%d", p.Line, p.Column) }

// Span is a half-open range of a text: End is the position after its last rune.
type Span struct {
	Start, End Pos
}

// IsValid reports whether the span points into a text.
func (s Span) IsValid() bool { return s.Start.IsValid() }

// Len is the length of the span in bytes.
func (s Span) Len() int { return s.End.Offset - s.Start.Offset }

// Text cuts the span out of the text it was made from. A span that does not
// lie within the text gives "".
func (s Span) Text(source string) string {
	if s.Start.Offset < 0 || s.End.Offset > len(source) || s.Start.Offset > s.End.Offset {
		return ""
	}
	return source[s.Start.Offset:s.End.Offset]
}

// Join gives the smallest span that covers both; an invalid span counts as empty.
func (s Span) Join(o Span) Span {
	switch {
	case !s.IsValid():
		return o
	case !o.IsValid():
		return s
	}
	if o.Start.Offset < s.Start.Offset {
		s.Start = o.Start
	}
	if o.End.Offset > s.End.Offset {
		s.End = o.End
	}
	return s
}

// Start is the position of the first rune of every text.
func Start() Pos { return Pos{Line: 1, Column: 1} }

// Advance gives the position after text, when p is the position of its first
// rune. Only '\n' ends a line. A byte that is not valid UTF-8 counts as a rune.
func (p Pos) Advance(text string) Pos {
	for i := 0; i < len(text); {
		if text[i] == '\n' {
			p.Line++
			p.Column = 1
			i++
			continue
		}
		n := 1
		if text[i] >= utf8.RuneSelf {
			_, n = utf8.DecodeRuneInString(text[i:])
		}
		p.Column++
		i += n
	}
	p.Offset += len(text)
	return p
}
