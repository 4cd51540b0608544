package eval

import (
	"math"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

func TestComparisons(t *testing.T) {
	ops := []expr.CompareOp{expr.Equal, expr.NotEqual, expr.Less, expr.LessOrEqual, expr.Greater, expr.GreaterOrEqual, expr.DistinctFrom, expr.NotDistinctFrom}
	// The outcomes in the order of ops: t or f.
	for _, c := range []struct {
		name string
		l, r expr.Expr
		want string
	}{
		{"int less", col("i"), lit(8), "ftttfftf"},
		{"int equal", col("i"), lit(7), "tfftftft"},
		{"int greater", col("i"), lit(6), "ftfftttf"},
		{"int null", col("i"), col("inull"), "fffffftf"},
		{"null null", col("inull"), col("inull"), "ffffffft"},
		{"double", col("d"), lit(3.0), "ftttfftf"},
		{"nan", col("nan"), col("nan"), "ftffffft"},
		{"text", col("s"), lit("abd"), "ftttfftf"},
		{"text null", lit("x"), col("snull"), "fffffftf"},
		{"bytes signed", col("y"), &expr.Literal{Value: []byte{1, 1}, T: types.BytesType}, "ftttfftf"},
		{"decimal scales", col("dec"), dec("12.3", 3, 1), "tfftftft"},
		{"decimal", col("dec"), dec("12.4", 3, 1), "ftttfftf"},
		{"decimal null", col("dec"), col("decnull"), "fffffftf"},
		{"date", col("day"), &expr.Literal{Value: types.DateValue(11), T: types.DateType}, "ftttfftf"},
		{"time", col("clock"), col("clock"), "tfftftft"},
		{"timestamp", col("ts"), &expr.Cast{X: col("day"), T: types.TimestampType, Implicit: true}, "ftttfftf"},
	} {
		for i, op := range ops {
			value, errs := run(t, &Compiler{}, cmpx(op, c.l, c.r))
			if (value == "true") != (c.want[i] == 't') || errs != "" {
				t.Errorf("%s %s: got %s %s", c.name, op, value, errs)
			}
		}
	}
	check(t, &Compiler{}, []evalCase{
		{"boolean", cmpx(expr.Equal, col("b"), lit(true)), "true", ""},
		{"array", cmpx(expr.Equal, col("list"), col("list")), "true", ""},
		{"array unequal", cmpx(expr.NotEqual, col("list"), array(lit(10))), "true", ""},
		{"array null", cmpx(expr.NotEqual, col("list"), col("listnull")), "false", ""},
		{"map", cmpx(expr.Equal, col("m"), col("m")), "true", ""},
		{"struct distinct", cmpx(expr.DistinctFrom, col("st"), col("stnull")), "true", ""},
		{"error", cmpx(expr.Equal, arith(expr.Divide, col("i"), lit(0)), lit(0)), "null", "/ by zero"},
	})
}

func TestConditions(t *testing.T) {
	fails := cmpx(expr.Equal, arith(expr.Divide, col("i"), lit(0)), lit(0))
	check(t, &Compiler{}, []evalCase{
		{"and", and(col("b"), lit(true), cmpx(expr.Less, col("i"), lit(8))), "true", ""},
		{"and stops", and(col("bfalse"), fails), "false", ""},
		{"or stops", or(col("b"), fails), "true", ""},
		{"or fails", or(fails, col("b")), "null", "/ by zero"},
		{"three or", or(col("bfalse"), lit(false), col("b")), "true", ""},
		{"not", not(col("b")), "false", ""},
		{"not of null comparison", not(cmpx(expr.Equal, col("i"), col("inull"))), "true", ""},
		{"null in and", and(col("bnull"), col("b")), "null", "an operand of AND"},
		{"null after false", and(col("bfalse"), col("bnull")), "false", ""},
		{"not null", not(col("bnull")), "null", "an operand of AND"},
		{"is null", &expr.IsNull{X: col("inull")}, "true", ""},
		{"is not null", &expr.IsNull{X: col("s"), Negated: true}, "true", ""},
		{"is null of expression", &expr.IsNull{X: field(col("stnull"), 0)}, "true", ""},
		{"is null of error", &expr.IsNull{X: arith(expr.Divide, col("i"), lit(0))}, "null", "/ by zero"},
		{"between", between(col("i"), lit(7), lit(9)), "true", ""},
		{"between null", between(col("inull"), lit(7), lit(9)), "false", ""},
		{"not between null", &expr.Between{X: col("inull"), Lo: lit(7), Hi: lit(9), Negated: true}, "true", ""},
		{"between texts", between(col("s"), lit("abb"), lit("abd")), "true", ""},
		{"between computed", between(arith(expr.Add, col("i"), lit(1)), lit(8), lit(8)), "true", ""},
		{"in", in(col("i"), lit(1), lit(7)), "true", ""},
		{"in nothing", in(col("i"), lit(1), null(types.IntType)), "false", ""},
		{"in null", in(col("inull"), null(types.IntType), lit(7)), "false", ""},
		{"not in null", notIn(col("inull"), lit(7)), "true", ""},
		{"in computed", in(arith(expr.Add, col("i"), lit(1)), lit(1), arith(expr.Add, col("izero"), lit(8))), "true", ""},
		{"in texts", in(col("s"), lit("x"), lit("abc")), "true", ""},
		{"in doubles", in(col("d"), lit(2.5)), "true", ""},
		{"in nan", in(col("nan"), lit(math.NaN())), "false", ""},
		{"in decimals", in(col("dec"), dec("12.3", 3, 1)), "true", ""},
		{"in arrays", in(col("list"), &expr.Literal{Value: []any{int32(10), nil, int32(30)}, T: intList}), "true", ""},
		{"in with null item", in(col("i"), col("inull"), col("i")), "true", ""},
		{"like", like(col("s"), lit("a%")), "true", ""},
		{"like any", like(col("s"), lit("a_c")), "true", ""},
		{"like not", &expr.Like{X: col("s"), Pattern: lit("b%"), Negated: true}, "true", ""},
		{"like line end", like(col("lines"), lit("a%")), "false", ""},
		{"like escape", &expr.Like{X: lit("50%"), Pattern: lit("50!%"), Escape: '!'}, "true", ""},
		{"like column", like(col("s"), col("s")), "true", ""},
		{"like null", like(col("snull"), lit("%")), "null", "an operand of LIKE is null"},
		{"like null pattern", like(col("s"), col("snull")), "null", "an operand of LIKE is null"},
	})
}
