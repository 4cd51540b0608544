package builtin_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/functions/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// No value makes a function panic, and every result has the form that its type says.
func TestScalarsStandAnyValue(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, s := range builtin.Specs() {
		for i, o := range s.Scalars {
			for round := range 100 {
				if err := callOnce(rnd, s, o, round); err != nil {
					t.Fatalf("%s overload %d: %v", s.Name, i, err)
				}
			}
		}
	}
}

func callOnce(rnd *rand.Rand, s *functions.Spec, o functions.Scalar, round int) (err error) {
	binds := map[string]*types.Type{}
	var args []*types.Type
	for _, p := range o.Params {
		n := 1
		if p.Repeated {
			n = rnd.IntN(3)
			if len(o.Params) == 1 {
				n++
			}
		}
		for range n {
			args = append(args, anyType(rnd, p.Type, binds))
		}
	}
	r, err := s.ResolveScalar(args)
	if err != nil {
		return fmt.Errorf("%v: %w", args, err)
	}
	call, err := s.Scalars[r.Overload].New(testEnv(), r.Args, r.Result)
	if err != nil {
		return fmt.Errorf("%v: %w", args, err)
	}
	slots := make([]types.Slot, len(args))
	values := make([]any, len(args))
	for j, a := range r.Args {
		slots[j] = anySlot(rnd, a, round == 0)
		values[j] = slots[j].Boxed(a)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic on %#v: %v", values, p)
		}
	}()
	result, err := call(slots)
	if err != nil {
		return nil
	}
	types.FormatBoxed(r.Result, types.Unbox(r.Result, result.Boxed(r.Result)).Boxed(r.Result))
	return nil
}

// anyType gives an argument type for a parameter.
func anyType(rnd *rand.Rand, t *types.Type, binds map[string]*types.Type) *types.Type {
	switch t.Kind {
	case types.Generic:
		if binds[t.Name] == nil {
			choices := []*types.Type{types.IntType, types.StringType, types.DoubleType, types.BytesType, types.DecimalOf(6, 2), types.ArrayOf(types.StringType), types.DateType}
			binds[t.Name] = choices[rnd.IntN(len(choices))]
		}
		return binds[t.Name]
	case types.Decimal:
		return types.DecimalOf(6, 2)
	case types.Array:
		return types.ArrayOf(anyType(rnd, t.Elem, binds))
	case types.Map:
		return types.MapOf(types.StringType, anyType(rnd, t.Elem, binds))
	case types.LambdaKind:
		var params []*types.Type
		for _, p := range t.Params {
			params = append(params, anyType(rnd, p, binds))
		}
		return types.LambdaOf(anyType(rnd, t.Elem, binds), params...)
	}
	return t
}

func anySlot(rnd *rand.Rand, t *types.Type, null bool) types.Slot {
	if t.Kind == types.LambdaKind {
		return types.RefSlot(functions.Lambda(func(...types.Slot) (types.Slot, error) { return anySlot(rnd, t.Elem, false), nil }))
	}
	if null || rnd.IntN(10) == 0 && t.Kind != types.IntervalUnit {
		return types.NullSlot
	}
	return types.Unbox(t, anyValue(rnd, t))
}

func pick[T any](rnd *rand.Rand, choices ...T) T { return choices[rnd.IntN(len(choices))] }

func anyValue(rnd *rand.Rand, t *types.Type) any {
	switch t.Kind {
	case types.Boolean:
		return rnd.IntN(2) == 0
	case types.Int:
		return pick(rnd, 0, 1, -1, 2, 5, 40, int32(math.MaxInt32), math.MinInt32)
	case types.Bigint:
		return pick(rnd, 0, 1, -1, 7, int64(math.MaxInt64), math.MinInt64)
	case types.Double:
		return pick(rnd, 0, 1, -1.5, 45, math.NaN(), math.Inf(1), math.MaxFloat64, -5e-324)
	case types.Decimal:
		return pick(rnd, apd.New(0, -2), apd.New(125, -2), apd.New(-999999, -2))
	case types.String:
		return pick(rnd, "", " ", "a", "é𝄞", "\xff\xfe", "{\"a\":[1,2]}", "[1,\"x\"]", "$.a[0]", "yyyy-MM-dd", "2024-05-01", "hex", "utf8",
			"base64", "(a|b)*", "(?<=a)b", "UTC", "http://u@h.com:80/p?q=1#f", "%41", "\\u0041", ",", "ASC", "BIG_ENDIAN", "X'4'")
	case types.Bytes:
		return pick(rnd, []byte{}, []byte{0xff}, []byte("12345678"), []byte("abcd"))
	case types.Date:
		return pick(rnd, 0, types.DateValue(19000), math.MinInt32, math.MaxInt32)
	case types.Time:
		return pick(rnd, 0, types.TimeValue(86_399_999))
	case types.Timestamp:
		return pick(rnd, 0, types.TimestampValue(1_700_000_000_000), math.MinInt64, math.MaxInt64)
	case types.IntervalUnit:
		return pick(rnd, int64(1), 86_400_000)
	case types.Array:
		out := []any{}
		for range rnd.IntN(4) {
			out = append(out, anySlot(rnd, t.Elem, false).Boxed(t.Elem))
		}
		return out
	case types.Map:
		m := &types.MapValue{}
		for range rnd.IntN(4) {
			m.Put(anyValue(rnd, t.Key), anySlot(rnd, t.Elem, false).Boxed(t.Elem))
		}
		return m
	}
	panic("no value of " + t.String())
}
