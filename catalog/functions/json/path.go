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

// find follows the path from v.
func (p path) find(v value) (value, bool) {
	for _, name := range p {
		var ok bool
		switch v.kind {
		case arrayKind:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(v.items) {
				return value{}, false
			}
			v, ok = v.items[i], true
		case objectKind:
			v, ok = v.member(name)
		}
		if !ok {
			return value{}, false
		}
	}
	return v, true
}
