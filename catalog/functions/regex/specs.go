// Package regex holds the functions on regular expressions in Java's syntax.
package regex

import (
	"fmt"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Specs lists the regular expression functions.
func Specs() []*functions.Spec {
	return []*functions.Spec{extract(), extractAll(), replace(), split()}
}

func spec(name, description string, overloads []functions.Scalar, examples ...string) *functions.Spec {
	return &functions.Spec{
		Name: name, Kind: functions.ScalarKind, Category: "REGULAR EXPRESSION", Description: description,
		Scalars: overloads, Examples: functions.Examples(examples...),
	}
}

// cache keeps the last pattern compiled: it is a literal as a rule.
type cache struct {
	text    string
	program *program
}

func (c *cache) get(s types.Slot) (*program, error) {
	if c.program != nil && c.text == s.Text() {
		return c.program, nil
	}
	text := string(s.B)
	p, err := compile(text)
	if err == nil {
		c.text, c.program = text, p
	}
	return p, err
}

// newCall makes a function that gives null for any null argument and whose pattern is argument at.
func newCall(at int, f func(p *program, args []types.Slot) (types.Slot, error)) functions.Constructor {
	return func(*functions.Env, []*types.Type, *types.Type) (functions.Call, error) {
		c := &cache{}
		return func(args []types.Slot) (types.Slot, error) {
			for i := range args {
				if args[i].Null {
					return types.NullSlot, nil
				}
			}
			p, err := c.get(args[at])
			if err != nil {
				return types.NullSlot, err
			}
			return f(p, args)
		}, nil
	}
}

// groupOf reads the optional group number; ok is false when the pattern has no such group.
func groupOf(p *program, args []types.Slot) (n int, ok bool) {
	if len(args) > 2 {
		if args[2].I > int64(p.groups) || args[2].I < 0 {
			return 0, false
		}
		n = int(args[2].I)
	}
	return n, true
}

func extract() *functions.Spec {
	construct := newCall(0, func(p *program, args []types.Slot) (types.Slot, error) {
		n, ok := groupOf(p, args)
		if !ok {
			return types.NullSlot, nil
		}
		text := args[1].Text()
		m, err := p.find(text)
		if err != nil || m == nil {
			return types.NullSlot, err
		}
		s, ok := group(text, m, n)
		if !ok {
			return types.NullSlot, nil
		}
		return types.StringSlot(s), nil
	})
	return spec("REGEXP_EXTRACT", "The first match of the pattern, or a group of it. The pattern comes first.", []functions.Scalar{
		functions.NewScalar("(STRING pattern, STRING input) -> STRING", construct),
		functions.NewScalar("(STRING pattern, STRING input, INT group) -> STRING", construct),
	},
		"REGEXP_EXTRACT('test.', 'some_test_string')", `"test_"`,
		"REGEXP_EXTRACT('(.*) (.*)', 'steven zhang', 2)", `"zhang"`,
		"REGEXP_EXTRACT('(?<=#)\\d++', 'no #42')", `"42"`,
		"REGEXP_EXTRACT('(a)', 'a', 2)", "null",
		"REGEXP_EXTRACT('x', 'a')", "null",
		"REGEXP_EXTRACT('(', 'a')", "error: Invalid regular expression pattern",
		"REGEXP_EXTRACT('x', NULL)", "null")
}

func extractAll() *functions.Spec {
	construct := newCall(0, func(p *program, args []types.Slot) (types.Slot, error) {
		n, ok := groupOf(p, args)
		if !ok {
			return types.NullSlot, nil
		}
		text := args[1].Text()
		found, err := p.findAll(text)
		if err != nil {
			return types.NullSlot, err
		}
		out := make([]any, len(found))
		for i, m := range found {
			if s, ok := group(text, m, n); ok {
				out[i] = strings.Clone(s)
			}
		}
		return types.RefSlot(out), nil
	})
	return spec("REGEXP_EXTRACT_ALL", "All matches of the pattern, or a group of each. The pattern comes first.", []functions.Scalar{
		functions.NewScalar("(STRING pattern, STRING input) -> ARRAY<STRING>", construct),
		functions.NewScalar("(STRING pattern, STRING input, INT group) -> ARRAY<STRING>", construct),
	},
		"REGEXP_EXTRACT_ALL('test.', 'a_test_b_testc')", `["test_","testc"]`,
		"REGEXP_EXTRACT_ALL('(\\w+) (\\w*)', 'a b c d', 2)", `["b","d"]`,
		"REGEXP_EXTRACT_ALL('x', 'a')", "[]",
		"REGEXP_EXTRACT_ALL('a', 'a', 1)", "null",
		"REGEXP_EXTRACT_ALL('[', 'a')", "error: Invalid regular expression pattern: ",
		"REGEXP_EXTRACT_ALL(NULL, 'a')", "null")
}

func replace() *functions.Spec {
	construct := newCall(1, func(p *program, args []types.Slot) (types.Slot, error) {
		text := args[0].Text()
		found, err := p.findAll(text)
		if err != nil || len(found) == 0 {
			return args[0], err
		}
		var out []byte
		at := 0
		for _, m := range found {
			out = append(out, text[at:m[0]]...)
			if out, err = p.expand(out, args[2].Text(), text, m); err != nil {
				return types.NullSlot, err
			}
			at = m[1]
		}
		return types.BytesSlot(append(out, text[at:]...)), nil
	})
	return spec("REGEXP_REPLACE", "Replaces all matches; $n and ${name} in the new text are groups, a backslash takes the next character as it is.", []functions.Scalar{
		functions.NewScalar("(STRING str, STRING regexp, STRING newStr) -> STRING", construct),
	},
		"REGEXP_REPLACE('baababaa', '(ab)+', 'cat')", `"bacataa"`,
		"REGEXP_REPLACE('a-b', '(\\w)-(\\w)', '$2x\\$1')", `"bx$1"`,
		"REGEXP_REPLACE('baaac', 'a*', 'X')", `"XbXXcX"`,
		"REGEXP_REPLACE('a', '(a', 'x')", "error: Invalid regular expression pattern",
		"REGEXP_REPLACE('a', 'a', '$1')", "error: No group 1",
		"REGEXP_REPLACE('a', NULL, 'x')", "null")
}

// expand appends a replacement text of Java's Matcher.
func (p *program) expand(out []byte, replacement, text string, m []int) ([]byte, error) {
	for i := 0; i < len(replacement); i++ {
		c := replacement[i]
		switch {
		case c == '\\':
			if i++; i >= len(replacement) {
				return out, fmt.Errorf("character to be escaped is missing")
			}
			out = append(out, replacement[i])
		case c != '$':
			out = append(out, c)
		default:
			n, size, err := p.reference(replacement[i+1:])
			if err != nil {
				return out, err
			}
			i += size
			s, _ := group(text, m, n)
			out = append(out, s...)
		}
	}
	return out, nil
}

// reference reads the n or {name} after a $: as many digits as make a group that there is.
func (p *program) reference(s string) (n, size int, err error) {
	if strings.HasPrefix(s, "{") {
		end := strings.IndexByte(s, '}')
		if end < 0 {
			return 0, 0, fmt.Errorf("named capturing group is missing trailing '}'")
		}
		n, ok := p.names[s[1:end]]
		if !ok {
			return 0, 0, fmt.Errorf("No group with name {%s}", s[1:end])
		}
		return n, end + 1, nil
	}
	if s == "" || s[0] < '0' || s[0] > '9' {
		return 0, 0, fmt.Errorf("Illegal group reference")
	}
	n, size = int(s[0]-'0'), 1
	if n > p.groups {
		return 0, 0, fmt.Errorf("No group %d", n)
	}
	for size < len(s) && s[size] >= '0' && s[size] <= '9' && n*10+int(s[size]-'0') <= p.groups {
		n = n*10 + int(s[size]-'0')
		size++
	}
	return n, size, nil
}

func split() *functions.Spec {
	construct := newCall(1, func(p *program, args []types.Slot) (types.Slot, error) {
		text := string(args[0].B)
		empty, err := p.find("")
		if err != nil {
			return types.NullSlot, err
		}
		found, err := p.findAll(text)
		if err != nil {
			return types.NullSlot, err
		}
		return types.RefSlot(pieces(text, found, empty != nil)), nil
	})
	return spec("REGEXP_SPLIT_TO_ARRAY", "Splits at the matches, keeping empty pieces; a pattern that matches the empty text splits into characters and drops empty pieces at the end.", []functions.Scalar{
		functions.NewScalar("(STRING str, STRING regexp) -> ARRAY<STRING>", construct),
	},
		"REGEXP_SPLIT_TO_ARRAY('aabcda', '(ab|cd)')", `["a","","a"]`,
		"REGEXP_SPLIT_TO_ARRAY(',a,', ',')", `["","a",""]`,
		"REGEXP_SPLIT_TO_ARRAY('abc', '')", `["a","b","c"]`,
		"REGEXP_SPLIT_TO_ARRAY('a', '(')", "error: Invalid regular expression pattern",
		"REGEXP_SPLIT_TO_ARRAY('a', NULL)", "null")
}

// pieces cuts a text at matches. With java set it follows Pattern.split: no empty first piece from an empty match, no
// empty pieces at the end.
func pieces(text string, found [][]int, java bool) []any {
	out := []any{}
	at := 0
	for _, m := range found {
		if java && m[0] == 0 && m[1] == 0 {
			continue
		}
		out = append(out, text[at:m[0]])
		at = m[1]
	}
	out = append(out, text[at:])
	if java {
		for len(out) > 1 && out[len(out)-1] == "" {
			out = out[:len(out)-1]
		}
	}
	return out
}
