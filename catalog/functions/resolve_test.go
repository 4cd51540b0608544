package functions_test

import (
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func scalar(name string, signatures ...string) *functions.Spec {
	s := &functions.Spec{Name: name, Kind: functions.ScalarKind}
	for _, sig := range signatures {
		s.Scalars = append(s.Scalars, functions.NewScalar(sig, nil))
	}
	return s
}

var (
	array  = types.ArrayOf
	lambda = func(result *types.Type, params ...*types.Type) *types.Type { return types.LambdaOf(result, params...) }
	d42    = types.DecimalOf(4, 2)
	d61    = types.DecimalOf(6, 1)
)

func TestResolveScalar(t *testing.T) {
	tests := []struct {
		name       string
		spec       *functions.Spec
		args       []*types.Type
		overload   int
		coerced    string
		result     string
		wantErrors string
	}{
		{"exact before cast", scalar("F", "(DOUBLE x) -> DOUBLE", "(BIGINT x) -> BIGINT"),
			[]*types.Type{types.BigintType}, 1, "BIGINT", "BIGINT", ""},
		{"implicit cast", scalar("F", "(DOUBLE x) -> DOUBLE"),
			[]*types.Type{types.IntType}, 0, "DOUBLE", "DOUBLE", ""},
		{"decimal to double", scalar("F", "(DOUBLE x) -> DOUBLE"),
			[]*types.Type{d42}, 0, "DOUBLE", "DOUBLE", ""},
		{"int to decimal", scalar("F", "(DECIMAL x, STRING s) -> DECIMAL"),
			[]*types.Type{types.IntType, types.StringType}, 0, "DECIMAL(10, 0), STRING", "DECIMAL(10, 0)", ""},
		{"string to time", scalar("F", "(TIMESTAMP x) -> BIGINT"),
			[]*types.Type{types.StringType}, 0, "TIMESTAMP", "BIGINT", ""},
		{"no narrowing", scalar("F", "(INT x) -> INT"),
			[]*types.Type{types.BigintType}, 0, "", "", "Function 'f' does not accept parameters (BIGINT)."},
		{"null fits", scalar("F", "(STRING x, INT y) -> INT"),
			[]*types.Type{types.NullType, types.IntType}, 0, "STRING, INTEGER", "INTEGER", ""},
		{"null alone is ambiguous", scalar("F", "(STRING x) -> INT", "(BYTES x) -> INT"),
			[]*types.Type{types.NullType}, 0, "", "", "Function 'f' cannot be resolved due to ambiguous method parameters (null)."},
		{"casts may be ambiguous", scalar("F", "(BIGINT x) -> INT", "(DOUBLE x) -> INT"),
			[]*types.Type{types.IntType}, 0, "", "", "ambiguous method parameters (INTEGER)."},
		{"fixed before variadic", scalar("F", "(INT... x) -> INT", "(INT x) -> INT"),
			[]*types.Type{types.IntType}, 1, "INTEGER", "INTEGER", ""},
		{"more parameters first", scalar("F", "(INT... x) -> INT", "(INT a, INT... x) -> INT"),
			[]*types.Type{types.IntType, types.IntType}, 1, "INTEGER, INTEGER", "INTEGER", ""},
		{"fewer generics first", scalar("F", "(T x) -> T", "(INT x) -> INT"),
			[]*types.Type{types.IntType}, 1, "INTEGER", "INTEGER", ""},
		{"variadic of none", scalar("F", "(STRING... x) -> INT"), nil, 0, "", "INTEGER", ""},
		{"generics must agree", scalar("F", "(T x, T y) -> T"),
			[]*types.Type{types.IntType, types.BigintType}, 0, "", "", "does not accept parameters (INTEGER, BIGINT)."},
		{"generics bind inside", scalar("F", "(MAP<STRING, T> m, T x) -> ARRAY<T>"),
			[]*types.Type{types.MapOf(types.StringType, d42), d42}, 0, "MAP<STRING, DECIMAL(4, 2)>, DECIMAL(4, 2)", "ARRAY<DECIMAL(4, 2)>", ""},
		{"result widens decimals", scalar("F", "(DECIMAL x, DECIMAL... y) -> DECIMAL"),
			[]*types.Type{d42, types.NullType, d61}, 0, "DECIMAL(4, 2), DECIMAL(7, 2), DECIMAL(6, 1)", "DECIMAL(7, 2)", ""},
		{"struct fields by name", scalar("F", "(STRUCT<A STRING> s) -> STRING"),
			[]*types.Type{types.StructOf(types.Field{Name: "A", Type: types.StringType})}, 0, "STRUCT<`A` STRING>", "STRING", ""},
		{"unit", scalar("F", "(UNIT u, INT n) -> INT"),
			[]*types.Type{types.IntervalUnitType, types.IntType}, 0, "INTERVALUNIT, INTEGER", "INTEGER", ""},
		{"no unit", scalar("F", "(UNIT u, INT n) -> INT"),
			[]*types.Type{types.DateType, types.IntType}, 0, "", "", "does not accept parameters (DATE, INTEGER)."},
		{"lambda result binds", scalar("F", "(ARRAY<T> a, (T) => R f) -> ARRAY<R>"),
			[]*types.Type{array(types.IntType), lambda(types.StringType, types.IntType)}, 0,
			"ARRAY<INTEGER>, LAMBDA (INTEGER) => STRING", "ARRAY<STRING>", ""},
		{"lambda result is cast", scalar("F", "(ARRAY<T> a, S s, (S, T) => S f) -> S"),
			[]*types.Type{array(types.IntType), types.BigintType, lambda(types.IntType, types.BigintType, types.IntType)}, 0,
			"ARRAY<INTEGER>, BIGINT, LAMBDA (BIGINT, INTEGER) => BIGINT", "BIGINT", ""},
		{"lambda arity", scalar("F", "(ARRAY<T> a, (T) => R f) -> ARRAY<R>"),
			[]*types.Type{array(types.IntType), functions.UntypedLambda(2)}, 0, "", "", "does not accept parameters (ARRAY<INTEGER>, LAMBDA)."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := tt.spec.ResolveScalar(tt.args)
			if tt.wantErrors != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErrors) {
					t.Fatalf("got %v, want an error with %q", err, tt.wantErrors)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if r.Overload != tt.overload || typesText(r.Args) != tt.coerced || r.Result.String() != tt.result {
				t.Errorf("got overload %d (%s) -> %s, want %d (%s) -> %s", r.Overload, typesText(r.Args), r.Result, tt.overload, tt.coerced, tt.result)
			}
		})
	}
}

func typesText(ts []*types.Type) string {
	parts := make([]string, len(ts))
	for i, t := range ts {
		parts[i] = t.String()
	}
	return strings.Join(parts, ", ")
}

func TestNoOverloadListsTheAlternatives(t *testing.T) {
	s := scalar("SUBSTRING", "(STRING str, INT pos) -> STRING", "(BYTES bytes, INT... pos) -> BYTES", "(MAP<K, V> map, (K, V) => BOOLEAN keep) -> DECIMAL")
	_, err := s.ResolveScalar([]*types.Type{types.IntType, types.StringType})
	want := `Function 'substring' does not accept parameters (INTEGER, STRING).
Valid alternatives are:
substring(VARCHAR str, INT pos)
substring(BYTES bytes, INT... pos)
substring(MAP<K, V> map, LAMBDA (K, V) => BOOLEAN keep)
For detailed information on a function run: DESCRIBE FUNCTION <Function-Name>;`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestLambdaParams(t *testing.T) {
	s := scalar("TRANSFORM", "(ARRAY<T> a, (T) => R f) -> ARRAY<R>", "(MAP<K, V> m, (K, V) => A f, (K, V) => B g) -> MAP<A, B>")
	got, err := s.LambdaParams([]*types.Type{types.MapOf(types.StringType, types.IntType), functions.UntypedLambda(2), functions.UntypedLambda(2)})
	if err != nil {
		t.Fatal(err)
	}
	if got[0] != nil || typesText(got[1]) != "STRING, INTEGER" || typesText(got[2]) != "STRING, INTEGER" {
		t.Errorf("got %v", got)
	}
	if _, err := s.LambdaParams([]*types.Type{types.NullType, functions.UntypedLambda(1)}); err == nil {
		t.Error("the parameters of a lambda over NULL have no type")
	}
	if got, err := s.LambdaParams([]*types.Type{types.IntType}); err != nil || got[0] != nil {
		t.Errorf("a call without lambdas: %v, %v", got, err)
	}
}

func TestResolveAggregateCastsNothing(t *testing.T) {
	s := &functions.Spec{Name: "AVG", Kind: functions.AggregateKind, Aggregates: []functions.Aggregate{
		functions.NewAggregate("(DOUBLE x) -> DOUBLE"),
		functions.NewAggregate("(BIGINT x, ANY... others, literal INT k) -> ARRAY<BIGINT>"),
	}}
	if _, err := s.ResolveAggregate([]*types.Type{types.IntType}); err == nil || !strings.HasPrefix(err.Error(), "Function 'AVG' does not accept parameters (INTEGER).\n") {
		t.Errorf("got %v", err)
	}
	r, err := s.ResolveAggregate([]*types.Type{types.BigintType, types.StringType, types.DateType, types.IntType})
	if err != nil {
		t.Fatal(err)
	}
	if r.Overload != 1 || r.Literal[0] || r.Literal[2] || !r.Literal[3] {
		t.Errorf("got %+v", r)
	}
	if r, err := s.ResolveAggregate([]*types.Type{types.BigintType, types.IntType}); err != nil || r.Literal[0] || !r.Literal[1] {
		t.Errorf("no argument in the middle: %+v, %v", r, err)
	}
}

func TestSignatureText(t *testing.T) {
	s := scalar("F", "(ARRAY<T> list, STRING... s) -> T")
	if got, want := functions.Signature("F", s.Scalars[0].Params), "F(list ARRAY<T>, s VARCHAR...)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestMalformedSignaturePanics(t *testing.T) {
	for _, sig := range []string{"", "(INT x)", "INT -> INT", "(FOO x) -> INT", "(ARRAY<INT x) -> INT", "(INT x -> INT", "(INT) -> INT INT"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q was accepted", sig)
				}
			}()
			functions.NewScalar(sig, nil)
		}()
	}
}

func TestAdaptersAllocateNothingForScalars(t *testing.T) {
	add, err := functions.Binary(func(a, b int64) int64 { return a + b })(nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	head, err := functions.Unary(func(s string) string { return s[:1] })(nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	numbers := []types.Slot{types.IntSlot(1), types.IntSlot(2)}
	text := []types.Slot{types.StringSlot("abc")}
	if n := testing.AllocsPerRun(100, func() {
		if s, err := add(numbers); err != nil || s.I != 3 {
			t.Fatal(s, err)
		}
		if s, err := head(text); err != nil || string(s.B) != "a" {
			t.Fatal(s, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a call", n)
	}
}

func TestRefuseNull(t *testing.T) {
	call, err := functions.RefuseNull(functions.Binary(func(a, b int64) int64 { return a + b }), 1)(nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := call([]types.Slot{types.IntSlot(1), types.NullSlot}); err == nil {
		t.Error("a null was accepted where a machine number is wanted")
	}
	if s, err := call([]types.Slot{types.NullSlot, types.IntSlot(1)}); err != nil || !s.Null {
		t.Errorf("got %v, %v", s, err)
	}
}

func BenchmarkBinaryAdapter(b *testing.B) {
	call, err := functions.Binary(func(x, y int64) int64 { return x + y })(nil, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	args := []types.Slot{types.IntSlot(1), types.IntSlot(2)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := call(args); err != nil {
			b.Fatal(err)
		}
	}
}
