package task_test

import (
	"strings"
	"testing"

	builtin "github.com/ksqlgo/ksqlgo/catalog/functions/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// call makes a call of a scalar function.
func call(name string, args ...expr.Expr) *expr.Call {
	spec, _ := builtin.Registry().Lookup(name)
	r, err := spec.ResolveScalar(typesOf(args))
	if err != nil {
		panic(err)
	}
	return &expr.Call{Name: name, Overload: r.Overload, Args: args, T: r.Result}
}

func typesOf(args []expr.Expr) []*types.Type {
	out := make([]*types.Type, len(args))
	for i, a := range args {
		out[i] = a.Type()
	}
	return out
}

// flatMap runs table functions of one argument over the stream of ID, NAME, AMOUNT; their results are C0, C1.
func flatMap(in physical.Node, name string, args ...expr.Expr) *physical.FlatMap {
	n := &physical.FlatMap{Name: "FlatMap", In: in, Type: *in.Out()}
	spec, _ := builtin.Registry().Lookup(name)
	for i, a := range args {
		r, err := spec.ResolveTable([]*types.Type{a.Type()})
		if err != nil {
			panic(err)
		}
		n.Calls = append(n.Calls, physical.TableCall{Name: name, Overload: r.Overload, Args: []expr.Expr{a}, T: r.Result})
		n.Type.Columns = append(n.Type.Columns[:len(n.Type.Columns):len(n.Type.Columns)], types.Column{Name: "C" + string(rune('0'+i)), Type: r.Result})
	}
	return n
}

// results projects a FlatMap to the key and the results.
func results(n *physical.FlatMap) *physical.Project {
	p := &physical.Project{Name: "Project", In: n, Exprs: []expr.Expr{column(n.Out(), 0)}, Type: physical.RowType{Columns: n.Type.Columns[:1:1], Key: 1}}
	for i := len(n.Type.Columns) - len(n.Calls); i < len(n.Type.Columns); i++ {
		p.Exprs = append(p.Exprs, column(n.Out(), i))
		p.Type.Columns = append(p.Type.Columns, n.Type.Columns[i])
	}
	return p
}

func words(t *physical.RowType) expr.Expr {
	return call("SPLIT", column(t, 1), &expr.Literal{Value: " ", T: types.StringType})
}

func TestFlatMapZipsAndPads(t *testing.T) {
	in, src := stream("in", 0)
	one := &expr.Literal{Value: int64(1), T: types.BigintType}
	n := flatMap(src, "EXPLODE", words(src.Out()), call("GENERATE_SERIES", one, column(src.Out(), 2)))
	h := newHarness(t, stageOf(sinkOf(results(n), false), []*physical.Input{in}), 0)
	h.feed(0, "a", `{"NAME":"x y z","AMOUNT":2}`, 7)
	h.feed(0, "", `{"NAME":"x","AMOUNT":2}`, 8)
	h.expect(
		`OUT "a" "{\"C0\":\"x\",\"C1\":1}" @7`, `OUT "a" "{\"C0\":\"y\",\"C1\":2}" @7`, `OUT "a" "{\"C0\":\"z\",\"C1\":null}" @7`,
		`OUT null "{\"C0\":\"x\",\"C1\":1}" @8`, `OUT null "{\"C0\":null,\"C1\":2}" @8`,
	)
	if a := h.task.Accounting(0); a.Emitted != 2 || a.Outputs != 5 || len(h.errs) != 0 {
		t.Errorf("%+v %q", a, h.errs)
	}
	// GENERATE_SERIES refuses null: it has no rows then, the other function has.
	h.feed(0, "b", `{"NAME":"x"}`, 9)
	h.expect(`OUT "b" "{\"C0\":\"x\",\"C1\":null}" @9`)
	// Null values, and records for which no function has rows.
	h.feed(0, "c", ``, 10)
	h.feed(0, "d", `{}`, 11)
	h.expect()
	if a := h.task.Accounting(0); a.Emitted != 3 || a.Filtered != 1 || a.Errors != 1 {
		t.Errorf("%+v", a)
	}
	if len(h.errs) != 2 || !strings.HasPrefix(h.errs[0], "recordProcessingError in-0@2 FlatMap: table function EXPLODE: ") {
		t.Errorf("%q", h.errs)
	}
}

func TestFlatMapFunctionFails(t *testing.T) {
	in, src := stream("in", 0)
	n := flatMap(src, "CUBE_EXPLODE", words(src.Out()))
	h := newHarness(t, stageOf(sinkOf(n, false), []*physical.Input{in}), 0)
	h.feed(0, "a", `{"NAME":"x y","AMOUNT":1}`, 1)
	h.feed(0, "a", `{"NAME":"`+strings.Repeat("x ", 20)+`"}`, 2)
	h.feed(0, "a", `{"NAME":"z"}`, 3)
	row := func(name, amount, cube, at string) string {
		return `OUT "a" "{\"NAME\":\"` + name + `\",\"AMOUNT\":` + amount + `,\"C0\":[` + cube + `]}" @` + at
	}
	h.expect(
		row("x y", "1", `null,null`, "1"), row("x y", "1", `null,\"y\"`, "1"), row("x y", "1", `\"x\",null`, "1"),
		row("x y", "1", `\"x\",\"y\"`, "1"), row("z", "null", `null`, "3"), row("z", "null", `\"z\"`, "3"),
	)
	if a := h.task.Accounting(0); a.Errors != 1 || a.Emitted != 2 || len(h.errs) != 1 || !strings.Contains(h.errs[0], "too many columns (21)") {
		t.Errorf("%+v %q", a, h.errs)
	}
}

// TestFlatMapGuardedArgument: an error in an item of ARRAY[] makes that item null and costs no rows.
func TestFlatMapGuardedArgument(t *testing.T) {
	in, src := stream("in", 0)
	ten := &expr.Literal{Value: int64(10), T: types.BigintType}
	items := &expr.MakeArray{
		Items: []expr.Expr{&expr.Arith{Op: expr.Divide, L: ten, R: column(src.Out(), 2), T: types.BigintType}, ten}, T: types.ArrayOf(types.BigintType),
	}
	h := newHarness(t, stageOf(sinkOf(results(flatMap(src, "EXPLODE", items)), false), []*physical.Input{in}), 0)
	h.feed(0, "a", `{"AMOUNT":0}`, 1)
	h.expect(`OUT "a" "{\"C0\":null}" @1`, `OUT "a" "{\"C0\":10}" @1`)
	if len(h.errs) != 1 || !strings.Contains(h.errs[0], "table function EXPLODE: Error processing") {
		t.Errorf("%q", h.errs)
	}
}

func BenchmarkFlatMap(b *testing.B) {
	in, src := stream("in", 0)
	h := newHarness(b, stageOf(sinkOf(results(flatMap(src, "EXPLODE", words(src.Out()))), false), []*physical.Input{in}), 0)
	h.quiet = true
	line := `{"NAME":"` + strings.TrimSpace(strings.Repeat("word ", 20)) + `"}`
	b.ReportAllocs()
	for b.Loop() {
		h.feed(0, "a", line, 1)
	}
}
