// Package lambda holds the functions that take lambdas.
package lambda

import (
	"errors"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Specs lists the functions that take lambdas.
func Specs() []*functions.Spec {
	return []*functions.Spec{filter(), reduce(), transform()}
}

func spec(name, description string, overloads []functions.Scalar, examples ...string) *functions.Spec {
	return &functions.Spec{
		Name: name, Kind: functions.ScalarKind, Category: "LAMBDA", Description: description,
		Scalars: overloads, Examples: functions.Examples(examples...),
	}
}

// of reads a lambda argument.
func of(s types.Slot) functions.Lambda {
	f, _ := s.R.(functions.Lambda)
	return f
}

func filter() *functions.Spec {
	return spec("FILTER", "Keeps the elements, or the entries, that the lambda accepts.", []functions.Scalar{
		functions.NewScalar("(ARRAY<T> array, (T) => BOOLEAN lambda) -> ARRAY<T>", filterArray),
		functions.NewScalar("(MAP<K, V> map, (K, V) => BOOLEAN lambda) -> MAP<K, V>", filterMap),
	},
		"FILTER(ARRAY[3, 6, 2, 10], x => x > 5)", "[6,10]",
		"FILTER(MAP('a' := 1, 'b' := 7), (k, v) => v > 5)", `{"b":7}`,
		"FILTER(ARRAY[1], x => CAST(NULL AS BOOLEAN))", "error: null",
		"FILTER(CAST(NULL AS ARRAY<INT>), x => x > 5)", "null",
	)
}

var errNullCondition = errors.New("the lambda's result is null where TRUE or FALSE is needed")

func filterArray(_ *functions.Env, args []*types.Type, _ *types.Type) (functions.Call, error) {
	elem := args[0].Elem
	return func(args []types.Slot) (types.Slot, error) {
		if args[0].Null {
			return types.NullSlot, nil
		}
		keep := of(args[1])
		out := []any{}
		for _, v := range args[0].R.([]any) {
			ok, err := keep(types.Unbox(elem, v))
			if err != nil {
				return types.NullSlot, err
			}
			if ok.Null {
				return types.NullSlot, errNullCondition
			}
			if ok.I != 0 {
				out = append(out, v)
			}
		}
		return types.RefSlot(out), nil
	}, nil
}

func filterMap(_ *functions.Env, args []*types.Type, _ *types.Type) (functions.Call, error) {
	key, elem := args[0].Key, args[0].Elem
	return func(args []types.Slot) (types.Slot, error) {
		if args[0].Null {
			return types.NullSlot, nil
		}
		keep := of(args[1])
		m := args[0].R.(*types.MapValue)
		out := &types.MapValue{}
		for i, k := range m.Keys {
			ok, err := keep(types.Unbox(key, k), types.Unbox(elem, m.Values[i]))
			if err != nil {
				return types.NullSlot, err
			}
			switch {
			case ok.Null:
				return types.NullSlot, errNullCondition
			case ok.I == 0:
				continue
			case m.Values[i] == nil:
				return types.NullSlot, fmt.Errorf("FILTER keeps no null value, as that of key %v", k)
			}
			out.Keys, out.Values = append(out.Keys, k), append(out.Values, m.Values[i])
		}
		return types.RefSlot(out), nil
	}, nil
}

func reduce() *functions.Spec {
	return spec("REDUCE", "Folds the elements, or the entries, into a state.", []functions.Scalar{
		functions.NewScalar("(ARRAY<T> list, S state, (S, T) => S lambda) -> S", reduceArray),
		functions.NewScalar("(MAP<K, V> map, S state, (S, K, V) => S lambda) -> S", reduceMap),
	},
		"REDUCE(ARRAY[1, 2, 3], 10, (s, x) => s + x)", "16",
		"REDUCE(ARRAY['a', 'b', 'c'], '', (s, x) => CONCAT(x, s))", `"cba"`,
		"REDUCE(MAP('a' := 1, 'b' := 2), 0, (s, k, v) => s + v)", "3",
		"REDUCE(ARRAY[1, 2], CAST(NULL AS INT), (s, x) => s + x)", "null",
		"REDUCE(CAST(NULL AS ARRAY<INT>), 7, (s, x) => s + x)", "7",
	)
}

// held keeps a state between two calls of the lambda, whose functions overwrite the bytes they returned.
type held struct{ buf []byte }

func (h *held) keep(s types.Slot) types.Slot {
	if s.B != nil {
		h.buf = append(h.buf[:0], s.B...)
		s.B = h.buf
	}
	return s
}

func reduceArray(_ *functions.Env, args []*types.Type, _ *types.Type) (functions.Call, error) {
	elem := args[0].Elem
	var h held
	return func(args []types.Slot) (types.Slot, error) {
		state := args[1]
		if args[0].Null || state.Null {
			return state, nil
		}
		fold := of(args[2])
		for _, v := range args[0].R.([]any) {
			next, err := fold(state, types.Unbox(elem, v))
			if err != nil {
				return types.NullSlot, err
			}
			state = h.keep(next)
		}
		return state, nil
	}, nil
}

func reduceMap(_ *functions.Env, args []*types.Type, _ *types.Type) (functions.Call, error) {
	key, elem := args[0].Key, args[0].Elem
	var h held
	return func(args []types.Slot) (types.Slot, error) {
		state := args[1]
		if args[0].Null || state.Null {
			return state, nil
		}
		fold := of(args[2])
		m := args[0].R.(*types.MapValue)
		for _, i := range m.HashOrder() {
			next, err := fold(state, types.Unbox(key, m.Keys[i]), types.Unbox(elem, m.Values[i]))
			if err != nil {
				return types.NullSlot, err
			}
			state = h.keep(next)
		}
		return state, nil
	}, nil
}

func transform() *functions.Spec {
	return spec("TRANSFORM", "Maps every element by a lambda; of a map, the keys by one and the values by another.", []functions.Scalar{
		functions.NewScalar("(ARRAY<T> array, (T) => R lambda) -> ARRAY<R>", transformArray),
		functions.NewScalar("(MAP<K, V> map, (K, V) => K2 lambda1, (K, V) => V2 lambda2) -> MAP<K2, V2>", transformMap),
	},
		"TRANSFORM(ARRAY[3, 6], x => x + 5)", "[8,11]",
		"TRANSFORM(ARRAY['a', NULL], x => UCASE(x))", `["A",null]`,
		"TRANSFORM(MAP('a' := 1), (k, v) => UCASE(k), (k, v) => v * 10)", `{"A":10}`,
		"TRANSFORM(MAP('a' := 1, 'A' := 2), (k, v) => UCASE(k), (k, v) => v)", "error: Duplicate key",
		"TRANSFORM(CAST(NULL AS ARRAY<INT>), x => x + 5)", "null",
	)
}

func transformArray(_ *functions.Env, args []*types.Type, result *types.Type) (functions.Call, error) {
	elem, to := args[0].Elem, result.Elem
	return func(args []types.Slot) (types.Slot, error) {
		if args[0].Null {
			return types.NullSlot, nil
		}
		f := of(args[1])
		items := args[0].R.([]any)
		out := make([]any, len(items))
		for i, v := range items {
			r, err := f(types.Unbox(elem, v))
			if err != nil {
				return types.NullSlot, err
			}
			out[i] = r.Boxed(to)
		}
		return types.RefSlot(out), nil
	}, nil
}

func transformMap(_ *functions.Env, args []*types.Type, result *types.Type) (functions.Call, error) {
	key, elem := args[0].Key, args[0].Elem
	return func(args []types.Slot) (types.Slot, error) {
		if args[0].Null {
			return types.NullSlot, nil
		}
		ofKey, ofValue := of(args[1]), of(args[2])
		m := args[0].R.(*types.MapValue)
		out := &types.MapValue{}
		for i, k := range m.Keys {
			ks, vs := types.Unbox(key, k), types.Unbox(elem, m.Values[i])
			newKey, err := ofKey(ks, vs)
			if err != nil {
				return types.NullSlot, err
			}
			boxedKey := newKey.Boxed(result.Key)
			newValue, err := ofValue(ks, vs)
			if err != nil {
				return types.NullSlot, err
			}
			if newValue.Null {
				return types.NullSlot, fmt.Errorf("the new value of key %v is null", boxedKey)
			}
			if _, taken := out.Get(boxedKey); taken {
				return types.NullSlot, fmt.Errorf("Duplicate key %v", boxedKey)
			}
			out.Keys, out.Values = append(out.Keys, boxedKey), append(out.Values, newValue.Boxed(result.Elem))
		}
		return types.RefSlot(out), nil
	}, nil
}
