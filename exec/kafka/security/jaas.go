package security

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// login is the text of sasl.jaas.config: a class and its options.
type login struct {
	module  string
	options map[string]string
}

// parseJAAS reads: class flag option=value option="value" … ;
//
// Values are words, or in single or double quotes with the escapes of Java (\n, \", \123). There are comments as in Java. Errors
// say where they are and show nothing of the text, which has a password in it.
func parseJAAS(text string) (*login, error) {
	l := &jaasLexer{text: text}
	module, err := l.word("the class of a login module")
	if err != nil {
		return nil, err
	}
	flag, err := l.word("required")
	if err != nil {
		return nil, err
	}
	switch strings.ToLower(flag) {
	case "required", "requisite", "sufficient", "optional":
	default:
		return nil, l.errorf("want required after the class of the login module")
	}
	out := &login{module: module, options: map[string]string{}}
	for {
		t, err := l.next()
		switch {
		case err != nil:
			return nil, err
		case t.kind == jaasEnd:
			return nil, l.errorf("want ; at the end")
		case t.kind == ';':
			if t, err = l.next(); err != nil {
				return nil, err
			}
			if t.kind != jaasEnd {
				return nil, l.errorf("there is something behind the ; of the login module; only one module is possible")
			}
			return out, nil
		case t.kind != jaasWord:
			return nil, l.errorf("want the name of an option, or ; at the end")
		}
		name := t.text
		if t, err = l.next(); err != nil {
			return nil, err
		}
		if t.kind != '=' {
			return nil, l.errorf("want = after the name of an option; values with anything but letters, digits, . _ - are put in quotes")
		}
		value, err := l.word("a value")
		if err != nil {
			return nil, err
		}
		if _, twice := out.options[name]; twice {
			return nil, l.errorf("an option stands twice")
		}
		out.options[name] = value
	}
}

// jaasKind is '=' or ';' or one of these.
type jaasKind rune

const (
	jaasEnd  jaasKind = -1
	jaasWord jaasKind = 'w'
)

type jaasToken struct {
	kind jaasKind
	text string
}

type jaasLexer struct {
	text string
	pos  int
}

// errorf makes an error about what was read last.
func (l *jaasLexer) errorf(format string, args ...any) error {
	return fmt.Errorf("at character %d: %s", utf8.RuneCountInString(l.text[:l.pos]), fmt.Sprintf(format, args...))
}

// word reads a word or a text in quotes.
func (l *jaasLexer) word(what string) (string, error) {
	t, err := l.next()
	if err != nil {
		return "", err
	}
	if t.kind != jaasWord {
		return "", l.errorf("want %s", what)
	}
	return t.text, nil
}

func (l *jaasLexer) next() (jaasToken, error) {
	if err := l.skip(); err != nil {
		return jaasToken{}, err
	}
	if l.pos == len(l.text) {
		return jaasToken{kind: jaasEnd}, nil
	}
	switch c := l.text[l.pos]; {
	case c == '=' || c == ';':
		l.pos++
		return jaasToken{kind: jaasKind(c)}, nil
	case c == '"' || c == '\'':
		return l.quoted(c)
	case !isWordByte(c):
		l.pos++
		return jaasToken{}, l.errorf("want a letter, a digit, = or ;. Values with other characters are put in quotes")
	}
	start := l.pos
	for l.pos < len(l.text) && isWordByte(l.text[l.pos]) {
		l.pos++
	}
	return jaasToken{kind: jaasWord, text: l.text[start:l.pos]}, nil
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-' || c == '$' || c >= utf8.RuneSelf
}

// skip passes blanks and comments over.
func (l *jaasLexer) skip() error {
	for l.pos < len(l.text) {
		rest := l.text[l.pos:]
		switch {
		case rest[0] <= ' ':
			l.pos++
		case strings.HasPrefix(rest, "//"):
			end := strings.IndexAny(rest, "\r\n")
			if end < 0 {
				end = len(rest)
			}
			l.pos += end
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return l.errorf("a comment has no end")
			}
			l.pos += end + 4
		default:
			return nil
		}
	}
	return nil
}

var jaasEscapes = map[byte]byte{'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}

// quoted reads a text that begins with a quote, up to the same one.
func (l *jaasLexer) quoted(quote byte) (jaasToken, error) {
	var b strings.Builder
	for l.pos++; l.pos < len(l.text); l.pos++ {
		switch c := l.text[l.pos]; {
		case c == quote:
			l.pos++
			return jaasToken{kind: jaasWord, text: b.String()}, nil
		case c == '\n' || c == '\r':
			return jaasToken{}, l.errorf("a line ends within quotes")
		case c == '\\' && l.pos+1 < len(l.text):
			l.pos++
			b.WriteString(l.escape())
		default:
			b.WriteByte(c)
		}
	}
	return jaasToken{}, l.errorf("a quote is not closed")
}

// escape reads what stands behind a backslash, and leaves the position at its last byte.
func (l *jaasLexer) escape() string {
	c := l.text[l.pos]
	if c < '0' || c > '7' {
		if to, ok := jaasEscapes[c]; ok {
			return string(to)
		}
		// Any other character stands for itself.
		return string([]byte{c})
	}
	// Up to three octal digits, at most 377.
	most, code := 2, rune(c-'0')
	if c <= '3' {
		most = 3
	}
	for n := 1; n < most && l.pos+1 < len(l.text) && l.text[l.pos+1] >= '0' && l.text[l.pos+1] <= '7'; n++ {
		l.pos++
		code = code*8 + rune(l.text[l.pos]-'0')
	}
	return string(code)
}
