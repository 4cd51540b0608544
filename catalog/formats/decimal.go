package formats

import (
	"errors"
	"math/big"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// AppendUnscaled appends the digits of a DECIMAL without its point as Java's BigInteger.toByteArray writes them: two's
// complement, big-endian, the fewest bytes that have a sign bit.
func AppendUnscaled(dst []byte, d *apd.Decimal) []byte {
	v := d.Coeff.MathBigInt()
	negative := d.Negative && v.Sign() != 0
	if negative {
		v.Sub(v, big.NewInt(1)) // -v has the bits of v-1, inverted.
	}
	at := len(dst)
	b := v.Bytes()
	if len(b) == 0 || b[0]&0x80 != 0 {
		dst = append(dst, 0)
	}
	dst = append(dst, b...)
	if negative {
		for i := at; i < len(dst); i++ {
			dst[i] = ^dst[i]
		}
	}
	return dst
}

// maxUnscaled bounds a number: the digits of the widest DECIMAL take less.
const maxUnscaled = 1 << 10

// Unscaled reads what AppendUnscaled writes as a number with so many digits behind the point, and brings it to the scale of the
// DECIMAL type t without losing a digit.
func Unscaled(b []byte, scale int, t *types.Type) (*apd.Decimal, error) {
	if len(b) > maxUnscaled || scale < -1000 || scale > 1000 {
		return nil, errors.New("no DECIMAL that fits " + t.String())
	}
	v := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
	}
	d := &apd.Decimal{Negative: v.Sign() < 0, Exponent: int32(-scale)}
	d.Coeff.SetMathBigInt(v.Abs(v))
	if err := FitDecimal(d, t); err != nil {
		return nil, err
	}
	return d, nil
}
