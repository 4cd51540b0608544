package formats

import (
	"fmt"
	"math"
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

// ParseDouble reads the text of a double as Java's Double.parseDouble does, NaN and the infinities included: CAST refuses
// those, formats do not.
func ParseDouble(s string) (v float64, ok bool) {
	switch strings.TrimSpace(s) {
	case "NaN", "+NaN", "-NaN":
		return math.NaN(), true
	case "Infinity", "+Infinity":
		return math.Inf(1), true
	case "-Infinity":
		return math.Inf(-1), true
	}
	v, err := types.ParseDouble(s)
	return v, err == nil
}

// FitDecimal brings x, which it may change, to the scale of the DECIMAL type t without losing a digit, or says with
// ksqlDB's text that it does not fit.
func FitDecimal(x *apd.Decimal, t *types.Type) error {
	d := new(apd.Decimal).Set(x)
	if err := types.SetScale(x, d, t.Scale, apd.RoundDown, true); err != nil || types.FitDecimal(x, t) != nil {
		scale := max(0, -int(d.Exponent))
		return fmt.Errorf("Cannot fit decimal '%s' into %s without rounding. (Requires %d,%d)",
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
