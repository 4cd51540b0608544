package eval

import (
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

func TestCalls(t *testing.T) {
	calls := 0
	c := &Compiler{Functions: testFunctions(&calls)}
	v := func(id int, t *types.Type) expr.Expr { return &expr.LambdaVar{ID: id, T: t} }
	lambda := func(id int, body expr.Expr) expr.Expr {
		return &expr.Lambda{Params: []expr.LambdaParam{{ID: id, T: types.IntType}}, Body: body, T: types.LambdaOf(body.Type(), types.IntType)}
	}
	texts := types.ArrayOf(types.StringType)
	check(t, c, []evalCase{
		{"fails", call("FAIL", types.IntType, col("i")), "null", "FAIL: boom"},
		{"nested call is guarded", call("ISNULL", types.BooleanType, call("FAIL", types.IntType, col("i"))), "true", "Error processing FAIL: FAIL: boom"},
		{"operator inside is not", call("ISNULL", types.BooleanType, arith(expr.Divide, col("i"), lit(0))), "null", "/ by zero"},
		{"operator around is not", arith(expr.Add, call("FAIL", types.IntType, col("i")), lit(1)), "null", "FAIL: boom"},
		{"scratch of a function", call("TWICE", types.StringType, call("TWICE", types.StringType, col("s"))), "abcabcabcabc", ""},
		{"constant", call("TWICE", types.StringType, lit("x")), "xx", ""},
		{"lambda", call("EACH", texts, col("list"), lambda(1, cast(v(1, types.IntType), types.StringType))), "[10, null, 30]", ""},
		{"lambda with column", call("EACH", texts, col("list"), lambda(1, arith(expr.Add, col("s"), cast(v(1, types.IntType), types.StringType)))),
			"[abc10, abcnull, abc30]", ""},
		{"lambda fails", call("EACH", texts, col("list"), lambda(1, cast(arith(expr.Add, v(1, types.IntType), lit(1)), types.StringType))),
			"[11, null, 31]", "Error processing CAST: " + nullOp},
		{"nested lambdas", call("EACH", texts, col("list"), lambda(1, cast(call("EACH", texts, col("list"),
			lambda(2, arith(expr.Add, cast(v(1, types.IntType), types.StringType), cast(v(2, types.IntType), types.StringType)))), types.StringType))),
			"[[1010, 10null, 1030], [null10, nullnull, null30], [3010, 30null, 3030]]", ""},
	})
	calls = 0
	run(t, c, call("SELF", types.IntType, lit(1)))
	if calls > 2 {
		t.Errorf("a constant call ran %d times", calls)
	}
	calls = 0
	run(t, c, between(call("SELF", types.IntType, col("i")), lit(1), lit(9)))
	if calls != 3 {
		t.Errorf("the operand of BETWEEN ran %d times in 3 rows", calls)
	}
}

func TestCastsAreGuarded(t *testing.T) {
	check(t, &Compiler{}, []evalCase{
		{"text", cast(col("i"), types.StringType), "7", ""},
		{"parsed", cast(col("num"), types.IntType), "42", ""},
		{"cut", cast(col("l"), types.IntType), "0", ""},
		{"widened", cast(col("i"), types.BigintType), "7", ""},
		{"to double", cast(col("i"), types.DoubleType), "7.0", ""},
		{"to decimal", cast(col("i"), types.DecimalOf(5, 1)), "7.0", ""},
		{"null", cast(col("inull"), types.StringType), "null", ""},
		{"unparsable", cast(col("s"), types.IntType), "null", "Error processing CAST"},
		{"guard leaves the rest", when(types.IntType, lit(2), &expr.IsNull{X: cast(col("s"), types.IntType)}, lit(1)), "1", "Error processing CAST"},
		{"guard covers the operand", &expr.IsNull{X: cast(arith(expr.Divide, col("i"), lit(0)), types.StringType)}, "true", "Error processing CAST: / by zero"},
		{"arithmetic around is not guarded", arith(expr.Add, cast(col("s"), types.IntType), lit(1)), "null", "Error processing CAST"},
		{"constant", cast(lit("12"), types.IntType), "12", ""},
		{"unparsable constant", cast(lit("x"), types.IntType), "null", "Error processing CAST"},
	})
	open := &Compiler{Env: &functions.Env{Properties: map[string]string{propNestedErrors: "false", propPreserveNulls: "false"}}}
	check(t, open, []evalCase{
		{"unguarded", &expr.IsNull{X: cast(col("s"), types.IntType)}, "null", "is no INTEGER"},
		{"null text", cast(col("inull"), types.StringType), "null", ""},
		{"null text is not null", &expr.IsNull{X: cast(col("inull"), types.StringType)}, "false", ""},
	})
}

func TestCase(t *testing.T) {
	fails := arith(expr.Divide, col("i"), lit(0))
	check(t, &Compiler{}, []evalCase{
		{"first true", when(types.StringType, lit("z"), col("bfalse"), lit("x"), col("b"), lit("y")), "y", ""},
		{"else", when(types.IntType, lit(3), col("bfalse"), lit(1)), "3", ""},
		{"no else", when(types.IntType, nil, col("bfalse"), lit(1)), "null", ""},
		{"null condition", when(types.IntType, lit(3), col("bnull"), lit(1)), "3", ""},
		{"lazy branches", when(types.IntType, fails, col("bfalse"), fails, col("b"), lit(1)), "1", ""},
		{"lazy conditions", when(types.IntType, nil, col("b"), lit(1), cmpx(expr.Equal, fails, lit(1)), lit(2)), "1", ""},
		{"failing condition", when(types.IntType, lit(5), cmpx(expr.Equal, fails, lit(1)), lit(2), col("b"), lit(1)), "null", "/ by zero"},
		{"arrays", when(intList, col("list"), col("bfalse"), null(intList)), "[10, null, 30]", ""},
	})
}

func TestAccess(t *testing.T) {
	check(t, &Compiler{}, []evalCase{
		{"first", at(col("list"), lit(1)), "10", ""},
		{"last", at(col("list"), lit(-1)), "30", ""},
		{"null item", at(col("list"), lit(2)), "null", ""},
		{"zero", at(col("list"), lit(0)), "null", ""},
		{"beyond", at(col("list"), lit(4)), "null", ""},
		{"before", at(col("list"), lit(-4)), "null", ""},
		{"null array", at(col("listnull"), lit(1)), "null", ""},
		{"null index", at(col("list"), col("inull")), "null", "the index of an array is null"},
		{"computed index", at(col("list"), arith(expr.Subtract, col("i"), lit(6))), "10", ""},
		{"key", at(col("m"), lit("k")), "v", ""},
		{"null entry", at(col("m"), lit("n")), "null", ""},
		{"no key", at(col("m"), col("s")), "null", ""},
		{"null key", at(col("m"), col("snull")), "null", ""},
		{"null map", at(col("mnull"), lit("k")), "null", ""},
		{"field", field(col("st"), 0), "1", ""},
		{"null field", field(col("st"), 1), "null", ""},
		{"null struct", field(col("stnull"), 0), "null", ""},
	})
}

func TestConstructors(t *testing.T) {
	fails := arith(expr.Divide, col("i"), lit(0))
	check(t, &Compiler{}, []evalCase{
		{"array", array(col("i"), col("inull"), lit(3)), "[7, null, 3]", ""},
		{"array item fails alone", array(col("i"), fails, lit(3)), "[7, null, 3]", "Error processing ARRAY item: / by zero"},
		{"map, later key wins", &expr.MakeMap{Keys: []expr.Expr{col("s"), lit("abc"), lit("z")},
			Values: []expr.Expr{lit("1"), lit("2"), col("snull")}, T: textMap}, "{abc=2, z=null}", ""},
		{"struct", &expr.MakeStruct{Fields: []expr.Expr{fails, col("s")}, T: structure}, "Struct{B=abc}", "Error processing STRUCT field: / by zero"},
		{"empty array", &expr.MakeArray{T: intList}, "[]", ""},
	})
}
