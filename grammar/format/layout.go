package format

import (
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

const (
	width  = 80     // what fits on a line stays on it
	indent = "    " // of what is broken over lines
)

// Format lays out SQL text: keywords in upper case, one clause a line where a statement does
// not fit on one, comments kept. What the statements say stays the same,
// and formatting twice gives the same text as once. A text that does not parse is
// an error (*diag.Error), except that ${variables} may stand for anything.
func Format(text string) (string, error) {
	tokens := token.Tokenize(text)
	filled, variables := fillVariables(text, tokens)
	stmts, err := grammar.Parse(filled, grammar.Options{OptionalSemicolon: true, TestStatements: true, RunScript: true})
	if err == nil {
		return layOut(mark(tokens, wordsOf(stmts))), nil
	}
	for _, t := range tokens {
		variables = variables && t.Kind != token.Invalid
	}
	if !variables {
		return "", err
	}
	return layOut(mark(tokens, nil)), nil
}

// fillVariables puts something of the same length in place of each ${variable}, so that the
// text can be parsed: a number where one is likely, else a name.
func fillVariables(text string, tokens []token.Token) (filled string, variables bool) {
	bytes := []byte(text)
	for i, t := range tokens {
		if t.Kind != token.Variable {
			continue
		}
		variables = true
		with := "v" + strings.Repeat("_", len(t.Text)-1)
		if i > 0 {
			before := tokens[i-1]
			if before.Is("=") || before.Is("-") || slices.Contains([]string{"SIZE", "BY", "RETENTION", "PERIOD", "WITHIN", "LIMIT"}, before.Keyword) {
				with = strings.Repeat("0", len(t.Text)-1) + "1"
			}
		}
		copy(bytes[t.Pos.Offset:], with)
	}
	return string(bytes), variables
}

// word is a token with what the layout needs to know about it.
type word struct {
	token.Token
	text     string // as it is printed
	name     bool   // a keyword that is a name here
	function bool   // the name of a function
	inType   bool   // within a type
	ownLine  bool   // the first token of its line; of comments, also the last one
	blank    bool   // a blank line comes before it
}

// isKeyword reports whether the word is the keyword and no name.
func (w word) isKeyword(keyword string) bool { return w.Keyword == keyword && !w.name }

// breaksLine reports whether a line cannot go on behind the comment.
func (w word) breaksLine() bool {
	return w.IsComment() && (w.ownLine || strings.HasPrefix(w.Text, "--") || strings.Contains(w.Text, "\n"))
}

// mark makes words of tokens, without EOF. If nothing is known of the text, words are only
// put in upper case if they are reserved.
func mark(tokens []token.Token, known *words) []word {
	out := make([]word, 0, len(tokens))
	line, typeEnd, unknown := 0, 0, known == nil
	if unknown {
		known = wordsOf(nil)
	}
	for i, t := range tokens {
		if t.Kind == token.EOF {
			break
		}
		at, end := t.Pos.Offset, t.End().Line
		typeEnd = max(typeEnd, known.types[at])
		w := word{
			Token: t, text: t.Text, name: known.names[at], function: known.functions[at],
			inType: at < typeEnd, ownLine: t.Pos.Line > line, blank: t.Pos.Line > line+1 && line > 0,
		}
		_, startsType := known.types[at]
		if t.Kind == token.Keyword && !w.name && (!unknown || token.IsReserved(t.Keyword)) || t.Kind == token.Ident && startsType && !w.name {
			w.text = strings.ToUpper(t.Text)
		}
		if strings.HasPrefix(t.Text, "--") {
			w.text = strings.TrimRight(t.Text, " \t\r\f")
		}
		if next := tokens[i+1]; w.IsComment() && next.Kind != token.EOF && next.Pos.Line == end {
			w.ownLine = false
		}
		out = append(out, w)
		line = end
	}
	return out
}

// layOut formats statement by statement. A blank line stays where there was
// one, and sets apart statements that take several lines.
func layOut(words []word) string {
	var out strings.Builder
	afterLong := false
	for len(words) > 0 {
		var lead, statement, tail []word
		blank := words[0].blank
		for len(words) > 0 && words[0].IsComment() {
			lead, words = append(lead, words[0]), words[1:]
		}
		statement, tail, words = cutStatement(words)
		text := renderStatement(statement)
		long := strings.Contains(text, "\n")
		if out.Len() > 0 && (blank || afterLong || long) {
			out.WriteByte('\n')
		}
		for i, c := range lead {
			if i > 0 && c.blank {
				out.WriteByte('\n')
			}
			out.WriteString(c.text + "\n")
		}
		if len(lead) > 0 && len(statement) > 0 && statement[0].blank {
			out.WriteByte('\n')
		}
		if text != "" {
			out.WriteString(text)
			for _, c := range tail {
				out.WriteString(" " + c.text)
			}
			out.WriteByte('\n')
		}
		afterLong = long
	}
	return out.String()
}

// cutStatement cuts after the semicolon, and after the comments on its line.
func cutStatement(words []word) (statement, tail, rest []word) {
	n := 0
	for n < len(words) && !words[n].Is(";") {
		n++
	}
	statement = words[:n]
	if n == len(words) {
		return statement, nil, nil
	}
	rest = words[n+1:]
	n = 0
	for n < len(rest) && rest[n].IsComment() && !rest[n].ownLine {
		n++
	}
	return statement, rest[:n], rest[n:]
}
