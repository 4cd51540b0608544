package json

import (
	"encoding/base64"
	"slices"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// value reads the value at i into column f and returns the index after it, or -1.
func (d *decoder) value(b []byte, i int, f *field, row *types.Row) int {
	if i >= len(b) {
		return d.fail(len(b), "the text ends where a value should be")
	}
	if b[i] == 'n' {
		row.SetNull(f.loc)
		return d.skipWord(b, i)
	}
	switch f.kind {
	case types.Bigint, types.Int, types.Timestamp, types.Date, types.Time:
		v, end := d.integer(b, i, f.typ, f.path())
		row.SetInt64(f.loc, v)
		return end
	case types.String:
		if b[i] == '"' {
			if end := plainRun(b, i+1); end < len(b) && b[end] == '"' {
				row.SetBytes(f.loc, b[i+1:end:end])
				return end + 1
			}
		}
		v, end := d.anyText(b, i, 1)
		row.SetBytes(f.loc, v)
		return end
	case types.Double:
		v, end := d.double(b, i, f.typ, f.path())
		row.SetDouble(f.loc, v)
		return end
	case types.Boolean:
		v, end := d.boolean(b, i, f.typ, f.path())
		row.SetInt64(f.loc, v)
		return end
	case types.Bytes:
		v, end := d.base64(b, i, f.typ, f.path())
		row.SetBytes(f.loc, v)
		return end
	}
	v, end := d.boxed(b, i, f.typ, f.path(), 0)
	if end >= 0 {
		row.SetRef(f.loc, v)
	}
	return end
}

// boolean reads true or false; nothing else becomes a BOOLEAN.
func (d *decoder) boolean(b []byte, i int, t *types.Type, p *path) (int64, int) {
	end := d.skipValue(b, i, 1)
	if end < 0 {
		return 0, -1
	}
	switch b[i] {
	case 't':
		return 1, end
	case 'f':
		return 0, end
	}
	return 0, d.mismatch(b, i, t, p)
}

// text reads the string whose opening quote is at i, unescaped: it points into b or into the decoder's scratch.
func (d *decoder) text(b []byte, i int) (text []byte, end int, ok bool) {
	end, escaped := d.scanString(b, i+1)
	if end < 0 {
		return nil, -1, false
	}
	text = b[i+1 : end : end]
	if escaped {
		at := len(d.scratch)
		d.scratch = unescape(d.scratch, text)
		text = d.scratch[at:len(d.scratch):len(d.scratch)]
	}
	return text, end + 1, true
}

// base64 reads BYTES.
func (d *decoder) base64(b []byte, i int, t *types.Type, p *path) ([]byte, int) {
	if b[i] != '"' {
		if d.skipValue(b, i, 1) < 0 {
			return nil, -1
		}
		return nil, d.mismatch(b, i, t, p)
	}
	text, end, ok := d.text(b, i)
	if !ok {
		return nil, -1
	}
	at := len(d.scratch)
	d.scratch = slices.Grow(d.scratch, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(d.scratch[at:cap(d.scratch)], text)
	if err != nil {
		return nil, d.mismatch(b, i, t, p)
	}
	d.scratch = d.scratch[:at+n]
	return d.scratch[at : at+n : at+n], end
}

// anyText reads any value but null as a STRING, as ksqlDB does: numbers and booleans as they are written, an array as
// [a, b] of such texts, an object as JSON with its names sorted.
func (d *decoder) anyText(b []byte, i, depth int) ([]byte, int) {
	if b[i] == '"' {
		text, end, ok := d.text(b, i)
		if !ok {
			return nil, -1
		}
		return text, end
	}
	end := d.skipValue(b, i, depth)
	if end < 0 {
		return nil, -1
	}
	at := len(d.scratch)
	d.scratch, _ = d.appendText(d.scratch, b, i, false)
	return d.scratch[at:len(d.scratch):len(d.scratch)], end
}
