package eval

import (
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

func TestPredicate(t *testing.T) {
	l := inputLayout()
	row := inputRow(l)
	for _, c := range []struct {
		name       string
		e          expr.Expr
		ok         bool
		err, inner string
	}{
		{"true", cmpx(expr.Equal, col("i"), lit(7)), true, "", ""},
		{"null", col("bnull"), false, "", ""},
		{"column", col("b"), true, "", ""},
		{"error", or(cmpx(expr.Equal, arith(expr.Divide, col("i"), lit(0)), lit(0)), col("b")), false, "/ by zero", ""},
		{"like null", &expr.Like{X: col("snull"), Pattern: lit("x"), Negated: true}, false, "LIKE", ""},
		{"guarded", &expr.IsNull{X: cast(col("s"), types.IntType)}, true, "", "Error processing CAST"},
	} {
		p, err := (&Compiler{}).Predicate(c.e, l)
		if err != nil {
			t.Fatal(err)
		}
		inner := ""
		ok, err := p.Test(row, func(err error) { inner = err.Error() })
		if ok != c.ok || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) || !strings.Contains(inner, c.inner) {
			t.Errorf("%s: got %v %v %q", c.name, ok, err, inner)
		}
	}
	if _, err := (&Compiler{}).Predicate(col("i"), l); err == nil {
		t.Error("a number is no condition")
	}
}

func TestProjectionOfManyColumns(t *testing.T) {
	l := inputLayout()
	exprs := []expr.Expr{col("s"), arith(expr.Divide, col("i"), lit(0)), col("list"), col("inull"), arith(expr.Add, col("s"), lit("!")), array(col("i"))}
	cs := make([]types.Column, len(exprs))
	for i, e := range exprs {
		cs[i] = types.Column{Type: e.Type()}
	}
	out := types.NewLayout(cs)
	p, err := (&Compiler{}).Projection(exprs, l, out.Locs)
	if err != nil {
		t.Fatal(err)
	}
	dst := out.NewRow()
	var failed []int
	p.Run(inputRow(l), dst, func(column int, _ error) { failed = append(failed, column) })
	if len(failed) != 1 || failed[0] != 1 {
		t.Errorf("columns %v failed", failed)
	}
	for i, want := range []string{"abc", "null", "[10, null, 30]", "null", "abc!", "[7]"} {
		if got := types.FormatBoxed(cs[i].Type, dst.Boxed(out.Locs[i], cs[i].Type)); got != want {
			t.Errorf("column %d is %s, want %s", i, got, want)
		}
	}
	copies, err := (&Compiler{}).Projection(exprs[:1], l, out.Locs[:1])
	if err != nil || !copies.IsCopy() || p.IsCopy() {
		t.Errorf("a projection of a column is a copy (%v)", err)
	}
}

func TestWhatCannotBeCompiledIsAnError(t *testing.T) {
	l := inputLayout()
	pruned := &types.Layout{Columns: l.Columns, Locs: make([]types.Loc, len(l.Locs)), NumInt64: l.NumInt64, NumBytes: l.NumBytes, NumRef: l.NumRef}
	for _, c := range []struct {
		in   *types.Layout
		e    expr.Expr
		want string
	}{
		{l, &expr.Column{Index: 99, Name: "X", T: types.IntType}, "no column 99"},
		{l, &expr.Column{Index: 0, Name: "X", T: types.StringType}, "is INTEGER in the row"},
		{pruned, col("i"), "not kept"},
		{l, call("NOPE", types.IntType), "Can't find any functions with the name 'NOPE'"},
		{l, cast(col("list"), types.IntType), "Cast of ARRAY<INTEGER> to INTEGER is not supported"},
		{l, &expr.LambdaVar{ID: 1, T: types.IntType}, "not in scope"},
		{l, arith(expr.Subtract, col("s"), col("s")), "no operator"},
		{l, cmpx(expr.Less, col("list"), col("list")), "no comparison"},
		{l, at(col("st"), lit(1)), "has no items"},
	} {
		if s, ok := c.e.(*expr.Subscript); ok && s.T == nil {
			s.T = types.IntType
		}
		if _, err := (&Compiler{}).Tuple([]expr.Expr{c.e}, c.in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestEvaluateReturnsEveryError(t *testing.T) {
	c := &Compiler{}
	if s, err := c.Evaluate(arith(expr.Add, lit(1), lit(2))); err != nil || s.I != 3 {
		t.Errorf("%v %v", s, err)
	}
	if _, err := c.Evaluate(cast(lit("x"), types.IntType)); err == nil {
		t.Error("a cast that fails must be an error here")
	}
	if _, err := c.Evaluate(&expr.Column{T: types.IntType}); err == nil {
		t.Error("there are no columns")
	}
}

func TestLongListsAreFlat(t *testing.T) {
	const n = 100_000
	list, conds := make([]expr.Expr, n), make([]expr.Expr, n)
	for i := range n {
		list[i] = lit(i + 1000)
		conds[i] = cmpx(expr.Equal, col("i"), list[i])
	}
	conds[n-1] = col("b")
	check(t, &Compiler{}, []evalCase{
		{"in", in(col("i"), list...), "false", ""},
		{"or", or(conds...), "true", ""},
	})
}

func TestScalarsDoNotAllocate(t *testing.T) {
	l := inputLayout()
	exprs := []expr.Expr{
		arith(expr.Add, col("s"), lit("x")), arith(expr.Multiply, col("i"), lit(2)), cast(col("i"), types.StringType),
		in(col("s"), lit("abc")), like(col("s"), lit("%c")), when(types.StringType, nil, col("b"), col("s")), at(col("list"), lit(1)),
	}
	cs := make([]types.Column, len(exprs))
	for i, e := range exprs {
		cs[i] = types.Column{Type: e.Type()}
	}
	out := types.NewLayout(cs)
	p, err := (&Compiler{}).Projection(exprs, l, out.Locs)
	if err != nil {
		t.Fatal(err)
	}
	src, dst := inputRow(l), out.NewRow()
	if a := testing.AllocsPerRun(100, func() { p.Run(src, dst, nil) }); a != 0 {
		t.Errorf("%v allocations a row", a)
	}
}
