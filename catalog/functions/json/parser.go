package json

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds nesting, so that hostile input cannot exhaust the stack.
const maxDepth = 1000

// parse reads one value from the start of the text; what follows it is not looked at, as in ksqlDB.
func parse(text string) (value, error) {
	p := parser{text: text}
	v, err := p.value(0)
	if err != nil {
		return value{}, fmt.Errorf("invalid JSON at offset %d: %w", p.at, err)
	}
	return v, nil
}

type parser struct {
	text string
	at   int
	// skipping reads and checks values without keeping them.
	skipping bool
}

var (
	errEnd  = errors.New("unexpected end of input")
	errDeep = errors.New("nested too deeply")
)

func (p *parser) skip() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// next skips white space and looks at the next byte; 0 at the end.
func (p *parser) next() byte {
	p.skip()
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) value(depth int) (value, error) {
	if depth > maxDepth {
		return value{}, errDeep
	}
	switch c := p.next(); {
	case p.at >= len(p.text):
		return value{}, errEnd
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		s, err := p.str()
		return value{kind: stringKind, text: s}, err
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	for _, w := range []struct {
		word string
		kind kind
	}{{"true", boolKind}, {"false", boolKind}, {"null", nullKind}} {
		if strings.HasPrefix(p.text[p.at:], w.word) && !isNamePart(p.text[p.at+len(w.word):]) {
			p.at += len(w.word)
			return value{kind: w.kind, text: w.word}, nil
		}
	}
	return value{}, fmt.Errorf("unexpected character %q", p.text[p.at])
}

// isNamePart reports whether s goes on with a letter, digit or underscore.
func isNamePart(s string) bool {
	return s != "" && (s[0] == '_' || s[0] >= utf8.RuneSelf || s[0] >= '0' && s[0] <= '9' || s[0]|0x20 >= 'a' && s[0]|0x20 <= 'z')
}

func (p *parser) object(depth int) (value, error) {
	v := value{kind: objectKind}
	if !p.skipping {
		v.items = []value{}
	}
	err := p.members(func(name string) error {
		item, err := p.value(depth + 1)
		if err == nil && !p.skipping {
			v.set(name, item)
		}
		return err
	})
	return v, err
}

// members reads an object; each is called at the value of every member and must read it.
func (p *parser) members(each func(name string) error) error {
	p.at++
	if p.next() == '}' {
		p.at++
		return nil
	}
	for {
		if p.next() != '"' {
			return errors.New("expected a name in quotes")
		}
		name, err := p.str()
		if err != nil {
			return err
		}
		if p.next() != ':' {
			return errors.New("expected a colon")
		}
		p.at++
		if err := each(name); err != nil {
			return err
		}
		switch p.next() {
		case ',':
			p.at++
		case '}':
			p.at++
			return nil
		default:
			return errors.New("expected , or }")
		}
	}
}

func (p *parser) array(depth int) (value, error) {
	v := value{kind: arrayKind}
	if !p.skipping {
		v.items = []value{}
	}
	err := p.elements(func(int) error {
		item, err := p.value(depth + 1)
		if err == nil && !p.skipping {
			v.items = append(v.items, item)
		}
		return err
	})
	return v, err
}

// elements reads an array; each is called at every element and must read it.
func (p *parser) elements(each func(i int) error) error {
	p.at++
	if p.next() == ']' {
		p.at++
		return nil
	}
	for i := 0; ; i++ {
		if err := each(i); err != nil {
			return err
		}
		switch p.next() {
		case ',':
			p.at++
		case ']':
			p.at++
			return nil
		default:
			return errors.New("expected , or ]")
		}
	}
}

func (p *parser) number() (value, error) {
	start := p.at
	if p.text[p.at] == '-' {
		p.at++
	}
	whole := p.digits()
	if whole == 0 || whole > 1 && p.text[p.at-whole] == '0' {
		return value{}, errors.New("malformed number")
	}
	if p.at < len(p.text) && p.text[p.at] == '.' {
		p.at++
		if p.digits() == 0 {
			return value{}, errors.New("malformed number")
		}
	}
	if p.at < len(p.text) && p.text[p.at]|0x20 == 'e' {
		p.at++
		if p.at < len(p.text) && (p.text[p.at] == '+' || p.text[p.at] == '-') {
			p.at++
		}
		if p.digits() == 0 {
			return value{}, errors.New("malformed number")
		}
	}
	if isNamePart(p.text[p.at:]) {
		return value{}, errors.New("malformed number")
	}
	return value{kind: numberKind, text: p.text[start:p.at]}, nil
}

func (p *parser) digits() int {
	n := 0
	for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
		p.at++
		n++
	}
	return n
}

func (p *parser) str() (string, error) {
	p.at++
	start := p.at
	for p.at < len(p.text) && p.text[p.at] != '"' && p.text[p.at] != '\\' && p.text[p.at] >= ' ' {
		p.at++
	}
	if p.at < len(p.text) && p.text[p.at] == '"' {
		s := p.text[start:p.at]
		p.at++
		return s, nil
	}
	b := []byte(p.text[start:p.at])
	for p.at < len(p.text) {
		c := p.text[p.at]
		switch {
		case c == '"':
			p.at++
			return string(b), nil
		case c < ' ':
			return "", errors.New("control character in a string")
		case c != '\\':
			b = append(b, c)
			p.at++
		default:
			var err error
			if b, err = p.escape(b); err != nil {
				return "", err
			}
		}
	}
	return "", errEnd
}

// escape reads what a backslash starts.
func (p *parser) escape(b []byte) ([]byte, error) {
	if p.at+1 >= len(p.text) {
		return b, errEnd
	}
	c := p.text[p.at+1]
	p.at += 2
	switch c {
	case '"', '\\', '/':
		return append(b, c), nil
	case 'b':
		return append(b, '\b'), nil
	case 'f':
		return append(b, '\f'), nil
	case 'n':
		return append(b, '\n'), nil
	case 'r':
		return append(b, '\r'), nil
	case 't':
		return append(b, '\t'), nil
	case 'u':
		r, ok := p.unit()
		if !ok {
			return b, errors.New("malformed \\u escape")
		}
		if r >= 0xD800 && r < 0xDC00 && strings.HasPrefix(p.text[p.at:], `\u`) {
			mark := p.at
			p.at += 2
			if low, ok := p.unit(); ok && low >= 0xDC00 && low < 0xE000 {
				return utf8.AppendRune(b, (r-0xD800)<<10+low-0xDC00+0x10000), nil
			}
			p.at = mark
		}
		return utf8.AppendRune(b, r), nil
	}
	return b, fmt.Errorf("unknown escape \\%c", c)
}

// unit reads four hex digits.
func (p *parser) unit() (rune, bool) {
	if p.at+4 > len(p.text) {
		return 0, false
	}
	var r rune
	for _, c := range []byte(p.text[p.at : p.at+4]) {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	p.at += 4
	return r, true
}
