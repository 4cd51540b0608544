package format

import (
	"strings"
	"unicode/utf8"

	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// renderStatement gives the text of a statement with its semicolon: on one line if it fits.
func renderStatement(words []word) string {
	if len(words) == 0 {
		return ""
	}
	elements := tree(words)
	if line, ok := flat(elements); ok && utf8.RuneCountInString(line) < width {
		return line + ";"
	}
	r := &renderer{}
	for _, c := range clauses(elements) {
		r.clause(c)
	}
	r.semicolon()
	return r.b.String()
}

// flat gives elements on one line; ok is false if a comment needs a line of its own.
func flat(elements item) (line string, ok bool) {
	r := &renderer{flat: true}
	r.elements(elements, "")
	return r.b.String(), !r.broken
}

// renderer writes words, with the space that belongs between them.
type renderer struct {
	b        strings.Builder
	column   int
	last     word // the last word, zero at the start
	unary    bool // the last word is a sign
	mustTurn bool // the last word was a comment that ends the line
	flat     bool // everything goes on one line
	broken   bool // which did not work
}

func (r *renderer) write(text string) {
	r.b.WriteString(text)
	if i := strings.LastIndexByte(text, '\n'); i >= 0 {
		r.column, text = 0, text[i+1:]
	}
	r.column += utf8.RuneCountInString(text)
}

// turn starts a new line.
func (r *renderer) turn(margin string) {
	if r.b.Len() > 0 {
		r.write("\n" + margin)
	}
	r.mustTurn = false
	r.last = word{}
}

// semicolon ends the statement, not within a comment.
func (r *renderer) semicolon() {
	if r.mustTurn {
		r.turn("")
	}
	r.write(";")
}

func (r *renderer) clause(c clause) {
	for _, w := range c.leading {
		r.turn("")
		r.write(w.text)
		r.mustTurn = true
	}
	if len(c.head) == 0 {
		return
	}
	r.turn("")
	var whole item
	whole = append(whole, c.head...)
	for _, it := range c.items {
		whole = append(whole, it...)
	}
	if line, ok := flat(whole); ok && utf8.RuneCountInString(line) < width || len(c.items) == 0 {
		r.elements(whole, "")
		return
	}
	r.elements(c.head, "")
	for i, it := range c.items {
		if c.list || i > 0 || r.mustTurn {
			r.turn(indent)
		}
		r.elements(it, indent)
	}
}

// elements writes elements; lines that are broken go on at the margin.
func (r *renderer) elements(elements item, margin string) {
	for i, e := range elements {
		if e.group == nil {
			r.word(e.word, margin)
			continue
		}
		if r.flat || r.fits(elements[i:i+1]) {
			r.group(e.group, margin)
		} else {
			r.brokenGroup(e.group, margin)
		}
	}
}

// fits reports whether elements fit on the rest of the line, with a space before and a comma behind.
func (r *renderer) fits(elements item) bool {
	line, ok := flat(elements)
	return ok && r.column+utf8.RuneCountInString(line)+2 < width
}

func (r *renderer) group(g *group, margin string) {
	r.word(g.open, margin)
	for _, it := range g.items {
		r.elements(it, margin)
	}
	r.word(g.close, margin)
}

// brokenGroup writes each item on a line of its own.
func (r *renderer) brokenGroup(g *group, margin string) {
	r.word(g.open, margin)
	items := g.items
	if g.open.Keyword == "CASE" && len(items) > 0 && len(items[0]) > 0 && !items[0][0].isKeyword("WHEN") && !items[0][0].IsComment() {
		r.elements(items[0], margin) // the operand
		items = items[1:]
	}
	for _, it := range items {
		r.turn(margin + indent)
		r.elements(it, margin+indent)
	}
	if len(items) > 0 || r.mustTurn {
		r.turn(margin)
	}
	r.word(g.close, margin)
}

// word writes a word and the space before it.
func (r *renderer) word(w word, margin string) {
	atStart := r.last.Text == ""
	switch {
	case r.mustTurn, w.IsComment() && w.ownLine && !atStart:
		if r.flat {
			r.broken = true
		}
		r.turn(margin)
	case !atStart && r.spaceBefore(w):
		r.write(" ")
	}
	if w.breaksLine() {
		r.broken = true
		r.mustTurn = true
	}
	r.write(w.text)
	if w.IsComment() {
		r.last = word{Token: token.Token{Text: "/**/"}}
		return
	}
	r.unary = (w.Is("-") || w.Is("+")) && !r.last.endsOperand()
	r.last = w
}

// endsOperand reports whether an operator behind the word has it as its left side.
func (w word) endsOperand() bool {
	switch w.Kind {
	case token.Ident, token.DigitIdent, token.QuotedIdent, token.String, token.Integer, token.Decimal, token.Float, token.Variable:
		return true
	case token.Op:
		return w.Text == ")" || w.Text == "]"
	case token.Keyword:
		return w.name || w.Keyword == "END" || w.Keyword == "NULL" || w.Keyword == "TRUE" || w.Keyword == "FALSE"
	default:
		return false
	}
}

// spaceBefore reports whether a space belongs between the last word and w.
func (r *renderer) spaceBefore(w word) bool {
	last := r.last
	if last.Kind == token.Op {
		switch last.Text {
		case "(", "[", ".", "->":
			return false
		case "-", "+":
			if r.unary {
				return w.Is("-") || w.Is("+")
			}
		case "<":
			if last.inType {
				return false
			}
		}
	}
	if w.Kind != token.Op {
		return true
	}
	switch w.Text {
	case ")", "]", ",", ".", "->", "[":
		return false
	case "<", ">", "<>":
		return !w.inType
	case "(":
		return !last.function && !last.inType && !isCallLike(last)
	}
	return true
}

// isCallLike reports whether the keyword takes its arguments as a function does.
func isCallLike(w word) bool {
	if w.name {
		return false
	}
	switch w.Keyword {
	case "CAST", "MAP", "STRUCT", "DECIMAL", "HEADER":
		return true
	}
	return false
}
