package collection

import (
	"sort"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func asMap() *functions.Spec {
	return mapSpec("AS_MAP", "A map of keys and values by position; missing values are null, a later equal key wins.",
		one("(ARRAY<STRING> keys, ARRAY<T> values) -> MAP<STRING, T>", functions.Binary(func(keys, values []any) *types.MapValue {
			m := &types.MapValue{}
			for i, k := range keys {
				var v any
				if i < len(values) {
					v = values[i]
				}
				m.Put(k, v)
			}
			return m
		})),
		"AS_MAP(ARRAY['a', 'b'], ARRAY[1, 2, 3])", `{"a":1,"b":2}`,
		"AS_MAP(ARRAY['a', 'b'], ARRAY[1])", `{"a":1,"b":null}`,
		"AS_MAP(ARRAY['a'], CAST(NULL AS ARRAY<INT>))", "null")
}

func entries() *functions.Spec {
	list := functions.Slots(func(args []types.Slot) (types.Slot, error) {
		if args[0].Null {
			return types.NullSlot, nil
		}
		m := args[0].R.(*types.MapValue)
		out := make([]any, len(m.Keys))
		for to, from := range m.HashOrder() {
			out[to] = types.StructValue{m.Keys[from], m.Values[from]}
		}
		if args[1].I != 0 {
			sort.SliceStable(out, func(i, j int) bool {
				a, b := out[i].(types.StructValue)[0], out[j].(types.StructValue)[0]
				return a != nil && b != nil && types.Compare(a, b) < 0
			})
		}
		return types.RefSlot(out), nil
	})
	var overloads []functions.Scalar
	for _, v := range []string{"INT", "BIGINT", "DOUBLE", "BOOLEAN", "STRING"} {
		overloads = append(overloads, functions.NewScalar(
			"(MAP<STRING, "+v+"> map, BOOLEAN sorted) -> ARRAY<STRUCT<K STRING, V "+v+">>", functions.RefuseNull(list, 1)))
	}
	return mapSpec("ENTRIES", "The entries as structs of K and V, sorted by key if asked.", overloads,
		"ENTRIES(MAP('b' := 2, 'a' := 1), TRUE)", `[{"K":"a","V":1},{"K":"b","V":2}]`,
		"ENTRIES(CAST(NULL AS MAP<STRING, INT>), TRUE)", "null",
		"ENTRIES(MAP('b' := 2), CAST(NULL AS BOOLEAN))", "error: must not be null")
}

// inHashOrder copies the keys or the values of a map in the order in which ksqlDB shows them.
func inHashOrder(m *types.MapValue, side []any) []any {
	out := make([]any, len(side))
	for to, from := range m.HashOrder() {
		out[to] = side[from]
	}
	return out
}

func mapKeys() *functions.Spec {
	return mapSpec("MAP_KEYS", "The keys, in no particular order.",
		one("(MAP<STRING, T> map) -> ARRAY<STRING>", functions.Unary(func(m *types.MapValue) []any { return inHashOrder(m, m.Keys) })),
		"MAP_KEYS(MAP('a' := 1))", `["a"]`,
		"MAP_KEYS(SPLIT_TO_MAP('', ';', '='))", "[]",
		"MAP_KEYS(CAST(NULL AS MAP<STRING, INT>))", "null")
}

func mapValues() *functions.Spec {
	return mapSpec("MAP_VALUES", "The values, in the order of MAP_KEYS.",
		one("(MAP<STRING, T> map) -> ARRAY<T>", functions.Unary(func(m *types.MapValue) []any { return inHashOrder(m, m.Values) })),
		"MAP_VALUES(MAP('a' := 1, 'b' := NULL))", "[1,null]",
		"MAP_VALUES(CAST(NULL AS MAP<STRING, INT>))", "null")
}

func mapUnion() *functions.Spec {
	return mapSpec("MAP_UNION", "The entries of both maps; the second map wins.",
		one("(MAP<STRING, T> map1, MAP<STRING, T> map2) -> MAP<STRING, T>", functions.Slots(func(args []types.Slot) (types.Slot, error) {
			switch {
			case args[0].Null:
				return args[1], nil
			case args[1].Null:
				return args[0], nil
			}
			m := &types.MapValue{}
			for _, a := range args {
				side := a.R.(*types.MapValue)
				for i, k := range side.Keys {
					m.Put(k, side.Values[i])
				}
			}
			return types.RefSlot(m), nil
		})),
		"MAP_UNION(MAP('a' := 1, 'b' := 2), MAP('b' := 3))", `{"a":1,"b":3}`,
		"MAP_UNION(MAP('a' := 1), CAST(NULL AS MAP<STRING, INT>))", `{"a":1}`,
		"MAP_UNION(CAST(NULL AS MAP<STRING, INT>), CAST(NULL AS MAP<STRING, INT>))", "null")
}
