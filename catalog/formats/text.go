package formats

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// ValidText returns data when it is valid UTF-8, otherwise a copy appended to scratch in which each run of invalid bytes
// is U+FFFD, much as Java's decoding does it. The (possibly grown) scratch is returned for the next call; earlier texts
// stay valid until the caller truncates it.
func ValidText(data, scratch []byte) (text, grown []byte) {
	if utf8.Valid(data) {
		return data, scratch
	}
	at := len(scratch)
	bad := false
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		switch {
		case r != utf8.RuneError || n > 1:
			scratch = append(scratch, data[i:i+n]...)
			bad = false
		case !bad:
			scratch = utf8.AppendRune(scratch, utf8.RuneError)
			bad = true
		}
		i += n
	}
	return scratch[at:len(scratch):len(scratch)], scratch
}

// ParseDouble reads the text of a double as Java's Double.parseDouble does: white space around it, NaN, Infinity and a
// trailing d or f are allowed.
func ParseDouble(s string) (v float64, ok bool) {
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	body := strings.TrimLeft(s, "+-")
	switch {
	case len(s)-len(body) > 1 || body == "":
		return 0, false
	case body == "NaN":
		return math.NaN(), true
	case body == "Infinity":
		return math.Inf(1 - 2*strings.Count(s[:len(s)-len(body)], "-")), true
	case body[0] != '.' && (body[0] < '0' || body[0] > '9') || strings.ContainsAny(body, "_xX"):
		return 0, false
	}
	if last := s[len(s)-1] | 0x20; last == 'd' || last == 'f' {
		s = s[:len(s)-1]
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, false
	}
	return v, true // beyond the range: infinity or zero, as in Java
}

// FitDecimal brings x, which it may change, to the scale of the DECIMAL type t without losing a digit, or says with
// ksqlDB's text that it does not fit.
func FitDecimal(x *apd.Decimal, t *types.Type) error {
	d := new(apd.Decimal).Set(x)
	if err := types.SetScale(x, d, t.Scale, apd.RoundDown, true); err != nil || types.FitDecimal(x, t) != nil {
		scale := max(0, -int(d.Exponent))
		return fmt.Errorf("Cannot fit decimal '%s' into %s without rounding. (Requires %d,%d)", //nolint:staticcheck // ksqlDB's text
			abbreviate(d.String()), t, max(int(d.NumDigits()), scale), scale)
	}
	return nil
}

// abbreviate keeps messages short when the data is not.
func abbreviate(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}
