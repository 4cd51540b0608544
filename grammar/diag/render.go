package diag

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Style says how the parts of a rendered error are coloured: each value is an
// escape sequence written before the part; Reset is written after it. The
// zero Style is plain text.
type Style struct {
	Message, Place, Source, Caret, Hint string
	Reset                               string
}

func (s Style) paint(code, text string) string {
	if code == "" {
		return text
	}
	return code + text + s.Reset
}

// window is how many runes of a source line are shown at most.
const window = 100

// Render shows an error as plain text: message, place, the source line with
// a caret line under the span, and the hint. Errors that are no *Error, or have
// no place, give their message (and hint) alone. It is at most a few lines and a few
// hundred bytes beyond message and hint, however long the source line is.
func Render(err error, source string) string { return RenderStyled(err, source, Style{}) }

// RenderStyled is Render with colours.
func RenderStyled(err error, source string, style Style) string {
	if err == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString(style.paint(style.Message, strings.TrimRight(err.Error(), "\n")))
	b.WriteByte('\n')
	e, ok := As(err)
	if !ok {
		return b.String()
	}
	if e.Span.IsValid() && e.Span.Start.Offset >= 0 && e.Span.Start.Offset <= len(source) {
		text, caret := excerpt(e.Span, source)
		b.WriteString(style.paint(style.Place, fmt.Sprintf("line %s", e.Span.Start)))
		fmt.Fprintf(&b, "\n  %s\n  %s\n", style.paint(style.Source, text), style.paint(style.Caret, caret))
	}
	if e.Hint != "" {
		b.WriteString(style.paint(style.Hint, "Hint: "+e.Hint))
		b.WriteByte('\n')
	}
	return b.String()
}

// excerpt gives the line the span starts in, cut to a window around it, and
// the caret line below it.
func excerpt(span Span, source string) (text, caret string) {
	at := span.Start.Offset
	from, cutLeft := lineStart(source, at)
	to, cutRight := lineEnd(source, at)

	var line, under strings.Builder
	if cutLeft {
		line.WriteString("...")
		under.WriteString("   ")
	}
	shown, carets := 0, 0
	for i := from; i < to; {
		r, n := utf8.DecodeRuneInString(source[i:])
		if r == '\r' && i+n == to {
			break
		}
		line.WriteRune(visible(r))
		switch {
		case i < at && r == '\t':
			under.WriteByte('\t')
		case i < at:
			under.WriteByte(' ')
		case i == at, i < span.End.Offset:
			under.WriteByte('^')
			carets++
		}
		shown++
		i += n
	}
	if carets == 0 { // the end of the line or of the text
		under.WriteByte('^')
	}
	if cutRight {
		line.WriteString("...")
	}
	return line.String(), under.String()
}

// lineStart finds where the shown part of the line starts.
func lineStart(source string, at int) (from int, cut bool) {
	from = at
	for range window * 3 / 5 {
		if from == 0 || source[from-1] == '\n' {
			return from, false
		}
		_, n := utf8.DecodeLastRuneInString(source[:from])
		from -= n
	}
	return from, from > 0 && source[from-1] != '\n'
}

// lineEnd finds where the shown part of the line ends.
func lineEnd(source string, at int) (to int, cut bool) {
	to = at
	for range window * 2 / 5 {
		if to == len(source) || source[to] == '\n' {
			return to, false
		}
		_, n := utf8.DecodeRuneInString(source[to:])
		to += n
	}
	return to, to < len(source) && source[to] != '\n'
}

// visible replaces what would move the cursor, or change how the terminal
// reads the rest: control characters, line separators, marks of direction.
func visible(r rune) rune {
	if r == '\t' || unicode.IsPrint(r) {
		return r
	}
	if unicode.IsSpace(r) {
		return ' '
	}
	return utf8.RuneError
}
