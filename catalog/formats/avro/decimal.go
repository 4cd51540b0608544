package avro

import (
	"encoding/binary"
	"errors"
	"math/big"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Bounds of decimals: the digits of the widest DECIMAL that anybody declares take less.
const (
	maxDecimalBytes = 1 << 10
	maxScale        = 1 << 10
)

// decimal reads an unscaled number in two's complement, big-endian.
func (d *decoder) decimal(s *step, b []byte, i int) (any, int) {
	var unscaled []byte
	if s.from.kind == kindFixed {
		unscaled, i = take(b, i, s.from.size)
	} else {
		unscaled, i = lengthPrefixed(b, i)
	}
	if i < 0 {
		return nil, d.malformed()
	}
	x, err := decimalOf(unscaled, s.from.scale)
	if err == nil {
		err = formats.FitDecimal(x, s.target)
	}
	if err != nil {
		return nil, d.fail(err)
	}
	return x, i
}

func decimalOf(b []byte, scale int) (*apd.Decimal, error) {
	switch {
	case len(b) == 0:
		return nil, errors.New("a decimal has no bytes")
	case len(b) > maxDecimalBytes || scale > maxScale || scale < -maxScale:
		return nil, errors.New("a decimal is too big")
	case len(b) <= 8:
		var whole [8]byte
		if b[0]&0x80 != 0 {
			whole = [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
		}
		copy(whole[8-len(b):], b)
		return apd.New(int64(binary.BigEndian.Uint64(whole[:])), int32(-scale)), nil
	}
	v := new(big.Int).SetBytes(b)
	if b[0]&0x80 != 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
	}
	x := &apd.Decimal{Negative: v.Sign() < 0, Exponent: int32(-scale)}
	x.Coeff.SetMathBigInt(v.Abs(v))
	return x, nil
}

// appendUnscaled writes the digits of x, which has the scale of its schema, as the fewest bytes that have a sign bit.
func appendUnscaled(dst []byte, x *apd.Decimal) []byte {
	if x.Coeff.IsInt64() {
		v := x.Coeff.Int64()
		if x.Negative {
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
	v := x.Coeff.MathBigInt()
	if !x.Negative {
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

// rescaled is x with the scale of a schema, x itself when it has it already. No digit may be lost.
func rescaled(x *apd.Decimal, scale int) (*apd.Decimal, error) {
	if int(x.Exponent) == -scale {
		return x, nil
	}
	out := new(apd.Decimal)
	return out, types.SetScale(out, x, scale, apd.RoundDown, true)
}
