package json

import (
	"errors"
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func jsonArrayContains() *functions.Spec {
	return spec("JSON_ARRAY_CONTAINS", "Is the value a direct element of the JSON array? Nested arrays and objects never match.", []functions.Scalar{
		functions.NewScalar("(STRING jsonArray, T val) -> BOOLEAN", newContains),
	},
		"JSON_ARRAY_CONTAINS('[1, 2, 3]', 2)", "true",
		"JSON_ARRAY_CONTAINS('[1, 2.0]', 2)", "false",
		`JSON_ARRAY_CONTAINS('["Red", "Pink"]', 'Pink')`, "true",
		"JSON_ARRAY_CONTAINS('[true, null]', NULL)", "true",
		"JSON_ARRAY_CONTAINS('{}', 1)", "false",
		"JSON_ARRAY_CONTAINS('[1', 1)", "false",
		"JSON_ARRAY_CONTAINS(CAST(NULL AS STRING), 1)", "error: null",
	)
}

func newContains(_ *functions.Env, args []*types.Type, _ *types.Type) (functions.Call, error) {
	t := args[1]
	return func(args []types.Slot) (types.Slot, error) {
		if args[0].Null {
			return types.NullSlot, errors.New("JSON_ARRAY_CONTAINS: the text is null")
		}
		v, err := parse(args[0].Text())
		if err != nil || v.kind != arrayKind {
			return types.BoolSlot(false), nil
		}
		for i := range v.items {
			if matches(&v.items[i], t, args[1]) {
				return types.BoolSlot(true), nil
			}
		}
		return types.BoolSlot(false), nil
	}, nil
}

// matches compares an element with a value by its token: whole numbers with INT and BIGINT, fractional ones with DOUBLE.
func matches(v *value, t *types.Type, s types.Slot) bool {
	if s.Null {
		return v.kind == nullKind
	}
	switch t.Kind {
	case types.Boolean:
		return v.kind == boolKind && (v.text == "true") == (s.I != 0)
	case types.Int, types.Bigint:
		n, err := strconv.ParseInt(v.text, 10, 64)
		return v.kind == numberKind && err == nil && n == s.I
	case types.Double:
		f, err := strconv.ParseFloat(v.text, 64)
		return v.kind == numberKind && strings.ContainsAny(v.text, ".eE") && err == nil && f == s.Double()
	case types.String:
		return v.kind == stringKind && v.text == s.Text()
	}
	return false
}
