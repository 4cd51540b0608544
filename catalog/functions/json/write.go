package json

import (
	"encoding/base64"
	"sort"
	"strconv"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func toJSONString() *functions.Spec {
	return spec("TO_JSON_STRING", "Any value as JSON text; struct fields and map keys sorted by name.", []functions.Scalar{
		functions.NewScalar("(T val) -> STRING", newToJSON),
	},
		"TO_JSON_STRING(ARRAY[1, NULL])", `"[1,null]"`,
		"TO_JSON_STRING(STRUCT(B := 'x', A := 1.50))", `"{\"A\":1.50,\"B\":\"x\"}"`,
		"TO_JSON_STRING(CAST('2024-05-01' AS DATE))", `"\"2024-05-01\""`,
		"TO_JSON_STRING(CAST('12:30' AS TIME))", `"\"12:30\""`,
		"TO_JSON_STRING(CAST('2024-05-01T12:30' AS TIMESTAMP))", `"\"2024-05-01T12:30:00.000\""`,
		"TO_JSON_STRING(CAST(NULL AS INT))", `"null"`,
	)
}

func newToJSON(_ *functions.Env, args []*types.Type, _ *types.Type) (functions.Call, error) {
	t := args[0]
	buf := make([]byte, 0, 64)
	return func(args []types.Slot) (types.Slot, error) {
		buf = appendSQL(buf[:0], t, args[0].Boxed(t))
		return types.BytesSlot(buf), nil
	}, nil
}

// appendSQL appends a boxed SQL value as JSON text.
func appendSQL(dst []byte, t *types.Type, v any) []byte {
	switch x := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, x)
	case float64:
		if x-x != 0 {
			return appendQuoted(dst, types.FormatDouble(x))
		}
		return types.AppendDouble(dst, x)
	case int32, int64, *apd.Decimal:
		return types.AppendBoxed(dst, t, v)
	case string:
		return appendQuoted(dst, x)
	case []byte:
		dst = append(dst, '"')
		return append(base64.StdEncoding.AppendEncode(dst, x), '"')
	case []any:
		dst = append(dst, '[')
		for i, item := range x {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendSQL(dst, t.Elem, item)
		}
		return append(dst, ']')
	case *types.MapValue:
		names := make([]string, len(x.Keys))
		for i, k := range x.Keys {
			names[i] = types.FormatBoxed(t.Key, k)
		}
		return appendMembers(dst, names, func(i int) (*types.Type, any) { return t.Elem, x.Values[i] })
	case types.StructValue:
		names := make([]string, len(x))
		for i, f := range t.Fields {
			names[i] = f.Name
		}
		return appendMembers(dst, names, func(i int) (*types.Type, any) { return t.Fields[i].Type, x[i] })
	}
	dst = append(dst, '"')
	return append(types.AppendBoxed(dst, t, v), '"')
}

// appendMembers writes an object with its members sorted by name.
func appendMembers(dst []byte, names []string, member func(int) (*types.Type, any)) []byte {
	order := make([]int, len(names))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return types.CompareText(names[order[a]], names[order[b]]) < 0 })
	dst = append(dst, '{')
	for n, i := range order {
		if n > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendQuoted(dst, names[i]), ':')
		t, v := member(i)
		dst = appendSQL(dst, t, v)
	}
	return append(dst, '}')
}
