package eval

import (
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

const nullOp = "an operand of the arithmetic is null"

func TestArithmetic(t *testing.T) {
	check(t, &Compiler{}, []evalCase{
		{"int add", arith(expr.Add, col("i"), lit(3)), "10", ""},
		{"int subtract", arith(expr.Subtract, col("i"), lit(10)), "-3", ""},
		{"int wraps", arith(expr.Add, col("imax"), lit(1)), "-2147483648", ""},
		{"int times wraps", arith(expr.Multiply, col("imax"), col("imax")), "1", ""},
		{"int truncates", arith(expr.Divide, col("i"), lit(-2)), "-3", ""},
		{"int modulo", arith(expr.Modulo, &expr.Negate{X: col("i")}, lit(4)), "-3", ""},
		{"int by zero", arith(expr.Divide, col("i"), col("izero")), "null", "/ by zero"},
		{"int modulo zero", arith(expr.Modulo, col("i"), lit(0)), "null", "/ by zero"},
		{"int smallest by -1", arith(expr.Divide, arith(expr.Add, col("imax"), lit(1)), lit(-1)), "-2147483648", ""},
		{"constant by zero", arith(expr.Divide, lit(1), lit(0)), "null", "/ by zero"},
		{"null operand", arith(expr.Add, col("i"), col("inull")), "null", nullOp},
		{"null operand left", arith(expr.Multiply, col("inull"), lit(2)), "null", nullOp},
		{"null literal", arith(expr.Subtract, null(types.IntType), lit(2)), "null", nullOp},
		{"nested null", arith(expr.Add, arith(expr.Add, col("i"), col("inull")), lit(2)), "null", nullOp},
		{"minus null", &expr.Negate{X: col("inull")}, "null", nullOp},
		{"bigint wraps", arith(expr.Subtract, col("lmin"), lit(int64(1))), "9223372036854775807", ""},
		{"bigint smallest by -1", arith(expr.Divide, col("lmin"), lit(int64(-1))), "-9223372036854775808", ""},
		{"bigint minus", &expr.Negate{X: col("lmin")}, "-9223372036854775808", ""},
		{"bigint by zero", arith(expr.Divide, col("l"), col("lzero")), "null", "/ by zero"},
		{"double", arith(expr.Multiply, col("d"), lit(4.0)), "10.0", ""},
		{"double by zero", arith(expr.Divide, col("d"), col("dzero")), "Infinity", ""},
		{"double zero by zero", arith(expr.Divide, col("dzero"), col("dzero")), "NaN", ""},
		{"double modulo", arith(expr.Modulo, &expr.Negate{X: col("d")}, lit(2.0)), "-0.5", ""},
		{"double minus zero", &expr.Negate{X: col("dzero")}, "-0.0", ""},
		{"double null", arith(expr.Add, col("d"), col("dnull")), "null", nullOp},
		{"double of int", arith(expr.Add, col("d"), &expr.Cast{X: col("i"), T: types.DoubleType, Implicit: true}), "9.5", ""},
		{"decimal add", arith(expr.Add, col("dec"), dec("0.005", 4, 3)), "12.305", ""},
		{"decimal multiply", arith(expr.Multiply, col("dec"), col("dec3")), "36.90", ""},
		{"decimal divide exactly", arith(expr.Divide, col("dec"), col("dec3")), "4.100000", ""},
		{"decimal divide inexactly", arith(expr.Divide, dec("1", 2, 0), col("dec3")), "null", "Rounding necessary"},
		{"decimal by zero", arith(expr.Divide, col("dec"), col("deczero")), "null", "/ by zero"},
		{"decimal null", arith(expr.Add, col("dec"), col("decnull")), "null", nullOp},
		{"decimal minus", &expr.Negate{X: col("dec")}, "-12.30", ""},
		{"text", arith(expr.Add, col("s"), lit("d")), "abcd", ""},
		{"text twice", arith(expr.Add, arith(expr.Add, col("s"), col("s")), arith(expr.Add, col("s"), lit("!"))), "abcabcabc!", ""},
		{"text with null", arith(expr.Add, lit("a"), col("snull")), "anull", ""},
	})
	check(t, &Compiler{Mode: Interpreted}, []evalCase{
		{"interpreted null operand", arith(expr.Add, col("i"), col("inull")), "null", ""},
		{"interpreted minus null", &expr.Negate{X: col("inull")}, "null", ""},
		{"interpreted decimal null", arith(expr.Add, col("dec"), col("decnull")), "null", ""},
		{"interpreted text with null", arith(expr.Add, lit("a"), col("snull")), "null", ""},
		{"interpreted by zero", arith(expr.Divide, col("i"), col("izero")), "null", "/ by zero"},
		{"interpreted array by null", at(col("list"), col("inull")), "null", ""},
	})
}
