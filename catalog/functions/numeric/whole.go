package numeric

import (
	"math"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func abs() *functions.Spec {
	return spec("ABS", "The absolute value. The smallest INT and BIGINT stay negative.", []functions.Scalar{
		functions.NewScalar("(INT val) -> INT", functions.Unary(func(x int32) int32 { return max(x, -x) })),
		functions.NewScalar("(BIGINT val) -> BIGINT", functions.Unary(func(x int64) int64 { return max(x, -x) })),
		functions.NewScalar("(DOUBLE val) -> DOUBLE", functions.Unary(math.Abs)),
		functions.NewScalar("(DECIMAL val) -> DECIMAL", functions.Unary(func(x *apd.Decimal) *apd.Decimal {
			return new(apd.Decimal).Abs(x)
		})),
	}, functions.Examples(
		"ABS(-3)", "3",
		"ABS(-1.50)", "1.50",
		"ABS(-1.5e0)", "1.5",
		"ABS(CAST(NULL AS BIGINT))", "null",
		"ABS('x')", "error: Function 'abs' does not accept parameters (STRING).",
	))
}

func sign() *functions.Spec {
	return spec("SIGN", "-1, 0 or 1.", []functions.Scalar{
		functions.NewScalar("(INT val) -> INT", functions.Unary(func(x int32) int32 { return int32(signOf(int64(x))) })),
		functions.NewScalar("(BIGINT val) -> INT", functions.Unary(func(x int64) int32 { return int32(signOf(x)) })),
		functions.NewScalar("(DOUBLE val) -> INT", functions.Unary(func(x float64) int32 {
			switch {
			case x > 0:
				return 1
			case x < 0:
				return -1
			}
			return 0
		})),
	}, functions.Examples(
		"SIGN(-7)", "-1",
		"SIGN(0)", "0",
		"SIGN(2.5)", "1",
		"SIGN(CAST(NULL AS INT))", "null",
	))
}

func signOf(x int64) int {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

func ceil() *functions.Spec {
	return spec("CEIL", "Rounds towards positive infinity; a DECIMAL keeps its scale.",
		wholeOverloads(math.Ceil, apd.RoundCeiling), functions.Examples(
			"CEIL(3)", "3",
			"CEIL(1.2e0)", "2.0",
			"CEIL(1.20)", "2.00",
			"CEIL(-1.20)", "-1.00",
			"CEIL(CAST(NULL AS DOUBLE))", "null",
		))
}

func floor() *functions.Spec {
	return spec("FLOOR", "Rounds towards negative infinity; a DECIMAL keeps its scale.",
		wholeOverloads(math.Floor, apd.RoundFloor), functions.Examples(
			"FLOOR(3)", "3",
			"FLOOR(1.7e0)", "1.0",
			"FLOOR(-1.20)", "-2.00",
			"FLOOR(CAST(NULL AS DOUBLE))", "null",
		))
}

func wholeOverloads(f func(float64) float64, mode apd.Rounder) []functions.Scalar {
	return []functions.Scalar{
		functions.NewScalar("(INT val) -> INT", functions.Unary(func(x int32) int32 { return x })),
		functions.NewScalar("(BIGINT val) -> BIGINT", functions.Unary(func(x int64) int64 { return x })),
		functions.NewScalar("(DOUBLE val) -> DOUBLE", functions.Unary(f)),
		functions.NewScalar("(DECIMAL val) -> DECIMAL", functions.TryUnary(func(x *apd.Decimal) (*apd.Decimal, error) {
			return rescale(x, 0, mode)
		})),
	}
}

// rescale rounds x to places digits after the point (negative: before it) and fills it up to its own scale again.
func rescale(x *apd.Decimal, places int, mode apd.Rounder) (*apd.Decimal, error) {
	out := new(apd.Decimal)
	places = min(max(places, -maxPlaces), maxPlaces)
	scale := int(-x.Exponent)
	if places >= scale {
		return out.Set(x), nil
	}
	if err := types.SetScale(out, x, places, mode, false); err != nil {
		return nil, err
	}
	return out, types.SetScale(out, out, scale, apd.RoundDown, false)
}

// maxPlaces bounds the second argument of ROUND and TRUNC; beyond it nothing changes.
const maxPlaces = 1000
