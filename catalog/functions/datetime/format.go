package datetime

import (
	"fmt"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/catalog/types/datepattern"
)

// newFormat makes a function that formats argument 0 by the pattern in argument 1, in the zone in argument 2 if there is
// one. what names the value in errors.
func newFormat(what string, defaultZone func(*functions.Env) *time.Location, format func(p *datepattern.Pattern, dst []byte, v int64, loc *time.Location) ([]byte, error)) functions.Constructor {
	return func(env *functions.Env, _ []*types.Type, _ *types.Type) (functions.Call, error) {
		patterns, zones, byDefault := patternCache(), zoneCache(), defaultZone(env)
		buf := make([]byte, 0, 32)
		return func(args []types.Slot) (types.Slot, error) {
			if anyNull(args) {
				return types.NullSlot, nil
			}
			fail := func(err error) (types.Slot, error) {
				return types.NullSlot, fmt.Errorf("Failed to format %s %d with formatter '%s': %w", what, args[0].I, args[1].B, err)
			}
			p, err := patterns.get(args[1])
			if err != nil {
				return fail(err)
			}
			loc := byDefault
			if len(args) > 2 {
				if loc, err = zones.get(args[2]); err != nil {
					return fail(err)
				}
			}
			if buf, err = format(p, buf[:0], args[0].I, loc); err != nil {
				return fail(err)
			}
			return types.BytesSlot(buf), nil
		}, nil
	}
}

func inGMT(*functions.Env) *time.Location { return gmt() }

func asDate(p *datepattern.Pattern, dst []byte, v int64, _ *time.Location) ([]byte, error) {
	return p.FormatDate(dst, v)
}

func asTime(p *datepattern.Pattern, dst []byte, v int64, _ *time.Location) ([]byte, error) {
	return p.FormatTime(dst, v)
}

func asTimestamp(p *datepattern.Pattern, dst []byte, v int64, loc *time.Location) ([]byte, error) {
	return p.FormatTimestamp(dst, v, loc)
}

func formatDate() *functions.Spec {
	return spec("FORMAT_DATE", "A date as text, by a DateTimeFormatter pattern.",
		one("(DATE date, STRING formatPattern) -> STRING", newFormat("date", inGMT, asDate)),
		"FORMAT_DATE(FROM_DAYS(17662), 'dd-MMM-yyyy')", `"11-May-2018"`,
		"FORMAT_DATE(FROM_DAYS(-1), 'yyyy/MM/dd''T''')", `"1969/12/31T"`,
		"FORMAT_DATE(FROM_DAYS(0), 'HH')", "error: Failed to format date 0 with formatter 'HH'",
		"FORMAT_DATE(CAST(NULL AS DATE), 'yyyy')", "null")
}

func dateToString() *functions.Spec {
	return spec("DATETOSTRING", "Days since 1970 as text; deprecated form of FORMAT_DATE.",
		one("(INT epochDays, STRING formatPattern) -> STRING", functions.RefuseNull(newFormat("date", inGMT, asDate), 0)),
		"DATETOSTRING(17662, 'yyyy-MM-dd')", `"2018-05-11"`,
		"DATETOSTRING(0, 'HH')", "error: Failed to format date",
		"DATETOSTRING(0, NULL)", "null",
		"DATETOSTRING(CAST(NULL AS INT), 'yyyy')", "error: must not be null")
}

func formatTime() *functions.Spec {
	return spec("FORMAT_TIME", "A time as text, by a DateTimeFormatter pattern.",
		one("(TIME time, STRING formatPattern) -> STRING", newFormat("time", inGMT, asTime)),
		"FORMAT_TIME(CAST('20:34:00.567' AS TIME), 'HHmmssSSS')", `"203400567"`,
		"FORMAT_TIME(CAST('20:34' AS TIME), 'h:mm a')", `"8:34 PM"`,
		"FORMAT_TIME(CAST('20:34' AS TIME), 'yyyy')", "error: Failed to format time",
		"FORMAT_TIME(CAST(NULL AS TIME), 'HH')", "null")
}

func formatTimestamp() *functions.Spec {
	construct := newFormat("timestamp", inGMT, asTimestamp)
	return spec("FORMAT_TIMESTAMP", "A timestamp as text, by a DateTimeFormatter pattern, in a zone (default GMT).", []functions.Scalar{
		functions.NewScalar("(TIMESTAMP timestamp, STRING formatPattern) -> STRING", construct),
		functions.NewScalar("(TIMESTAMP timestamp, STRING formatPattern, STRING timeZone) -> STRING", construct),
	},
		"FORMAT_TIMESTAMP(FROM_UNIXTIME(1526075913000), 'yyyy-MM-dd HH:mm:ss')", `"2018-05-11 21:58:33"`,
		"FORMAT_TIMESTAMP(FROM_UNIXTIME(1526075913000), 'yyyy-MM-dd HH:mm:ss zzz', 'America/Los_Angeles')", `"2018-05-11 14:58:33 PDT"`,
		"FORMAT_TIMESTAMP(FROM_UNIXTIME(0), 'XXX', 'Asia/Kolkata')", `"+05:30"`,
		"FORMAT_TIMESTAMP(FROM_UNIXTIME(0), 'b')", "error: unknown pattern letter 'b'",
		"FORMAT_TIMESTAMP(FROM_UNIXTIME(0), 'yyyy', 'PDT')", "error: Invalid time zone: PDT",
		"FORMAT_TIMESTAMP(CAST(NULL AS TIMESTAMP), 'yyyy')", "null")
}

func timestampToString() *functions.Spec {
	construct := functions.RefuseNull(newFormat("timestamp", serverZone, asTimestamp), 0)
	return spec("TIMESTAMPTOSTRING", "Milliseconds as text; deprecated form of FORMAT_TIMESTAMP, by default in the server's zone.", []functions.Scalar{
		functions.NewScalar("(BIGINT epochMilli, STRING formatPattern) -> STRING", construct),
		functions.NewScalar("(BIGINT epochMilli, STRING formatPattern, STRING timeZone) -> STRING", construct),
	},
		"TIMESTAMPTOSTRING(1526075913000, 'yyyy-MM-dd HH:mm:ss zzz', 'Europe/London')", `"2018-05-11 22:58:33 BST"`,
		"TIMESTAMPTOSTRING(0, CAST(NULL AS STRING))", "null",
		"TIMESTAMPTOSTRING(CAST(NULL AS BIGINT), 'yyyy')", "error: must not be null")
}
