package datetime

import (
	"errors"
	"fmt"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/catalog/types/datepattern"
)

// newParse makes a function that reads argument 0 by the pattern in argument 1, in the zone in argument 2 if there is
// one. what names the value in errors.
func newParse(what string, defaultZone func(*functions.Env) *time.Location, read func(p *datepattern.Pattern, text string, loc *time.Location) (int64, error)) functions.Constructor {
	return func(env *functions.Env, _ []*types.Type, _ *types.Type) (functions.Call, error) {
		patterns, zones, byDefault := patternCache(), zoneCache(), defaultZone(env)
		return func(args []types.Slot) (types.Slot, error) {
			if anyNull(args) {
				return types.NullSlot, nil
			}
			fail := func(err error) (types.Slot, error) {
				return types.NullSlot, fmt.Errorf("Failed to parse %s '%s' with formatter '%s': %w", what, args[0].B, args[1].B, err)
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
			v, err := read(p, args[0].Text(), loc)
			if err != nil {
				return fail(err)
			}
			return types.IntSlot(v), nil
		}, nil
	}
}

func ofTimestamp(p *datepattern.Pattern, text string, loc *time.Location) (int64, error) {
	return p.ParseTimestamp(text, loc)
}

func ofTime(p *datepattern.Pattern, text string, _ *time.Location) (int64, error) {
	return p.ParseTime(text)
}

func ofDate(p *datepattern.Pattern, text string, _ *time.Location) (int64, error) {
	return p.ParseDate(text)
}

func parseTimestamp() *functions.Spec {
	construct := newParse("timestamp", inGMT, ofTimestamp)
	return spec("PARSE_TIMESTAMP", "A timestamp from text, by a DateTimeFormatter pattern; a zone in the text beats the argument (default GMT), missing parts are those of 1970-01-01T00:00.", []functions.Scalar{
		functions.NewScalar("(STRING formattedTimestamp, STRING formatPattern) -> TIMESTAMP", construct),
		functions.NewScalar("(STRING formattedTimestamp, STRING formatPattern, STRING timeZone) -> TIMESTAMP", construct),
	},
		"UNIX_TIMESTAMP(PARSE_TIMESTAMP('2018-05-11T21:58:33', 'yyyy-MM-dd''T''HH:mm:ss'))", "1526075913000",
		"UNIX_TIMESTAMP(PARSE_TIMESTAMP('2018-05-11T21:58:33 PST', 'yyyy-MM-dd''T''HH:mm:ss zzz'))", "1526101113000",
		"UNIX_TIMESTAMP(PARSE_TIMESTAMP('1970-01-01', 'yyyy-MM-dd', '+0200'))", "-7200000",
		"UNIX_TIMESTAMP(PARSE_TIMESTAMP('20240501123456789', 'yyyyMMddHHmmssSSS'))", "1714566896789",
		"PARSE_TIMESTAMP('x', 'yyyy')", "error: Failed to parse timestamp 'x'",
		"PARSE_TIMESTAMP(CAST(NULL AS STRING), 'yyyy')", "null")
}

func stringToTimestamp() *functions.Spec {
	construct := newParse("timestamp", serverZone, ofTimestamp)
	return spec("STRINGTOTIMESTAMP", "Milliseconds from text; deprecated form of PARSE_TIMESTAMP, by default in the server's zone.", []functions.Scalar{
		functions.NewScalar("(STRING formattedTimestamp, STRING formatPattern) -> BIGINT", functions.RefuseNull(construct, 0, 1)),
		functions.NewScalar("(STRING formattedTimestamp, STRING formatPattern, STRING timeZone) -> BIGINT", functions.RefuseNull(construct, 0, 1, 2)),
	},
		"STRINGTOTIMESTAMP('2019-08-27T13:31:09.2+0000', 'yyyy-MM-dd''T''HH:mm:ss.SX')", "1566912669200",
		"STRINGTOTIMESTAMP('1970-01-01', 'yyyy-MM-dd', 'UTC+1')", "-3600000",
		"STRINGTOTIMESTAMP('x', 'yyyy')", "error: Failed to parse timestamp",
		"STRINGTOTIMESTAMP(CAST(NULL AS STRING), 'yyyy')", "error: must not be null")
}

func parseTime() *functions.Spec {
	return spec("PARSE_TIME", "A time from text, by a DateTimeFormatter pattern, in any case.",
		one("(STRING formattedTime, STRING formatPattern) -> TIME", newParse("time", inGMT, ofTime)),
		"PARSE_TIME('01:00:00 Pm', 'hh:mm:ss a')", `"13:00"`,
		"PARSE_TIME('11/05/19', 'HH/mm/ss')", `"11:05:19"`,
		"PARSE_TIME('2024', 'yyyy')", "error: Time format contains date field.",
		"PARSE_TIME('x', 'HH')", "error: Failed to parse time 'x'",
		"PARSE_TIME(CAST(NULL AS STRING), 'HH')", "null")
}

func stringToDate() *functions.Spec {
	return spec("STRINGTODATE", "Days since 1970 from text; deprecated form of PARSE_DATE.",
		one("(STRING formattedDate, STRING formatPattern) -> INT", functions.RefuseNull(newParse("date", inGMT, ofDate), 0, 1)),
		"STRINGTODATE('2018-05-11', 'yyyy-MM-dd')", "17662",
		"STRINGTODATE('2018', 'yyyy')", "error: Failed to parse date",
		"STRINGTODATE(CAST(NULL AS STRING), 'yyyy')", "error: must not be null")
}

func parseDate() *functions.Spec {
	construct := func(*functions.Env, []*types.Type, *types.Type) (functions.Call, error) {
		patterns := &cached[*datepattern.Simple]{load: datepattern.CompileSimple}
		return func(args []types.Slot) (types.Slot, error) {
			if anyNull(args) {
				return types.NullSlot, nil
			}
			days, err := readDate(patterns, args)
			if err != nil {
				return types.NullSlot, fmt.Errorf("Failed to parse date '%s' with formatter '%s': %w", args[0].B, args[1].B, err)
			}
			return types.IntSlot(days), nil
		}, nil
	}
	return spec("PARSE_DATE", "A date from text, by a pattern of SimpleDateFormat (not DateTimeFormatter): fields may roll over, text after the match is ignored, missing parts are those of 1970-01-01.",
		one("(STRING formattedDate, STRING formatPattern) -> DATE", construct),
		"PARSE_DATE('11/05/2019', 'dd/MM/yyyy')", `"2019-05-11"`,
		"PARSE_DATE('01-JAN-2022', 'dd-MMM-yyyy')", `"2022-01-01"`,
		"PARSE_DATE('2022-13-01 and more', 'yyyy-MM-dd')", `"2023-01-01"`,
		"PARSE_DATE('12:00', 'HH:mm')", "error: Date format contains time field.",
		"PARSE_DATE('x', 'yyyy')", "error: Failed to parse date 'x'",
		"PARSE_DATE(CAST(NULL AS STRING), 'yyyy')", "null")
}

func readDate(patterns *cached[*datepattern.Simple], args []types.Slot) (int64, error) {
	p, err := patterns.get(args[1])
	if err != nil {
		return 0, err
	}
	ms, err := p.Parse(args[0].Text())
	if err != nil {
		return 0, err
	}
	if ms%types.DayMs != 0 {
		return 0, errors.New("Date format contains time field.")
	}
	return ms / types.DayMs, nil
}
