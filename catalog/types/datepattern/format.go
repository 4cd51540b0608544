package datepattern

import (
	"fmt"
	"strconv"
	"time"
)

// FormatDate appends the text of a date (days since 1970). A pattern that asks for a time or zone fails.
func (p *Pattern) FormatDate(dst []byte, days int64) ([]byte, error) {
	if p.times || p.zones {
		return dst, fmt.Errorf("the pattern '%s' asks for time fields, which a date has not", p.text)
	}
	return p.format(dst, time.Unix(days*86400, 0).UTC())
}

// FormatTime appends the text of a time of day (milliseconds). A pattern that asks for a date or zone fails.
func (p *Pattern) FormatTime(dst []byte, ms int64) ([]byte, error) {
	if p.dates || p.zones {
		return dst, fmt.Errorf("the pattern '%s' asks for date fields, which a time has not", p.text)
	}
	return p.format(dst, time.UnixMilli(ms).UTC())
}

// FormatTimestamp appends the text of an instant (milliseconds since 1970 UTC) in a zone.
func (p *Pattern) FormatTimestamp(dst []byte, ms int64, loc *time.Location) ([]byte, error) {
	return p.format(dst, time.UnixMilli(ms).In(loc))
}

func (p *Pattern) format(dst []byte, t time.Time) ([]byte, error) {
	return formatItems(dst, p.items, t)
}

func formatItems(dst []byte, items []item, t time.Time) ([]byte, error) {
	var err error
	for i := range items {
		it := &items[i]
		switch it.letter {
		case literalItem:
			dst = append(dst, it.literal...)
		case optionalItem:
			dst, err = formatItems(dst, it.section, t)
		default:
			dst, err = formatItem(dst, it, t)
		}
		if err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func formatItem(dst []byte, it *item, t time.Time) ([]byte, error) {
	n := it.count
	switch it.letter {
	case 'G':
		return append(dst, eraName(t.Year() > 0, n)...), nil
	case 'u':
		return appendYear(dst, t.Year(), n)
	case 'y':
		y := t.Year()
		if y <= 0 {
			y = 1 - y
		}
		return appendYear(dst, y, n)
	case 'Y':
		y, _ := weekOfYear(t)
		return appendYear(dst, y, n)
	case 'Q', 'q':
		q := (int(t.Month())-1)/3 + 1
		if n >= 3 {
			return append(dst, quarterName(q, n)...), nil
		}
		return appendNumber(dst, q, n)
	case 'M', 'L':
		if n >= 3 {
			return append(dst, monthName(t.Month(), n)...), nil
		}
		return appendNumber(dst, int(t.Month()), n)
	case 'E':
		return append(dst, dayName(t.Weekday(), n)...), nil
	case 'e', 'c':
		if n >= 3 {
			return append(dst, dayName(t.Weekday(), n)...), nil
		}
		return appendNumber(dst, int(t.Weekday())+1, n)
	case 'a':
		if t.Hour() >= 12 {
			return append(dst, "PM"...), nil
		}
		return append(dst, "AM"...), nil
	case 'S':
		digits := fmt.Sprintf("%09d", t.Nanosecond())
		return append(dst, digits[:n]...), nil
	case 'V', 'z', 'O', 'X', 'x', 'Z':
		return formatZone(dst, it, t), nil
	}
	v, _ := numberOf(it.letter, t)
	return appendNumber(dst, v, n)
}

// numberOf gives the value of a plain number letter.
func numberOf(letter byte, t time.Time) (int, bool) {
	switch letter {
	case 'w':
		_, w := weekOfYear(t)
		return w, true
	case 'W':
		return (t.Day()-1+int(t.AddDate(0, 0, 1-t.Day()).Weekday()))/7 + 1, true
	case 'D':
		return t.YearDay(), true
	case 'd':
		return t.Day(), true
	case 'F':
		return (t.Day()-1)%7 + 1, true
	case 'H':
		return t.Hour(), true
	case 'k':
		return (t.Hour()+23)%24 + 1, true
	case 'K':
		return t.Hour() % 12, true
	case 'h':
		return (t.Hour()+11)%12 + 1, true
	case 'm':
		return t.Minute(), true
	case 's':
		return t.Second(), true
	case 'n':
		return t.Nanosecond(), true
	case 'A':
		return int(sinceMidnight(t) / time.Millisecond), true
	case 'N':
		return int(sinceMidnight(t)), true
	}
	return 0, false
}

func sinceMidnight(t time.Time) time.Duration {
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute +
		time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
}

// weekOfYear gives the week and its year as counted in the US: weeks start on Sunday, the first holds January 1.
func weekOfYear(t time.Time) (year, week int) {
	year = t.Year()
	week = (t.YearDay()-1+int(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Weekday()))/7 + 1
	next := time.Date(year+1, 1, 1, 0, 0, 0, 0, time.UTC)
	daysLeft := int(next.Sub(time.Date(year, t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)).Hours()) / 24
	if int(next.Weekday()) >= daysLeft {
		return year + 1, 1
	}
	return year, week
}

// appendYear writes two digits for two letters; longer years than asked for get a sign from four letters on.
func appendYear(dst []byte, y, n int) ([]byte, error) {
	if n == 2 {
		return appendNumber(dst, ((y%100)+100)%100, 2)
	}
	if n >= 4 && y >= pow10(n) {
		dst = append(dst, '+')
	}
	return appendPadded(dst, y, n), nil
}

func pow10(n int) int {
	p := 1
	for ; n > 0 && p < 1e17; n-- {
		p *= 10
	}
	return p
}

// appendNumber writes v in at least n digits; from two letters on it must not need more.
func appendNumber(dst []byte, v, n int) ([]byte, error) {
	if n >= 2 && v >= pow10(n) {
		return dst, fmt.Errorf("the value %d does not fit into %d digits", v, n)
	}
	return appendPadded(dst, v, n), nil
}

func appendPadded(dst []byte, v, n int) []byte {
	if v < 0 {
		dst = append(dst, '-')
		v = -v
	}
	for limit := pow10(n - 1); n > 1 && v < limit; n-- {
		dst = append(dst, '0')
		limit /= 10
	}
	return strconv.AppendInt(dst, int64(v), 10)
}

func formatZone(dst []byte, it *item, t time.Time) []byte {
	name, offset := t.Zone()
	switch it.letter {
	case 'V':
		return append(dst, t.Location().String()...)
	case 'z':
		if name == "" || name[0] == '+' || name[0] == '-' {
			name = t.Location().String()
		}
		if it.count == 4 {
			name = longZoneName(name)
		}
		return append(dst, name...)
	case 'O':
		return appendLocalOffset(dst, offset, it.count == 4)
	case 'Z':
		switch it.count {
		case 4:
			return appendLocalOffset(dst, offset, true)
		case 5:
			if offset == 0 {
				return append(dst, 'Z')
			}
			return appendOffset(dst, offset, 5)
		}
		return appendOffset(dst, offset, 2)
	case 'X':
		if offset == 0 {
			return append(dst, 'Z')
		}
	}
	return appendOffset(dst, offset, it.count)
}

// appendOffset writes +HH[mm], +HHMM, +HH:MM, +HHMM[ss] or +HH:MM[:ss] for 1 to 5 letters.
func appendOffset(dst []byte, offset, form int) []byte {
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	dst = appendPadded(append(dst, sign), offset/3600, 2)
	minutes, seconds := offset/60%60, offset%60
	colon := form == 3 || form == 5
	if form == 1 && minutes == 0 {
		return dst
	}
	if colon {
		dst = append(dst, ':')
	}
	dst = appendPadded(dst, minutes, 2)
	if form < 4 || seconds == 0 {
		return dst
	}
	if colon {
		dst = append(dst, ':')
	}
	return appendPadded(dst, seconds, 2)
}

// appendLocalOffset writes GMT+8 or, in full, GMT+08:00.
func appendLocalOffset(dst []byte, offset int, full bool) []byte {
	dst = append(dst, "GMT"...)
	if offset == 0 {
		return dst
	}
	if full {
		return appendOffset(dst, offset, 5)
	}
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	dst = strconv.AppendInt(append(dst, sign), int64(offset/3600), 10)
	if m := offset / 60 % 60; m != 0 {
		dst = appendPadded(append(dst, ':'), m, 2)
	}
	return dst
}
