package testfunctions

import (
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func find(t *testing.T, name string) *functions.Spec {
	t.Helper()
	s, ok := functions.NewRegistry(Specs()).Lookup(name)
	if !ok {
		t.Fatalf("no %s", name)
	}
	return s
}

func TestOverloadsAreToldApart(t *testing.T) {
	s := find(t, "TEST_UDF")
	for want, args := range map[string][]*types.Type{
		"doStuffIntString":      {types.IntType, types.StringType},
		"doStuffLongString":     {types.BigintType, types.NullType},
		"doStuffLongLongString": {types.BigintType, types.BigintType, types.NullType},
		"doStuffLongVarargs":    {types.BigintType, types.BigintType, types.BigintType, types.BigintType},
	} {
		r, err := s.ResolveScalar(args)
		if err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		call, err := s.Scalars[r.Overload].New(nil, r.Args, r.Result)
		if err != nil {
			t.Fatal(err)
		}
		got, err := call(make([]types.Slot, len(args)))
		if err != nil || got.Text() != want {
			t.Errorf("got %s, %v, want %s", got.B, err, want)
		}
	}
}

func TestTotals(t *testing.T) {
	str, big, whole := types.StringType, types.BigintType, types.IntType
	tests := []struct {
		name     string
		args     []*types.Type
		literals []any
		row      []any
		want     int64
	}{
		{"VAR_ARG", []*types.Type{big, str, str}, nil, []any{int64(6), "hi", nil}, 8},
		{"MID_VAR_ARG", []*types.Type{big, str, whole, whole}, []any{nil, nil, int32(7), int32(3)}, []any{int64(6), "hi", int32(7), int32(3)}, 18},
		{"MULTI_ARG", []*types.Type{big, str, whole, str}, []any{nil, nil, int32(5), "10"}, []any{int64(6), "hi", nil, nil}, 15},
		{"FIVE_ARG", []*types.Type{big, str, str, str, whole, whole, str, str, str}, []any{nil, nil, nil, nil, nil, int32(5), "10", "20", "3"},
			[]any{int64(6), "hi", "apples", nil, int32(9), nil, nil, nil, nil}, 33},
		{"TEST_UDAF", []*types.Type{str, str}, []any{nil, "abc"}, []any{"hi", nil}, 5},
	}
	for _, tt := range tests {
		s := find(t, tt.name)
		r, err := s.ResolveAggregate(tt.args)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		literals := tt.literals
		if literals == nil {
			literals = make([]any, len(tt.args))
		}
		agg, err := s.Aggregates[r.Overload].New(nil, r.Args, literals)
		if err != nil {
			t.Fatal(err)
		}
		state := make([]types.Slot, 1)
		agg.Init(state)
		row := make([]types.Slot, len(tt.args))
		for i, v := range tt.row {
			row[i] = types.Unbox(tt.args[i], v)
		}
		if err := agg.Add(state, row); err != nil {
			t.Fatal(err)
		}
		if got, err := agg.Result(state); err != nil || got.I != tt.want {
			t.Errorf("%s: got %d, %v, want %d", tt.name, got.I, err, tt.want)
		}
	}
}
