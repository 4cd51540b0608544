package rest

import (
	"encoding/json"
	"math"
	"testing"
	"unicode/utf8"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func TestValues(t *testing.T) {
	point := types.StructOf(types.Field{Name: "X", Type: types.IntType}, types.Field{Name: "y", Type: types.StringType})
	decimal, err := types.ParseDecimal("1234567890123456789012.10")
	if err != nil {
		t.Fatal(err)
	}
	large, err := types.ParseDecimal("1E+5")
	if err != nil {
		t.Fatal(err)
	}
	m := &types.MapValue{}
	m.Put("b", int64(1))
	m.Put("a", nil)
	tests := []struct {
		name  string
		t     *types.Type
		value any
		want  string
	}{
		{"null", types.IntType, nil, `null`},
		{"boolean", types.BooleanType, true, `true`},
		{"int", types.IntType, int32(math.MinInt32), `-2147483648`},
		{"bigint", types.BigintType, int64(math.MaxInt64), `9223372036854775807`},
		{"double", types.DoubleType, 1.0, `1.0`},
		{"NaN", types.DoubleType, math.NaN(), `"NaN"`},
		{"infinity", types.DoubleType, math.Inf(-1), `"-Infinity"`},
		{"decimal keeps its scale", types.DecimalOf(24, 2), decimal, `1234567890123456789012.10`},
		{"decimal without exponent", types.DecimalOf(6, 0), large, `100000`},
		{"text", types.StringType, "a\"\\\n<é>\x01", `"a\"\\\n<é>\u0001"`},
		{"text that is no UTF-8", types.StringType, "a\xff", `"a\ufffd"`},
		{"bytes", types.BytesType, []byte{0, 255}, `"AP8="`},
		{"date", types.DateType, types.DateValue(-1), `"1969-12-31"`},
		{"time without seconds", types.TimeType, types.TimeValue(45_000_000), `"12:30"`},
		{"time", types.TimeType, types.TimeValue(45_015_999), `"12:30:15"`},
		{"timestamp", types.TimestampType, types.TimestampValue(1714566600000), `"2024-05-01T12:30:00.000"`},
		{"array", types.ArrayOf(types.StringType), []any{"a", nil}, `["a",null]`},
		{"map", types.MapOf(types.StringType, types.BigintType), m, `{"b":1,"a":null}`},
		{"struct", point, types.StructValue{int32(1), "z"}, `{"X":1,"y":"z"}`},
		{"nested", types.ArrayOf(point), []any{types.StructValue{nil, nil}}, `[{"X":null,"y":null}]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := string(appendValue(nil, tt.t, tt.value))
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if !json.Valid([]byte(got)) {
				t.Errorf("%s is not JSON", got)
			}
		})
	}
}

func FuzzText(f *testing.F) {
	f.Add("plain")
	f.Add("é\u2028\x00\xff\"\\")
	f.Fuzz(func(t *testing.T, s string) {
		var back string
		if err := json.Unmarshal(appendText(nil, s), &back); err != nil {
			t.Errorf("%q is no JSON: %v", s, err)
		} else if utf8.ValidString(s) && back != s {
			t.Errorf("%q came back as %q", s, back)
		}
	})
}

func TestNegotiate(t *testing.T) {
	supported := []string{"application/a", "application/b", "text/c"}
	tests := []struct {
		accept []string
		want   string
	}{
		{nil, "application/a"},
		{[]string{"*/*"}, "application/a"},
		{[]string{""}, "application/a"},
		{[]string{"text/*"}, "text/c"},
		{[]string{"APPLICATION/B"}, "application/b"},
		{[]string{"application/b;q=0.5, text/c"}, "text/c"},
		{[]string{"application/b; q=0.5 , application/a;q=0.4"}, "application/b"},
		{[]string{"text/html", "text/c;q=0.1"}, "text/c"},
		{[]string{"text/html, */*;q=0.1"}, "application/a"},
		{[]string{"application/a;q=0"}, ""},
		{[]string{"text/html"}, ""},
	}
	for _, tt := range tests {
		if got := negotiate(tt.accept, supported...); got != tt.want {
			t.Errorf("Accept %q: %q, want %q", tt.accept, got, tt.want)
		}
	}
}

func BenchmarkRow(b *testing.B) {
	columns := types.StructOf(types.Field{Name: "ID", Type: types.BigintType}, types.Field{Name: "NAME", Type: types.StringType},
		types.Field{Name: "PRICE", Type: types.DoubleType})
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = appendValue(buf[:0], columns, types.StructValue{int64(42), "Television 60-in", 19.5})
	}
}
