package expr

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func decimal(t testing.TB, s string) *apd.Decimal {
	t.Helper()
	d, err := types.ParseDecimal(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// trees has at least one of each kind of expression.
func trees(t testing.TB) []Expr {
	i := &Column{Index: 3, Name: "I", T: types.IntType}
	s := &Column{Index: 0, Name: "S", T: types.StringType}
	one := &Literal{Value: int32(1), T: types.IntType}
	structure := types.StructOf(types.Field{Name: "A", Type: types.IntType}, types.Field{Name: "b", Type: types.ArrayOf(types.StringType)})
	list := types.ArrayOf(types.IntType)
	dict := types.MapOf(types.StringType, types.DecimalOf(5, 2))
	cond := &Compare{Op: Less, L: i, R: one}
	v := &LambdaVar{ID: 1, Name: "x", T: types.IntType}
	literals := []*Literal{
		{nil, types.NullType}, {nil, types.StringType}, {true, types.BooleanType}, {int32(math.MinInt32), types.IntType},
		{int64(math.MaxInt64), types.BigintType}, {0.1, types.DoubleType}, {math.Inf(-1), types.DoubleType},
		{decimal(t, "1.50"), types.DecimalOf(3, 2)}, {decimal(t, "-1234567890123456789012345678.0001"), types.DecimalOf(40, 4)},
		{"text \" \u2028 <&>", types.StringType}, {"bad \xff", types.StringType}, {"", types.StringType},
		{[]byte{0, 255}, types.BytesType}, {[]byte{}, types.BytesType},
		{types.DateValue(-1), types.DateType}, {types.TimeValue(5), types.TimeType}, {types.TimestampValue(1 << 60), types.TimestampType},
		{[]any{int32(1), nil}, list}, {types.StructValue{int32(1), []any{"x"}}, structure},
		{&types.MapValue{Keys: []any{"b", "a"}, Values: []any{decimal(t, "0.00"), nil}}, dict},
		{"SECONDS", types.IntervalUnitType},
	}
	out := []Expr{
		&Arith{Op: Divide, L: i, R: &Negate{X: one}, T: types.IntType},
		&And{Xs: []Expr{cond, &Or{Xs: []Expr{cond, &Not{X: cond}}}, &IsNull{X: s, Negated: true}}},
		&Between{X: i, Lo: one, Hi: one, Negated: true},
		&In{X: i, List: []Expr{one, i}, Negated: true},
		&Like{X: s, Pattern: &Literal{Value: "a%", T: types.StringType}, Escape: '¡', Negated: true},
		&Case{Whens: []When{{cond, one}, {cond, i}}, Else: one, T: types.IntType},
		&Case{Whens: []When{{cond, one}}, T: types.IntType},
		&Cast{X: i, T: types.DecimalOf(10, 0), Implicit: true},
		&Subscript{X: &MakeArray{Items: []Expr{one, i}, T: list}, Index: one, T: types.IntType},
		&FieldAccess{X: &MakeStruct{Fields: []Expr{i, &Literal{T: structure.Fields[1].Type}}, T: structure}, Index: 1, Name: "b", T: structure.Fields[1].Type},
		&MakeMap{Keys: []Expr{s}, Values: []Expr{&Literal{T: dict.Elem}}, T: dict},
		&Call{Name: "TRANSFORM", Overload: 1, Args: []Expr{
			&MakeArray{T: list},
			&Lambda{Params: []LambdaParam{{ID: 1, Name: "x", T: types.IntType}}, Body: v, T: types.LambdaOf(types.IntType, types.IntType)},
		}, T: list},
	}
	for _, l := range literals {
		out = append(out, l)
	}
	return out
}

func TestTreesSurviveTheRoundTrip(t *testing.T) {
	all := trees(t)
	for _, e := range all {
		data, err := Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Unmarshal(data)
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		again, err := Marshal(back)
		if err != nil || string(again) != string(data) {
			t.Errorf("wrote %s, then %s (%v)", data, again, err)
		}
		if l, ok := e.(*Literal); ok {
			got := back.(*Literal)
			if !types.EqualBoxed(l.Value, got.Value) || !types.Equal(l.T, got.T) {
				t.Errorf("literal %#v became %#v", l, got)
			}
			if d, ok := l.Value.(*apd.Decimal); ok && got.Value.(*apd.Decimal).Exponent != d.Exponent {
				t.Errorf("%s lost its scale: %s", d, got.Value)
			}
		} else if !reflect.DeepEqual(e, back) && !strings.Contains(string(data), `"call"`) {
			t.Errorf("%s came back different", data)
		}
	}
	data, err := MarshalList(append(all, nil))
	if err != nil {
		t.Fatal(err)
	}
	back, err := UnmarshalList(data)
	if err != nil || len(back) != len(all)+1 || back[len(all)] != nil {
		t.Fatalf("%d expressions came back: %v", len(back), err)
	}
}

func TestDamagedDocumentsAreErrors(t *testing.T) {
	for data, want := range map[string]string{
		`{}`:                                    "version 0 is unknown",
		`{"v":2,"e":{"k":"and"}}`:               "version 2 is unknown",
		`{"v":1}`:                               "missing",
		`{"v":1,"e":{"k":"x"}}`:                 `"x" is no kind of expression`,
		`{"v":1,"e":{"k":"not"}}`:               "not with 0 operands",
		`{"v":1,"e":{"k":"not","args":[null]}}`: "an operand is missing",
		`{"v":1,"e":{"k":"column"}}`:            "without a type",
		`{"v":1,"e":{"k":"column","i":-1,"t":{"kind":"INTEGER"}}}`:                                              "column -1",
		`{"v":1,"e":{"k":"literal","value":5000000000,"t":{"kind":"INTEGER"}}}`:                                 "5000000000 is no INTEGER",
		`{"v":1,"e":{"k":"literal","value":"x","t":{"kind":"BOOLEAN"}}}`:                                        "cannot unmarshal",
		`{"v":1,"e":{"k":"literal","value":[1],"t":{"kind":"STRUCT","fields":[{}]}}}`:                           "without a type",
		`{"v":1,"e":{"k":"field","i":7,"t":{"kind":"INTEGER"},"args":[{"k":"literal","t":{"kind":"STRUCT"}}]}}`: "has no field 7",
	} {
		if _, err := Unmarshal([]byte(data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", data, err, want)
		}
	}
	deep := strings.Repeat(`{"k":"not","args":[`, 3000) + `{"k":"literal","t":{"kind":"BOOLEAN"}}` + strings.Repeat(`]}`, 3000)
	if _, err := Unmarshal([]byte(`{"v":1,"e":` + deep + `}`)); err == nil || !strings.Contains(err.Error(), "deeper") {
		t.Errorf("a deep tree: %v", err)
	}
}

func FuzzUnmarshal(f *testing.F) {
	for _, e := range trees(f) {
		if data, err := Marshal(e); err == nil {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := Unmarshal(data)
		if err != nil {
			return
		}
		first, err := Marshal(e)
		if err != nil {
			t.Fatalf("%s was read but cannot be written: %v", data, err)
		}
		back, err := Unmarshal(first)
		if err != nil {
			t.Fatalf("%s cannot be read: %v", first, err)
		}
		if second, err := Marshal(back); err != nil || string(first) != string(second) {
			t.Fatalf("%s became %s (%v)", first, second, err)
		}
	})
}
