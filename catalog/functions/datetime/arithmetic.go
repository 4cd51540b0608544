package datetime

import (
	"errors"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// newAdd makes a function of a unit (its milliseconds), a number and a value.
func newAdd(sign int64, add func(v, ms int64) int64) functions.Constructor {
	return functions.Slots(func(args []types.Slot) (types.Slot, error) {
		if anyNull(args) {
			return types.NullSlot, nil
		}
		return types.IntSlot(add(args[2].I, sign*args[0].I*args[1].I)), nil
	})
}

// addToDate cuts part days off, towards 1970 as ksqlDB does.
func addToDate(days, ms int64) int64 { return (days*types.DayMs + ms) / types.DayMs }

// addToTime wraps around midnight.
func addToTime(t, ms int64) int64 {
	return ((t+ms)%types.DayMs + types.DayMs) % types.DayMs
}

func addToTimestamp(t, ms int64) int64 { return t + ms }

func dateAdd() *functions.Spec {
	return spec("DATEADD", "Adds an interval to a date; part days are cut off.",
		one("(UNIT unit, INT interval, DATE date) -> DATE", newAdd(1, addToDate)),
		"DATEADD(DAYS, 10, FROM_DAYS(10))", `"1970-01-21"`,
		"DATEADD(HOURS, 36, FROM_DAYS(0))", `"1970-01-02"`,
		"DATEADD(FROM_DAYS(1), 10, FROM_DAYS(10))", "error: Function 'dateadd' does not accept parameters (DATE, INTEGER, DATE).",
		"DATEADD(DAYS, 10, CAST(NULL AS DATE))", "null")
}

func dateSub() *functions.Spec {
	return spec("DATESUB", "Subtracts an interval from a date; part days are cut off.",
		one("(UNIT unit, INT interval, DATE date) -> DATE", newAdd(-1, addToDate)),
		"DATESUB(DAYS, 10, FROM_DAYS(5))", `"1969-12-27"`,
		"DATESUB(DAYS, NULL, FROM_DAYS(5))", "null")
}

func timeAdd() *functions.Spec {
	return spec("TIMEADD", "Adds an interval to a time, wrapping around midnight.",
		one("(UNIT unit, INT interval, TIME time) -> TIME", newAdd(1, addToTime)),
		"TIMEADD(HOURS, 2, CAST('23:30' AS TIME))", `"01:30"`,
		"TIMEADD(HOURS, 2, CAST(NULL AS TIME))", "null")
}

func timeSub() *functions.Spec {
	return spec("TIMESUB", "Subtracts an interval from a time, wrapping around midnight.",
		one("(UNIT unit, INT interval, TIME time) -> TIME", newAdd(-1, addToTime)),
		"TIMESUB(MINUTES, 60, CAST('00:30' AS TIME))", `"23:30"`,
		"TIMESUB(MINUTES, 60, CAST(NULL AS TIME))", "null")
}

func timestampAdd() *functions.Spec {
	return spec("TIMESTAMPADD", "Adds an interval to a timestamp; a day is 24 hours.",
		one("(UNIT unit, INT interval, TIMESTAMP timestamp) -> TIMESTAMP", newAdd(1, addToTimestamp)),
		"UNIX_TIMESTAMP(TIMESTAMPADD(MILLISECONDS, 10, FROM_UNIXTIME(10)))", "20",
		"TIMESTAMPADD(DAYS, 1, CAST(NULL AS TIMESTAMP))", "null")
}

func timestampSub() *functions.Spec {
	return spec("TIMESTAMPSUB", "Subtracts an interval from a timestamp.",
		one("(UNIT unit, INT interval, TIMESTAMP timestamp) -> TIMESTAMP", newAdd(-1, addToTimestamp)),
		"UNIX_TIMESTAMP(TIMESTAMPSUB(SECONDS, 1, FROM_UNIXTIME(10)))", "-990",
		"TIMESTAMPSUB(DAYS, 1, CAST(NULL AS TIMESTAMP))", "null")
}

func convertTZ() *functions.Spec {
	construct := func(*functions.Env, []*types.Type, *types.Type) (functions.Call, error) {
		from, to := zoneCache(), zoneCache()
		return func(args []types.Slot) (types.Slot, error) {
			if anyNull(args) {
				return types.NullSlot, nil
			}
			a, err := from.get(args[1])
			if err != nil {
				return types.NullSlot, err
			}
			b, err := to.get(args[2])
			if err != nil {
				return types.NullSlot, err
			}
			return types.IntSlot(args[0].I + offsetMs(b, args[0].I) - offsetMs(a, args[0].I)), nil
		}, nil
	}
	return spec("CONVERT_TZ", "Moves a timestamp by the distance of two zones at that instant.",
		one("(TIMESTAMP timestamp, STRING fromTimeZone, STRING toTimeZone) -> TIMESTAMP", construct),
		"UNIX_TIMESTAMP(CONVERT_TZ(FROM_UNIXTIME(100), '+0200', '+0500'))", "10800100",
		"UNIX_TIMESTAMP(CONVERT_TZ(FROM_UNIXTIME(1589234313000), 'America/Los_Angeles', 'America/New_York'))", "1589245113000",
		"CONVERT_TZ(FROM_UNIXTIME(100), 'PDT', 'UTC')", "error: Invalid time zone: PDT",
		"CONVERT_TZ(CAST(NULL AS TIMESTAMP), 'UTC', 'UTC')", "null")
}

func fromDays() *functions.Spec {
	return spec("FROM_DAYS", "The date of a number of days since 1970-01-01.",
		one("(INT days) -> DATE", functions.RefuseNull(functions.Unary(func(d int32) types.DateValue { return types.DateValue(d) }), 0)),
		"FROM_DAYS(50)", `"1970-02-20"`,
		"FROM_DAYS(CAST(NULL AS INT))", "error: must not be null")
}

func fromUnixTime() *functions.Spec {
	return spec("FROM_UNIXTIME", "The timestamp of a number of milliseconds since 1970.",
		one("(BIGINT epochMilli) -> TIMESTAMP", functions.Unary(func(ms int64) types.TimestampValue { return types.TimestampValue(ms) })),
		"FROM_UNIXTIME(100)", `"1970-01-01T00:00:00.100"`,
		"FROM_UNIXTIME(CAST(NULL AS BIGINT))", "null")
}

func unixDate() *functions.Spec {
	today := functions.NewScalar("() -> INT", func(env *functions.Env, _ []*types.Type, _ *types.Type) (functions.Call, error) {
		if env == nil || env.NowMs == nil {
			return nil, errNoClock
		}
		loc := serverZone(env)
		return func([]types.Slot) (types.Slot, error) {
			now := env.NowMs()
			now += offsetMs(loc, now)
			return types.IntSlot((now - ((now%types.DayMs)+types.DayMs)%types.DayMs) / types.DayMs), nil
		}, nil
	})
	today.Nondeterministic = true
	return spec("UNIX_DATE", "The number of days since 1970 of a date, or of today in the server's zone.", []functions.Scalar{
		today,
		functions.NewScalar("(DATE date) -> INT", functions.Unary(func(d types.DateValue) int32 { return int32(d) })),
	},
		"UNIX_DATE(FROM_DAYS(10))", "10",
		"UNIX_DATE()", "19675",
		"UNIX_DATE(CAST(NULL AS DATE))", "null")
}

var errNoClock = errors.New("the function needs a clock")

func unixTimestamp() *functions.Spec {
	now := functions.NewScalar("() -> BIGINT", func(env *functions.Env, _ []*types.Type, _ *types.Type) (functions.Call, error) {
		if env == nil || env.NowMs == nil {
			return nil, errNoClock
		}
		return func([]types.Slot) (types.Slot, error) { return types.IntSlot(env.NowMs()), nil }, nil
	})
	now.Nondeterministic = true
	return spec("UNIX_TIMESTAMP", "The milliseconds since 1970 of a timestamp, or of now.", []functions.Scalar{
		now,
		functions.NewScalar("(TIMESTAMP timestamp) -> BIGINT", functions.Unary(func(t types.TimestampValue) int64 { return int64(t) })),
	},
		"UNIX_TIMESTAMP(FROM_UNIXTIME(100))", "100",
		"UNIX_TIMESTAMP()", "1700000000000",
		"UNIX_TIMESTAMP(CAST(NULL AS TIMESTAMP))", "null")
}
