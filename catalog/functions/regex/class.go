package regex

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// class reads a character class in brackets. A plain one stays a class; unions with nested classes become alternatives,
// intersections and negated nestings lookaheads.
func (t *translator) class() (string, error) {
	if t.depth++; t.depth > maxGroups {
		return "", fmt.Errorf("classes are nested too deeply")
	}
	defer func() { t.depth-- }()
	start := t.at
	t.at++
	negated := false
	if t.peek() == '^' {
		negated = true
		t.at++
	}
	// operands are joined by &&; each is a union of sets.
	var operands []string
	var set strings.Builder
	var nested []string
	first := true
	flush := func() error {
		u := union(set.String(), nested)
		if u == "" {
			return fmt.Errorf("bad class syntax near index %d", t.at)
		}
		operands = append(operands, u)
		set.Reset()
		nested = nil
		return nil
	}
	for {
		if t.at >= len(t.src) {
			return "", fmt.Errorf("unclosed character class near index %d", start)
		}
		c := t.src[t.at]
		switch {
		case c == ']' && !first:
			t.at++
			if len(operands) == 0 && len(nested) == 0 {
				return bracket(set.String(), negated), nil
			}
			if err := flush(); err != nil {
				return "", err
			}
			t.needsBacktracking = true
			return combine(operands, negated), nil
		case c == '[':
			inner, err := t.class()
			if err != nil {
				return "", err
			}
			nested = append(nested, inner)
		case strings.HasPrefix(t.src[t.at:], "&&"):
			t.at += 2
			if err := flush(); err != nil {
				return "", err
			}
		default:
			if err := t.classItem(&set, &nested); err != nil {
				return "", err
			}
		}
		first = false
	}
}

// union joins a set and nested classes as one alternative.
func union(set string, nested []string) string {
	parts := nested
	if set != "" {
		parts = append([]string{"[" + set + "]"}, nested...)
	}
	if len(parts) <= 1 {
		return strings.Join(parts, "")
	}
	return "(?:" + strings.Join(parts, "|") + ")"
}

// combine makes the intersection of operands, negated or not, match one character.
func combine(operands []string, negated bool) string {
	var b strings.Builder
	last := len(operands) - 1
	for _, o := range operands[:last] {
		b.WriteString("(?=" + o + ")")
	}
	b.WriteString(operands[last])
	if negated {
		return "(?:(?!" + b.String() + `)[\s\S])`
	}
	return "(?:" + b.String() + ")"
}

// classItem reads one character, range or predefined class.
func (t *translator) classItem(set *strings.Builder, nested *[]string) error {
	if t.src[t.at] == '\\' && t.at+1 < len(t.src) {
		c := t.src[t.at+1]
		if s, negated, ok := predefined(c); ok {
			t.at += 2
			return addSet(set, nested, s, negated)
		}
		switch c {
		case 'p', 'P':
			s, negated, err := t.property()
			if err != nil {
				return err
			}
			return addSet(set, nested, s, negated)
		case 'Q':
			body := t.src[t.at+2:]
			end := strings.Index(body, `\E`)
			if end < 0 {
				return fmt.Errorf("unclosed \\Q in a class")
			}
			for _, r := range body[:end] {
				set.WriteString(quoteInClass(r))
			}
			t.at += end + 4
			return nil
		}
	}
	low, err := t.classRune()
	if err != nil {
		return err
	}
	rest := t.src[t.at:]
	if len(rest) < 2 || rest[0] != '-' || rest[1] == ']' || rest[1] == '[' || strings.HasPrefix(rest[1:], "&&") {
		set.WriteString(quoteInClass(low))
		return nil
	}
	if rest[1] == '\\' && len(rest) > 2 {
		if _, _, ok := predefined(rest[2]); ok || rest[2]|0x20 == 'p' {
			set.WriteString(quoteInClass(low))
			return nil
		}
	}
	t.at++
	high, err := t.classRune()
	if err != nil {
		return err
	}
	if high < low {
		return fmt.Errorf("illegal character range near index %d", t.at)
	}
	set.WriteString(quoteInClass(low) + "-" + quoteInClass(high))
	return nil
}

// addSet adds a predefined set; a negated one becomes a nested class.
func addSet(set *strings.Builder, nested *[]string, s string, negated bool) error {
	if negated {
		*nested = append(*nested, "[^"+s+"]")
		return nil
	}
	set.WriteString(s)
	return nil
}

func (t *translator) classRune() (rune, error) {
	if t.src[t.at] == '\\' {
		return t.escapedRune()
	}
	r, size := utf8.DecodeRuneInString(t.src[t.at:])
	t.at += size
	return r, nil
}

// quoteInClass writes a character with a meaning in classes as a number: regexp2 makes no range of an escaped hyphen.
func quoteInClass(r rune) string {
	if r < utf8.RuneSelf && strings.ContainsRune(`\[]^-&`, r) {
		return fmt.Sprintf(`\x%02X`, r)
	}
	return string(r)
}
