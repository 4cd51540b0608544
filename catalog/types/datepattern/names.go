package datepattern

import (
	"strings"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/types/zone"
)

// monthName gives the name of a month for 3 (Jan), 4 (January) or 5 (J) letters.
func monthName(m time.Month, count int) string { return shorten(m.String(), count) }

// dayName gives the name of a day for 3 (Mon), 4 (Monday) or 5 (M) letters.
func dayName(d time.Weekday, count int) string { return shorten(d.String(), count) }

func shorten(name string, count int) string {
	switch {
	case count == 4:
		return name
	case count == 5:
		return name[:1]
	}
	return name[:3]
}

func quarterName(q, count int) string {
	digit := string(rune('0' + q))
	switch count {
	case 3:
		return "Q" + digit
	case 4:
		return [...]string{"1st", "2nd", "3rd", "4th"}[q-1] + " quarter"
	}
	return digit
}

func eraName(ad bool, count int) string {
	switch {
	case count == 4 && ad:
		return "Anno Domini"
	case count == 4:
		return "Before Christ"
	case count == 5 && ad:
		return "A"
	case count == 5:
		return "B"
	case ad:
		return "AD"
	}
	return "BC"
}

// zoneName is a name that people use for a zone at one half of the year.
type zoneName struct{ short, long, region string }

// zoneNames lists the names of zones that are understood beside the ids.
func zoneNames() []zoneName {
	return []zoneName{
		{"PST", "Pacific Standard Time", "America/Los_Angeles"}, {"PDT", "Pacific Daylight Time", "America/Los_Angeles"},
		{"MST", "Mountain Standard Time", "America/Denver"}, {"MDT", "Mountain Daylight Time", "America/Denver"},
		{"CST", "Central Standard Time", "America/Chicago"}, {"CDT", "Central Daylight Time", "America/Chicago"},
		{"EST", "Eastern Standard Time", "America/New_York"}, {"EDT", "Eastern Daylight Time", "America/New_York"},
		{"AKST", "Alaska Standard Time", "America/Anchorage"}, {"AKDT", "Alaska Daylight Time", "America/Anchorage"},
		{"HST", "Hawaii-Aleutian Standard Time", "Pacific/Honolulu"},
		{"GMT", "Greenwich Mean Time", "GMT"}, {"UTC", "Coordinated Universal Time", "UTC"},
		{"BST", "British Summer Time", "Europe/London"},
		{"WET", "Western European Standard Time", "Europe/Lisbon"}, {"WEST", "Western European Summer Time", "Europe/Lisbon"},
		{"CET", "Central European Standard Time", "Europe/Paris"}, {"CEST", "Central European Summer Time", "Europe/Paris"},
		{"EET", "Eastern European Standard Time", "Europe/Athens"}, {"EEST", "Eastern European Summer Time", "Europe/Athens"},
		{"MSK", "Moscow Standard Time", "Europe/Moscow"},
		{"IST", "India Standard Time", "Asia/Kolkata"}, {"SGT", "Singapore Standard Time", "Asia/Singapore"},
		{"HKT", "Hong Kong Standard Time", "Asia/Hong_Kong"}, {"JST", "Japan Standard Time", "Asia/Tokyo"},
		{"KST", "Korean Standard Time", "Asia/Seoul"},
		{"AEST", "Australian Eastern Standard Time", "Australia/Sydney"}, {"AEDT", "Australian Eastern Daylight Time", "Australia/Sydney"},
		{"NZST", "New Zealand Standard Time", "Pacific/Auckland"}, {"NZDT", "New Zealand Daylight Time", "Pacific/Auckland"},
	}
}

// longZoneName gives the full name of a zone's abbreviation, or the abbreviation.
func longZoneName(short string) string {
	for _, n := range zoneNames() {
		if n.short == short {
			return n.long
		}
	}
	return short
}

// parseZoneText reads a zone name, id or offset id at the start of s.
func parseZoneText(s string) (loc *time.Location, size int) {
	for _, n := range zoneNames() {
		for _, name := range [2]string{n.long, n.short} {
			if len(s) >= len(name) && strings.EqualFold(s[:len(name)], name) && !goesOn(s[len(name):]) {
				if loc, err := zone.Load(n.region); err == nil {
					return loc, len(name)
				}
			}
		}
	}
	end := 0
	for end < len(s) && isZoneByte(s[end]) {
		end++
	}
	for ; end > 0; end-- {
		if loc, err := zone.Load(s[:end]); err == nil {
			return loc, end
		}
		if end <= 1 || end > maxZoneID {
			break
		}
	}
	return nil, 0
}

// maxZoneID bounds the search for a zone id in a text.
const maxZoneID = 40

func goesOn(s string) bool {
	return s != "" && (isLetter(s[0]) || s[0] == '/' || s[0] == '_' || s[0] == '+' || s[0] == '-')
}

func isZoneByte(c byte) bool {
	return isLetter(c) || c >= '0' && c <= '9' || c == '/' || c == '_' || c == '+' || c == '-' || c == ':'
}
