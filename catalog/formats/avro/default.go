package avro

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// maxDefault bounds the values in a default: a record may hold its own default over and over.
const maxDefault = 10_000

// appendDefault writes a default of a schema, which is JSON, as a value of its type.
func appendDefault(dst []byte, n *node, v any) ([]byte, error) {
	left := maxDefault
	return (*defaults)(&left).append(dst, n, v)
}

// defaults counts down the values that a default may still have.
type defaults int

func (left *defaults) append(dst []byte, n *node, v any) ([]byte, error) {
	if *left--; *left < 0 {
		return nil, errors.New("the default of the schema is too big")
	}
	switch n.kind {
	case kindNull:
		if v == nil {
			return dst, nil
		}
	case kindBoolean:
		if x, ok := v.(bool); ok {
			return appendBoolean(dst, x), nil
		}
	case kindInt, kindLong, kindFloat, kindDouble:
		if x, ok := v.(json.Number); ok {
			return appendNumber(dst, n, x)
		}
	case kindString:
		if x, ok := v.(string); ok {
			return append(appendLong(dst, int64(len(x))), x...), nil
		}
	case kindEnum:
		if x, ok := v.(string); ok {
			if i := slices.Index(n.symbols, x); i >= 0 {
				return appendLong(dst, int64(i)), nil
			}
		}
	case kindBytes, kindFixed:
		if x, ok := v.(string); ok {
			return appendDefaultBytes(dst, n, x)
		}
	case kindArray:
		if x, ok := v.([]any); ok {
			return left.items(dst, n, x)
		}
	case kindMap, kindRecord:
		if x, ok := v.(map[string]any); ok {
			return left.object(dst, n, x)
		}
	case kindUnion:
		// By the specification it is one of the first branch; others are taken as well.
		for i, b := range n.branches {
			if out, err := left.append(appendLong(dst, int64(i)), b, v); err == nil {
				return out, nil
			}
		}
	}
	return nil, fmt.Errorf("the default of the schema, %.100v, is no %s", v, n.describe())
}

func appendBoolean(dst []byte, v bool) []byte {
	if v {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func appendNumber(dst []byte, n *node, x json.Number) ([]byte, error) {
	switch n.kind {
	case kindFloat, kindDouble:
		// What is too big for a double has become infinite, as in Java.
		f, _ := strconv.ParseFloat(x.String(), 64)
		if n.kind == kindFloat {
			return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(f))), nil
		}
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f)), nil
	}
	i, err := x.Int64()
	if err != nil || n.kind == kindInt && i != int64(int32(i)) {
		return nil, fmt.Errorf("the default of the schema, %s, is no %s", x, n.describe())
	}
	return appendLong(dst, i), nil
}

// appendDefaultBytes writes bytes, which stand in the schema as the characters of the same numbers.
func appendDefaultBytes(dst []byte, n *node, x string) ([]byte, error) {
	count := utf8.RuneCountInString(x)
	if n.kind == kindBytes {
		dst = appendLong(dst, int64(count))
	} else if count != n.size {
		return nil, fmt.Errorf("the default of the schema has %d bytes instead of %d", count, n.size)
	}
	for _, r := range x {
		if r > 0xff {
			return nil, fmt.Errorf("the default of the schema has the character %q, which is no byte", r)
		}
		dst = append(dst, byte(r))
	}
	return dst, nil
}

func (left *defaults) items(dst []byte, n *node, list []any) (_ []byte, err error) {
	if len(list) > 0 {
		dst = appendLong(dst, int64(len(list)))
		for _, item := range list {
			if dst, err = left.append(dst, n.items, item); err != nil {
				return nil, err
			}
		}
	}
	return append(dst, 0), nil
}

func (left *defaults) object(dst []byte, n *node, m map[string]any) (_ []byte, err error) {
	if n.kind == kindRecord {
		for _, f := range n.fields {
			v, ok := m[f.name]
			if !ok {
				if !f.hasDefault {
					return nil, fmt.Errorf("the default of the schema lacks the field %s", f.name)
				}
				v = f.def
			}
			if dst, err = left.append(dst, f.typ, v); err != nil {
				return nil, err
			}
		}
		return dst, nil
	}
	if len(m) > 0 {
		dst = appendLong(dst, int64(len(m)))
		keys := make([]string, 0, len(m))
		for k := range m {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			dst = append(appendLong(dst, int64(len(k))), k...)
			if dst, err = left.append(dst, n.items, m[k]); err != nil {
				return nil, err
			}
		}
	}
	return append(dst, 0), nil
}
