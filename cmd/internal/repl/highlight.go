package repl

import (
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// highlight colours text by its tokens. Before is the part of the statement
// that stands on earlier lines: a quote may be open in it.
func highlight(before, text string) string {
	plain := plainText(text)
	if len(before)+len(plain) > 1<<16 { // nobody reads that; keep typing fast
		return visible(text)
	}
	var b strings.Builder
	at := len(before)
	full := before + plain
	for lexer := token.NewLexer(full); ; {
		t := lexer.Next()
		if t.Kind == token.EOF {
			break
		}
		start, end := t.Pos.Offset, t.Pos.Offset+len(t.Text)
		if end <= at {
			continue
		}
		start = max(start, at)
		b.WriteString(visible(lineText(full[at:start])))
		shown := visible(lineText(full[start:end]))
		if code := tokenColor(t); code != "" {
			shown = "\x1b[" + code + "m" + shown + "\x1b[0m"
		}
		b.WriteString(shown)
		at = end
	}
	b.WriteString(visible(lineText(full[at:])))
	return b.String()
}

// tokenColor is the SGR code of a token, empty for none.
func tokenColor(t token.Token) string {
	switch t.Kind {
	case token.Keyword:
		return "1;34"
	case token.String:
		return "32"
	case token.Integer, token.Decimal, token.Float:
		return "36"
	case token.Variable:
		return "35"
	case token.Comment, token.Directive:
		return "2"
	case token.Invalid:
		if t.Text[0] == '\'' { // still being typed
			return "32"
		}
		if strings.HasPrefix(t.Text, "/*") {
			return "2"
		}
		return "31"
	case token.EOF, token.Ident, token.DigitIdent, token.QuotedIdent, token.Op:
	}
	return ""
}
