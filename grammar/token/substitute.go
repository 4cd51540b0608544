package token

import (
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar/diag"
)

// maxSubstituted bounds what a text may grow to by substitution, in bytes.
const maxSubstituted = 4 << 20

// Variables finds the value of a variable. Names come in upper case.
type Variables func(name string) (value string, ok bool)

// VariablesOf makes Variables of a map with names in any case.
func VariablesOf(values map[string]string) Variables {
	upper := make(map[string]string, len(values))
	for name, value := range values {
		upper[strings.ToUpper(name)] = value
	}
	return func(name string) (string, bool) {
		value, ok := upper[name]
		return value, ok
	}
}

// Substitute puts the values of variables in place of ${name}, token by token, so that a
// value can never become more than the one token it stands for:
//
//   - alone, ${name} becomes the value, which must be one name or one literal;
//   - in a string or a quoted name it becomes text of that string, quotes doubled.
//
// $${name} becomes ${name}. Unknown names, comments and values themselves stay as they are.
// Errors point into text.
func Substitute(text string, vars Variables) (string, error) {
	if !strings.Contains(text, "${") {
		return text, nil
	}
	var b strings.Builder
	copied := 0
	previous, replaced := "", false // what the token before became, and whether it was a variable
	for l := NewLexer(text); ; {
		t := l.Next()
		if t.Kind == EOF {
			break
		}
		out := t.Text
		switch t.Kind {
		case Variable:
			value, err := substituteToken(t, vars)
			if err != nil {
				return "", err
			}
			out = value
		case String, QuotedIdent:
			out = substituteQuoted(t.Text, vars)
		default:
		}
		b.WriteString(text[copied:t.Pos.Offset])
		adjacent := copied == t.Pos.Offset && copied > 0
		if adjacent && (t.Kind == Variable || replaced) && wouldMerge(previous, out) {
			b.WriteByte(' ')
		}
		b.WriteString(out)
		copied = t.Pos.Offset + len(t.Text)
		previous, replaced = out, t.Kind == Variable
		if b.Len() > maxSubstituted {
			return "", diag.Errorf(diag.Limit, t.Span(), "The statement is longer than %d bytes after the substitution of variables.", maxSubstituted).
				WithHint("define shorter variables")
		}
	}
	b.WriteString(text[copied:])
	return b.String(), nil
}

// wouldMerge reports whether two tokens would be read as one, other than two parts of a name
// as in orders_${env}: - and -5 would start a comment.
func wouldMerge(a, b string) bool {
	if a == "" || b == "" || isWord(a[len(a)-1]) && isWord(b[0]) {
		return false
	}
	_, n := scan(a + b[:min(len(b), 8)])
	return n > len(a)
}

func isWord(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' }

// substituteToken gives the text for a variable that stands alone.
func substituteToken(t Token, vars Variables) (string, error) {
	if strings.HasPrefix(t.Text, "$$") {
		return t.Text[1:], nil
	}
	value, ok := vars(strings.ToUpper(t.Value()))
	if !ok {
		return t.Text, nil
	}
	if !isOneToken(value) {
		shown := value
		if len(shown) > 60 {
			shown = shown[:60] + "..."
		}
		return "", diag.Errorf(diag.InvalidValue, t.Span(), "Illegal argument at line %s: the value of variable '%s' is neither an identifier nor a literal: %s",
			t.Pos, t.Value(), strings.ToValidUTF8(shown, "")).
			WithHint("to use the value as a string, write '%s' with the quotes", t.Text)
	}
	return value, nil
}

// isOneToken reports whether a value is one name or one literal, maybe a negative number.
func isOneToken(value string) bool {
	l := NewLexer(strings.TrimSpace(value))
	t := l.Next()
	if t.Is("-") {
		t = l.Next()
		if t.Kind != Integer && t.Kind != Decimal && t.Kind != Float {
			return false
		}
	}
	switch t.Kind {
	case Keyword, Ident, DigitIdent, QuotedIdent, String, Integer, Decimal, Float:
		return l.Next().Kind == EOF
	default:
		return false
	}
}

// substituteQuoted replaces the variables within a quoted token.
func substituteQuoted(text string, vars Variables) string {
	if !strings.Contains(text, "${") {
		return text
	}
	quote := text[:1]
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '$')
		if i < 0 || b.Len() > maxSubstituted {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:i])
		text = text[i:]
		kind, n := scanVariable(text)
		switch {
		case kind != Variable:
			b.WriteString(text[:n])
		case text[1] == '$':
			b.WriteString(text[1:n])
		default:
			if value, ok := vars(strings.ToUpper(Value(Variable, text[:n]))); ok {
				b.WriteString(strings.ReplaceAll(value, quote, quote+quote))
			} else {
				b.WriteString(text[:n])
			}
		}
		text = text[n:]
	}
}
