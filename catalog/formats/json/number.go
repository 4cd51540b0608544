package json

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// integer reads the number or numeric text at i as a 64-bit integer, dropping a fraction. Numbers that do not fit, and
// limits beyond lo..hi, are errors.
func (d *decoder) integer(b []byte, i int, t *types.Type, p *path) (v int64, end int) {
	at := i
	neg := false
	if i < len(b) && b[i] == '-' {
		neg = true
		i++
	}
	first := i
	u, i := digits(b, i, 0)
	n := i - first
	if n == 0 || n > 18 || b[first] == '0' && n > 1 || i < len(b) && (b[i] == '.' || b[i]|0x20 == 'e') {
		return d.oddInteger(b, at, t, p)
	}
	v = int64(u)
	if neg {
		v = -v
	}
	if t.Kind == types.Bigint || t.Kind == types.Timestamp || inRange(v, t.Kind) {
		return v, i
	}
	return 0, d.outOfRange(b[at:i], t, p)
}

// inRange reports whether v can be a value of the kind.
func inRange(v int64, k types.Kind) bool {
	switch k {
	case types.Int, types.Date:
		return v == int64(int32(v))
	case types.Time:
		return v >= 0 && v < 86_400_000
	}
	return true
}

// oddInteger reads what is no short plain integer: long numbers, fractions, exponents, numbers in text.
func (d *decoder) oddInteger(b []byte, i int, t *types.Type, p *path) (int64, int) {
	var text []byte
	var end int
	switch c := b[i]; {
	case c == '"':
		var ok bool
		if text, end, ok = d.text(b, i); !ok {
			return 0, -1
		}
		v, err := strconv.ParseInt(types.Text(text), 10, 64)
		switch {
		case errors.Is(err, strconv.ErrRange), err == nil && !inRange(v, t.Kind):
			return 0, d.outOfRange(text, t, p)
		case err != nil:
			return 0, d.mismatch(b, i, t, p)
		}
		return v, end
	case c == '-' || c-'0' < 10:
		if end = d.skipNumber(b, i); end < 0 {
			return 0, -1
		}
		text = b[i:end]
	default:
		if end = d.skipValue(b, i, 1); end < 0 {
			return 0, -1
		}
		return 0, d.mismatch(b, i, t, p)
	}
	v, ok := truncate(text)
	if !ok || !inRange(v, t.Kind) {
		return 0, d.outOfRange(text, t, p)
	}
	return v, end
}

// truncate gives the whole part of a number's text; ok is false when it does not fit in 64 bits.
func truncate(text []byte) (v int64, ok bool) {
	s := types.Text(text)
	if v, err := strconv.ParseInt(s, 10, 64); err == nil {
		return v, true
	}
	dec, err := types.ParseDecimal(s)
	if err != nil {
		return 0, false
	}
	switch digits := dec.NumDigits() + int64(dec.Exponent); {
	case digits <= 0 || dec.IsZero():
		return 0, true
	case digits > 19:
		return 0, false
	}
	if err := types.SetScale(dec, dec, 0, apd.RoundDown, false); err != nil {
		return 0, false
	}
	v, err = dec.Int64()
	return v, err == nil
}

// double reads the number or numeric text at i.
func (d *decoder) double(b []byte, i int, t *types.Type, p *path) (v float64, end int) {
	c := b[i]
	if c != '-' && c-'0' >= 10 {
		return d.oddDouble(b, i, t, p)
	}
	if v, end, ok := shortDouble(b, i); ok {
		return v, end
	}
	if end = d.skipNumber(b, i); end < 0 {
		return 0, -1
	}
	v, _ = strconv.ParseFloat(types.Text(b[i:end]), 64) // too large: infinity, as Java
	return v, end
}

// powers of ten that a double holds exactly.
var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// shortDouble reads a number of at most 15 digits without an exponent. Its digits and its power of ten are then exact
// doubles, so one division rounds correctly.
func shortDouble(b []byte, i int) (v float64, end int, ok bool) {
	neg := b[i] == '-'
	if neg {
		i++
	}
	first := i
	u, i := digits(b, i, 0)
	whole, fraction := i-first, 0
	if whole == 0 || b[first] == '0' && whole > 1 || whole > 15 {
		return 0, 0, false
	}
	if i < len(b) && b[i] == '.' {
		point := i + 1
		u, i = digits(b, point, u)
		if fraction = i - point; fraction == 0 || whole+fraction > 15 {
			return 0, 0, false
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		return 0, 0, false
	}
	v = float64(u)
	if fraction > 0 {
		v /= powers[fraction]
	}
	if neg {
		v = -v
	}
	return v, i, true
}

// oddDouble reads a DOUBLE given as text; NaN and the infinities are what ksqlDB itself writes in quotes.
func (d *decoder) oddDouble(b []byte, i int, t *types.Type, p *path) (float64, int) {
	if b[i] != '"' {
		if d.skipValue(b, i, 1) < 0 {
			return 0, -1
		}
		return 0, d.mismatch(b, i, t, p)
	}
	text, end, ok := d.text(b, i)
	if !ok {
		return 0, -1
	}
	v, ok := formats.ParseDouble(types.Text(text))
	if !ok {
		return 0, d.mismatch(b, i, t, p)
	}
	return v, end
}

// decimal reads the number or numeric text at i as a DECIMAL of type t: exactly, or it is an error.
func (d *decoder) decimal(b []byte, i int, t *types.Type, p *path) (*apd.Decimal, int) {
	var text []byte
	var end int
	switch c := b[i]; {
	case c == '"':
		var ok bool
		if text, end, ok = d.text(b, i); !ok {
			return nil, -1
		}
		if d.connect != nil && d.connect.DecimalText != nil {
			dec, err := d.connect.DecimalText(t, text)
			if err != nil {
				d.err = fmt.Errorf("%w, path: %s", err, p)
				return nil, -1
			}
			return dec, end
		}
	case c == '-' || c-'0' < 10:
		if end = d.skipNumber(b, i); end < 0 {
			return nil, -1
		}
		text = b[i:end]
	default:
		if d.skipValue(b, i, 1) < 0 {
			return nil, -1
		}
		return nil, d.mismatch(b, i, t, p)
	}
	dec, err := types.ParseDecimal(types.Text(text))
	if err != nil {
		return nil, d.mismatch(b, i, t, p)
	}
	if err := formats.FitDecimal(dec, t); err != nil {
		d.err = fmt.Errorf("%w, path: %s", err, p)
		return nil, -1
	}
	return dec, end
}
