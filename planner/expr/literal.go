package expr

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// A literal's value stands in JSON as
//
//	null                             null
//	BOOLEAN                          true, false
//	INT, BIGINT, DATE, TIME, TIMESTAMP   a number
//	DOUBLE                           its shortest text in quotes (NaN and infinities have no JSON number)
//	DECIMAL                          its text in quotes, coefficient and exponent as they are (1.50, 1E+3)
//	STRING                           a text; {"b64": …} when it is not valid UTF-8
//	BYTES                            base64
//	ARRAY, STRUCT                    an array of values
//	MAP                              an array of [key, value] pairs, in the map's order
//	keywords such as SECONDS         a text or a number, as the planner holds them

// rawText is a STRING that JSON cannot hold.
type rawText struct {
	Base64 []byte `json:"b64"`
}

// encodeValue writes a boxed value of type t.
func encodeValue(t *types.Type, v any) (json.RawMessage, error) {
	form, err := plain(t, v)
	if err != nil {
		return nil, err
	}
	return json.Marshal(form)
}

// plain gives the value in the terms of encoding/json.
func plain(t *types.Type, v any) (any, error) {
	switch x := v.(type) {
	case nil, bool, int32, int64, types.DateValue, types.TimeValue, types.TimestampValue, []byte:
		return v, nil
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64), nil
	case *apd.Decimal:
		return x.String(), nil
	case string:
		if !utf8.ValidString(x) {
			return rawText{[]byte(x)}, nil
		}
		return x, nil
	case []any:
		if t.Kind == types.Array {
			return plainList(x, func(int) *types.Type { return t.Elem })
		}
	case types.StructValue:
		if t.Kind == types.Struct && len(x) == len(t.Fields) {
			return plainList(x, func(i int) *types.Type { return t.Fields[i].Type })
		}
	case *types.MapValue:
		if t.Kind == types.Map {
			return plainMap(t, x)
		}
	}
	return nil, fmt.Errorf("expr: a literal %T as %s", v, t)
}

func plainList(items []any, typeOf func(int) *types.Type) ([]any, error) {
	out := make([]any, len(items))
	for i, v := range items {
		p, err := plain(typeOf(i), v)
		if err != nil {
			return nil, err
		}
		out[i] = p
	}
	return out, nil
}

func plainMap(t *types.Type, m *types.MapValue) ([]any, error) {
	out := make([]any, len(m.Keys))
	for i, k := range m.Keys {
		pair, err := plainList([]any{k, m.Values[i]}, func(side int) *types.Type { return []*types.Type{t.Key, t.Elem}[side] })
		if err != nil {
			return nil, err
		}
		out[i] = pair
	}
	return out, nil
}

// decodeValue reads a value of type t in boxed form.
func decodeValue(t *types.Type, data json.RawMessage, depth int) (any, error) {
	switch {
	case depth > maxDepth:
		return nil, fmt.Errorf("a literal is nested deeper than %d", maxDepth)
	case t == nil:
		return nil, errors.New("a literal without a type")
	}
	if len(data) == 0 || string(data) == "null" {
		return nil, nil
	}
	switch t.Kind {
	case types.Boolean:
		var v bool
		err := json.Unmarshal(data, &v)
		return v, err
	case types.Int, types.Date, types.Time, types.Bigint, types.Timestamp:
		return decodeInt(t, data)
	case types.Double:
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return nil, err
		}
		return strconv.ParseFloat(s, 64)
	case types.Decimal:
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return nil, err
		}
		return types.ParseDecimal(s)
	case types.String:
		return decodeText(data)
	case types.Bytes:
		var b []byte
		err := json.Unmarshal(data, &b)
		return b, err
	case types.Array, types.Struct, types.Map:
		return decodeCollection(t, data, depth)
	}
	if data[0] == '"' {
		return decodeText(data)
	}
	var v int64
	err := json.Unmarshal(data, &v)
	return v, err
}

func decodeInt(t *types.Type, data json.RawMessage) (any, error) {
	var v int64
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, err
	}
	if t.Kind != types.Bigint && t.Kind != types.Timestamp && (v < math.MinInt32 || v > math.MaxInt32) {
		return nil, fmt.Errorf("%d is no %s", v, t)
	}
	return types.Slot{I: v}.Boxed(t), nil
}

func decodeText(data json.RawMessage) (any, error) {
	if data[0] == '{' {
		var raw rawText
		err := json.Unmarshal(data, &raw)
		return string(raw.Base64), err
	}
	var s string
	err := json.Unmarshal(data, &s)
	return s, err
}

func decodeCollection(t *types.Type, data json.RawMessage, depth int) (any, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, err
	}
	if t.Kind == types.Map {
		return decodeMap(t, list, depth)
	}
	if t.Kind == types.Struct && len(list) != len(t.Fields) {
		return nil, fmt.Errorf("%d values for %s", len(list), t)
	}
	items := make([]any, len(list))
	for i, d := range list {
		elem := t.Elem
		if t.Kind == types.Struct {
			elem = t.Fields[i].Type
		}
		v, err := decodeValue(elem, d, depth+1)
		if err != nil {
			return nil, err
		}
		items[i] = v
	}
	if t.Kind == types.Struct {
		return types.StructValue(items), nil
	}
	return items, nil
}

func decodeMap(t *types.Type, list []json.RawMessage, depth int) (any, error) {
	m := &types.MapValue{}
	for _, d := range list {
		var pair []json.RawMessage
		if err := json.Unmarshal(d, &pair); err != nil {
			return nil, err
		}
		if len(pair) != 2 {
			return nil, fmt.Errorf("a map entry of %d values", len(pair))
		}
		k, err := decodeValue(t.Key, pair[0], depth+1)
		if err != nil {
			return nil, err
		}
		v, err := decodeValue(t.Elem, pair[1], depth+1)
		if err != nil {
			return nil, err
		}
		m.Put(k, v)
	}
	return m, nil
}
