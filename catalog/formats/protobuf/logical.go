package protobuf

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/cockroachdb/apd/v3"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// appendVarints writes a message of integer fields numbered from 1, with its length; zeros are left out. It is for at most
// four fields, whose length takes one byte.
func appendVarints(dst []byte, list ...int64) []byte {
	at := len(dst)
	dst = append(dst, 0)
	for i, v := range list {
		if v != 0 {
			dst = protowire.AppendVarint(protowire.AppendTag(dst, protowire.Number(i+1), protowire.VarintType), uint64(v))
		}
	}
	dst[at] = byte(len(dst) - at - 1)
	return dst
}

// decimalType is the type of a column whose field is a Decimal: precision and scale stand among the options that Connect sets.
func decimalType(fd protoreflect.FieldDescriptor) (*types.Type, error) {
	t := types.DecimalOf(defaultPrecision, 0)
	raw, err := proto.Marshal(fd.Options())
	if err != nil {
		return nil, err
	}
	into := map[string]*int{"precision": &t.Precision, "scale": &t.Scale}
	if err := eachBytes(raw, metaNumber, func(meta []byte) error {
		return eachBytes(meta, 2, func(entry []byte) error {
			var key, text string
			if err := eachBytes(entry, 1, func(b []byte) error { key = string(b); return nil }); err != nil {
				return err
			}
			err := eachBytes(entry, 2, func(b []byte) error { text = string(b); return nil })
			if to, number := into[key], 0; to != nil {
				if _, bad := fmt.Sscan(text, &number); bad == nil {
					*to = number
				}
			}
			return err
		})
	}); err != nil {
		return nil, err
	}
	if t.Precision < 1 || t.Precision > maxPrecision || t.Scale < 0 || t.Scale > t.Precision {
		return nil, fmt.Errorf("field %s has no DECIMAL of %d digits, %d of them behind the point", fd.FullName(), t.Precision, t.Scale)
	}
	return t, nil
}

// defaultPrecision is that of a DECIMAL whose schema does not say it; maxPrecision bounds what it may say.
const (
	defaultPrecision = 64
	maxPrecision     = 1000
)

// eachBytes calls read with the contents of each field of a number that is bytes or a message.
func eachBytes(data []byte, number protowire.Number, read func([]byte) error) error {
	return eachField(data, func(have protowire.Number, wire protowire.Type, data []byte) (int, error) {
		if have != number || wire != protowire.BytesType {
			return skip(have, wire, data)
		}
		b, n := protowire.ConsumeBytes(data)
		if n < 0 {
			return 0, broken(n)
		}
		return n, read(b)
	})
}

const secondsOfDay = 24 * 60 * 60

func appendDate(dst []byte, days int64) []byte {
	year, month, day := time.Unix(days*secondsOfDay, 0).UTC().Date()
	return appendVarints(dst, int64(year), int64(month), int64(day))
}

func appendTime(dst []byte, ms int64) []byte {
	return appendVarints(dst, ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000*1_000_000)
}

func appendTimestamp(dst []byte, ms int64) []byte {
	seconds, rest := ms/1000, ms%1000
	if rest < 0 {
		seconds, rest = seconds-1, rest+1000
	}
	return appendVarints(dst, seconds, rest*1_000_000)
}

// appendDecimal writes the fields of a confluent.type.Decimal. Its precision is that of the number, as Connect writes it.
func appendDecimal(dst []byte, d *apd.Decimal) []byte {
	dst = protowire.AppendTag(dst, 1, protowire.BytesType)
	at := len(dst)
	dst = prefixLength(formats.AppendUnscaled(append(dst, 0), d), at)
	dst = protowire.AppendVarint(protowire.AppendTag(dst, 2, protowire.VarintType), uint64(d.NumDigits()))
	if d.Exponent != 0 {
		dst = protowire.AppendVarint(protowire.AppendTag(dst, 3, protowire.VarintType), uint64(int64(-d.Exponent)))
	}
	return dst
}

// varints reads a message of integer fields; others are skipped.
func varints(data []byte, into []int64) error {
	return eachField(data, func(number protowire.Number, wire protowire.Type, data []byte) (int, error) {
		if wire != protowire.VarintType || int(number) > len(into) {
			return skip(number, wire, data)
		}
		v, n := protowire.ConsumeVarint(data)
		if n < 0 {
			return 0, protowire.ParseError(n)
		}
		into[number-1] = int64(v)
		return n, nil
	})
}

func decodeDate(data []byte) (days int64, err error) {
	var v [3]int64
	if err := varints(data, v[:]); err != nil {
		return 0, err
	}
	if v[0] < -1_000_000_000 || v[0] > 1_000_000_000 || v[1] < 0 || v[1] > 12 || v[2] < 0 || v[2] > 31 {
		return 0, errors.New("no date")
	}
	seconds := time.Date(int(v[0]), time.Month(max(v[1], 1)), int(max(v[2], 1)), 0, 0, 0, 0, time.UTC).Unix()
	if days = seconds / secondsOfDay; days < math.MinInt32 || days > math.MaxInt32 {
		return 0, errors.New("no date")
	}
	return days, nil
}

func decodeTime(data []byte) (ms int64, err error) {
	var v [4]int64
	if err := varints(data, v[:]); err != nil {
		return 0, err
	}
	if v[0] < 0 || v[0] > 23 || v[1] < 0 || v[1] > 59 || v[2] < 0 || v[2] > 59 || v[3] < 0 || v[3] > 999_999_999 {
		return 0, errors.New("no time of day")
	}
	return v[0]*3_600_000 + v[1]*60_000 + v[2]*1000 + v[3]/1_000_000, nil
}

func decodeTimestamp(data []byte) (ms int64, err error) {
	var v [2]int64
	if err := varints(data, v[:]); err != nil {
		return 0, err
	}
	if limit := int64(math.MaxInt64 / 1000); v[0] >= limit || v[0] <= -limit || v[1] < 0 || v[1] > 999_999_999 {
		return 0, errors.New("no timestamp")
	}
	return v[0]*1000 + v[1]/1_000_000, nil
}

func decodeDecimal(data []byte, t *types.Type) (*apd.Decimal, error) {
	var unscaled []byte
	var scale int64
	err := eachField(data, func(number protowire.Number, wire protowire.Type, data []byte) (int, error) {
		switch {
		case number == 1 && wire == protowire.BytesType:
			v, n := protowire.ConsumeBytes(data)
			unscaled = v
			return n, protowire.ParseError(n)
		case number == 3 && wire == protowire.VarintType:
			v, n := protowire.ConsumeVarint(data)
			scale = int64(v)
			return n, protowire.ParseError(n)
		}
		return skip(number, wire, data)
	})
	if err != nil {
		return nil, err
	}
	return formats.Unscaled(unscaled, int(max(min(scale, math.MaxInt32), math.MinInt32)), t)
}
