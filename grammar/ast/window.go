package ast

import "math"

// WindowKind is the kind of a window.
type WindowKind uint8

// The kinds of window.
const (
	Tumbling WindowKind = iota + 1
	Hopping
	Session
)

// String gives the keyword.
func (k WindowKind) String() string {
	switch k {
	case Tumbling:
		return "TUMBLING"
	case Hopping:
		return "HOPPING"
	case Session:
		return "SESSION"
	}
	return ""
}

// Window is the WINDOW clause. That sizes are positive and fit each other is not checked here.
type Window struct {
	Located
	Kind      WindowKind
	Size      Interval  // for sessions the gap of inactivity
	Advance   *Interval // for Hopping only, and then always
	Retention *Interval // nil if not given
	Grace     *Interval // nil if not given
}

// TimeUnit is a unit of time.
type TimeUnit uint8

// The units of time.
const (
	Milliseconds TimeUnit = iota + 1
	Seconds
	Minutes
	Hours
	Days
	Months
	Years
)

var unitNames = [...]string{
	Milliseconds: "MILLISECONDS", Seconds: "SECONDS", Minutes: "MINUTES", Hours: "HOURS",
	Days: "DAYS", Months: "MONTHS", Years: "YEARS",
}

// String gives the keyword in the plural.
func (u TimeUnit) String() string { return unitNames[u] }

// TimeUnitOf finds a unit by its upper-case name, singular or plural.
func TimeUnitOf(name string) (TimeUnit, bool) {
	for u, n := range unitNames {
		if n != "" && (n == name || n[:len(n)-1] == name) {
			return TimeUnit(u), true
		}
	}
	return 0, false
}

// Millis is the length of the unit; ok is false for months and years, which have none.
func (u TimeUnit) Millis() (ms int64, ok bool) {
	switch u {
	case Milliseconds:
		return 1, true
	case Seconds:
		return 1000, true
	case Minutes:
		return 60_000, true
	case Hours:
		return 3_600_000, true
	case Days:
		return 86_400_000, true
	}
	return 0, false
}

// Interval is a length of time as written: 5 MINUTES.
type Interval struct {
	Located
	Value int64
	Unit  TimeUnit // Milliseconds to Days
}

// Millis is the length in milliseconds; ok is false if that does not fit int64.
func (i Interval) Millis() (ms int64, ok bool) {
	unit, ok := i.Unit.Millis()
	if !ok || i.Value > math.MaxInt64/unit || i.Value < math.MinInt64/unit {
		return 0, false
	}
	return i.Value * unit, true
}
