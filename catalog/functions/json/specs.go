package json

import (
	"errors"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Specs lists the JSON functions.
func Specs() []*functions.Spec {
	return []*functions.Spec{
		extractJSONField(), isJSONString(), jsonArrayContains(), jsonArrayLength(), jsonConcat(), jsonItems(), jsonKeys(),
		jsonRecords(), toJSONString(),
	}
}

func spec(name, description string, overloads []functions.Scalar, examples ...string) *functions.Spec {
	return &functions.Spec{
		Name: name, Kind: functions.ScalarKind, Category: "JSON", Description: description,
		Scalars: overloads, Examples: functions.Examples(examples...),
	}
}

func extractJSONField() *functions.Spec {
	return spec("EXTRACTJSONFIELD", "The value at a path such as $.a.b[0] or $[\"any name\"]: strings unquoted, the rest as JSON text.", []functions.Scalar{
		functions.NewScalar("(STRING input, STRING path) -> STRING", newExtract),
	},
		`EXTRACTJSONFIELD('{"a":{"b":[1,{"c":"x"}]}}', '$.a.b[1].c')`, `"x"`,
		`EXTRACTJSONFIELD('{"a":[1.50]}', '$.a')`, `"[1.50]"`,
		`EXTRACTJSONFIELD('{"a b":null}', '$["a b"]')`, `"null"`,
		`EXTRACTJSONFIELD('{"a":[1]}', '$.a[-1]')`, "null",
		`EXTRACTJSONFIELD('{"a":1}', '$.x')`, "null",
		`EXTRACTJSONFIELD('{"a":1}', 'a')`, "error: Invalid JSON path: 'a'",
		`EXTRACTJSONFIELD('{"a"', '$.a')`, "error: invalid JSON",
		`EXTRACTJSONFIELD(CAST(NULL AS STRING), '$.a')`, "null",
	)
}

// newExtract keeps the last path parsed: it is a literal as a rule.
func newExtract(*functions.Env, []*types.Type, *types.Type) (functions.Call, error) {
	var text string
	var parsed path
	return func(args []types.Slot) (types.Slot, error) {
		if args[0].Null || args[1].Null {
			return types.NullSlot, nil
		}
		if parsed == nil || text != args[1].Text() {
			p, err := parsePath(args[1].Text())
			if err != nil {
				return types.NullSlot, err
			}
			text, parsed = string(args[1].B), p
		}
		v, found, err := parsed.extract(args[0].Text())
		if !found || err != nil {
			return types.NullSlot, err
		}
		return types.StringSlot(v.plain()), nil
	}, nil
}

func isJSONString() *functions.Spec {
	return spec("IS_JSON_STRING", "Does the text hold a JSON value?", []functions.Scalar{
		functions.NewScalar("(STRING input) -> BOOLEAN", functions.Slots(func(args []types.Slot) (types.Slot, error) {
			if args[0].Null {
				return types.BoolSlot(false), nil
			}
			_, err := parse(args[0].Text())
			return types.BoolSlot(err == nil), nil
		})),
	},
		"IS_JSON_STRING('[1, 2]')", "true",
		"IS_JSON_STRING('abc')", "false",
		"IS_JSON_STRING('')", "false",
		"IS_JSON_STRING(CAST(NULL AS STRING))", "false",
	)
}

func jsonArrayLength() *functions.Spec {
	return spec("JSON_ARRAY_LENGTH", "The length of a JSON array; null for other values.", []functions.Scalar{
		functions.NewScalar("(STRING jsonArray) -> INT", functions.Slots(func(args []types.Slot) (types.Slot, error) {
			v, ok, err := parseArg(args[0])
			if !ok || err != nil || v.kind != arrayKind {
				return types.NullSlot, err
			}
			return types.IntSlot(int64(len(v.items))), nil
		})),
	},
		"JSON_ARRAY_LENGTH('[1, [2, 3]]')", "2",
		`JSON_ARRAY_LENGTH('{"a":1}')`, "null",
		"JSON_ARRAY_LENGTH('[1')", "error: invalid JSON",
		"JSON_ARRAY_LENGTH(CAST(NULL AS STRING))", "null",
	)
}

// parseArg reads an argument as JSON; ok is false for null.
func parseArg(s types.Slot) (v value, ok bool, err error) {
	if s.Null {
		return value{}, false, nil
	}
	v, err = parse(string(s.B))
	return v, err == nil, err
}

func jsonConcat() *functions.Spec {
	return spec("JSON_CONCAT", "Merges objects, a later member winning; otherwise joins arrays, other values counting as arrays of one.", []functions.Scalar{
		functions.NewScalar("(STRING... jsonStrings) -> STRING", functions.Slots(concatenate)),
	},
		`JSON_CONCAT('{"a": 1}', '{"b": 2}')`, `"{\"a\":1,\"b\":2}"`,
		`JSON_CONCAT('[1, 2]', '{"a": 1}', '3')`, `"[1,2,{\"a\":1},3]"`,
		"JSON_CONCAT('1', NULL)", "null",
		"JSON_CONCAT('1', '')", "null",
		"JSON_CONCAT('[')", "error: invalid JSON",
		"JSON_CONCAT()", "error: at least one argument",
	)
}

func concatenate(args []types.Slot) (types.Slot, error) {
	if len(args) == 0 {
		return types.NullSlot, errors.New("JSON_CONCAT needs at least one argument")
	}
	values := make([]value, len(args))
	objects := true
	for i, a := range args {
		if a.Null || len(a.B) == 0 {
			return types.NullSlot, nil
		}
		v, err := parse(a.Text())
		if err != nil {
			return types.NullSlot, err
		}
		values[i] = v
		objects = objects && v.kind == objectKind
	}
	out := value{kind: arrayKind}
	if objects {
		out.kind = objectKind
	}
	for _, v := range values {
		switch {
		case objects:
			for i, name := range v.names {
				out.set(name, v.items[i])
			}
		case v.kind == arrayKind:
			out.items = append(out.items, v.items...)
		default:
			out.items = append(out.items, v)
		}
	}
	return types.StringSlot(out.json()), nil
}

func jsonItems() *functions.Spec {
	return spec("JSON_ITEMS", "The elements of a JSON array, each as JSON text.", []functions.Scalar{
		functions.NewScalar("(STRING jsonItems) -> ARRAY<STRING>", functions.Slots(func(args []types.Slot) (types.Slot, error) {
			v, ok, err := parseArg(args[0])
			switch {
			case !ok || err != nil:
				return types.NullSlot, err
			case v.kind != arrayKind:
				return types.NullSlot, errors.New("JSON_ITEMS needs a JSON array")
			}
			out := make([]any, len(v.items))
			for i := range v.items {
				out[i] = v.items[i].json()
			}
			return types.RefSlot(out), nil
		})),
	},
		`JSON_ITEMS('[1, "a", {"b": 2}]')`, `["1","\"a\"","{\"b\":2}"]`,
		"JSON_ITEMS('[]')", "[]",
		"JSON_ITEMS('1')", "error: JSON array",
		"JSON_ITEMS(CAST(NULL AS STRING))", "null",
	)
}

func jsonKeys() *functions.Spec {
	return spec("JSON_KEYS", "The names of a JSON object's members, in order; null for other values.", []functions.Scalar{
		functions.NewScalar("(STRING jsonObj) -> ARRAY<STRING>", functions.Slots(func(args []types.Slot) (types.Slot, error) {
			v, ok, err := parseArg(args[0])
			if !ok || err != nil || v.kind != objectKind {
				return types.NullSlot, err
			}
			out := make([]any, len(v.names))
			for i, n := range v.names {
				out[i] = n
			}
			return types.RefSlot(out), nil
		})),
	},
		`JSON_KEYS('{"b": 1, "a": 2}')`, `["b","a"]`,
		"JSON_KEYS('[1]')", "null",
		"JSON_KEYS('{')", "error: invalid JSON",
		"JSON_KEYS(CAST(NULL AS STRING))", "null",
	)
}

func jsonRecords() *functions.Spec {
	return spec("JSON_RECORDS", "The members of a JSON object as a map: strings unquoted, the rest as JSON text.", []functions.Scalar{
		functions.NewScalar("(STRING jsonObj) -> MAP<STRING, STRING>", functions.Slots(func(args []types.Slot) (types.Slot, error) {
			v, ok, err := parseArg(args[0])
			if !ok || err != nil || v.kind != objectKind {
				return types.NullSlot, err
			}
			m := &types.MapValue{}
			for i, n := range v.names {
				m.Put(n, v.items[i].plain())
			}
			return types.RefSlot(m), nil
		})),
	},
		`JSON_RECORDS('{"a": "x", "b": {"c": 1}}')`, `{"a":"x","b":"{\"c\":1}"}`,
		"JSON_RECORDS('[1]')", "null",
		"JSON_RECORDS('{')", "error: invalid JSON",
		"JSON_RECORDS(CAST(NULL AS STRING))", "null",
	)
}
