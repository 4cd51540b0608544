package eval

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

var (
	intList   = types.ArrayOf(types.IntType)
	textMap   = types.MapOf(types.StringType, types.StringType)
	structure = types.StructOf(types.Field{Name: "A", Type: types.IntType}, types.Field{Name: "B", Type: types.StringType})
)

// columns are the input row of all cases: a value and a null of each kind.
var columns = []struct {
	name  string
	typ   *types.Type
	value any
}{
	{"i", types.IntType, int32(7)}, {"inull", types.IntType, nil}, {"imax", types.IntType, int32(math.MaxInt32)}, {"izero", types.IntType, int32(0)},
	{"l", types.BigintType, int64(1) << 40}, {"lnull", types.BigintType, nil}, {"lmin", types.BigintType, int64(math.MinInt64)}, {"lzero", types.BigintType, int64(0)},
	{"d", types.DoubleType, 2.5}, {"dnull", types.DoubleType, nil}, {"dzero", types.DoubleType, 0.0}, {"nan", types.DoubleType, math.NaN()},
	{"b", types.BooleanType, true}, {"bfalse", types.BooleanType, false}, {"bnull", types.BooleanType, nil},
	{"s", types.StringType, "abc"}, {"snull", types.StringType, nil}, {"empty", types.StringType, ""}, {"num", types.StringType, "42"}, {"lines", types.StringType, "a\nb"},
	{"y", types.BytesType, []byte{1, 0xff}}, {"ynull", types.BytesType, nil},
	{"dec", types.DecimalOf(4, 2), mustDecimal("12.30")}, {"decnull", types.DecimalOf(4, 2), nil}, {"dec3", types.DecimalOf(2, 0), mustDecimal("3")}, {"deczero", types.DecimalOf(4, 2), mustDecimal("0.00")},
	{"day", types.DateType, types.DateValue(10)}, {"clock", types.TimeType, types.TimeValue(5000)}, {"ts", types.TimestampType, types.TimestampValue(86400123)},
	{"list", intList, []any{int32(10), nil, int32(30)}}, {"listnull", intList, nil},
	{"m", textMap, &types.MapValue{Keys: []any{"k", "n"}, Values: []any{"v", nil}}}, {"mnull", textMap, nil},
	{"st", structure, types.StructValue{int32(1), nil}}, {"stnull", structure, nil},
}

func mustDecimal(s string) any {
	d, err := types.ParseDecimal(s)
	if err != nil {
		panic(err)
	}
	return d
}

func inputLayout() *types.Layout {
	cs := make([]types.Column, len(columns))
	for i, c := range columns {
		cs[i] = types.Column{Name: c.name, Type: c.typ}
	}
	return types.NewLayout(cs)
}

func inputRow(l *types.Layout) *types.Row {
	row := l.NewRow()
	for i, c := range columns {
		row.SetBoxed(l.Locs[i], c.typ, c.value)
	}
	return row
}

// The constructors below keep the cases short.

func col(name string) expr.Expr {
	for i, c := range columns {
		if c.name == name {
			return &expr.Column{Index: i, Name: name, T: c.typ}
		}
	}
	panic("no column " + name)
}

func lit(v any) expr.Expr {
	switch x := v.(type) {
	case int:
		return &expr.Literal{Value: int32(x), T: types.IntType}
	case int64:
		return &expr.Literal{Value: x, T: types.BigintType}
	case float64:
		return &expr.Literal{Value: x, T: types.DoubleType}
	case bool:
		return &expr.Literal{Value: x, T: types.BooleanType}
	case string:
		return &expr.Literal{Value: x, T: types.StringType}
	}
	panic(fmt.Sprintf("no literal %T", v))
}

func null(t *types.Type) expr.Expr { return &expr.Literal{T: t} }

func dec(s string, p, scale int) expr.Expr {
	return &expr.Literal{Value: mustDecimal(s), T: types.DecimalOf(p, scale)}
}

func arith(op expr.ArithOp, l, r expr.Expr) expr.Expr {
	t := l.Type()
	if t.Kind == types.Decimal {
		t = types.DecimalArithType(string(op), t, r.Type())
	}
	return &expr.Arith{Op: op, L: l, R: r, T: t}
}

func cmpx(op expr.CompareOp, l, r expr.Expr) expr.Expr { return &expr.Compare{Op: op, L: l, R: r} }
func and(xs ...expr.Expr) expr.Expr                    { return &expr.And{Xs: xs} }
func or(xs ...expr.Expr) expr.Expr                     { return &expr.Or{Xs: xs} }
func not(x expr.Expr) expr.Expr                        { return &expr.Not{X: x} }
func cast(x expr.Expr, t *types.Type) expr.Expr        { return &expr.Cast{X: x, T: t} }
func in(x expr.Expr, list ...expr.Expr) expr.Expr      { return &expr.In{X: x, List: list} }
func notIn(x expr.Expr, list ...expr.Expr) expr.Expr {
	return &expr.In{X: x, List: list, Negated: true}
}
func between(x, lo, hi expr.Expr) expr.Expr { return &expr.Between{X: x, Lo: lo, Hi: hi} }
func like(x, p expr.Expr) expr.Expr         { return &expr.Like{X: x, Pattern: p} }
func at(x, i expr.Expr) expr.Expr           { return &expr.Subscript{X: x, Index: i, T: x.Type().Elem} }
func call(name string, t *types.Type, args ...expr.Expr) expr.Expr {
	return &expr.Call{Name: name, Args: args, T: t}
}

func field(x expr.Expr, i int) expr.Expr {
	f := x.Type().Fields[i]
	return &expr.FieldAccess{X: x, Index: i, Name: f.Name, T: f.Type}
}

func array(items ...expr.Expr) expr.Expr {
	return &expr.MakeArray{Items: items, T: types.ArrayOf(items[0].Type())}
}

func when(t *types.Type, els expr.Expr, pairs ...expr.Expr) expr.Expr {
	c := &expr.Case{Else: els, T: t}
	for i := 0; i < len(pairs); i += 2 {
		c.Whens = append(c.Whens, expr.When{Cond: pairs[i], Then: pairs[i+1]})
	}
	return c
}

// testFunctions fail, count their calls, or answer from memory that they overwrite.
func testFunctions(calls *int) *functions.Registry {
	scalar := func(run functions.Call) []functions.Scalar {
		return []functions.Scalar{{New: func(*functions.Env, []*types.Type, *types.Type) (functions.Call, error) { return run, nil }}}
	}
	var scratch []byte
	return functions.NewRegistry([]*functions.Spec{
		{Name: "FAIL", Scalars: scalar(func([]types.Slot) (types.Slot, error) { return types.NullSlot, errors.New("boom") })},
		{Name: "SELF", Scalars: scalar(func(args []types.Slot) (types.Slot, error) { *calls++; return args[0], nil })},
		{Name: "TWICE", Scalars: scalar(func(args []types.Slot) (types.Slot, error) {
			scratch = append(append(scratch[:0], args[0].B...), args[0].B...)
			return types.BytesSlot(scratch), nil
		})},
		{Name: "ISNULL", Scalars: scalar(func(args []types.Slot) (types.Slot, error) { return types.BoolSlot(args[0].Null), nil })},
		{Name: "EACH", Scalars: scalar(func(args []types.Slot) (types.Slot, error) {
			f, out := args[1].R.(functions.Lambda), []any{}
			var kept []types.Slot
			for _, v := range args[0].R.([]any) {
				s, err := f(types.Unbox(types.IntType, v))
				if err != nil {
					return types.NullSlot, err
				}
				kept = append(kept, s)
			}
			for _, s := range kept {
				out = append(out, s.Boxed(types.StringType))
			}
			return types.RefSlot(out), nil
		})},
	})
}

type evalCase struct {
	name string
	e    expr.Expr
	// want is the value as text; "null" for null.
	want string
	// errs are parts of the errors reported, in order.
	errs string
}

// run evaluates e as a projection and gives its value and the errors.
func run(t *testing.T, c *Compiler, e expr.Expr) (value, errs string) {
	t.Helper()
	l := inputLayout()
	out := types.NewLayout([]types.Column{{Name: "X", Type: e.Type()}})
	p, err := c.Projection([]expr.Expr{e}, l, out.Locs)
	if err != nil {
		t.Fatal(err)
	}
	src, dst := inputRow(l), out.NewRow()
	var all []string
	for range 2 { // a second run must not see anything of the first
		all = nil
		p.Run(src, dst, func(_ int, err error) { all = append(all, err.Error()) })
	}
	v := dst.Boxed(out.Locs[0], e.Type())
	tuple, err := c.Tuple([]expr.Expr{e}, l)
	if err != nil {
		t.Fatal(err)
	}
	slots := make([]types.Slot, 1)
	if complete := tuple.Run(src, slots, nil); complete != (v != nil) || !types.EqualBoxed(slots[0].Boxed(e.Type()), v) {
		t.Errorf("as a tuple it is %v, as a projection %v", slots[0].Boxed(e.Type()), v)
	}
	value, errs = types.FormatBoxed(e.Type(), v), strings.Join(all, "; ")
	if constant := onlyLiterals(e); constant != nil && e != constant {
		q, err := c.Projection([]expr.Expr{constant}, l, out.Locs)
		if err != nil {
			t.Fatal(err)
		}
		all = nil
		q.Run(src, dst, func(_ int, err error) { all = append(all, err.Error()) })
		again := types.FormatBoxed(e.Type(), dst.Boxed(out.Locs[0], e.Type()))
		if again != value || strings.Join(all, "; ") != errs {
			t.Errorf("with literals instead of columns it is %s %q, otherwise %s %q", again, all, value, errs)
		}
	}
	return value, errs
}

// onlyLiterals puts the values of the row in place of columns, so that what is folded can be compared with what is
// computed for each row. nil where e has parts that it does not know.
func onlyLiterals(e expr.Expr) expr.Expr {
	known := true
	all := func(es []expr.Expr) []expr.Expr {
		out := make([]expr.Expr, len(es))
		for i, x := range es {
			if out[i] = onlyLiterals(x); out[i] == nil {
				known = false
			}
		}
		return out
	}
	var out expr.Expr
	switch x := e.(type) {
	case *expr.Column:
		out = &expr.Literal{Value: columns[x.Index].value, T: x.T}
	case *expr.Literal:
		out = x
	case *expr.Arith:
		es := all([]expr.Expr{x.L, x.R})
		out = &expr.Arith{Op: x.Op, L: es[0], R: es[1], T: x.T}
	case *expr.Negate:
		out = &expr.Negate{X: all([]expr.Expr{x.X})[0]}
	case *expr.Compare:
		es := all([]expr.Expr{x.L, x.R})
		out = &expr.Compare{Op: x.Op, L: es[0], R: es[1]}
	case *expr.And:
		out = &expr.And{Xs: all(x.Xs)}
	case *expr.Or:
		out = &expr.Or{Xs: all(x.Xs)}
	case *expr.Not:
		out = &expr.Not{X: all([]expr.Expr{x.X})[0]}
	case *expr.IsNull:
		out = &expr.IsNull{X: all([]expr.Expr{x.X})[0], Negated: x.Negated}
	case *expr.Between:
		es := all([]expr.Expr{x.X, x.Lo, x.Hi})
		out = &expr.Between{X: es[0], Lo: es[1], Hi: es[2], Negated: x.Negated}
	case *expr.In:
		out = &expr.In{X: all([]expr.Expr{x.X})[0], List: all(x.List), Negated: x.Negated}
	case *expr.Like:
		es := all([]expr.Expr{x.X, x.Pattern})
		out = &expr.Like{X: es[0], Pattern: es[1], Escape: x.Escape, Negated: x.Negated}
	case *expr.Cast:
		out = &expr.Cast{X: all([]expr.Expr{x.X})[0], T: x.T, Implicit: x.Implicit}
	case *expr.Subscript:
		es := all([]expr.Expr{x.X, x.Index})
		out = &expr.Subscript{X: es[0], Index: es[1], T: x.T}
	case *expr.FieldAccess:
		out = &expr.FieldAccess{X: all([]expr.Expr{x.X})[0], Index: x.Index, Name: x.Name, T: x.T}
	case *expr.MakeArray:
		out = &expr.MakeArray{Items: all(x.Items), T: x.T}
	default:
		return nil
	}
	if !known {
		return nil
	}
	return out
}

func check(t *testing.T, c *Compiler, cases []evalCase) {
	t.Helper()
	for _, k := range cases {
		t.Run(k.name, func(t *testing.T) {
			value, errs := run(t, c, k.e)
			if value != k.want || k.errs == "" && errs != "" || !strings.Contains(errs, k.errs) {
				t.Errorf("got %s, errors %q; want %s, %q", value, errs, k.want, k.errs)
			}
		})
	}
}
