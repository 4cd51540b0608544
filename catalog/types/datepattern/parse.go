package datepattern

import (
	"fmt"
	"strings"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/types/zone"
)

// parsed holds the fields found in a text. absent marks those that were not.
type parsed struct {
	fields [128]int64
	has    [128]bool
	loc    *time.Location
	// offset in seconds, when hasOffset.
	offset    int
	hasOffset bool
}

func (f *parsed) set(letter byte, v int64) error {
	switch letter {
	case 'L':
		letter = 'M'
	case 'q':
		letter = 'Q'
	case 'c', 'E':
		letter = 'e'
	}
	if f.has[letter] && f.fields[letter] != v {
		return fmt.Errorf("two different values for the pattern letter '%c'", letter)
	}
	f.fields[letter], f.has[letter] = v, true
	return nil
}

// parse reads the whole text; letters match in any case.
func (p *Pattern) parse(text string) (*parsed, error) {
	f := &parsed{}
	at, err := parseItems(p.items, text, 0, f)
	if err == nil && at != len(text) {
		err = fmt.Errorf("unparsed text found at index %d", at)
	}
	if err != nil {
		return nil, fmt.Errorf("Text '%s' could not be parsed by the pattern '%s': %w", text, p.text, err)
	}
	return f, nil
}

func parseItems(items []item, text string, at int, f *parsed) (int, error) {
	for i := range items {
		it := &items[i]
		var err error
		switch it.letter {
		case literalItem:
			if len(text)-at < len(it.literal) || !strings.EqualFold(text[at:at+len(it.literal)], it.literal) {
				return at, fmt.Errorf("expected '%s' at index %d", it.literal, at)
			}
			at += len(it.literal)
		case optionalItem:
			saved := *f
			if end, sectionErr := parseItems(it.section, text, at, f); sectionErr == nil {
				at = end
			} else {
				*f = saved
			}
		default:
			at, err = parseItem(items, i, text, at, f)
		}
		if err != nil {
			return at, err
		}
	}
	return at, nil
}

// width gives the least and the greatest number of digits of a numeric item; ok is false for text and zones.
func (it *item) width() (least, most int, ok bool) {
	n := it.count
	switch it.letter {
	case 'M', 'L', 'Q', 'q', 'e', 'c':
		if n >= 3 {
			return 0, 0, false
		}
	case 'S':
		return n, n, true
	case 'u', 'y', 'Y':
		if n == 2 {
			return 2, 2, true
		}
		return n, 19, true
	case 'D':
		if n == 2 {
			return 2, 3, true
		}
	case 'n', 'A', 'N':
		return n, 19, true
	case 'd', 'h', 'H', 'k', 'K', 'm', 's', 'w', 'W', 'F':
	default:
		return 0, 0, false
	}
	if n == 1 {
		return 1, 19, true
	}
	return n, n, true
}

func parseItem(items []item, i int, text string, at int, f *parsed) (int, error) {
	it := &items[i]
	least, most, numeric := it.width()
	if !numeric {
		if strings.IndexByte(zoneLetters, it.letter) >= 0 {
			return parseZone(it, text, at, f)
		}
		return parseName(it, text, at, f)
	}
	if least != most {
		// A number of open width leaves the digits of the fixed ones that follow it directly.
		reserved := 0
		for j := i + 1; j < len(items); j++ {
			l, m, ok := items[j].width()
			if !ok || l != m {
				break
			}
			reserved += m
		}
		if reserved > 0 {
			most = max(least, digitsAt(text, at)-reserved)
		}
	}
	return parseNumber(it, text, at, least, most, f)
}

func digitsAt(text string, at int) int {
	if at < len(text) && (text[at] == '-' || text[at] == '+') {
		at++
	}
	n := 0
	for at+n < len(text) && isDigit(text[at+n]) {
		n++
	}
	return n
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func parseNumber(it *item, text string, at, least, most int, f *parsed) (int, error) {
	start := at
	negative, plus := false, false
	if at < len(text) && (text[at] == '-' || text[at] == '+') && least != most {
		negative, plus = text[at] == '-', text[at] == '+'
		at++
	}
	var v int64
	n := 0
	for at+n < len(text) && n < most && isDigit(text[at+n]) {
		if n >= 18 {
			return start, fmt.Errorf("number too long at index %d", start)
		}
		v = v*10 + int64(text[at+n]-'0')
		n++
	}
	if n < least {
		return start, fmt.Errorf("expected a number of %d digits at index %d", least, start)
	}
	isYear := it.letter == 'y' || it.letter == 'u' || it.letter == 'Y'
	if isYear && it.count >= 4 {
		// A year longer than its letters must have a sign, a shorter one must not have a plus.
		if plus && n <= it.count || !plus && !negative && n > it.count {
			return start, fmt.Errorf("malformed year at index %d", start)
		}
	} else if plus {
		return start, fmt.Errorf("unexpected + at index %d", start)
	}
	if negative {
		v = -v
	}
	switch {
	case isYear && it.count == 2:
		v += 2000
	case it.letter == 'S':
		for ; n < 9; n++ {
			v *= 10
		}
		return at + it.count, f.set('n', v)
	}
	return at + n, f.set(it.letter, v)
}

func parseName(it *item, text string, at int, f *parsed) (int, error) {
	rest := text[at:]
	match := func(name string) bool { return len(rest) >= len(name) && strings.EqualFold(rest[:len(name)], name) }
	try := func(names func(int) string, from, to int) (int, error) {
		best, size := -1, 0
		for v := from; v <= to; v++ {
			if name := names(v); len(name) > size && match(name) {
				best, size = v, len(name)
			}
		}
		if best < 0 {
			return at, fmt.Errorf("no name for the pattern letter '%c' at index %d", it.letter, at)
		}
		return at + size, f.set(it.letter, int64(best))
	}
	switch it.letter {
	case 'M', 'L':
		return try(func(v int) string { return monthName(time.Month(v), it.count) }, 1, 12)
	case 'Q', 'q':
		return try(func(v int) string { return quarterName(v, it.count) }, 1, 4)
	case 'E', 'e', 'c':
		return try(func(v int) string { return dayName(time.Weekday(v-1), it.count) }, 1, 7)
	case 'a':
		return try(func(v int) string { return [2]string{"AM", "PM"}[v] }, 0, 1)
	}
	return try(func(v int) string { return eraName(v == 1, it.count) }, 0, 1)
}

func parseZone(it *item, text string, at int, f *parsed) (int, error) {
	rest := text[at:]
	bad := fmt.Errorf("no zone for the pattern letter '%c' at index %d", it.letter, at)
	switch it.letter {
	case 'V', 'z':
		loc, size := parseZoneText(rest)
		if size == 0 {
			return at, bad
		}
		f.loc = loc
		return at + size, nil
	case 'O':
		return parseLocalOffset(rest, at, bad, f)
	case 'Z':
		if it.count == 4 {
			return parseLocalOffset(rest, at, bad, f)
		}
	}
	if (it.letter == 'X' || it.letter == 'Z' && it.count == 5) && rest != "" && rest[0]|0x20 == 'z' {
		f.offset, f.hasOffset = 0, true
		return at + 1, nil
	}
	form := it.count
	if it.letter == 'Z' && form < 4 {
		form = 2
	}
	size := offsetSize(rest, form)
	seconds, ok := zone.ParseOffset(rest[:size])
	if !ok {
		return at, bad
	}
	f.offset, f.hasOffset = seconds, true
	return at + size, nil
}

// offsetSize gives how many bytes of s an offset of the form (1 +HH[mm], 2 +HHMM, 3 +HH:MM, 4 +HHMM[ss], 5 +HH:MM[:ss])
// takes; 0 when it does not fit.
func offsetSize(s string, form int) int {
	shapes := [...][]string{{"+0000", "+00"}, {"+0000"}, {"+00:00"}, {"+000000", "+0000"}, {"+00:00:00", "+00:00"}}
	for _, shape := range shapes[form-1] {
		if len(s) < len(shape) {
			continue
		}
		ok := true
		for i := range len(shape) {
			switch shape[i] {
			case '+':
				ok = ok && (s[i] == '+' || s[i] == '-')
			case '0':
				ok = ok && isDigit(s[i])
			default:
				ok = ok && s[i] == shape[i]
			}
		}
		if ok {
			return len(shape)
		}
	}
	return 0
}

// parseLocalOffset reads GMT, GMT+8, GMT+8:30 or GMT+08:00.
func parseLocalOffset(rest string, at int, bad error, f *parsed) (int, error) {
	if len(rest) < 3 || !strings.EqualFold(rest[:3], "GMT") {
		return at, bad
	}
	size := 3
	for size < len(rest) && size < 12 && (isDigit(rest[size]) || strings.IndexByte("+-:", rest[size]) >= 0) {
		size++
	}
	f.hasOffset = true
	if size == 3 {
		return at + size, nil
	}
	text := rest[3:size]
	if hours, minutes, ok := strings.Cut(text, ":"); ok && len(hours) == 2 {
		text = hours[:1] + "0" + hours[1:] + ":" + minutes
	}
	seconds, ok := zone.ParseOffset(text)
	if !ok {
		return at, bad
	}
	f.offset = seconds
	return at + size, nil
}
