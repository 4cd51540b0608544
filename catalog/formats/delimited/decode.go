package delimited

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

type decoder struct {
	columns   []types.Column
	locs      []types.Loc
	delimiter []byte
	scratch   []byte
	// special is whether a byte ends an unquoted field.
	special [256]bool
}

func newDecoder(spec *formats.Spec) *decoder {
	text, _ := delimiter(spec) // Check has accepted it
	d := &decoder{columns: spec.Columns, locs: spec.Locs, delimiter: []byte(text)}
	d.special[d.delimiter[0]], d.special['\n'], d.special['\r'] = true, true, true
	return d
}

// Decode reads the first line of data; see [formats.Decoder].
func (d *decoder) Decode(data []byte, row *types.Row) error {
	d.scratch = d.scratch[:0]
	i := 0
	for i < len(data) && (data[i] == '\n' || data[i] == '\r') { // empty lines do not count
		i++
	}
	if i == len(data) && len(d.columns) > 0 {
		return errors.New("No fields in record")
	}
	fields := 0
	for more := true; more && i <= len(data); fields++ {
		text, next, err := d.field(data, i)
		if err != nil {
			return err
		}
		if fields < len(d.columns) && d.locs[fields].Class != types.ClassNone {
			if err := d.set(fields, text, row); err != nil {
				return err
			}
		}
		i, more = d.passDelimiter(data, next)
	}
	if fields != len(d.columns) {
		return fmt.Errorf("Unexpected field count, csvFields:%d schemaFields:%d", fields, len(d.columns))
	}
	return nil
}

func (d *decoder) passDelimiter(data []byte, i int) (next int, more bool) {
	if bytes.HasPrefix(data[i:], d.delimiter) {
		return i + len(d.delimiter), true
	}
	return i, false
}

// field reads the field at i; next is the index of the delimiter or line end behind it.
func (d *decoder) field(data []byte, i int) (text []byte, next int, err error) {
	if i < len(data) && data[i] == '"' {
		return d.quoted(data, i)
	}
	next = i
	for next < len(data) && (!d.special[data[next]] || !d.endsField(data, next)) {
		next++
	}
	return data[i:next:next], next, nil
}

// endsField reports whether an unquoted field ends at i.
func (d *decoder) endsField(data []byte, i int) bool {
	return data[i] == '\n' || data[i] == '\r' || bytes.HasPrefix(data[i:], d.delimiter)
}

// quoted reads the field whose opening quote is at i.
func (d *decoder) quoted(data []byte, i int) ([]byte, int, error) {
	start := i + 1
	end := bytes.IndexByte(data[start:], '"')
	if end >= 0 && (start+end+1 == len(data) || data[start+end+1] != '"') {
		return d.afterQuote(data, data[start:start+end:start+end], start+end+1)
	}
	at := len(d.scratch)
	for {
		if end < 0 {
			return nil, 0, errors.New("the text ends inside a quoted field")
		}
		d.scratch = append(d.scratch, data[start:start+end]...)
		start += end + 1
		if start == len(data) || data[start] != '"' {
			break
		}
		d.scratch = append(d.scratch, '"')
		start++
		end = bytes.IndexByte(data[start:], '"')
	}
	return d.afterQuote(data, d.scratch[at:len(d.scratch):len(d.scratch)], start)
}

// afterQuote passes white space after a closing quote and refuses anything else before the next delimiter.
func (d *decoder) afterQuote(data, text []byte, i int) ([]byte, int, error) {
	for i < len(data) && (data[i] == ' ' || data[i] == '\t') && !bytes.HasPrefix(data[i:], d.delimiter) {
		i++
	}
	if i < len(data) && data[i] != '\n' && data[i] != '\r' && !bytes.HasPrefix(data[i:], d.delimiter) {
		return nil, 0, fmt.Errorf("unexpected character %q at byte %d between a quoted field and the delimiter", data[i], i)
	}
	return text, i, nil
}

// set stores the text of column i, converted to its type.
func (d *decoder) set(i int, text []byte, row *types.Row) error {
	loc, t := d.locs[i], d.columns[i].Type
	if len(text) == 0 {
		row.SetNull(loc)
		return nil
	}
	var err error
	switch t.Kind {
	case types.String:
		text, d.scratch = formats.ValidText(text, d.scratch)
		row.SetBytes(loc, text)
	case types.Bigint, types.Timestamp:
		err = d.setInt(row, loc, text, 64)
	case types.Int, types.Date:
		err = d.setInt(row, loc, text, 32)
	case types.Time:
		if err = d.setInt(row, loc, text, 32); err == nil && uint64(row.I[loc.Slot]) >= uint64(types.DayMs) {
			err = errors.New("Time values must use number of milliseconds greater than 0 and less than 86400000.")
		}
	case types.Double:
		v, ok := formats.ParseDouble(types.Text(text))
		if !ok {
			err = fmt.Errorf("%q is no number", clip(text))
		}
		row.SetDouble(loc, v)
	case types.Boolean: // as Java's parseBoolean: anything but true is false
		v := int64(0)
		if bytes.EqualFold(text, []byte("true")) {
			v = 1
		}
		row.SetInt64(loc, v)
	case types.Bytes:
		at := len(d.scratch)
		d.scratch = slices.Grow(d.scratch, base64.StdEncoding.DecodedLen(len(text)))
		var n int
		n, err = base64.StdEncoding.Decode(d.scratch[at:cap(d.scratch)], text)
		d.scratch = d.scratch[:at+n]
		row.SetBytes(loc, d.scratch[at:at+n:at+n])
	case types.Decimal:
		dec, bad := types.ParseDecimal(types.Text(text))
		if bad == nil {
			bad = formats.FitDecimal(dec, t)
		}
		err = bad
		row.SetRef(loc, dec)
	default:
		err = errors.New("the type is not supported")
	}
	if err != nil {
		return fmt.Errorf("column %s of type %s: %w", types.QuoteName(d.columns[i].Name), t, err)
	}
	return nil
}

// setInt stores an integer of the given number of bits.
func (d *decoder) setInt(row *types.Row, loc types.Loc, text []byte, bits int) error {
	v, err := strconv.ParseInt(types.Text(text), 10, bits)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return fmt.Errorf("%q is out of range", clip(text))
	case err != nil:
		return fmt.Errorf("%q is no integer", clip(text))
	}
	row.SetInt64(loc, v)
	return nil
}

// clip keeps messages short.
func clip(text []byte) []byte {
	const most = 64
	return text[:min(len(text), most)]
}
