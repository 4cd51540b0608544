package formats

import (
	"encoding/binary"
	"errors"
	"math/big"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// AppendUnscaled appends the digits of a DECIMAL without its point as Java's BigInteger.toByteArray writes them: two's
// complement, big-endian, the fewest bytes that have a sign bit.
func AppendUnscaled(dst []byte, d *apd.Decimal) []byte {
	if d.Coeff.IsInt64() {
		v := d.Coeff.Int64()
		if d.Negative {
			v = -v
		}
		n := 1
		for n < 8 && v != v<<(64-8*n)>>(64-8*n) {
			n++
		}
		for k := n - 1; k >= 0; k-- {
			dst = append(dst, byte(v>>(8*k)))
		}
		return dst
	}
	v := d.Coeff.MathBigInt()
	if !d.Negative {
		b := v.Bytes()
		if b[0]&0x80 != 0 {
			dst = append(dst, 0)
		}
		return append(dst, b...)
	}
	// -v has the bits of v-1, inverted.
	b := v.Sub(v, big.NewInt(1)).Bytes()
	if b[0]&0x80 != 0 {
		dst = append(dst, 0xff)
	}
	for _, c := range b {
		dst = append(dst, ^c)
	}
	return dst
}

// Bounds of a number: the digits of the widest DECIMAL that anybody declares take less.
const (
	maxUnscaled = 1 << 10
	maxScale    = 1 << 10
)

// Unscaled reads what AppendUnscaled writes as a number with so many digits behind the point, and brings it to the scale of the
// DECIMAL type t without losing a digit. No bytes are 0.
func Unscaled(b []byte, scale int, t *types.Type) (*apd.Decimal, error) {
	if len(b) > maxUnscaled || scale < -maxScale || scale > maxScale {
		return nil, errors.New("a number is too big for " + t.String())
	}
	d := unscaled(b, scale)
	if err := FitDecimal(d, t); err != nil {
		return nil, err
	}
	return d, nil
}

func unscaled(b []byte, scale int) *apd.Decimal {
	if len(b) <= 8 {
		var whole [8]byte
		if len(b) > 0 && b[0]&0x80 != 0 {
			whole = [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
		}
		copy(whole[8-len(b):], b)
		return apd.New(int64(binary.BigEndian.Uint64(whole[:])), int32(-scale))
	}
	v := new(big.Int).SetBytes(b)
	if b[0]&0x80 != 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
	}
	d := &apd.Decimal{Negative: v.Sign() < 0, Exponent: int32(-scale)}
	d.Coeff.SetMathBigInt(v.Abs(v))
	return d
}
