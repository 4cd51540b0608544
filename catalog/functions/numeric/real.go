package numeric

import (
	"math"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
)

// realFunctions lists the functions of one real number. They take INT, BIGINT or DOUBLE, compute in IEEE doubles and
// never fail: NaN and infinities are results.
func realFunctions() []*functions.Spec {
	return []*functions.Spec{
		realFunction("ACOS", "The arc cosine in radians; NaN outside [-1, 1].", math.Acos, "ACOS(1)", "0.0", "ACOS(2)", `"NaN"`),
		realFunction("ASIN", "The arc sine in radians; NaN outside [-1, 1].", math.Asin, "ASIN(0)", "0.0", "ASIN(2)", `"NaN"`),
		realFunction("ATAN", "The arc tangent in radians.", math.Atan, "ATAN(0)", "0.0"),
		realFunction("CBRT", "The cube root.", math.Cbrt, "CBRT(-8)", "-2.0", "CBRT(27e0)", "3.0"),
		realFunction("COS", "The cosine of radians.", math.Cos, "COS(0)", "1.0"),
		realFunction("COSH", "The hyperbolic cosine.", math.Cosh, "COSH(0)", "1.0"),
		realFunction("COT", "The cotangent of radians.", func(x float64) float64 { return 1 / math.Tan(x) }, "COT(0)", `"Infinity"`),
		realFunction("DEGREES", "Radians to degrees.", func(x float64) float64 { return x * (180 / math.Pi) }, "DEGREES(PI())", "180.0"),
		realFunction("EXP", "e to the power of the argument.", math.Exp, "EXP(0)", "1.0", "EXP(1)", "2.718281828459045"),
		realFunction("LN", "The natural logarithm.", math.Log, "LN(1)", "0.0", "LN(0)", `"-Infinity"`, "LN(-1)", `"NaN"`),
		realFunction("RADIANS", "Degrees to radians.", func(x float64) float64 { return x / 180 * math.Pi }, "RADIANS(180)", "3.141592653589793"),
		realFunction("SIN", "The sine of radians.", math.Sin, "SIN(0)", "0.0"),
		realFunction("SINH", "The hyperbolic sine.", math.Sinh, "SINH(0)", "0.0"),
		realFunction("SQRT", "The square root; NaN for negative numbers.", math.Sqrt, "SQRT(16)", "4.0", "SQRT(2.25)", "1.5", "SQRT(-1)", `"NaN"`),
		realFunction("TAN", "The tangent of radians.", math.Tan, "TAN(0)", "0.0"),
		realFunction("TANH", "The hyperbolic tangent.", math.Tanh, "TANH(0)", "0.0"),
	}
}

func realFunction(name, description string, f func(float64) float64, examples ...string) *functions.Spec {
	return spec(name, description, realOverloads("value", f),
		functions.Examples(append(examples, name+"(CAST(NULL AS DOUBLE))", "null")...))
}

func realOverloads(param string, f func(float64) float64) []functions.Scalar {
	return []functions.Scalar{
		functions.NewScalar("(INT "+param+") -> DOUBLE", functions.Unary(func(x int32) float64 { return f(float64(x)) })),
		functions.NewScalar("(BIGINT "+param+") -> DOUBLE", functions.Unary(func(x int64) float64 { return f(float64(x)) })),
		functions.NewScalar("(DOUBLE "+param+") -> DOUBLE", functions.Unary(f)),
	}
}

// realPairOverloads is the same for two numbers of one type.
func realPairOverloads(a, b string, f func(float64, float64) float64) []functions.Scalar {
	return []functions.Scalar{
		functions.NewScalar("(INT "+a+", INT "+b+") -> DOUBLE", functions.Binary(func(x, y int32) float64 { return f(float64(x), float64(y)) })),
		functions.NewScalar("(BIGINT "+a+", BIGINT "+b+") -> DOUBLE", functions.Binary(func(x, y int64) float64 { return f(float64(x), float64(y)) })),
		functions.NewScalar("(DOUBLE "+a+", DOUBLE "+b+") -> DOUBLE", functions.Binary(f)),
	}
}

func atan2() *functions.Spec {
	return spec("ATAN2", "The angle of the point (x, y) in radians.", realPairOverloads("y", "x", math.Atan2), functions.Examples(
		"ATAN2(0, 1)", "0.0",
		"ATAN2(1e0, 0e0)", "1.5707963267948966",
		"ATAN2(NULL, 1)", "null",
		"ATAN2(NULL, NULL)", "error: Function 'atan2' cannot be resolved due to ambiguous method parameters (null, null).",
	))
}

func log() *functions.Spec {
	overloads := append(realOverloads("value", math.Log), realPairOverloads("base", "value", logBase)...)
	return spec("LOG", "The natural logarithm of one argument; of two, the logarithm of the second to the base of the first.", overloads, functions.Examples(
		"LOG(1)", "0.0",
		"LOG(2, 8)", "3.0",
		"LOG(1, 8)", `"NaN"`,
		"LOG(2, 0)", `"-Infinity"`,
		"LOG(CAST(NULL AS INT), 8)", "null",
	))
}

func logBase(base, x float64) float64 {
	if base <= 0 || base == 1 {
		return math.NaN()
	}
	return math.Log(x) / math.Log(base)
}

func power() *functions.Spec {
	return spec("POWER", "The base raised to the exponent, in doubles.", realPairOverloads("base", "exponent", pow), functions.Examples(
		"POWER(2, 10)", "1024.0",
		"POWER(15, -1)", "0.06666666666666667",
		"POWER(10e0, 400e0)", `"Infinity"`,
		"POWER(2, CAST(NULL AS INT))", "null",
	))
}

// pow differs from IEEE 754's pow as Java's does: a NaN exponent, and ±1 to an infinite power, give NaN.
func pow(base, exponent float64) float64 {
	if math.IsNaN(exponent) || math.Abs(base) == 1 && math.IsInf(exponent, 0) {
		return math.NaN()
	}
	return math.Pow(base, exponent)
}

func pi() *functions.Spec {
	return spec("PI", "The number pi.", []functions.Scalar{
		functions.NewScalar("() -> DOUBLE", functions.Nullary(func() float64 { return math.Pi })),
	}, functions.Examples("PI()", "3.141592653589793", "PI(1)", "error: Function 'pi' does not accept parameters (INTEGER)."))
}
