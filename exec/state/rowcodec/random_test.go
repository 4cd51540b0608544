package rowcodec

import (
	"math"
	"math/big"
	"math/rand/v2"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// keyTypes are types that may be keys, nested ones included.
func keyTypes() []*types.Type {
	return []*types.Type{
		types.BooleanType, types.IntType, types.BigintType, types.DoubleType, types.DecimalOf(4, 2),
		types.DecimalOf(40, 10), types.StringType, types.BytesType, types.DateType, types.TimeType,
		types.TimestampType, types.ArrayOf(types.StringType), types.ArrayOf(types.ArrayOf(types.IntType)),
		types.StructOf(types.Field{Name: "A", Type: types.StringType}, types.Field{Name: "B", Type: types.DecimalOf(6, 1)}),
		types.ArrayOf(types.StructOf(types.Field{Name: "A", Type: types.BytesType})),
	}
}

// valueTypes are types of value columns.
func valueTypes() []*types.Type {
	return append(keyTypes(),
		types.MapOf(types.StringType, types.BigintType),
		types.MapOf(types.StringType, types.ArrayOf(types.DoubleType)),
		types.StructOf(types.Field{Name: "M", Type: types.MapOf(types.StringType, types.BooleanType)}),
	)
}

func columnsOf(ts []*types.Type) []types.Column {
	cols := make([]types.Column, len(ts))
	for i, t := range ts {
		cols[i] = types.Column{Name: string(rune('A' + i)), Type: t}
	}
	return cols
}

// pieces make strings that differ late, hold NULs and characters on both sides of the surrogates.
var pieces = []string{"", "a", "ab", "\x00", "\x00\x01", "\x00\u00ff", "é", "\uabcd", "\ue000", "\uffff", "\U00010000", "\U0010ffff", "longer text"}

// randomBoxed returns a boxed value of type t, nil now and then if nullable.
func randomBoxed(r *rand.Rand, t *types.Type, nullable bool) any {
	if nullable && r.IntN(6) == 0 {
		return nil
	}
	switch t.Kind {
	case types.Boolean:
		return r.IntN(2) == 0
	case types.Int:
		return int32(randomInt(r))
	case types.Bigint:
		return randomInt(r)
	case types.Double:
		specials := []float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), -1.5, 1.5, math.MaxFloat64, math.SmallestNonzeroFloat64}
		if r.IntN(2) == 0 {
			return specials[r.IntN(len(specials))]
		}
		return (r.Float64() - 0.5) * math.Pow(10, float64(r.IntN(20)-10))
	case types.Decimal:
		return randomDecimal(r, t)
	case types.String:
		s := ""
		for range r.IntN(4) {
			s += pieces[r.IntN(len(pieces))]
		}
		return s
	case types.Bytes:
		b := make([]byte, r.IntN(5))
		for i := range b {
			b[i] = []byte{0, 1, 0x7f, 0x80, 0x81, 0xff}[r.IntN(6)]
		}
		return b
	case types.Date:
		return types.DateValue(randomInt(r))
	case types.Time:
		return types.TimeValue(r.IntN(86_400_000))
	case types.Timestamp:
		return types.TimestampValue(randomInt(r))
	case types.Array:
		list := make([]any, r.IntN(4))
		for i := range list {
			list[i] = randomBoxed(r, t.Elem, true)
		}
		return list
	case types.Map:
		m := &types.MapValue{}
		for range r.IntN(4) {
			m.Put(randomBoxed(r, t.Key, false), randomBoxed(r, t.Elem, true))
		}
		return m
	case types.Struct:
		s := make(types.StructValue, len(t.Fields))
		for i, f := range t.Fields {
			s[i] = randomBoxed(r, f.Type, true)
		}
		return s
	}
	panic("no value of " + t.String())
}

func randomInt(r *rand.Rand) int64 {
	specials := []int64{0, 1, -1, math.MaxInt64, math.MinInt64, math.MaxInt32, math.MinInt32, 255, 256, -256}
	if r.IntN(3) == 0 {
		return specials[r.IntN(len(specials))]
	}
	return int64(r.Uint64()) >> r.IntN(64)
}

func randomDecimal(r *rand.Rand, t *types.Type) *apd.Decimal {
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(1+r.IntN(t.Precision))), nil)
	n := new(big.Int)
	for n.BitLen() < limit.BitLen() {
		n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(r.Uint64()))
	}
	n.Mod(n, limit)
	d := apd.NewWithBigInt(new(apd.BigInt).SetMathBigInt(n), -int32(t.Scale))
	d.Negative = n.Sign() != 0 && r.IntN(2) == 0
	return d
}
