package json

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// path is a JSON path split into names; a name that is a number also picks an array element.
type path []string

// parsePath reads $ followed by .name, [n], [name] or ["any name"].
func parsePath(text string) (path, error) {
	bad := fmt.Errorf("Invalid JSON path: '%s'", text)
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return nil, bad
	}
	out := path{}
	for rest != "" {
		var name string
		switch {
		case rest[0] == '.':
			name, rest = splitName(rest[1:], true)
			ok = name != ""
		case strings.HasPrefix(rest, `["`):
			name, rest, ok = quotedName(rest[2:])
		case rest[0] == '[':
			name, rest = splitName(rest[1:], false)
			ok = name != "" && strings.HasPrefix(rest, "]")
			rest = strings.TrimPrefix(rest, "]")
		default:
			ok = false
		}
		if !ok {
			return nil, bad
		}
		out = append(out, name)
	}
	return out, nil
}

// splitName cuts an unquoted name off: letters, digits, _ and -, after a dot also : and @.
func splitName(s string, afterDot bool) (name, rest string) {
	end := 0
	for end < len(s) {
		r, size := utf8.DecodeRuneInString(s[end:])
		if r != '_' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && (!afterDot || r != ':' && r != '@') {
			break
		}
		end += size
	}
	return s[:end], s[end:]
}

// quotedName reads up to "] with \" and \\ inside.
func quotedName(s string) (name, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
			if i >= len(s) || s[i] != '"' && s[i] != '\\' {
				return "", "", false
			}
			b.WriteByte(s[i])
		case c == '"':
			rest, ok = strings.CutPrefix(s[i+1:], "]")
			return b.String(), rest, ok
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}

// extract reads a JSON text as parse does, but keeps only what lies at the path. found is false when there is nothing.
func (p path) extract(text string) (v value, found bool, err error) {
	r := parser{text: text, skipping: true}
	v, found, err = r.follow(p, 0)
	if err != nil {
		return value{}, false, fmt.Errorf("invalid JSON at offset %d: %w", r.at, err)
	}
	return v, found, nil
}

// follow reads a value and gives what lies at the path inside it. Of members of one name the last counts.
func (p *parser) follow(rest path, depth int) (v value, found bool, err error) {
	if len(rest) == 0 {
		p.skipping = false
		v, err = p.value(depth)
		p.skipping = true
		return v, err == nil, err
	}
	if depth > maxDepth {
		return value{}, false, errDeep
	}
	step := func(here bool) error {
		if !here {
			_, err := p.value(depth + 1)
			return err
		}
		v, found, err = p.follow(rest[1:], depth+1)
		return err
	}
	switch p.next() {
	case '{':
		err = p.members(func(name string) error { return step(name == rest[0]) })
	case '[':
		want, convErr := strconv.Atoi(rest[0])
		err = p.elements(func(i int) error { return step(convErr == nil && i == want) })
	default:
		_, err = p.value(depth)
	}
	return v, found, err
}
