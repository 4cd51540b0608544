package datepattern

import (
	"errors"
	"fmt"
	"time"
)

// ParseTimestamp reads an instant as milliseconds since 1970 UTC. Missing parts are those of 1970-01-01T00:00; a zone in
// the text beats loc.
func (p *Pattern) ParseTimestamp(text string, loc *time.Location) (int64, error) {
	f, err := p.parse(text)
	if err != nil {
		return 0, err
	}
	day, err := f.date()
	if err != nil {
		return 0, wrap(text, err)
	}
	nanos, err := f.timeOfDay()
	if err != nil {
		return 0, wrap(text, err)
	}
	if f.loc != nil {
		loc = f.loc
	}
	if f.hasOffset {
		loc = time.FixedZone("", f.offset)
	}
	if loc == nil {
		loc = time.UTC
	}
	t := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.UTC).Add(nanos)
	t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), loc)
	return t.UnixMilli(), nil
}

// ParseDate reads a date as days since 1970. Year, month and day must all be in the text.
func (p *Pattern) ParseDate(text string) (int64, error) {
	f, err := p.parse(text)
	if err != nil {
		return 0, err
	}
	if !(f.has['y'] || f.has['u']) && !f.has['Y'] || !f.has['D'] && !f.has['w'] && (!f.has['M'] || !f.has['d']) {
		return 0, wrap(text, errors.New("year, month and day are needed for a date"))
	}
	day, err := f.date()
	if err != nil {
		return 0, wrap(text, err)
	}
	seconds := day.Unix()
	if seconds%86400 != 0 {
		return 0, wrap(text, errors.New("not at midnight"))
	}
	return seconds / 86400, nil
}

// ParseTime reads a time of day as milliseconds. A pattern that asks for a date fails.
func (p *Pattern) ParseTime(text string) (int64, error) {
	if p.dates {
		return 0, errors.New("Time format contains date field.")
	}
	f, err := p.parse(text)
	if err != nil {
		return 0, err
	}
	nanos, err := f.timeOfDay()
	if err != nil {
		return 0, wrap(text, err)
	}
	return int64(nanos/time.Millisecond) % (24 * 3600 * 1000), nil
}

func wrap(text string, err error) error {
	return fmt.Errorf("Text '%s' could not be parsed: %w", text, err)
}

// get reads a field that must lie in a range; absent gives the default.
func (f *parsed) get(letter byte, absent, least, most int64) (int64, error) {
	if !f.has[letter] {
		return absent, nil
	}
	if v := f.fields[letter]; v >= least && v <= most {
		return v, nil
	}
	return 0, fmt.Errorf("the value %d of the pattern letter '%c' is not in the range %d to %d", f.fields[letter], letter, least, most)
}

const maxYear = 999_999

// date resolves the date: from year, month and day, a day of the year, or a week.
func (f *parsed) date() (time.Time, error) {
	year, err := f.year()
	if err != nil {
		return time.Time{}, err
	}
	var t time.Time
	switch {
	case f.has['D']:
		day, err := f.get('D', 1, 1, 366)
		if err != nil {
			return t, err
		}
		t = time.Date(int(year), 1, int(day), 0, 0, 0, 0, time.UTC)
		if t.Year() != int(year) {
			return t, fmt.Errorf("day of the year 366 in %d, which is no leap year", year)
		}
	case f.has['w'] && f.has['Y']:
		week, err := f.get('w', 1, 1, 53)
		if err != nil {
			return t, err
		}
		weekday, err := f.get('e', 1, 1, 7)
		if err != nil {
			return t, err
		}
		first := time.Date(int(f.fields['Y']), 1, 1, 0, 0, 0, 0, time.UTC)
		return first.AddDate(0, 0, 7*int(week-1)-int(first.Weekday())+int(weekday-1)), nil
	default:
		month, err := f.get('M', 1, 1, 12)
		if err != nil {
			return t, err
		}
		day, err := f.get('d', 1, 1, 31)
		if err != nil {
			return t, err
		}
		// Java's smart resolver takes the last day of the month for a day up to 31 that the month has not.
		last := time.Date(int(year), time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
		t = time.Date(int(year), time.Month(month), min(int(day), last), 0, 0, 0, 0, time.UTC)
	}
	if f.has['e'] && f.fields['e'] != int64(t.Weekday())+1 {
		return t, fmt.Errorf("the day of the week differs from that of %s", t.Format("2006-01-02"))
	}
	return t, nil
}

func (f *parsed) year() (int64, error) {
	year, err := f.get('u', 1970, -maxYear, maxYear)
	if err != nil || f.has['u'] {
		return year, err
	}
	if year, err = f.get('y', 1970, -maxYear, maxYear); err != nil {
		return 0, err
	}
	if f.has['G'] && f.fields['G'] == 0 {
		return 1 - year, nil
	}
	if !f.has['y'] && f.has['Y'] {
		return f.get('Y', 1970, -maxYear, maxYear)
	}
	return year, nil
}

// timeOfDay resolves the time since midnight; 24:00 is the whole day.
func (f *parsed) timeOfDay() (time.Duration, error) {
	const day = int64(24 * time.Hour)
	if f.has['N'] {
		n, err := f.get('N', 0, 0, day-1)
		return time.Duration(n), err
	}
	if f.has['A'] {
		n, err := f.get('A', 0, 0, day/1e6-1)
		return time.Duration(n) * time.Millisecond, err
	}
	hour, err := f.hour()
	if err != nil {
		return 0, err
	}
	minute, err := f.get('m', 0, 0, 59)
	if err != nil {
		return 0, err
	}
	second, err := f.get('s', 0, 0, 59)
	if err != nil {
		return 0, err
	}
	nano, err := f.get('n', 0, 0, 999_999_999)
	if err != nil {
		return 0, err
	}
	if hour == 24 && minute+second+nano > 0 {
		return 0, errors.New("24 is an hour at midnight only")
	}
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second + time.Duration(nano), nil
}

func (f *parsed) hour() (int64, error) {
	switch {
	case f.has['H']:
		return f.get('H', 0, 0, 24)
	case f.has['k']:
		h, err := f.get('k', 0, 1, 24)
		return h % 24, err
	case f.has['K']:
		h, err := f.get('K', 0, 0, 11)
		return h + 12*f.fields['a'], err
	case f.has['h']:
		h, err := f.get('h', 0, 1, 12)
		return h%12 + 12*f.fields['a'], err
	}
	return 12 * f.fields['a'], nil
}
