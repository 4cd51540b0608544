package types

import (
	"errors"
	"testing"

	"github.com/cockroachdb/apd/v3"
)

func mustDecimal(t *testing.T, s string) *apd.Decimal {
	t.Helper()
	d, err := ParseDecimal(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDecimalArithmetic(t *testing.T) {
	d42, d51 := DecimalOf(4, 2), DecimalOf(5, 1)
	tests := []struct {
		op         string
		lt, rt     *Type
		l, r       string
		typ, value string
		err        error
	}{
		{"+", d42, d42, "10.01", "5.10", "DECIMAL(5, 2)", "15.11", nil},
		{"+", d42, d51, "10.01", "5.1", "DECIMAL(7, 2)", "15.11", nil},
		{"-", d42, d42, "10.10", "10.10", "DECIMAL(5, 2)", "0.00", nil},
		{"*", d42, d42, "-1.50", "0.00", "DECIMAL(9, 4)", "0.0000", nil},
		{"*", d42, d51, "1.25", "2.5", "DECIMAL(10, 3)", "3.125", nil},
		{"/", d42, d42, "10.10", "2.00", "DECIMAL(11, 7)", "5.0500000", nil},
		{"/", d42, d42, "10.10", "-2.00", "DECIMAL(11, 7)", "-5.0500000", nil},
		{"/", d42, d42, "10.10", "0.00", "DECIMAL(11, 7)", "", ErrDivisionByZero},
		{"/", d42, d42, "1.00", "3.00", "DECIMAL(11, 7)", "", ErrRounding},
		{"%", d42, d42, "10.10", "3.00", "DECIMAL(4, 2)", "1.10", nil},
		{"%", d42, d42, "10.10", "0.00", "DECIMAL(4, 2)", "", ErrDivisionByZero},
	}
	for _, tt := range tests {
		typ := DecimalArithType(tt.op, tt.lt, tt.rt)
		if typ.String() != tt.typ {
			t.Errorf("%s %s %s is %s, want %s", tt.lt, tt.op, tt.rt, typ, tt.typ)
			continue
		}
		f, err := DecimalArith(tt.op, typ)
		if err != nil {
			t.Fatal(err)
		}
		var got apd.Decimal
		err = f(&got, mustDecimal(t, tt.l), mustDecimal(t, tt.r))
		if !errors.Is(err, tt.err) {
			t.Errorf("%s %s %s: error %v, want %v", tt.l, tt.op, tt.r, err, tt.err)
		} else if err == nil && DecimalText(&got) != tt.value {
			t.Errorf("%s %s %s = %s, want %s", tt.l, tt.op, tt.r, DecimalText(&got), tt.value)
		}
	}
	if _, err := DecimalArith("^", d42); err == nil {
		t.Error("^ is no operator")
	}
}

func TestDecimalsNeverOutgrowTheMemory(t *testing.T) {
	for _, s := range []string{"1E999999999", "1E-999999999", "NaN", "Infinity", "1_0", "", "x"} {
		if d, err := ParseDecimal(s); err == nil {
			t.Errorf("%q was read as %s", s, d)
		}
	}
	huge := mustDecimal(t, "1E99999")
	if err := SetScale(new(apd.Decimal), huge, 10, apd.RoundHalfUp, false); err == nil {
		t.Error("a decimal of 100,000 digits was made")
	}
}

func TestDecimalToInt64KeepsTheLowBits(t *testing.T) {
	for s, want := range map[string]int64{
		"1.99": 1, "-1.99": -1, "0": 0, "18446744073709551617": 1, "-18446744073709551617": -1, "1E2": 100,
	} {
		if got := DecimalToInt64(mustDecimal(t, s)); got != want {
			t.Errorf("%s: got %d, want %d", s, got, want)
		}
	}
}
