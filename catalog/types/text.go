package types

import (
	"encoding/base64"
	"math"
	"strconv"

	"github.com/cockroachdb/apd/v3"
)

// FormatDouble prints f as Java's Double.toString does: 1.0, 1.0E10, 1.0E-5, NaN, Infinity.
func FormatDouble(f float64) string { return string(AppendDouble(nil, f)) }

// AppendDouble appends the text of [FormatDouble].
func AppendDouble(dst []byte, f float64) []byte {
	switch {
	case f != f:
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	abs := math.Abs(f)
	if abs == 0 || abs >= 1e-3 && abs < 1e7 {
		at := len(dst)
		dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
		for _, c := range dst[at:] {
			if c == '.' {
				return dst
			}
		}
		return append(dst, '.', '0')
	}
	var scratch [32]byte
	b := strconv.AppendFloat(scratch[:0], f, 'e', -1, 64)
	e := len(b) - 1
	for b[e] != 'e' {
		e--
	}
	mantissa, exponent := b[:e], b[e+1:]
	dst = append(dst, mantissa...)
	hasPoint := false
	for _, c := range mantissa {
		hasPoint = hasPoint || c == '.'
	}
	if !hasPoint {
		dst = append(dst, '.', '0')
	}
	dst = append(dst, 'E')
	if exponent[0] == '-' {
		dst = append(dst, '-')
	}
	exponent = exponent[1:]
	for len(exponent) > 1 && exponent[0] == '0' {
		exponent = exponent[1:]
	}
	return append(dst, exponent...)
}

// FormatBoxed prints a boxed value as CAST to STRING does: numbers and times plainly, BYTES as base64, collections as
// Java prints them ([1, 2], {a=1}, Struct{A=1}). nil prints as null.
func FormatBoxed(t *Type, v any) string { return string(AppendBoxed(nil, t, v)) }

// AppendBoxed appends the text of [FormatBoxed].
func AppendBoxed(dst []byte, t *Type, v any) []byte {
	switch x := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, x)
	case int32:
		return strconv.AppendInt(dst, int64(x), 10)
	case int64:
		return strconv.AppendInt(dst, x, 10)
	case float64:
		return AppendDouble(dst, x)
	case *apd.Decimal:
		return AppendDecimal(dst, x)
	case string:
		return append(dst, x...)
	case []byte:
		return base64.StdEncoding.AppendEncode(dst, x)
	case DateValue:
		return AppendDate(dst, int64(x))
	case TimeValue:
		return AppendTime(dst, int64(x))
	case TimestampValue:
		return AppendTimestamp(dst, int64(x))
	case []any:
		return appendArray(dst, t, x)
	case *MapValue:
		return appendMap(dst, t, x)
	case StructValue:
		return appendStruct(dst, t, x)
	}
	return dst
}

func appendArray(dst []byte, t *Type, items []any) []byte {
	dst = append(dst, '[')
	for i, v := range items {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = AppendBoxed(dst, t.Elem, v)
	}
	return append(dst, ']')
}

func appendMap(dst []byte, t *Type, m *MapValue) []byte {
	dst = append(dst, '{')
	for i, k := range m.Keys {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = AppendBoxed(dst, t.Key, k)
		dst = append(dst, '=')
		dst = AppendBoxed(dst, t.Elem, m.Values[i])
	}
	return append(dst, '}')
}

// appendStruct leaves null fields out, as Kafka Connect's Struct prints itself.
func appendStruct(dst []byte, t *Type, fields StructValue) []byte {
	dst = append(dst, "Struct{"...)
	first := true
	for i, v := range fields {
		if v == nil {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(dst, t.Fields[i].Name...), '=')
		dst = AppendBoxed(dst, t.Fields[i].Type, v)
	}
	return append(dst, '}')
}
