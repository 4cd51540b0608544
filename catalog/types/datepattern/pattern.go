// Package datepattern formats and parses dates and times by patterns of Java's DateTimeFormatter, in English, and parses
// dates by those of SimpleDateFormat.
package datepattern

import (
	"fmt"
	"strings"
)

// Pattern is a compiled DateTimeFormatter pattern. Safe for concurrent use.
type Pattern struct {
	text  string
	items []item
	// dates and times say whether any letter asks for a part of the date or of the time of day; zones whether one asks
	// for a zone or offset.
	dates, times, zones bool
}

// item is one letter group, literal or optional section.
type item struct {
	// letter is the pattern letter, ' for a literal, [ for an optional section.
	letter  byte
	count   int
	literal string
	section []item
}

const (
	literalItem  = '\''
	optionalItem = '['
)

// maxPattern bounds the length of a pattern and with it the depth of its optional sections.
const maxPattern = 500

// Compile reads a pattern. The letters are G u y Y Q q M L w W D d F E e c a h K k H m s S A n N V z O X x Z; text in
// quotes and other characters stand for themselves, two quotes for one, and brackets enclose optional sections.
func Compile(pattern string) (*Pattern, error) {
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("date pattern of more than %d characters", maxPattern)
	}
	c := &compiler{text: pattern}
	items, err := c.items(0)
	if err != nil {
		return nil, fmt.Errorf("invalid date pattern '%s': %w", pattern, err)
	}
	p := &Pattern{text: pattern, items: items}
	p.classify(items)
	return p, nil
}

// HasDate reports whether a letter asks for a part of the date.
func (p *Pattern) HasDate() bool { return p.dates }

// HasTime reports whether a letter asks for a part of the time of day.
func (p *Pattern) HasTime() bool { return p.times }

// HasZone reports whether a letter asks for a zone or an offset.
func (p *Pattern) HasZone() bool { return p.zones }

// String gives the pattern's text.
func (p *Pattern) String() string { return p.text }

const (
	dateLetters = "GuyYQqMLwWDdFEec"
	timeLetters = "ahKkHmsSAnN"
	zoneLetters = "VzOXxZ"
)

func (p *Pattern) classify(items []item) {
	for _, it := range items {
		switch {
		case it.letter == optionalItem:
			p.classify(it.section)
		case it.letter == literalItem:
		case strings.IndexByte(dateLetters, it.letter) >= 0:
			p.dates = true
		case strings.IndexByte(timeLetters, it.letter) >= 0:
			p.times = true
		default:
			p.zones = true
		}
	}
}

type compiler struct {
	text string
	at   int
}

func (c *compiler) items(depth int) ([]item, error) {
	var out []item
	for c.at < len(c.text) {
		ch := c.text[c.at]
		switch {
		case ch == '[':
			c.at++
			section, err := c.items(depth + 1)
			if err != nil {
				return nil, err
			}
			out = append(out, item{letter: optionalItem, section: section})
		case ch == ']':
			if depth == 0 {
				return nil, fmt.Errorf("] without [")
			}
			c.at++
			return out, nil
		case ch == '\'':
			s, err := c.quoted()
			if err != nil {
				return nil, err
			}
			out = append(out, item{letter: literalItem, literal: s})
		case isLetter(ch):
			it, err := c.letters()
			if err != nil {
				return nil, err
			}
			out = append(out, it)
		case ch == '{' || ch == '}' || ch == '#':
			return nil, fmt.Errorf("reserved character '%c'", ch)
		default:
			out = append(out, item{letter: literalItem, literal: string(ch)})
			c.at++
		}
	}
	// An optional section may stay open to the end.
	return out, nil
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// quoted reads a text in quotes; ” alone, or inside, is one quote.
func (c *compiler) quoted() (string, error) {
	var b strings.Builder
	for i := c.at + 1; i < len(c.text); i++ {
		if c.text[i] != '\'' {
			b.WriteByte(c.text[i])
			continue
		}
		if i+1 < len(c.text) && c.text[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		if i == c.at+1 {
			b.WriteByte('\'')
		}
		c.at = i + 1
		return b.String(), nil
	}
	return "", fmt.Errorf("a quote is not closed")
}

func (c *compiler) letters() (item, error) {
	ch := c.text[c.at]
	start := c.at
	for c.at < len(c.text) && c.text[c.at] == ch {
		c.at++
	}
	n := c.at - start
	limit := maxCount(ch)
	switch {
	case limit == 0:
		return item{}, fmt.Errorf("unknown pattern letter '%c'", ch)
	case n > limit:
		return item{}, fmt.Errorf("too many pattern letters '%c'", ch)
	case ch == 'V' && n != 2:
		return item{}, fmt.Errorf("the pattern letter V must come twice")
	case ch == 'O' && n != 1 && n != 4, ch == 'c' && n == 2:
		return item{}, fmt.Errorf("wrong number of pattern letters '%c'", ch)
	}
	return item{letter: ch, count: n}, nil
}

// maxCount gives how often a letter may be repeated; 0 for what is no pattern letter.
func maxCount(c byte) int {
	switch c {
	case 'd', 'h', 'H', 'k', 'K', 'm', 's', 'w', 'V':
		return 2
	case 'D':
		return 3
	case 'z', 'O':
		return 4
	case 'a', 'F', 'W':
		return 1
	case 'S':
		return 9
	case 'G', 'Q', 'q', 'M', 'L', 'E', 'e', 'c', 'X', 'x', 'Z':
		return 5
	case 'u', 'y', 'Y', 'A', 'n', 'N':
		return 19
	}
	return 0
}
