package types

import (
	"math"
	"testing"
)

func TestCast(t *testing.T) {
	d21 := DecimalOf(2, 1)
	tests := []struct {
		from  *Type
		value any
		to    *Type
		// want is the printed result; "error" for a failure.
		want string
	}{
		{BooleanType, true, StringType, "true"},
		{IntType, int32(7), BigintType, "7"},
		{IntType, int32(10), d21, "error"},
		{IntType, int32(-1), d21, "-1.0"},
		{IntType, int32(3), DoubleType, "3.0"},
		{BigintType, int64(2147483648), IntType, "-2147483648"},
		{BigintType, int64(5), StringType, "5"},
		{DoubleType, 3.9, IntType, "3"},
		{DoubleType, -3.9, BigintType, "-3"},
		{DoubleType, 1e300, IntType, "2147483647"},
		{DoubleType, -1e300, BigintType, "-9223372036854775808"},
		{DoubleType, math.NaN(), IntType, "0"},
		{DoubleType, 0.25, d21, "0.3"},
		{DoubleType, math.Inf(1), d21, "error"},
		{DoubleType, 1e10, StringType, "1.0E10"},
		{d21, "1.9", IntType, "1"},
		{d21, "1.9", DecimalOf(5, 3), "1.900"},
		{DecimalOf(3, 2), "9.95", d21, "error"},
		{DecimalOf(3, 2), "1.25", d21, "1.3"},
		{d21, "1.9", DoubleType, "1.9"},
		{DecimalOf(4, 2), "0.01", StringType, "0.01"},
		{StringType, "YES", BooleanType, "true"},
		{StringType, "tr", BooleanType, "true"},
		{StringType, "no", BooleanType, "false"},
		{StringType, "", BooleanType, "false"},
		{StringType, " 12 ", IntType, "12"},
		{StringType, "1.5", IntType, "error"},
		{StringType, "99999999999", IntType, "error"},
		{StringType, "99999999999", BigintType, "99999999999"},
		{StringType, "1e3", DoubleType, "1000.0"},
		{StringType, "1.5d", DoubleType, "1.5"},
		{StringType, "NaN", DoubleType, "error"},
		{StringType, "Infinity", DoubleType, "error"},
		{StringType, "0.99", d21, "1.0"},
		{StringType, "99.9", d21, "error"},
		{StringType, "YWJj", BytesType, "YWJj"},
		{StringType, "a", BytesType, "error"},
		{TimestampType, TimestampValue(-2000), DateType, "1969-12-31"},
		{TimestampType, TimestampValue(-2000), TimeType, "23:59:58"},
		{DateType, DateValue(1), TimestampType, "1970-01-02T00:00:00.000"},
		{DateType, DateValue(10), StringType, "1970-01-11"},
		{TimeType, TimeValue(5000), StringType, "00:00:05"},
		{TimestampType, TimestampValue(10), StringType, "1970-01-01T00:00:00.010"},
		{IntType, nil, StringType, "null"},
		{ArrayOf(BigintType), []any{int64(1), nil}, ArrayOf(StringType), "[1, null]"},
		{ArrayOf(StringType), []any{"1", "x"}, ArrayOf(IntType), "error"},
		{MapOf(StringType, BigintType), &MapValue{Keys: []any{"this"}, Values: []any{int64(2147483648)}}, MapOf(StringType, IntType), "{this=-2147483648}"},
		{StructOf(Field{"F0", BigintType}, Field{"F1", StringType}), StructValue{int64(1), "3"}, StructOf(Field{"F0", StringType}, Field{"F3", StringType}), "Struct{F0=1}"},
		{ArrayOf(IntType), []any{int32(1), int32(3)}, StringType, "[1, 3]"},
	}
	for _, tt := range tests {
		if s, ok := tt.value.(string); ok && tt.from.Kind == Decimal {
			tt.value = mustDecimal(t, s)
		}
		c, err := NewCaster(tt.from, tt.to)
		if err != nil {
			t.Errorf("%s to %s: %v", tt.from, tt.to, err)
			continue
		}
		got := "error"
		if s, err := c(Unbox(tt.from, tt.value)); err == nil {
			got = FormatBoxed(tt.to, s.Boxed(tt.to))
		}
		if got != tt.want {
			t.Errorf("%s %v to %s: got %s, want %s", tt.from, tt.value, tt.to, got, tt.want)
		}
	}
}

func TestUnsupportedCasts(t *testing.T) {
	for want, pair := range map[string][2]*Type{
		"Cast of STRING to ARRAY<INTEGER> is not supported": {StringType, ArrayOf(IntType)},
		"Cast of INTEGER to BOOLEAN is not supported":       {IntType, BooleanType},
		"Cast of TIME to DATE is not supported":             {TimeType, DateType},
		"Cast of BYTES to STRING is not supported":          {BytesType, StringType},
		"Cast of BOOLEAN to INTEGER is not supported":       {ArrayOf(BooleanType), ArrayOf(IntType)},
	} {
		if _, err := NewCaster(pair[0], pair[1]); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if CanCast(pair[0], pair[1]) {
			t.Errorf("CanCast says yes: %s", want)
		}
	}
}

func TestCastToStringReusesItsBuffer(t *testing.T) {
	c, err := NewCaster(BigintType, StringType)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := c(IntSlot(123456)); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
