package builtin_test

import (
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/functions/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// ksqlDB has 129 scalar, 18 aggregate and 2 table functions, with 249, 64 and 3 overloads.
func TestEveryFunctionOfKsqlDBIsThere(t *testing.T) {
	specs, overloads := map[functions.Kind]int{}, map[functions.Kind]int{}
	names := map[string]bool{}
	for _, s := range builtin.Specs() {
		specs[s.Kind]++
		overloads[s.Kind] += len(s.Overloads())
		if names[s.Name] {
			t.Errorf("%s is listed twice", s.Name)
		}
		names[s.Name] = true
	}
	for kind, want := range map[functions.Kind]int{functions.ScalarKind: 129, functions.AggregateKind: 18, functions.TableKind: 2} {
		if specs[kind] != want {
			t.Errorf("%d %s functions, want %d", specs[kind], kind, want)
		}
		t.Logf("%s: %d overloads", kind, overloads[kind])
	}
}

func TestSpecsAreComplete(t *testing.T) {
	for _, s := range builtin.Specs() {
		if s.Description == "" || s.Category == "" {
			t.Errorf("%s lacks a description or category", s.Name)
		}
		for i, o := range s.Scalars {
			if o.New == nil || o.Returns == nil && o.ResultType == nil {
				t.Errorf("%s overload %d lacks its code or result type", s.Name, i)
			}
		}
		for i, o := range s.Aggregates {
			if o.New == nil || o.State == nil || o.Returns == nil && o.ResultType == nil || o.Description == "" {
				t.Errorf("%s overload %d lacks its code, state, result type or description", s.Name, i)
			}
		}
	}
}

// States are stored between rows, so they may hold SQL types only.
func TestStatesAreStorable(t *testing.T) {
	for _, s := range builtin.Specs() {
		for i, o := range s.Aggregates {
			args := make([]*types.Type, len(o.Params))
			for j, p := range o.Params {
				args[j] = concrete(p.Type)
			}
			state, err := o.State(args)
			if err != nil {
				t.Fatal(err)
			}
			for _, st := range state {
				if !storable(st) {
					t.Errorf("%s overload %d: state %s", s.Name, i, st)
				}
			}
		}
	}
}

func concrete(t *types.Type) *types.Type {
	switch t.Kind {
	case types.Generic:
		return types.BigintType
	case types.Decimal:
		return types.DecimalOf(10, 2)
	case types.Array:
		return types.ArrayOf(concrete(t.Elem))
	}
	return t
}

func storable(t *types.Type) bool {
	switch t.Kind {
	case types.Array:
		return storable(t.Elem)
	case types.Map:
		return storable(t.Key) && storable(t.Elem)
	case types.Struct:
		for _, f := range t.Fields {
			if !storable(f.Type) {
				return false
			}
		}
		return true
	case types.Decimal:
		return t.Precision > 0
	}
	return t.Kind >= types.Boolean && t.Kind <= types.Timestamp
}
