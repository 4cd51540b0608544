package datepattern

import (
	"fmt"
	"strings"
	"time"
)

// Simple is a pattern of Java's SimpleDateFormat for parsing dates: lenient, case-insensitive, in GMT. Safe for
// concurrent use.
type Simple struct {
	text  string
	items []item
}

// CompileSimple reads a SimpleDateFormat pattern. The letters are G y Y M L w W D d F E u a H k K h m s S z Z X; quotes
// enclose literal text.
func CompileSimple(pattern string) (*Simple, error) {
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("date pattern of more than %d characters", maxPattern)
	}
	c := &compiler{text: pattern}
	s := &Simple{text: pattern}
	for c.at < len(pattern) {
		ch := pattern[c.at]
		switch {
		case ch == '\'':
			text, err := c.quoted()
			if err != nil {
				return nil, fmt.Errorf("invalid date pattern '%s': %w", pattern, err)
			}
			s.items = append(s.items, item{letter: literalItem, literal: text})
		case isLetter(ch):
			if strings.IndexByte("GyYMLwWDdFEuaHkKhmsSzZX", ch) < 0 {
				return nil, fmt.Errorf("invalid date pattern '%s': unknown pattern letter '%c'", pattern, ch)
			}
			start := c.at
			for c.at < len(pattern) && pattern[c.at] == ch {
				c.at++
			}
			s.items = append(s.items, item{letter: ch, count: c.at - start})
		default:
			s.items = append(s.items, item{letter: literalItem, literal: string(ch)})
			c.at++
		}
	}
	return s, nil
}

// Parse reads an instant from the start of the text as milliseconds since 1970 UTC. Missing parts are those of
// 1970-01-01T00:00; fields beyond their range roll over; what follows the match is ignored.
func (s *Simple) Parse(text string) (int64, error) {
	f := &parsed{}
	at := 0
	for i := range s.items {
		var err error
		if at, err = s.parseItem(i, text, at, f); err != nil {
			return 0, fmt.Errorf("Unable to parse the date '%s' by the pattern '%s': %w", text, s.text, err)
		}
	}
	return f.rollOver().UnixMilli(), nil
}

func (s *Simple) parseItem(i int, text string, at int, f *parsed) (int, error) {
	it := &s.items[i]
	switch it.letter {
	case literalItem:
		if len(text)-at < len(it.literal) || !strings.EqualFold(text[at:at+len(it.literal)], it.literal) {
			return at, fmt.Errorf("expected '%s' at index %d", it.literal, at)
		}
		return at + len(it.literal), nil
	case 'G', 'E', 'a':
		return s.parseName(it, text, at, f)
	case 'M', 'L':
		if it.count >= 3 {
			return s.parseName(it, text, at, f)
		}
	case 'z', 'Z', 'X':
		if loc, size := parseZoneText(text[at:]); size > 0 {
			f.loc = loc
			return at + size, nil
		}
		return at, fmt.Errorf("no zone at index %d", at)
	}
	for at < len(text) && (text[at] == ' ' || text[at] == '\t') {
		at++
	}
	limit := 9
	if i+1 < len(s.items) && s.items[i+1].letter != literalItem {
		limit = min(it.count, limit)
	}
	start, negative := at, false
	if at < len(text) && text[at] == '-' && limit == 9 {
		negative = true
		at++
	}
	var v int64
	n := 0
	for n < limit && at+n < len(text) && isDigit(text[at+n]) {
		v = v*10 + int64(text[at+n]-'0')
		n++
	}
	if n == 0 {
		return start, fmt.Errorf("expected a number at index %d", start)
	}
	if (it.letter == 'y' || it.letter == 'Y') && it.count <= 2 && n == 2 && !negative {
		v = fullYear(v)
	}
	if negative {
		v = -v
	}
	letter := it.letter
	switch letter {
	case 'L':
		letter = 'M'
	case 'Y':
		letter = 'y'
	}
	f.fields[letter], f.has[letter] = v, true
	return at + n, nil
}

// fullYear places a year of two digits in the hundred years from 1950. Java takes the eighty years before now and the
// twenty after it; a fixed rule gives the same result at every replay.
func fullYear(v int64) int64 {
	if v < 50 {
		return 2000 + v
	}
	return 1900 + v
}

// parseName accepts the long and the short form of a name.
func (s *Simple) parseName(it *item, text string, at int, f *parsed) (int, error) {
	for _, count := range [2]int{4, 3} {
		if end, err := parseName(&item{letter: it.letter, count: count}, text, at, f); err == nil {
			return end, nil
		}
	}
	return at, fmt.Errorf("no name for the pattern letter '%c' at index %d", it.letter, at)
}

// rollOver makes an instant of the fields whatever their range.
func (f *parsed) rollOver() time.Time {
	field := func(letter byte, absent int64) int {
		if f.has[letter] {
			return int(f.fields[letter])
		}
		return int(absent)
	}
	year, month, day := field('y', 1970), field('M', 1), field('d', 1)
	if f.has['G'] && f.fields['G'] == 0 {
		year = 1 - year
	}
	if f.has['D'] {
		month, day = 1, field('D', 1)
	}
	hour := field('H', 0)
	switch {
	case f.has['k']:
		hour = field('k', 0) % 24
	case f.has['K']:
		hour = field('K', 0) + 12*field('a', 0)
	case f.has['h']:
		hour = field('h', 0)%12 + 12*field('a', 0)
	}
	loc := f.loc
	if loc == nil {
		loc = time.UTC
	}
	t := time.Date(year, time.Month(month), day, hour, field('m', 0), field('s', 0), 0, loc)
	return t.Add(time.Duration(field('S', 0)) * time.Millisecond)
}
