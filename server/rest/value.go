package rest

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/server/api"
)

// appendValue appends a boxed value of type t as the REST answers write it.
func appendValue(b []byte, t *types.Type, v any) []byte {
	switch x := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, x)
	case int32:
		return strconv.AppendInt(b, int64(x), 10)
	case int64:
		return strconv.AppendInt(b, x, 10)
	case float64:
		return appendDouble(b, x)
	case *apd.Decimal:
		return append(b, x.Text('f')...)
	case string:
		return appendText(b, x)
	case []byte:
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, x)
		return append(b, '"')
	case types.DateValue:
		return time.Unix(int64(x)*86400, 0).UTC().AppendFormat(b, `"2006-01-02"`)
	case types.TimeValue:
		return appendTime(b, int64(x))
	case types.TimestampValue:
		return time.UnixMilli(int64(x)).UTC().AppendFormat(b, `"2006-01-02T15:04:05.000"`)
	case []any:
		return appendList(b, x, func(int) *types.Type { return t.Elem })
	case types.StructValue:
		b = append(b, '{')
		for i, f := range x {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendText(b, t.Fields[i].Name)
			b = append(b, ':')
			b = appendValue(b, t.Fields[i].Type, f)
		}
		return append(b, '}')
	case *types.MapValue:
		b = append(b, '{')
		for i, k := range x.Keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendText(b, fmt.Sprint(k))
			b = append(b, ':')
			b = appendValue(b, t.Elem, x.Values[i])
		}
		return append(b, '}')
	}
	return appendText(b, fmt.Sprint(v))
}

func appendList(b []byte, list []any, elem func(int) *types.Type) []byte {
	b = append(b, '[')
	for i, e := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, elem(i), e)
	}
	return append(b, ']')
}

// appendDouble writes a DOUBLE as Jackson does: shortest text, at least one fraction digit; NaN and infinities as text.
func appendDouble(b []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(b, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(v, -1):
		return append(b, `"-Infinity"`...)
	}
	return append(b, types.FormatDouble(v)...)
}

// appendTime writes a TIME: seconds only when they are not 0, milliseconds never, as ksqlDB does.
func appendTime(b []byte, ms int64) []byte {
	s := ms / 1000
	b = fmt.Appendf(b, `"%02d:%02d`, s/3600, s/60%60)
	if s%60 != 0 {
		b = fmt.Appendf(b, ":%02d", s%60)
	}
	return append(b, '"')
}

// appendText appends a JSON string. Most text needs no escapes.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, err := api.Encode(s)
			if err != nil {
				return append(b, `""`...)
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
