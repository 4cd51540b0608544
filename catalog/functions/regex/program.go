package regex

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
)

// program is a compiled pattern. It runs on Go's regexp, in linear time, where that gives Java's answer, else on regexp2
// with a time limit. For one goroutine.
type program struct {
	// fast is nil when the pattern needs backtracking.
	fast *regexp.Regexp
	// slow is compiled when first needed.
	slow       *regexp2.Regexp
	slowSource string
	// usesEnd says that a $ may match before a final line end, which fast does not know.
	usesEnd bool
	// mayBeEmpty says that the pattern matches the empty text somewhere: then the engines disagree about the matches
	// that follow another one directly.
	mayBeEmpty bool
	groups     int
	names      map[string]int
}

const (
	// matchTimeout bounds one search by backtracking.
	matchTimeout = time.Second
	maxPattern   = 100_000
)

func invalid(err error) error { return fmt.Errorf("Invalid regular expression pattern: %w", err) }

func compile(pattern string) (*program, error) { return compileBetween("", pattern, "") }

// compileBetween compiles a pattern with something around it that both engines know.
func compileBetween(before, pattern, after string) (*program, error) {
	if len(pattern) > maxPattern {
		return nil, invalid(fmt.Errorf("more than %d characters", maxPattern))
	}
	t, err := translate(pattern)
	if err != nil {
		return nil, invalid(err)
	}
	out := before + t.out.String() + after
	p := &program{usesEnd: t.usesEnd, groups: t.groups, names: t.names}
	p.slowSource = strings.ReplaceAll(out, endMarker, "(?=(?:\r\n|["+lineEnds+`])?\z)`)
	if !t.needsBacktracking {
		// A repetition too large for Go's regexp is left to regexp2.
		p.fast, _ = regexp.Compile(strings.ReplaceAll(out, endMarker, `\z`))
	}
	if p.fast != nil {
		if tree, err := syntax.Parse(p.fast.String(), syntax.Perl); err == nil {
			p.mayBeEmpty = least(tree) == 0
		}
		return p, nil
	}
	if err := p.needSlow(); err != nil {
		return nil, invalid(err)
	}
	return p, nil
}

func (p *program) needSlow() error {
	if p.slow != nil {
		return nil
	}
	re, err := regexp2.Compile(p.slowSource, regexp2.None)
	if err != nil {
		return err
	}
	re.MatchTimeout = matchTimeout
	p.slow = re
	return nil
}

// least gives the least number of characters a match can have, 1 standing for any more.
func least(r *syntax.Regexp) int {
	switch r.Op {
	case syntax.OpLiteral, syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpCapture, syntax.OpPlus:
		return least(r.Sub[0])
	case syntax.OpRepeat:
		if r.Min > 0 {
			return least(r.Sub[0])
		}
	case syntax.OpConcat:
		for _, s := range r.Sub {
			if least(s) > 0 {
				return 1
			}
		}
	case syntax.OpAlternate:
		for _, s := range r.Sub {
			if least(s) == 0 {
				return 0
			}
		}
		return 1
	}
	return 0
}

// fastFor reports whether fast gives Java's answer for a text; all says that every match is wanted.
func (p *program) fastFor(text string, all bool) bool {
	return p.fast != nil && !(p.usesEnd && strings.ContainsAny(text, lineEnds)) && !(all && p.mayBeEmpty)
}

// find gives the byte offsets of the first match and its groups as pairs (-1 for a group that took no part); nil when
// there is none.
func (p *program) find(text string) ([]int, error) {
	if p.fastFor(text, false) {
		return p.fast.FindStringSubmatchIndex(text), nil
	}
	found, err := p.search(text, 1)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// findAll gives all matches as find does.
func (p *program) findAll(text string) ([][]int, error) {
	if p.fastFor(text, true) {
		return p.fast.FindAllStringSubmatchIndex(text, -1), nil
	}
	return p.search(text, -1)
}

// search runs regexp2, whose places count characters.
func (p *program) search(text string, limit int) ([][]int, error) {
	if err := p.needSlow(); err != nil {
		return nil, invalid(err)
	}
	offsets := runeOffsets(text)
	at := func(runeIndex int) int {
		if offsets == nil {
			return runeIndex
		}
		return offsets[runeIndex]
	}
	var out [][]int
	m, err := p.slow.FindStringMatch(text)
	for ; m != nil && err == nil; m, err = p.slow.FindNextMatch(m) {
		places := make([]int, 0, 2*m.GroupCount())
		for _, g := range m.Groups() {
			if len(g.Captures) == 0 {
				places = append(places, -1, -1)
				continue
			}
			places = append(places, at(g.Index), at(g.Index+g.Length))
		}
		out = append(out, places)
		if limit > 0 && len(out) == limit {
			break
		}
	}
	return out, err
}

// runeOffsets gives the byte offset of each character and of the end; nil when the text is ASCII.
func runeOffsets(text string) []int {
	ascii := true
	for i := 0; i < len(text) && ascii; i++ {
		ascii = text[i] < utf8.RuneSelf
	}
	if ascii {
		return nil
	}
	out := make([]int, 0, len(text)+1)
	for i := range text {
		out = append(out, i)
	}
	return append(out, len(text))
}

// group gives the text of group n of a match; ok is false when the group took no part.
func group(text string, match []int, n int) (string, bool) {
	if match[2*n] < 0 {
		return "", false
	}
	return text[match[2*n]:match[2*n+1]], true
}
