package render

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// place finds the "line 3:14" that messages of ksqlDB start with or contain.
var place = regexp.MustCompile(`\bline (\d{1,9}):(\d{1,9})\b`)

// Error tells of a failure on Notes. Source is the SQL text that was sent; when
// the message names a place in it, that line is shown with a caret, unless the
// server has drawn one already.
func (p *Printer) Error(message, source string) {
	if lines, drawn := excerptIn(message); drawn {
		fmt.Fprint(p.Notes, p.colorExcerpt(lines))
		return
	}
	located := &diag.Error{Message: printLines(message), Span: locate(message, source)}
	fmt.Fprint(p.Notes, diag.RenderStyled(located, source, p.Style.Diagnostics()))
}

// excerptIn says whether a message holds a line of SQL with carets below it.
func excerptIn(message string) (lines []string, drawn bool) {
	lines = strings.Split(strings.TrimRight(printLines(message), "\n"), "\n")
	return lines, slices.ContainsFunc(lines, isCaret)
}

func isCaret(line string) bool {
	return strings.Contains(line, "^") && strings.Trim(line, "^ \t") == ""
}

// colorExcerpt colours a message that was drawn by diag.Render: what it says,
// the place, the line of SQL, the carets, the hint.
func (p *Printer) colorExcerpt(lines []string) string {
	style := p.Style.Diagnostics()
	var b strings.Builder
	for i, line := range lines {
		code := style.Message
		switch {
		case isCaret(line):
			code = style.Caret
		case strings.HasPrefix(line, "Hint: "):
			code = style.Hint
		case i+1 < len(lines) && isCaret(lines[i+1]):
			code = style.Source
		case i > 0 && place.FindString(line) == line && line != "":
			code = style.Place
		}
		if code != "" {
			line = code + line + style.Reset
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// printLines is printable for a text of several lines, tabs kept as indents.
func printLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = printKeepingTabs(lines[i])
	}
	return strings.Join(lines, "\n")
}

// Printable is a text of several lines without what would move the cursor or change how a terminal reads the rest.
func Printable(text string) string { return printLines(text) }

// locate is the token of source at the place the message names; invalid when
// there is none.
func locate(message, source string) diag.Span {
	found := place.FindStringSubmatch(message)
	if found == nil {
		return diag.Span{}
	}
	line, _ := strconv.Atoi(found[1])
	column, _ := strconv.Atoi(found[2])
	for lexer := token.NewLexer(source); ; {
		t := lexer.Next()
		switch {
		case t.Pos.Line == line && t.Pos.Column == column:
			span := t.Span()
			if t.Kind == token.Invalid { // it may reach to the end of the text
				span.End = span.Start.Advance(t.Text[:1])
			}
			return span
		case t.Kind == token.EOF || t.Pos.Line > line:
			return diag.Span{}
		}
	}
}
