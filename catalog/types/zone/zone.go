// Package zone finds time zones by the ids that java.time accepts, from zone data embedded in the binary.
package zone

import (
	"fmt"
	"strings"
	"time"

	// The binary must not need the host's zone data.
	_ "time/tzdata"
)

// Load finds a zone: a region (Europe/Paris), UTC, GMT, UT or Z, any of these three with an offset (UTC+1), or an offset
// (+2, +02, +0200, +02:00, +02:00:00).
func Load(id string) (*time.Location, error) {
	switch id {
	case "Z", "UTC":
		return time.UTC, nil
	case "GMT", "UT":
		return time.FixedZone(id, 0), nil
	case "":
		return nil, invalid(id)
	}
	if id[0] == '+' || id[0] == '-' {
		return offset(id, id)
	}
	for _, prefix := range []string{"UTC", "GMT", "UT"} {
		if rest, ok := strings.CutPrefix(id, prefix); ok && rest != "" && (rest[0] == '+' || rest[0] == '-') {
			return offset(id, rest)
		}
	}
	if len(id) == 3 && !isTzdataID(id) || id == "Local" || strings.Contains(id, "..") {
		return nil, invalid(id)
	}
	loc, err := time.LoadLocation(id)
	if err != nil {
		return nil, invalid(id)
	}
	return loc, nil
}

// isTzdataID reports whether a three-letter id is a zone of the tz database itself and so known to java.time. Others (PST,
// PDT, IST) are refused, as there.
func isTzdataID(id string) bool {
	switch id {
	case "EST", "MST", "HST", "EET", "MET", "WET", "CET", "ROK", "PRC", "ROC", "UCT":
		return true
	}
	return false
}

func invalid(id string) error { return fmt.Errorf("Invalid time zone: %s", id) }

// offset reads +h, +hh, +hhmm, +hh:mm, +hhmmss or +hh:mm:ss, at most 18 hours.
func offset(id, s string) (*time.Location, error) {
	seconds, ok := ParseOffset(s)
	if !ok {
		return nil, invalid(id)
	}
	return time.FixedZone(id, seconds), nil
}

// ParseOffset reads an offset such as +2, +0200 or -02:30:15 as seconds east of UTC, at most 18 hours.
func ParseOffset(s string) (seconds int, ok bool) {
	if len(s) < 2 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	body := s[1:]
	if strings.Contains(body, ":") {
		if len(body) != 5 && len(body) != 8 || body[2] != ':' || len(body) == 8 && body[5] != ':' {
			return 0, false
		}
		body = strings.ReplaceAll(body, ":", "")
	}
	if len(body) == 1 {
		body = "0" + body
	}
	if len(body) != 2 && len(body) != 4 && len(body) != 6 {
		return 0, false
	}
	unit := 3600
	for i := 0; i < len(body); i += 2 {
		a, b := body[i], body[i+1]
		if a < '0' || a > '9' || b < '0' || b > '9' {
			return 0, false
		}
		n := int(a-'0')*10 + int(b-'0')
		if i > 0 && n > 59 {
			return 0, false
		}
		seconds += n * unit
		unit /= 60
	}
	if seconds > 18*3600 {
		return 0, false
	}
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}
