// Package datetime holds the functions on dates and times.
package datetime

import (
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/catalog/types/datepattern"
	"github.com/ksqlgo/ksqlgo/catalog/types/zone"
)

// Specs lists the date and time functions.
func Specs() []*functions.Spec {
	return []*functions.Spec{
		convertTZ(), dateAdd(), dateSub(), dateToString(), formatDate(), formatTime(), formatTimestamp(), fromDays(),
		fromUnixTime(), parseDate(), parseTime(), parseTimestamp(), stringToDate(), stringToTimestamp(), timeAdd(),
		timeSub(), timestampAdd(), timestampSub(), timestampToString(), unixDate(), unixTimestamp(),
	}
}

func spec(name, description string, overloads []functions.Scalar, examples ...string) *functions.Spec {
	return &functions.Spec{
		Name: name, Kind: functions.ScalarKind, Category: "DATE / TIME", Description: description,
		Scalars: overloads, Examples: functions.Examples(examples...),
	}
}

// one makes the list of a single overload.
func one(signature string, construct functions.Constructor) []functions.Scalar {
	return []functions.Scalar{functions.NewScalar(signature, construct)}
}

// cached keeps what the last text was read as: patterns and zones are literals as a rule.
type cached[V any] struct {
	load  func(string) (V, error)
	text  string
	value V
	full  bool
}

func (c *cached[V]) get(s types.Slot) (V, error) {
	if c.full && c.text == s.Text() {
		return c.value, nil
	}
	text := string(s.B)
	v, err := c.load(text)
	if err == nil {
		c.text, c.value, c.full = text, v, true
	}
	return v, err
}

func patternCache() *cached[*datepattern.Pattern] {
	return &cached[*datepattern.Pattern]{load: datepattern.Compile}
}

func zoneCache() *cached[*time.Location] { return &cached[*time.Location]{load: zone.Load} }

// serverZone is the default zone of the deprecated functions.
func serverZone(env *functions.Env) *time.Location {
	if env == nil || env.Zone == nil {
		return time.UTC
	}
	return env.Zone
}

// gmt is the default zone of the others.
func gmt() *time.Location { return time.FixedZone("GMT", 0) }

// offsetMs is the distance of a zone from UTC at an instant.
func offsetMs(loc *time.Location, ms int64) int64 {
	_, seconds := time.UnixMilli(ms).In(loc).Zone()
	return int64(seconds) * 1000
}

// anyNull reports whether an argument is null.
func anyNull(args []types.Slot) bool {
	for i := range args {
		if args[i].Null {
			return true
		}
	}
	return false
}
