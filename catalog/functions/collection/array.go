package collection

import (
	"fmt"
	"sort"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func arrayConcat() *functions.Spec {
	return arraySpec("ARRAY_CONCAT", "One array after the other; a null array counts as absent.",
		one("(ARRAY<T> left, ARRAY<T> right) -> ARRAY<T>", functions.Slots(func(args []types.Slot) (types.Slot, error) {
			switch {
			case args[0].Null:
				return args[1], nil
			case args[1].Null:
				return args[0], nil
			}
			a, b := args[0].R.([]any), args[1].R.([]any)
			return types.RefSlot(append(append(make([]any, 0, len(a)+len(b)), a...), b...)), nil
		})),
		"ARRAY_CONCAT(ARRAY[1, 2], ARRAY[2, NULL])", "[1,2,2,null]",
		"ARRAY_CONCAT(ARRAY[1], CAST(NULL AS ARRAY<INT>))", "[1]",
		"ARRAY_CONCAT(CAST(NULL AS ARRAY<INT>), CAST(NULL AS ARRAY<INT>))", "null")
}

func arrayContains() *functions.Spec {
	construct := func(_ *functions.Env, args []*types.Type, _ *types.Type) (functions.Call, error) {
		t := args[0].Elem
		if t == nil {
			t = types.NullType
		}
		return func(args []types.Slot) (types.Slot, error) {
			if args[0].Null {
				return types.BoolSlot(false), nil
			}
			want := args[1].Boxed(t)
			for _, v := range args[0].R.([]any) {
				if types.EqualBoxed(v, want) {
					return types.BoolSlot(true), nil
				}
			}
			return types.BoolSlot(false), nil
		}, nil
	}
	return arraySpec("ARRAY_CONTAINS", "Is the value, possibly null, an element?",
		one("(ARRAY<T> array, T val) -> BOOLEAN", construct),
		"ARRAY_CONTAINS(ARRAY[1, 2], 2)", "true",
		"ARRAY_CONTAINS(ARRAY['a', NULL], NULL)", "true",
		"ARRAY_CONTAINS(ARRAY[1, 2], 3)", "false",
		"ARRAY_CONTAINS(CAST(NULL AS ARRAY<INT>), 3)", "false")
}

func arrayJoin() *functions.Spec {
	join := func(_ *functions.Env, args []*types.Type, _ *types.Type) (functions.Call, error) {
		t := args[0]
		return func(args []types.Slot) (types.Slot, error) {
			if args[0].Null {
				return types.NullSlot, nil
			}
			delimiter := []byte{','}
			if len(args) > 1 {
				delimiter = args[1].B
				if args[1].Null {
					delimiter = nil
				}
			}
			return joined(t, args[0].R.([]any), delimiter)
		}, nil
	}
	return arraySpec("ARRAY_JOIN", "The elements as text with a delimiter between, a comma by default; a null element reads null.", []functions.Scalar{
		functions.NewScalar("(ARRAY<T> array) -> STRING", join),
		functions.NewScalar("(ARRAY<T> array, STRING delimiter) -> STRING", join),
	},
		"ARRAY_JOIN(ARRAY[1, NULL, 3])", `"1,null,3"`,
		"ARRAY_JOIN(ARRAY['a', 'b'], ' | ')", `"a | b"`,
		"ARRAY_JOIN(ARRAY['a', 'b'], NULL)", `"ab"`,
		"ARRAY_JOIN(ARRAY[ARRAY[1]])", "error: ",
		"ARRAY_JOIN(CAST(NULL AS ARRAY<INT>))", "null")
}

func joined(t *types.Type, items []any, delimiter []byte) (types.Slot, error) {
	switch t.Elem.Kind {
	case types.Boolean, types.Int, types.Bigint, types.Double, types.Decimal, types.String, types.Null:
	default:
		return types.NullSlot, fmt.Errorf("conversion not supported for element type of %s", t)
	}
	var out []byte
	for i, v := range items {
		if i > 0 {
			out = append(out, delimiter...)
		}
		out = types.AppendBoxed(out, t.Elem, v)
	}
	return types.Slot{B: append([]byte{}, out...)}, nil
}

func arrayLength() *functions.Spec {
	return arraySpec("ARRAY_LENGTH", "The number of elements.",
		one("(ARRAY<T> array) -> INT", functions.Unary(func(a []any) int32 { return int32(len(a)) })),
		"ARRAY_LENGTH(ARRAY[1, NULL])", "2",
		"ARRAY_LENGTH(CAST(NULL AS ARRAY<INT>))", "null")
}

func arrayMax() *functions.Spec {
	return arraySpec("ARRAY_MAX", "The largest element; nulls are ignored.",
		one("(ARRAY<T> array) -> T", newExtreme(1)),
		"ARRAY_MAX(ARRAY[1, 3, NULL, 2])", "3",
		"ARRAY_MAX(ARRAY['a', 'B'])", `"a"`,
		"ARRAY_MAX(ARRAY[FALSE, TRUE])", "true",
		"ARRAY_MAX(CAST(NULL AS ARRAY<INT>))", "null")
}

func arrayMin() *functions.Spec {
	return arraySpec("ARRAY_MIN", "The smallest element; nulls are ignored.",
		one("(ARRAY<T> array) -> T", newExtreme(-1)),
		"ARRAY_MIN(ARRAY[2, 1, NULL])", "1",
		"ARRAY_MIN(ARRAY[CAST(NULL AS INT)])", "null",
		"ARRAY_MIN(CAST(NULL AS ARRAY<INT>))", "null")
}

func newExtreme(sign int) functions.Constructor {
	return func(_ *functions.Env, _ []*types.Type, result *types.Type) (functions.Call, error) {
		return func(args []types.Slot) (types.Slot, error) {
			if args[0].Null {
				return types.NullSlot, nil
			}
			var best any
			for _, v := range args[0].R.([]any) {
				if v != nil && (best == nil || types.Compare(v, best)*sign > 0) {
					best = v
				}
			}
			return types.Unbox(result, best), nil
		}, nil
	}
}

func arrayRemove() *functions.Spec {
	construct := func(_ *functions.Env, args []*types.Type, _ *types.Type) (functions.Call, error) {
		t := args[0].Elem
		return func(args []types.Slot) (types.Slot, error) {
			if args[0].Null {
				return types.NullSlot, nil
			}
			gone := args[1].Boxed(t)
			out := []any{}
			for _, v := range args[0].R.([]any) {
				if !types.EqualBoxed(v, gone) {
					out = append(out, v)
				}
			}
			return types.RefSlot(out), nil
		}, nil
	}
	return arraySpec("ARRAY_REMOVE", "The array without the elements equal to the value; a null value removes nulls.",
		one("(ARRAY<T> array, T element) -> ARRAY<T>", construct),
		"ARRAY_REMOVE(ARRAY[1, 2, 1], 1)", "[2]",
		"ARRAY_REMOVE(ARRAY[1, NULL], NULL)", "[1]",
		"ARRAY_REMOVE(CAST(NULL AS ARRAY<INT>), 1)", "null")
}

func arraySort() *functions.Spec {
	ordered := functions.Slots(func(args []types.Slot) (types.Slot, error) {
		sign := 1
		if len(args) > 1 {
			if args[1].Null {
				return types.NullSlot, nil
			}
			switch strings.ToUpper(args[1].Text()) {
			case "ASC", "ASCENDING":
			case "DESC", "DESCENDING":
				sign = -1
			default:
				return types.NullSlot, nil
			}
		}
		if args[0].Null {
			return types.NullSlot, nil
		}
		out := append([]any{}, args[0].R.([]any)...)
		sort.SliceStable(out, func(i, j int) bool {
			if out[i] == nil || out[j] == nil {
				return out[i] != nil
			}
			return types.Compare(out[i], out[j])*sign < 0
		})
		return types.RefSlot(out), nil
	})
	return arraySpec("ARRAY_SORT", "The elements in natural order, or in the order ASC or DESC; nulls last.", []functions.Scalar{
		functions.NewScalar("(ARRAY<T> array) -> ARRAY<T>", ordered),
		functions.NewScalar("(ARRAY<T> array, STRING direction) -> ARRAY<T>", ordered),
	},
		"ARRAY_SORT(ARRAY[3, NULL, 1])", "[1,3,null]",
		"ARRAY_SORT(ARRAY[3, NULL, 1, 4], 'desc')", "[4,3,1,null]",
		"ARRAY_SORT(ARRAY[3, 1], 'up')", "null",
		"ARRAY_SORT(CAST(NULL AS ARRAY<INT>))", "null")
}

func slice() *functions.Spec {
	cut := functions.Slots(func(args []types.Slot) (types.Slot, error) {
		if args[0].Null {
			return types.NullSlot, nil
		}
		items := args[0].R.([]any)
		from, to := int64(1), int64(len(items))
		if !args[1].Null {
			from = args[1].I
		}
		if !args[2].Null {
			to = args[2].I
		}
		if from < 1 || to > int64(len(items)) || from > to+1 {
			return types.NullSlot, nil
		}
		return types.RefSlot(items[from-1 : to : to]), nil
	})
	return arraySpec("SLICE", "The elements from one position to another, both inclusive and from 1; null means the start or the end.",
		one("(ARRAY<T> in, INT from, INT to) -> ARRAY<T>", cut),
		"SLICE(ARRAY[1, 2, 3, 4], 2, 3)", "[2,3]",
		"SLICE(ARRAY[1, 2, 3], NULL, 2)", "[1,2]",
		"SLICE(ARRAY[1, 2, 3], 2, 9)", "null",
		"SLICE(CAST(NULL AS ARRAY<INT>), 1, 1)", "null")
}
