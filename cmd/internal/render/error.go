package render

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// place finds the "line 3:14" that messages of ksqlDB start with or contain.
var place = regexp.MustCompile(`\bline (\d{1,9}):(\d{1,9})\b`)

// Error tells of a failure on Notes. Source is the SQL text that was sent; when
// the message names a place in it, that line is shown with a caret.
func (p *Printer) Error(message, source string) {
	located := &diag.Error{Message: printLines(message), Span: locate(message, source)}
	fmt.Fprint(p.Notes, diag.RenderStyled(located, source, p.diagStyle()))
}

func (p *Printer) diagStyle() diag.Style {
	if !p.Style.On() {
		return diag.Style{}
	}
	return diag.Style{Message: "\x1b[31m", Place: "\x1b[2m", Caret: "\x1b[31;1m", Hint: "\x1b[36m", Reset: "\x1b[0m"}
}

// printLines is printable for a text of several lines, tabs kept as indents.
func printLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = printKeepingTabs(lines[i])
	}
	return strings.Join(lines, "\n")
}

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
