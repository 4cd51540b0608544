package avro

import (
	"errors"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// decimal reads an unscaled number in two's complement, big-endian.
func (d *decoder) decimal(s *step, b []byte, i int) (any, int) {
	var unscaled []byte
	if s.from.kind == kindFixed {
		unscaled, i = take(b, i, s.from.size)
	} else {
		unscaled, i = lengthPrefixed(b, i)
	}
	switch {
	case i < 0:
		return nil, d.malformed()
	case len(unscaled) == 0:
		return nil, d.fail(errors.New("a decimal has no bytes"))
	}
	x, err := formats.Unscaled(unscaled, s.from.scale, s.target)
	if err != nil {
		return nil, d.fail(err)
	}
	return x, i
}

// rescaled is x with the scale of a schema, x itself when it has it already. No digit may be lost.
func rescaled(x *apd.Decimal, scale int) (*apd.Decimal, error) {
	if int(x.Exponent) == -scale {
		return x, nil
	}
	out := new(apd.Decimal)
	return out, types.SetScale(out, x, scale, apd.RoundDown, true)
}
