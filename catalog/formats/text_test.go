package formats_test

import (
	"math"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
)

func TestParseDouble(t *testing.T) {
	for in, want := range map[string]float64{
		"1": 1, " 1.5 ": 1.5, "-2e3": -2000, "1.": 1, ".5": 0.5, "1d": 1, "1.5F": 1.5, "1e999": math.Inf(1),
		"NaN": math.NaN(), "Infinity": math.Inf(1), "+Infinity": math.Inf(1), "-Infinity": math.Inf(-1),
	} {
		if got, ok := formats.ParseDouble(in); !ok || got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%q: %v %v", in, got, ok)
		}
	}
	for _, in := range []string{"", " ", "x", "inf", "nan", "1_000", "0x1", "--1", "1 2", "-", "+", "d", "1dd"} {
		if got, ok := formats.ParseDouble(in); ok {
			t.Errorf("%q was read as %v", in, got)
		}
	}
}
