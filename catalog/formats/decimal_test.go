package formats

import (
	"testing"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func TestUnscaled(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"0", "1", "-1", "127", "128", "-128", "-129", "32767", "-32768", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
		"-9223372036854775809", "340282366920938463463374607431768211455", "-340282366920938463463374607431768211456", "99999999999999999999999999999999999999",
	} {
		x, _, err := apd.NewFromString(text)
		if err != nil {
			t.Fatal(err)
		}
		v := x.Coeff.MathBigInt()
		if x.Negative {
			v.Neg(v)
		}
		b := AppendUnscaled(nil, x)
		// As few bytes as hold the sign.
		if bits := len(b) * 8; len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
			t.Errorf("%s takes %d bits", text, bits)
		}
		got, err := Unscaled(b, 0, types.DecimalOf(60, 0))
		if err != nil || got.Cmp(x) != 0 {
			t.Errorf("%s becomes %s, %v", text, got, err)
		}
	}
}
