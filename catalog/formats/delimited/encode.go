package delimited

import (
	"bytes"
	"encoding/base64"
	"strconv"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

type encoder struct {
	columns   []types.Column
	locs      []types.Loc
	delimiter []byte
	isKey     bool
	scratch   []byte
}

func newEncoder(spec *formats.Spec) *encoder {
	text, _ := delimiter(spec) // Check has accepted it
	return &encoder{columns: spec.Columns, locs: spec.Locs, delimiter: []byte(text), isKey: spec.IsKey}
}

// Append writes the columns; see [formats.Encoder]. A null column is an empty field, and a key of nothing but
// nulls is a null key.
func (e *encoder) Append(dst []byte, row *types.Row) ([]byte, bool, error) {
	nulls := 0
	for i := range e.columns {
		if i > 0 {
			dst = append(dst, e.delimiter...)
		}
		loc := e.locs[i]
		if row.IsNull(loc) {
			nulls++
			continue
		}
		if e.columns[i].Type.Kind == types.String {
			dst = e.appendText(dst, row.B[loc.Slot], i == 0)
			continue
		}
		e.scratch = appendScalar(e.scratch[:0], e.columns[i].Type.Kind, row, loc)
		dst = e.appendText(dst, e.scratch, i == 0)
	}
	return dst, e.isKey && nulls == len(e.columns), nil
}

// appendScalar appends the text of a value that is neither null nor a STRING.
func appendScalar(dst []byte, k types.Kind, row *types.Row, loc types.Loc) []byte {
	switch k {
	case types.Double:
		return types.AppendDouble(dst, row.Double(loc))
	case types.Boolean:
		return strconv.AppendBool(dst, row.I[loc.Slot] != 0)
	case types.Bytes:
		return base64.StdEncoding.AppendEncode(dst, row.B[loc.Slot])
	case types.Decimal:
		if dec, ok := row.R[loc.Slot].(*apd.Decimal); ok {
			return types.AppendDecimal(dst, dec)
		}
		return dst
	}
	return strconv.AppendInt(dst, row.I[loc.Slot], 10)
}

// appendText appends a field, quoted where Commons CSV (the version ksqlDB uses) quotes it.
func (e *encoder) appendText(dst, s []byte, first bool) []byte {
	if !e.mustQuote(s, first) {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	for {
		q := bytes.IndexByte(s, '"')
		if q < 0 {
			break
		}
		dst = append(append(dst, s[:q+1]...), '"')
		s = s[q+1:]
	}
	return append(append(dst, s...), '"')
}

// mustQuote follows Commons CSV's rules: an empty first field (it may be all there is on the line), a first field that
// does not start with a letter or digit, any field that starts with a character up to #, ends in white space, or holds
// a quote, a delimiter or a line end.
func (e *encoder) mustQuote(s []byte, first bool) bool {
	if len(s) == 0 {
		return first
	}
	c := s[0]
	alphanumeric := c-'0' < 10 || c|0x20 >= 'a' && c|0x20 <= 'z'
	if first && !alphanumeric || c <= '#' || s[len(s)-1] <= ' ' {
		return true
	}
	return bytes.IndexByte(s, '"') >= 0 || bytes.IndexByte(s, '\n') >= 0 || bytes.IndexByte(s, '\r') >= 0 ||
		bytes.Contains(s, e.delimiter)
}
