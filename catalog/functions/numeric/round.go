package numeric

import (
	"math"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func round() *functions.Spec {
	whole := func(x int64) int64 { return x }
	overloads := placesOverloads(
		functions.RefuseNull(functions.Unary(func(x int32) int64 { return int64(x) }), 0),
		functions.RefuseNull(functions.Unary(whole), 0),
		func(x float64) int64 { return types.DoubleToInt64(roundHalfUp(x)) },
		nearest)
	return spec("ROUND", "Rounds to the nearest number, ties towards positive infinity, to a number of decimal places if given.", overloads, functions.Examples(
		"ROUND(2.5e0)", "3",
		"ROUND(-2.5e0)", "-2",
		"ROUND(1.2345e0, 2)", "1.23",
		"ROUND(1.75, 1)", "1.80",
		"ROUND(-1.75, 1)", "-1.70",
		"ROUND(12.5)", "13",
		"ROUND(1234.5, -2)", "1200.0",
		"ROUND(CAST(NULL AS DOUBLE))", "null",
		"ROUND(CAST(NULL AS INT))", "error: must not be null",
	))
}

func trunc() *functions.Spec {
	overloads := placesOverloads(
		functions.Unary(func(x int32) int64 { return int64(x) }),
		functions.Unary(func(x int64) int64 { return x }),
		types.DoubleToInt64,
		func(*apd.Decimal) apd.Rounder { return apd.RoundDown })
	return spec("TRUNC", "Drops digits, all after the point or those beyond a number of decimal places.", overloads, functions.Examples(
		"TRUNC(2.9e0)", "2",
		"TRUNC(-2.9e0)", "-2",
		"TRUNC(1.239e0, 2)", "1.23",
		"TRUNC(1.79, 1)", "1.70",
		"TRUNC(12.9)", "12",
		"TRUNC(CAST(NULL AS INT))", "null",
	))
}

// roundHalfUp is floor(x + ½) without the error of that addition.
func roundHalfUp(x float64) float64 {
	f := math.Floor(x)
	if x-f >= 0.5 {
		f++
	}
	return f
}

// nearest rounds ties of x towards positive infinity.
func nearest(x *apd.Decimal) apd.Rounder {
	if x.Negative {
		return apd.RoundHalfDown
	}
	return apd.RoundHalfUp
}

// placesOverloads are the overloads that ROUND and TRUNC share.
func placesOverloads(ofInt, ofBigint functions.Constructor, ofDouble func(float64) int64, mode func(*apd.Decimal) apd.Rounder) []functions.Scalar {
	ofDecimal := functions.NewScalar("(DECIMAL val) -> DECIMAL", functions.TryUnary(func(x *apd.Decimal) (*apd.Decimal, error) {
		out := new(apd.Decimal)
		return out, types.SetScale(out, x, 0, mode(x), false)
	}))
	ofDecimal.Returns = nil
	ofDecimal.ResultType = func(args []*types.Type) (*types.Type, error) {
		return types.DecimalOf(max(1, args[0].Precision-args[0].Scale), 0), nil
	}
	decimalPlaces := functions.NewScalar("(DECIMAL val, INT decimalPlaces) -> DECIMAL", functions.TryBinary(func(x *apd.Decimal, places int32) (*apd.Decimal, error) {
		return rescale(x, int(places), mode(x))
	}))
	return []functions.Scalar{
		functions.NewScalar("(INT val) -> BIGINT", ofInt),
		functions.NewScalar("(BIGINT val) -> BIGINT", ofBigint),
		functions.NewScalar("(DOUBLE val) -> BIGINT", functions.Unary(ofDouble)),
		functions.NewScalar("(DOUBLE val, INT decimalPlaces) -> DOUBLE", functions.TryBinary(func(x float64, places int32) (float64, error) {
			d, err := types.DecimalFromDouble(x)
			if err != nil {
				return 0, err
			}
			d, err = rescale(d, int(places), mode(d))
			if err != nil {
				return 0, err
			}
			return types.DecimalToDouble(d), nil
		})),
		ofDecimal,
		decimalPlaces,
	}
}
