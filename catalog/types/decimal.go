package types

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// Errors of decimal arithmetic, with the texts of Java's BigDecimal that ksqlDB's users know.
var (
	// ErrRounding is returned where an exact result does not fit: ksqlDB forbids rounding in arithmetic.
	ErrRounding = errors.New("Rounding necessary")
	// ErrDivisionByZero is returned by / and % on INT, BIGINT and DECIMAL.
	ErrDivisionByZero = errors.New("/ by zero")
)

// Precision and scale of the decimals that INT and BIGINT count as.
const (
	intDigits    = 10
	bigintDigits = 19
)

// AsDecimal gives the DECIMAL type that a numeric type counts as in arithmetic: INT is DECIMAL(10,0), BIGINT is
// DECIMAL(19,0). ok is false for other types.
func AsDecimal(t *Type) (d *Type, ok bool) {
	switch t.Kind {
	case Int:
		return DecimalOf(intDigits, 0), true
	case Bigint:
		return DecimalOf(bigintDigits, 0), true
	case Decimal:
		return t, true
	}
	return nil, false
}

// WidenDecimal gives the narrowest DECIMAL that holds every value of a and b.
func WidenDecimal(a, b *Type) *Type {
	scale := max(a.Scale, b.Scale)
	return DecimalOf(max(a.Precision-a.Scale, b.Precision-b.Scale)+scale, scale)
}

// DecimalArithType gives the type of l op r (+ - * / %) on decimals by ksqlDB's rules.
func DecimalArithType(op string, l, r *Type) *Type {
	p1, s1, p2, s2 := l.Precision, l.Scale, r.Precision, r.Scale
	switch op {
	case "*":
		return DecimalOf(p1+p2+1, s1+s2)
	case "/":
		s := max(6, s1+p2+1)
		return DecimalOf(p1-s1+s2+s, s)
	case "%":
		s := max(s1, s2)
		return DecimalOf(min(p1-s1, p2-s2)+s, s)
	}
	s := max(s1, s2)
	return DecimalOf(s+max(p1-s1, p2-s2)+1, s)
}

// exactContext computes with p digits and says whether digits were lost.
func exactContext(p int) apd.Context {
	return apd.Context{
		Precision:   uint32(p),
		MaxExponent: apd.MaxExponent,
		MinExponent: apd.MinExponent,
		Rounding:    apd.RoundHalfUp,
	}
}

// DecimalArith makes the function that sets dst to a op b for the DECIMAL result type t. It computes with exactly
// t.Precision digits and fails where a digit would be lost ([ErrRounding]) or the divisor is zero. dst must not be a or
// b; the function is not safe for concurrent use.
func DecimalArith(op string, t *Type) (func(dst, a, b *apd.Decimal) error, error) {
	ctx := exactContext(t.Precision)
	var compute func(d, x, y *apd.Decimal) (apd.Condition, error)
	switch op {
	case "+":
		compute = ctx.Add
	case "-":
		compute = ctx.Sub
	case "*":
		compute = ctx.Mul
	case "/":
		compute = ctx.Quo
	case "%":
		compute = ctx.Rem
	default:
		return nil, fmt.Errorf("types: no decimal operator %q", op)
	}
	divides := op == "/" || op == "%"
	return func(dst, a, b *apd.Decimal) error {
		if divides && b.IsZero() {
			return ErrDivisionByZero
		}
		cond, err := compute(dst, a, b)
		if err != nil {
			return err
		}
		if cond.Inexact() {
			return ErrRounding
		}
		if cond.InvalidOperation() || cond.DivisionImpossible() {
			return ErrRounding
		}
		return SetScale(dst, dst, t.Scale, apd.RoundHalfUp, true)
	}, nil
}

// SetScale sets dst to x with exactly scale digits after the point (a negative scale clears digits left of it), rounding with mode.
// With exact set it fails with [ErrRounding] instead of losing a digit. dst may be x. A zero loses its sign: Java's
// decimals have no negative zero.
func SetScale(dst, x *apd.Decimal, scale int, mode apd.Rounder, exact bool) error {
	if x.Form != apd.Finite {
		return fmt.Errorf("%s is not a number a DECIMAL can hold", x)
	}
	digits := x.NumDigits() + int64(x.Exponent) + int64(scale) + 2
	if digits < 1 {
		digits = 1
	}
	if digits > maxDecimalDigits {
		return fmt.Errorf("a DECIMAL of more than %d digits", maxDecimalDigits)
	}
	if int64(x.Exponent) == -int64(scale) {
		if dst != x {
			dst.Set(x)
		}
	} else {
		ctx := exactContext(int(digits))
		ctx.Rounding = mode
		cond, err := ctx.Quantize(dst, x, -int32(scale))
		if err != nil {
			return err
		}
		if cond.InvalidOperation() || exact && cond.Inexact() {
			return ErrRounding
		}
	}
	if dst.IsZero() {
		dst.Negative = false
	}
	return nil
}

// maxDecimalDigits bounds the work of one decimal, so that a text such as 1E999999999 cannot eat the memory.
const maxDecimalDigits = 100_000

// FitDecimal checks that x, already at t's scale, has no more digits than t's precision.
func FitDecimal(x *apd.Decimal, t *Type) error {
	if x.IsZero() || x.NumDigits()+int64(x.Exponent) <= int64(t.Precision-t.Scale) {
		return nil
	}
	return fmt.Errorf("Numeric field overflow: A field with precision %d and scale %d must round to an absolute value less than 10^%d. Got %s",
		t.Precision, t.Scale, t.Precision-t.Scale, DecimalText(x))
}

// RoundDecimal makes a new decimal of type t from x, rounding half up, and fails when it does not fit.
func RoundDecimal(x *apd.Decimal, t *Type) (*apd.Decimal, error) {
	d := new(apd.Decimal)
	if err := SetScale(d, x, t.Scale, apd.RoundHalfUp, false); err != nil {
		return nil, err
	}
	if err := FitDecimal(d, t); err != nil {
		return nil, err
	}
	return d, nil
}

// ParseDecimal reads a decimal text such as -1.50 or 2E3 exactly. NaN and infinities are refused.
func ParseDecimal(s string) (*apd.Decimal, error) {
	d, _, err := apd.NewFromString(s)
	if err != nil || d.Form != apd.Finite || strings.ContainsAny(s, "_ ") {
		return nil, fmt.Errorf("%q is not a decimal number", s)
	}
	if int64(d.Exponent) > maxDecimalDigits || int64(d.Exponent) < -maxDecimalDigits {
		return nil, fmt.Errorf("the exponent of %q is out of range", s)
	}
	return d, nil
}

// DecimalText prints d plainly, without an exponent and with all digits of its scale, as Java's toPlainString.
func DecimalText(d *apd.Decimal) string { return string(AppendDecimal(nil, d)) }

// AppendDecimal appends the plain text of d.
func AppendDecimal(dst []byte, d *apd.Decimal) []byte {
	if d.IsZero() && (d.Negative || d.Exponent > 0) {
		d = apd.New(0, min(d.Exponent, 0))
	}
	return d.Append(dst, 'f')
}

// DecimalToDouble gives the double nearest to d.
func DecimalToDouble(d *apd.Decimal) float64 {
	f, err := d.Float64()
	if err != nil && !math.IsInf(f, 0) {
		return 0
	}
	return f
}

// DecimalFromDouble gives the decimal that f's shortest text stands for; NaN and infinities fail.
func DecimalFromDouble(f float64) (*apd.Decimal, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("%s can not be converted to a DECIMAL", FormatDouble(f))
	}
	d, err := new(apd.Decimal).SetFloat64(f)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// DecimalToInt64 drops the digits after the point and keeps the low 64 bits of what remains, as Java's longValue.
func DecimalToInt64(d *apd.Decimal) int64 {
	if n, err := wholePart(d).Int64(); err == nil {
		return n
	}
	w := wholePart(d)
	coeff := w.Coeff
	for e := w.Exponent; e > 0 && e <= maxDecimalDigits; e-- {
		coeff.Mul(&coeff, apd.NewBigInt(10))
	}
	low := new(apd.BigInt).And(&coeff, new(apd.BigInt).SetUint64(math.MaxUint64)).Uint64()
	if w.Negative {
		return -int64(low)
	}
	return int64(low)
}

func wholePart(d *apd.Decimal) *apd.Decimal {
	if d.Exponent >= 0 {
		return d
	}
	w := new(apd.Decimal)
	if SetScale(w, d, 0, apd.RoundDown, false) != nil {
		return new(apd.Decimal)
	}
	return w
}
