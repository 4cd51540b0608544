package types

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/types/zone"
)

const (
	msPerSecond = 1000
	msPerMinute = 60 * msPerSecond
	msPerHour   = 60 * msPerMinute
	msPerDay    = 24 * msPerHour
)

// DayMs is the length of a day in milliseconds.
const DayMs = msPerDay

// AppendDate appends a DATE (days since 1970) as ISO text: 2024-05-01.
func AppendDate(dst []byte, days int64) []byte {
	t := time.Unix(days*86400, 0).UTC()
	return appendYMD(dst, t)
}

func appendYMD(dst []byte, t time.Time) []byte {
	y, m, d := t.Date()
	switch {
	case y < 0:
		dst = append(dst, '-')
		y = -y
	case y > 9999:
		dst = append(dst, '+')
	}
	dst = appendPadded(dst, int64(y), 4)
	dst = append(dst, '-')
	dst = appendPadded(dst, int64(m), 2)
	dst = append(dst, '-')
	return appendPadded(dst, int64(d), 2)
}

// AppendTime appends a TIME (ms of the day) as Java's LocalTime prints it: 12:30, 12:30:05, 12:30:05.010.
func AppendTime(dst []byte, ms int64) []byte {
	dst = appendPadded(dst, ms/msPerHour, 2)
	dst = append(dst, ':')
	dst = appendPadded(dst, ms/msPerMinute%60, 2)
	if ms%msPerMinute == 0 {
		return dst
	}
	dst = append(dst, ':')
	dst = appendPadded(dst, ms/msPerSecond%60, 2)
	if ms%msPerSecond == 0 {
		return dst
	}
	dst = append(dst, '.')
	return appendPadded(dst, ms%msPerSecond, 3)
}

// AppendTimestamp appends a TIMESTAMP (ms since 1970 UTC) as 2024-05-01T12:30:00.000.
func AppendTimestamp(dst []byte, ms int64) []byte {
	t := time.UnixMilli(ms).UTC()
	dst = appendYMD(dst, t)
	dst = append(dst, 'T')
	dst = appendPadded(dst, int64(t.Hour()), 2)
	dst = append(dst, ':')
	dst = appendPadded(dst, int64(t.Minute()), 2)
	dst = append(dst, ':')
	dst = appendPadded(dst, int64(t.Second()), 2)
	dst = append(dst, '.')
	return appendPadded(dst, int64(t.Nanosecond()/1_000_000), 3)
}

func appendPadded(dst []byte, v int64, width int) []byte {
	for limit := int64(10); width > 1; width-- {
		if v < limit {
			for w := width; w > 1; w-- {
				dst = append(dst, '0')
			}
			return strconv.AppendInt(dst, v, 10)
		}
		limit *= 10
	}
	return strconv.AppendInt(dst, v, 10)
}

// ParseDate reads an ISO date, which may be partial (2024, 2024-05), as days since 1970.
func ParseDate(text string) (int64, error) {
	t, err := parseDatePart(text)
	if err != nil {
		return 0, fmt.Errorf("Failed to parse date '%s': %w. Required format is: \"yyyy-MM-dd\". Partials are also supported, for example '2020-05'", text, err)
	}
	return floorDiv(t.Unix(), 86400), nil
}

// ParseTime reads an ISO time, which may be partial (12, 12:30, 12:30:05.123), as milliseconds of the day.
func ParseTime(text string) (int64, error) {
	ms, err := parseTimePart(text)
	if err != nil || text == "" {
		if err == nil {
			err = fmt.Errorf("the text is empty")
		}
		return 0, fmt.Errorf("Failed to parse time '%s': %w. Required format is: \"HH:mm:ss.SSS\". Partials are also supported, for example '10:00'", text, err)
	}
	return ms, nil
}

// ParseTimestamp reads an ISO timestamp as milliseconds since 1970 UTC. It may be partial (2024-05, 2024-05-01T10) and
// may end in a zone (Z, +0200, +02:00); without one it is taken to be in loc, nil meaning UTC.
func ParseTimestamp(text string, loc *time.Location) (int64, error) {
	ms, err := parseTimestamp(text, loc)
	if err != nil {
		return 0, fmt.Errorf("Failed to parse timestamp '%s': %w. Required format is: \"yyyy-MM-dd'T'HH:mm:ss.SSS\", with an optional numeric 4-digit timezone, for example: '2020-05-26T23.59.58.000' or with tz: '2020-05-26T23.59.58.000+0200'. Partials are also supported, for example '2020-05-26'", text, err)
	}
	return ms, nil
}

func parseTimestamp(text string, loc *time.Location) (int64, error) {
	date, clock, _ := strings.Cut(text, "T")
	d, err := parseDatePart(date)
	if err != nil {
		return 0, err
	}
	if at := strings.IndexAny(clock, "+-Z"); at >= 0 {
		if loc, err = zone.Load(clock[at:]); err != nil {
			return 0, err
		}
		clock = clock[:at]
	}
	if rest, ok := strings.CutPrefix(clock, "24"); ok { // Java takes 24:00 for the end of the day
		if ms, err := parseTimePart("00" + rest); err == nil && ms == 0 {
			d, clock = d.AddDate(0, 0, 1), ""
		}
	}
	ms, err := parseTimePart(clock)
	if err != nil {
		return 0, err
	}
	if loc == nil || loc == time.UTC {
		return d.UnixMilli() + ms, nil
	}
	h, m, s, milli := int(ms/msPerHour), int(ms/msPerMinute%60), int(ms/msPerSecond%60), int(ms%msPerSecond)
	return time.Date(d.Year(), d.Month(), d.Day(), h, m, s, milli*1_000_000, loc).UnixMilli(), nil
}

func parseDatePart(text string) (time.Time, error) {
	bad := fmt.Errorf("Text '%s' could not be parsed", text)
	body, sign := text, 1
	if strings.HasPrefix(body, "+") {
		body = body[1:]
	} else if strings.HasPrefix(body, "-") {
		body, sign = body[1:], -1
	}
	parts := strings.Split(body, "-")
	if len(parts) > 3 || len(parts[0]) < 4 || len(parts[0]) > 9 {
		return time.Time{}, bad
	}
	fields := [3]int{0, 1, 1}
	for i, p := range parts {
		n, ok := digits(p)
		if !ok || i > 0 && len(p) > 2 {
			return time.Time{}, bad
		}
		fields[i] = n
	}
	t := time.Date(sign*fields[0], time.Month(fields[1]), fields[2], 0, 0, 0, 0, time.UTC)
	if int(t.Month()) != fields[1] || t.Day() != fields[2] {
		return time.Time{}, bad
	}
	return t, nil
}

// parseTimePart reads HH[:mm[:ss[.fraction]]]; the empty text is midnight.
func parseTimePart(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	bad := fmt.Errorf("Text '%s' could not be parsed", text)
	clock, fraction, hasFraction := strings.Cut(text, ".")
	parts := strings.Split(clock, ":")
	if len(parts) > 3 || hasFraction && len(parts) != 3 {
		return 0, bad
	}
	limits := [3]int{24, 60, 60}
	units := [3]int64{msPerHour, msPerMinute, msPerSecond}
	var ms int64
	for i, p := range parts {
		n, ok := digits(p)
		if !ok || len(p) > 2 || n >= limits[i] {
			return 0, bad
		}
		ms += int64(n) * units[i]
	}
	if hasFraction {
		if _, ok := digits(fraction); !ok || len(fraction) > 9 {
			return 0, bad
		}
		n, _ := digits((fraction + "00")[:3])
		ms += int64(n)
	}
	return ms, nil
}

// digits reads a text of ASCII digits only.
func digits(s string) (int, bool) {
	if s == "" || len(s) > 9 {
		return 0, false
	}
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
