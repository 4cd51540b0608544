package regex

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// translator rewrites a pattern of java.util.regex into the syntax that Go's regexp and regexp2 share, or that regexp2
// alone understands where backtracking is needed. Characters with a meaning of their own are written out as themselves,
// so that both engines see the same sets.
type translator struct {
	src string
	at  int
	out strings.Builder
	// needsBacktracking says that only regexp2 can run the result.
	needsBacktracking bool
	// usesEnd says that the pattern has a $ or \Z, which also match before a final line end.
	usesEnd bool
	flags   flags
	depth   int
	// groups counts the capturing groups; names numbers the named ones in their order, as Java does.
	groups int
	names  map[string]int
}

// flags are the inline flags in force that change the translation.
type flags struct{ dotAll, multiline, comments bool }

const (
	lineEnds = "\n\r\u0085\u2028\u2029"
	// maxGroups bounds the nesting of a pattern.
	maxGroups = 200
)

// translate gives the rewritten pattern.
func translate(pattern string) (*translator, error) {
	t := &translator{src: pattern, names: map[string]int{}}
	if err := t.alternatives(); err != nil {
		return nil, err
	}
	if t.at < len(t.src) {
		return nil, fmt.Errorf("unmatched closing ')' near index %d", t.at)
	}
	return t, nil
}

func (t *translator) peek() byte {
	if t.at < len(t.src) {
		return t.src[t.at]
	}
	return 0
}

// alternatives reads up to the end or a closing parenthesis.
func (t *translator) alternatives() error {
	for t.at < len(t.src) {
		switch c := t.src[t.at]; {
		case c == ')':
			return nil
		case c == '|':
			t.out.WriteByte('|')
			t.at++
		case t.flags.comments && strings.IndexByte(" \t\n\v\f\r", c) >= 0:
			t.at++
		case t.flags.comments && c == '#':
			for t.at < len(t.src) && t.src[t.at] != '\n' {
				t.at++
			}
		default:
			start := t.out.Len()
			quantifiable, err := t.atom()
			if err != nil {
				return err
			}
			if err := t.quantifier(start, quantifiable); err != nil {
				return err
			}
		}
	}
	return nil
}

// quantifier reads *, +, ?, {n,m} with their lazy and possessive forms, for the atom written from start on.
func (t *translator) quantifier(start int, quantifiable bool) error {
	q := ""
	switch t.peek() {
	case '*', '+', '?':
		q = t.src[t.at : t.at+1]
	case '{':
		end := strings.IndexByte(t.src[t.at:], '}')
		if end < 0 || !isRange(t.src[t.at+1:t.at+end]) {
			return fmt.Errorf("illegal repetition near index %d", t.at)
		}
		q = t.src[t.at : t.at+end+1]
	default:
		return nil
	}
	if !quantifiable {
		return fmt.Errorf("dangling meta character '%s' near index %d", q, t.at)
	}
	t.at += len(q)
	switch t.peek() {
	case '?':
		q += "?"
		t.at++
	case '+':
		t.at++
		t.needsBacktracking = true
		whole := t.out.String()
		t.out.Reset()
		t.out.WriteString(whole[:start] + "(?>" + whole[start:] + q + ")")
		return nil
	}
	t.out.WriteString(q)
	return nil
}

// isRange accepts n, n, and n,m.
func isRange(s string) bool {
	low, high, comma := strings.Cut(s, ",")
	if _, err := strconv.ParseUint(low, 10, 31); err != nil {
		return false
	}
	if _, err := strconv.ParseUint(high, 10, 31); comma && high != "" && err != nil {
		return false
	}
	return true
}

// atom reads one element and says whether a quantifier may follow.
func (t *translator) atom() (bool, error) {
	switch c := t.src[t.at]; c {
	case '(':
		return t.group()
	case '[':
		class, err := t.class()
		if err != nil {
			return false, err
		}
		t.out.WriteString(class)
		return true, nil
	case '.':
		t.at++
		if t.flags.dotAll {
			t.out.WriteString(`[\s\S]`)
		} else {
			t.out.WriteString("[^" + lineEnds + "]")
		}
		return true, nil
	case '^':
		t.at++
		if t.flags.multiline {
			t.needsBacktracking = true
			t.out.WriteString("(?<=\\A|[" + lineEnds + "])")
		} else {
			t.out.WriteString(`\A`)
		}
		return true, nil
	case '$':
		t.at++
		t.end()
		return true, nil
	case '*', '+', '?':
		return false, fmt.Errorf("dangling meta character '%c' near index %d", c, t.at)
	case '{':
		return false, fmt.Errorf("illegal repetition near index %d", t.at)
	case '\\':
		return t.escape()
	}
	r, size := utf8.DecodeRuneInString(t.src[t.at:])
	t.at += size
	t.literal(r)
	return true, nil
}

// end writes the place that $ and \Z mean. The marker is replaced for each engine.
func (t *translator) end() {
	if t.flags.multiline {
		t.needsBacktracking = true
		t.out.WriteString("(?=[" + lineEnds + `]|\z)`)
		return
	}
	t.usesEnd = true
	t.out.WriteString(endMarker)
}

// endMarker stands for "the end, or before a final line end" until an engine is chosen; it is no character of a pattern.
const endMarker = "\x00\x01end\x01\x00"

// literal writes a character as itself.
func (t *translator) literal(r rune) { t.out.WriteString(quoteRune(r)) }

func quoteRune(r rune) string {
	if r < utf8.RuneSelf && strings.ContainsRune(`\.+*?()|[]{}^$#`, r) {
		return `\` + string(r)
	}
	return string(r)
}

func (t *translator) group() (bool, error) {
	if t.depth++; t.depth > maxGroups {
		return false, fmt.Errorf("groups are nested too deeply")
	}
	saved := t.flags
	t.at++
	quantifiable := true
	if t.peek() == '?' {
		closed, ok, err := t.groupHead()
		if err != nil {
			return false, err
		}
		if closed {
			// (?i) alone holds to the end of the enclosing group.
			t.depth--
			return false, nil
		}
		quantifiable = ok
	} else {
		t.groups++
		t.out.WriteByte('(')
	}
	if err := t.alternatives(); err != nil {
		return false, err
	}
	if t.peek() != ')' {
		return false, fmt.Errorf("unclosed group near index %d", t.at)
	}
	t.at++
	t.out.WriteByte(')')
	t.flags = saved
	t.depth--
	return quantifiable, nil
}

// groupHead reads what follows "(?". closed says that it was a flag group without a body.
func (t *translator) groupHead() (closed, quantifiable bool, err error) {
	rest := t.src[t.at:]
	for _, head := range []string{"?<=", "?<!", "?=", "?!", "?>"} {
		if strings.HasPrefix(rest, head) {
			t.needsBacktracking = true
			t.at += len(head)
			t.out.WriteString("(" + head)
			return false, true, nil
		}
	}
	switch {
	case strings.HasPrefix(rest, "?:"):
		t.at += 2
		t.out.WriteString("(?:")
		return false, true, nil
	case strings.HasPrefix(rest, "?<"):
		end := strings.IndexByte(rest, '>')
		if end < 3 || !isName(rest[2:end]) {
			return false, false, fmt.Errorf("malformed group name near index %d", t.at)
		}
		t.at += end + 1
		// regexp2 numbers named groups after all others, Java in their order: so they become plain groups.
		t.groups++
		t.names[rest[2:end]] = t.groups
		t.out.WriteByte('(')
		return false, true, nil
	}
	return t.flagGroup(rest)
}

func isName(s string) bool {
	for i, c := range []byte(s) {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// flagGroup reads (?idmsux-idmsux) or (?idmsux-idmsux: with its body to follow.
func (t *translator) flagGroup(rest string) (closed, quantifiable bool, err error) {
	on, ignoreCase, touched := true, false, false
	i := 1
	for ; i < len(rest) && rest[i] != ')' && rest[i] != ':'; i++ {
		switch rest[i] {
		case '-':
			on = false
		case 'i':
			ignoreCase, touched = on, true
		case 's':
			t.flags.dotAll = on
		case 'm':
			t.flags.multiline = on
		case 'x':
			t.flags.comments = on
		case 'd', 'u', 'U':
		default:
			return false, false, fmt.Errorf("unknown inline modifier near index %d", t.at+i)
		}
	}
	if i >= len(rest) {
		return false, false, fmt.Errorf("unclosed group near index %d", t.at)
	}
	t.at += i + 1
	spec := ""
	switch {
	case touched && ignoreCase:
		spec = "i"
	case touched:
		spec = "-i"
	}
	if rest[i] == ')' {
		if spec != "" {
			t.out.WriteString("(?" + spec + ")")
		}
		return true, false, nil
	}
	t.out.WriteString("(?" + spec + ":")
	return false, true, nil
}
