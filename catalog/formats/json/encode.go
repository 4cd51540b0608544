package json

import (
	"encoding/base64"
	"math"
	"strconv"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// encoder writes one side of a topic: fields in schema order, nulls written as null.
type encoder struct {
	columns   []outColumn
	unwrapped bool
}

type outColumn struct {
	typ *types.Type
	loc types.Loc
	// lead is what stands before the value: the brace or comma, the name, the colon.
	lead string
}

func newEncoder(spec *formats.Spec) *encoder {
	e := &encoder{unwrapped: spec.Unwrapped}
	for i, c := range spec.Columns {
		open := byte(',')
		if i == 0 {
			open = '{'
		}
		lead := append(appendString([]byte{open}, []byte(c.Name)), ':')
		if spec.Unwrapped {
			lead = nil
		}
		e.columns = append(e.columns, outColumn{c.Type, spec.Locs[i], string(lead)})
	}
	return e
}

// Append writes a record; see [formats.Encoder]. An unwrapped null column is null bytes.
func (e *encoder) Append(dst []byte, row *types.Row) ([]byte, bool, error) {
	if e.unwrapped && row.IsNull(e.columns[0].loc) {
		return dst, true, nil
	}
	for i := range e.columns {
		c := &e.columns[i]
		dst = append(dst, c.lead...)
		if row.IsNull(c.loc) {
			dst = append(dst, "null"...)
			continue
		}
		dst = AppendColumn(dst, c.typ, row, c.loc)
	}
	switch {
	case e.unwrapped:
	case len(e.columns) == 0:
		dst = append(dst, '{', '}')
	default:
		dst = append(dst, '}')
	}
	return dst, false, nil
}

func appendBase64(dst, v []byte) []byte {
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, v)
	return append(dst, '"')
}

// appendBoxed appends a boxed value of type t.
func appendBoxed(dst []byte, t *types.Type, v any) []byte {
	switch x := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, x)
	case int32:
		return appendInt(dst, int64(x))
	case int64:
		return appendInt(dst, x)
	case types.DateValue:
		return appendInt(dst, int64(x))
	case types.TimeValue:
		return appendInt(dst, int64(x))
	case types.TimestampValue:
		return appendInt(dst, int64(x))
	case float64:
		return appendDouble(dst, x)
	case string:
		return appendString(dst, types.TextBytes(x))
	case []byte:
		return appendBase64(dst, x)
	case *apd.Decimal:
		return types.AppendDecimal(dst, x)
	case []any:
		dst = append(dst, '[')
		for i, item := range x {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendBoxed(dst, t.Elem, item)
		}
		return append(dst, ']')
	case *types.MapValue:
		dst = append(dst, '{')
		for i, k := range x.Keys {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendKey(dst, t.Key, k), ':')
			dst = appendBoxed(dst, t.Elem, x.Values[i])
		}
		return append(dst, '}')
	case types.StructValue:
		dst = append(dst, '{')
		for i, f := range x {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendString(dst, types.TextBytes(t.Fields[i].Name)), ':')
			dst = appendBoxed(dst, t.Fields[i].Type, f)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

// appendKey writes a map's key as a member's name: texts as they are, anything else as its text, null as null.
func appendKey(dst []byte, t *types.Type, k any) []byte {
	if s, ok := k.(string); ok {
		return appendString(dst, types.TextBytes(s))
	}
	return appendString(dst, types.AppendBoxed(nil, t, k))
}

// appendDouble writes a double as Java prints it. NaN and the infinities, for which JSON has no numbers, stand in
// quotes, as ksqlDB writes them.
func appendDouble(dst []byte, v float64) []byte {
	if abs := math.Abs(v); abs >= 1e-3 && abs < 1e7 {
		if out, ok := appendShort(dst, v, abs); ok {
			return out
		}
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(types.AppendDouble(append(dst, '"'), v), '"')
	}
	return types.AppendDouble(dst, v)
}

// appendShort writes a double of few digits after the point, such as a price: the fewest digits n for which the nearest
// n-digit decimal is v again. With at most 15 digits in all, that decimal is unique and so is what the general algorithm
// would find. ok is false when v needs more digits.
func appendShort(dst []byte, v, abs float64) (out []byte, ok bool) {
	for n := 1; n <= 6; n++ {
		scaled := abs * powers[n]
		u := uint64(scaled + 0.5)
		if float64(u)/powers[n] != abs {
			continue
		}
		if v < 0 {
			dst = append(dst, '-')
		}
		whole := u / scale[n]
		fraction := u - whole*scale[n]
		dst = strconv.AppendUint(dst, whole, 10)
		dst = append(dst, ".000000"[:n+1]...)
		for i := len(dst) - 1; fraction > 0; i-- {
			dst[i] = byte('0' + fraction%10)
			fraction /= 10
		}
		return dst, true
	}
	return dst, false
}
