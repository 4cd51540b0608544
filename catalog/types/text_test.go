package types

import (
	"math"
	"testing"
)

func TestFormatDoubleAsJava(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0.0", 1: "1.0", -1.5: "-1.5", 0.001: "0.001", 0.0001: "1.0E-4", 1e7: "1.0E7", 9999999: "9999999.0",
		1.0e10: "1.0E10", 123456789.125: "1.23456789125E8", math.Inf(1): "Infinity", math.Inf(-1): "-Infinity",
		math.MaxFloat64: "1.7976931348623157E308", 4.9e-324: "5.0E-324", 2147483648.9: "2.1474836489E9",
	} {
		if got := FormatDouble(f); got != want {
			t.Errorf("%g: got %s, want %s", f, got, want)
		}
	}
	if got := FormatDouble(math.NaN()); got != "NaN" {
		t.Errorf("got %s", got)
	}
	if got := FormatDouble(math.Copysign(0, -1)); got != "-0.0" {
		t.Errorf("got %s", got)
	}
}

func TestFormatCollectionsAsJava(t *testing.T) {
	st := StructOf(Field{"A", IntType}, Field{"b", ArrayOf(StringType)}, Field{"C", DoubleType})
	v := StructValue{int32(1), []any{"x", nil}, nil}
	if got, want := FormatBoxed(st, v), "Struct{A=1,b=[x, null]}"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	m := &MapValue{Keys: []any{"k", "l"}, Values: []any{int64(1), nil}}
	if got, want := FormatBoxed(MapOf(StringType, BigintType), m), "{k=1, l=null}"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTimesPrintAndParse(t *testing.T) {
	tests := []struct {
		typ   *Type
		text  string
		value int64
		print string
	}{
		{DateType, "2024-05-01", 19844, ""},
		{DateType, "1970-01", 0, "1970-01-01"},
		{DateType, "1969", -365, "1969-01-01"},
		{TimeType, "12:30", 45_000_000, ""},
		{TimeType, "00:00:05", 5000, ""},
		{TimeType, "23:59:59.999", 86_399_999, ""},
		{TimeType, "1:2", 3_720_000, "01:02"},
		{TimestampType, "1970-01-01T00:00:00.010", 10, ""},
		{TimestampType, "2022-04-28T21:44:47.943Z", 1651182287943, "2022-04-28T21:44:47.943"},
		{TimestampType, "2022-04-28T21:44:47.943+0200", 1651175087943, "2022-04-28T19:44:47.943"},
		{TimestampType, "1970-01-01T00:00:01", 1000, "1970-01-01T00:00:01.000"},
		{TimestampType, "1970-02", 31 * 86_400_000, "1970-02-01T00:00:00.000"},
		{TimestampType, "1969-12-31T23:59:59.999", -1, ""},
		{TimestampType, "1970-01-01T01", 3_600_000, "1970-01-01T01:00:00.000"},
	}
	for _, tt := range tests {
		c, err := NewCaster(StringType, tt.typ)
		if err != nil {
			t.Fatal(err)
		}
		s, err := c(StringSlot(tt.text))
		if err != nil || s.I != tt.value {
			t.Errorf("%s %q: got %d, %v, want %d", tt.typ, tt.text, s.I, err, tt.value)
		}
		if tt.print == "" {
			tt.print = tt.text
		}
		if got := FormatBoxed(tt.typ, IntSlot(tt.value).Boxed(tt.typ)); got != tt.print {
			t.Errorf("%s %d: got %s, want %s", tt.typ, tt.value, got, tt.print)
		}
	}
}

func TestMalformedTimesAreRefused(t *testing.T) {
	for typ, texts := range map[*Type][]string{
		DateType:      {"", "foo", "24-01-01", "2024-13", "2024-02-30", "2024-1-1-1", "2024-01-01x"},
		TimeType:      {"", "foo", "24:00", "12:60", "12.30", "12:30:61", "1:2:3:4", "12:30:05."},
		TimestampType: {"", "foo", "2024-01-01T25", "2024-01-01T10:00:00+99", "2024-01-01T10:00:00.x"},
	} {
		c, err := NewCaster(StringType, typ)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range texts {
			if s, err := c(StringSlot(text)); err == nil {
				t.Errorf("%s accepted %q as %d", typ, text, s.I)
			}
		}
	}
}

func FuzzParseTimes(f *testing.F) {
	f.Add("2024-05-01T12:30:05.123+02:00")
	f.Add("1970")
	f.Add("12:30")
	f.Fuzz(func(t *testing.T, s string) {
		if days, err := ParseDate(s); err == nil {
			if again, err := ParseDate(string(AppendDate(nil, days))); err == nil && again != days {
				t.Errorf("%q: %d, then %d", s, days, again)
			}
		}
		if ms, err := ParseTime(s); err == nil {
			if again, err := ParseTime(string(AppendTime(nil, ms))); err != nil || again != ms {
				t.Errorf("%q: %d, then %d, %v", s, ms, again, err)
			}
		}
		_, _ = ParseTimestamp(s, nil)
	})
}
