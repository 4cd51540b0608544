package json

import (
	"strconv"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Append appends a boxed value of type t, as the encoder writes it; nil is null.
func Append(dst []byte, t *types.Type, v any) []byte { return appendBoxed(dst, t, v) }

// AppendText appends a text in quotes.
func AppendText(dst, text []byte) []byte { return appendString(dst, text) }

// AppendColumn appends a column of a row that is not null, as the encoder writes it, without boxing it.
func AppendColumn(dst []byte, t *types.Type, row *types.Row, loc types.Loc) []byte {
	switch t.Kind {
	case types.Bigint, types.Int, types.Date, types.Time, types.Timestamp:
		return appendInt(dst, row.I[loc.Slot])
	case types.String:
		return appendString(dst, row.B[loc.Slot])
	case types.Double:
		return appendDouble(dst, row.Double(loc))
	case types.Boolean:
		return strconv.AppendBool(dst, row.I[loc.Slot] != 0)
	case types.Bytes:
		return appendBase64(dst, row.B[loc.Slot])
	}
	return appendBoxed(dst, t, row.R[loc.Slot])
}
