package functions

import "strings"

// ParseIntervalUnit reads a unit keyword of DATEADD and its kin, singular or plural and in any case, as its length in
// milliseconds: the value of an argument of type types.IntervalUnit.
func ParseIntervalUnit(word string) (ms int64, ok bool) {
	switch strings.TrimSuffix(strings.ToUpper(word), "S") {
	case "MILLISECOND":
		return 1, true
	case "SECOND":
		return 1000, true
	case "MINUTE":
		return 60_000, true
	case "HOUR":
		return 3_600_000, true
	case "DAY":
		return 86_400_000, true
	}
	return 0, false
}
