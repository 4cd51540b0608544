package regex

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Sets of Java's predefined classes, as the inside of a class in brackets.
const (
	digitSet      = "0-9"
	wordSet       = "a-zA-Z0-9_"
	spaceSet      = "\t-\r "
	horizontalSet = " \t\u00A0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000"
	verticalSet   = "\n-\r\u0085\u2028\u2029"
)

// predefined gives the set of \d, \w, \s, \h, \v and whether the letter negates it.
func predefined(c byte) (set string, negated, ok bool) {
	switch c | 0x20 {
	case 'd':
		set = digitSet
	case 'w':
		set = wordSet
	case 's':
		set = spaceSet
	case 'h':
		set = horizontalSet
	case 'v':
		set = verticalSet
	default:
		return "", false, false
	}
	return set, c < 'a', true
}

func bracket(set string, negated bool) string {
	if negated {
		return "[^" + set + "]"
	}
	return "[" + set + "]"
}

// escape reads a backslash outside of a class.
func (t *translator) escape() (bool, error) {
	if t.at+1 >= len(t.src) {
		return false, fmt.Errorf("unexpected end after a backslash")
	}
	c := t.src[t.at+1]
	if set, negated, ok := predefined(c); ok {
		t.at += 2
		t.out.WriteString(bracket(set, negated))
		return true, nil
	}
	switch c {
	case 'b', 'B', 'A', 'z':
		t.at += 2
		t.out.WriteString(`\` + string(c))
		return true, nil
	case 'G':
		t.at += 2
		t.needsBacktracking = true
		t.out.WriteString(`\G`)
		return true, nil
	case 'Z':
		t.at += 2
		saved := t.flags.multiline
		t.flags.multiline = false
		t.end()
		t.flags.multiline = saved
		return true, nil
	case 'R':
		t.at += 2
		t.out.WriteString("(?:\r\n|[" + verticalSet + "])")
		return true, nil
	case 'Q':
		t.quoted()
		return true, nil
	case 'k':
		end := strings.IndexByte(t.src[t.at:], '>')
		if end < 3 || t.src[t.at+2] != '<' {
			return false, fmt.Errorf("\\k is not followed by '<' near index %d", t.at)
		}
		n, ok := t.names[t.src[t.at+3:t.at+end]]
		if !ok {
			return false, fmt.Errorf("named group <%s> does not exist", t.src[t.at+3:t.at+end])
		}
		t.out.WriteString(fmt.Sprintf(`(?:\%d)`, n))
		t.at += end + 1
		t.needsBacktracking = true
		return true, nil
	case 'p', 'P':
		set, negated, err := t.property()
		if err != nil {
			return false, err
		}
		t.out.WriteString(bracket(set, negated))
		return true, nil
	}
	if c >= '1' && c <= '9' {
		t.at += 2
		t.needsBacktracking = true
		t.out.WriteString(`(?:\` + string(c) + ")")
		return true, nil
	}
	r, err := t.escapedRune()
	if err != nil {
		return false, err
	}
	t.literal(r)
	return true, nil
}

// quoted reads \Q…\E.
func (t *translator) quoted() {
	body := t.src[t.at+2:]
	end := strings.Index(body, `\E`)
	t.at = len(t.src)
	if end >= 0 {
		t.at -= len(body) - end - 2
		body = body[:end]
	}
	t.out.WriteString("(?:")
	for _, r := range body {
		t.literal(r)
	}
	t.out.WriteString(")")
}

// escapedRune reads an escape that stands for one character.
func (t *translator) escapedRune() (rune, error) {
	start := t.at
	if start+1 >= len(t.src) {
		return 0, fmt.Errorf("unexpected end after a backslash")
	}
	c := t.src[start+1]
	t.at += 2
	switch c {
	case 't':
		return '\t', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 'f':
		return '\f', nil
	case 'a':
		return 7, nil
	case 'e':
		return 27, nil
	case '0':
		return t.number(8, 1, 3, start)
	case 'x':
		if t.peek() == '{' {
			end := strings.IndexByte(t.src[t.at:], '}')
			if end < 0 {
				return 0, fmt.Errorf("unclosed hexadecimal escape near index %d", start)
			}
			v, err := strconv.ParseUint(t.src[t.at+1:t.at+end], 16, 32)
			if err != nil || v > utf8.MaxRune {
				return 0, fmt.Errorf("illegal hexadecimal escape near index %d", start)
			}
			t.at += end + 1
			return rune(v), nil
		}
		return t.number(16, 2, 2, start)
	case 'u':
		return t.number(16, 4, 4, start)
	case 'c':
		if t.at >= len(t.src) {
			return 0, fmt.Errorf("illegal control escape near index %d", start)
		}
		r := rune(t.src[t.at] ^ 64)
		t.at++
		return r, nil
	}
	if c >= utf8.RuneSelf {
		t.at--
		r, size := utf8.DecodeRuneInString(t.src[t.at:])
		t.at += size
		return r, nil
	}
	if c|0x20 >= 'a' && c|0x20 <= 'z' {
		return 0, fmt.Errorf("illegal or unsupported escape \\%c near index %d", c, start)
	}
	return rune(c), nil
}

// number reads least to most digits of a base.
func (t *translator) number(base, least, most, start int) (rune, error) {
	n := 0
	for n < most && t.at+n < len(t.src) {
		if _, err := strconv.ParseUint(t.src[t.at+n:t.at+n+1], base, 8); err != nil {
			break
		}
		n++
	}
	v, err := strconv.ParseUint(t.src[t.at:t.at+n], base, 32)
	if n < least || err != nil {
		return 0, fmt.Errorf("illegal escape near index %d", start)
	}
	t.at += n
	return rune(v), nil
}

// property reads \p{Name}, \P{Name} or \pL and gives the inside of the class.
func (t *translator) property() (set string, negated bool, err error) {
	start := t.at
	negated = t.src[t.at+1] == 'P'
	t.at += 2
	var name string
	switch {
	case t.peek() == '{':
		end := strings.IndexByte(t.src[t.at:], '}')
		if end < 0 {
			return "", false, fmt.Errorf("unclosed character family near index %d", start)
		}
		name = t.src[t.at+1 : t.at+end]
		t.at += end + 1
	case t.at < len(t.src):
		name = t.src[t.at : t.at+1]
		t.at++
	}
	set, ok := propertySet(name)
	if !ok {
		return "", false, fmt.Errorf("unknown character property name {%s} near index %d", name, start)
	}
	return set, negated, nil
}

func propertySet(name string) (string, bool) {
	switch name {
	case "Lower":
		return "a-z", true
	case "Upper":
		return "A-Z", true
	case "ASCII":
		return "\x01-\x7F", true
	case "Alpha":
		return "a-zA-Z", true
	case "Digit":
		return "0-9", true
	case "Alnum":
		return "a-zA-Z0-9", true
	case "Punct":
		return `!-/:-@\[-` + "`{-~", true
	case "Graph":
		return "!-~", true
	case "Print":
		return " -~", true
	case "Blank":
		return " \t", true
	case "Cntrl":
		return "\x01-\x1F\x7F", true
	case "XDigit":
		return "0-9a-fA-F", true
	case "Space":
		return spaceSet, true
	case "javaLowerCase", "IsLowercase":
		return `\p{Ll}`, true
	case "javaUpperCase", "IsUppercase":
		return `\p{Lu}`, true
	case "IsAlphabetic", "IsLetter", "javaLetter":
		return `\p{L}`, true
	case "IsDigit", "javaDigit":
		return `\p{Nd}`, true
	case "IsPunctuation":
		return `\p{P}`, true
	case "IsWhite_Space", "javaWhitespace":
		return spaceSet + "\u0085\u00A0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000", true
	}
	category := strings.TrimPrefix(name, "Is")
	if len(category) >= 1 && len(category) <= 2 && strings.IndexByte("LMNPSZC", category[0]) >= 0 &&
		(len(category) == 1 || strings.IndexByte("ulmtonecdsifkp", category[1]) >= 0) {
		return `\p{` + category + `}`, true
	}
	switch script := strings.TrimPrefix(strings.TrimPrefix(name, "script="), "Is"); script {
	case "Latin", "Greek", "Cyrillic", "Arabic", "Hebrew", "Han", "Hiragana", "Katakana", "Hangul", "Thai", "Devanagari":
		return scriptSet(script), true
	}
	return "", false
}

// scriptSet gives the main ranges of a script: regexp2 knows blocks, Go scripts, and both know ranges.
func scriptSet(script string) string {
	switch script {
	case "Latin":
		return "A-Za-z\u00AA\u00BA\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02B8\u1E00-\u1EFF\u2C60-\u2C7F\uA722-\uA787\uFF21-\uFF3A\uFF41-\uFF5A"
	case "Greek":
		return "\u0370-\u0373\u0375-\u0377\u037A-\u037F\u0384\u0386\u0388-\u03E1\u03F0-\u03FF\u1F00-\u1FFE"
	case "Cyrillic":
		return "\u0400-\u052F\u1C80-\u1C88\u2DE0-\u2DFF\uA640-\uA69F"
	case "Arabic":
		return "\u0600-\u0604\u0606-\u060B\u060D-\u061A\u061E\u0620-\u063F\u0641-\u064A\u0656-\u06FF\u0750-\u077F\uFB50-\uFDFF\uFE70-\uFEFC"
	case "Hebrew":
		return "\u0591-\u05F4\uFB1D-\uFB4F"
	case "Han":
		return "\u2E80-\u2FD5\u3005\u3007\u3021-\u3029\u3038-\u303B\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAD9"
	case "Hiragana":
		return "\u3041-\u3096\u309D-\u309F"
	case "Katakana":
		return "\u30A1-\u30FA\u30FD-\u30FF\u31F0-\u31FF\uFF66-\uFF9D"
	case "Hangul":
		return "\u1100-\u11FF\u3131-\u318E\uA960-\uA97C\uAC00-\uD7A3"
	case "Thai":
		return "\u0E01-\u0E3A\u0E40-\u0E5B"
	}
	return "\u0900-\u0950\u0955-\u0963\u0966-\u097F\uA8E0-\uA8FF"
}
