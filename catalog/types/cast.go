package types

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// Caster converts a slot from one type to another. A null stays null. The bytes of a result may belong to the caster and
// are overwritten by its next call; a caster is not safe for concurrent use. An error means that the value has no
// counterpart (a text that does not parse, a decimal that does not fit).
type Caster func(Slot) (Slot, error)

// NewCaster gives the conversion CAST(x AS to) for x of type from, or the error "Cast of X to Y is not supported".
func NewCaster(from, to *Type) (Caster, error) {
	f, err := castNonNull(from, to)
	if err != nil {
		return nil, err
	}
	return func(s Slot) (Slot, error) {
		if s.Null {
			return s, nil
		}
		return f(s)
	}, nil
}

// CanCast reports whether CAST from one type to the other is supported.
func CanCast(from, to *Type) bool {
	_, err := castNonNull(from, to)
	return err == nil
}

func castNonNull(from, to *Type) (Caster, error) {
	if from.Kind == Null || Equal(from, to) {
		return func(s Slot) (Slot, error) { return s, nil }, nil
	}
	var f Caster
	var err error
	switch to.Kind {
	case Boolean:
		f = castToBoolean(from)
	case Int:
		f = castToInt(from)
	case Bigint:
		f = castToBigint(from)
	case Double:
		f = castToDouble(from)
	case Decimal:
		f = castToDecimal(from, to)
	case String:
		f = castToString(from)
	case Bytes:
		f = castToBytes(from)
	case Date, Time, Timestamp:
		f = castToTime(from, to)
	case Array, Map, Struct:
		if from.Kind != to.Kind {
			break
		}
		if f, err = castCollection(from, to); err != nil {
			return nil, err
		}
	}
	if f == nil {
		return nil, fmt.Errorf("Cast of %s to %s is not supported", from, to)
	}
	return f, nil
}

func castToBoolean(from *Type) Caster {
	if from.Kind != String {
		return nil
	}
	return func(s Slot) (Slot, error) { return BoolSlot(ParseBoolean(Text(s.B))), nil }
}

// ParseBoolean reads a text as ksqlDB's cast does: a prefix of true or yes in any case is true, all else false.
func ParseBoolean(s string) bool {
	for _, word := range []string{"true", "yes"} {
		if s != "" && len(s) <= len(word) && strings.EqualFold(s, word[:len(s)]) {
			return true
		}
	}
	return false
}

func castToInt(from *Type) Caster {
	switch from.Kind {
	case Bigint:
		return func(s Slot) (Slot, error) { return IntSlot(int64(int32(s.I))), nil }
	case Double:
		return func(s Slot) (Slot, error) {
			n := DoubleToInt64(s.Double())
			return IntSlot(min(max(n, math.MinInt32), math.MaxInt32)), nil
		}
	case Decimal:
		return func(s Slot) (Slot, error) {
			return IntSlot(int64(int32(DecimalToInt64(s.R.(*apd.Decimal))))), nil
		}
	case String:
		return func(s Slot) (Slot, error) {
			n, err := strconv.ParseInt(strings.TrimSpace(Text(s.B)), 10, 32)
			if err != nil {
				return NullSlot, notNumber(s, Int)
			}
			return IntSlot(n), nil
		}
	}
	return nil
}

func notNumber(s Slot, k Kind) error {
	return fmt.Errorf("For input string: %q is no %s", s.B, k)
}

// DoubleToInt64 drops the fraction and saturates; NaN gives 0 (Java's narrowing).
func DoubleToInt64(f float64) int64 {
	switch {
	case f != f:
		return 0
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}

func castToBigint(from *Type) Caster {
	switch from.Kind {
	case Int:
		return func(s Slot) (Slot, error) { return s, nil }
	case Double:
		return func(s Slot) (Slot, error) { return IntSlot(DoubleToInt64(s.Double())), nil }
	case Decimal:
		return func(s Slot) (Slot, error) { return IntSlot(DecimalToInt64(s.R.(*apd.Decimal))), nil }
	case String:
		return func(s Slot) (Slot, error) {
			n, err := strconv.ParseInt(strings.TrimSpace(Text(s.B)), 10, 64)
			if err != nil {
				return NullSlot, notNumber(s, Bigint)
			}
			return IntSlot(n), nil
		}
	}
	return nil
}

func castToDouble(from *Type) Caster {
	switch from.Kind {
	case Int, Bigint:
		return func(s Slot) (Slot, error) { return DoubleSlot(float64(s.I)), nil }
	case Decimal:
		return func(s Slot) (Slot, error) { return DoubleSlot(DecimalToDouble(s.R.(*apd.Decimal))), nil }
	case String:
		return func(s Slot) (Slot, error) {
			f, err := ParseDouble(Text(s.B))
			return DoubleSlot(f), err
		}
	}
	return nil
}

// ParseDouble reads a number as Java does, but refuses NaN and infinities, as ksqlDB does. Numbers out of range become
// infinite.
func ParseDouble(s string) (float64, error) {
	t := strings.TrimSpace(s)
	if n := len(t); n > 1 && strings.IndexByte("dDfF", t[n-1]) >= 0 && !strings.HasPrefix(t, "0x") && !strings.HasPrefix(t, "0X") {
		t = t[:n-1]
	}
	for _, c := range []byte(t) {
		if c == '_' || c == 'n' || c == 'N' || c == 'i' || c == 'I' {
			return 0, fmt.Errorf("%q is no DOUBLE", s)
		}
	}
	f, err := strconv.ParseFloat(t, 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0, fmt.Errorf("%q is no DOUBLE", s)
	}
	return f, nil
}

func castToDecimal(from, to *Type) Caster {
	fit := func(d *apd.Decimal, err error) (Slot, error) {
		if err != nil {
			return NullSlot, err
		}
		r, err := RoundDecimal(d, to)
		if err != nil {
			return NullSlot, err
		}
		return RefSlot(r), nil
	}
	switch from.Kind {
	case Int, Bigint:
		return func(s Slot) (Slot, error) { return fit(apd.New(s.I, 0), nil) }
	case Double:
		return func(s Slot) (Slot, error) { return fit(DecimalFromDouble(s.Double())) }
	case Decimal:
		return func(s Slot) (Slot, error) { return fit(s.R.(*apd.Decimal), nil) }
	case String:
		return func(s Slot) (Slot, error) { return fit(ParseDecimal(strings.TrimSpace(Text(s.B)))) }
	}
	return nil
}

func castToString(from *Type) Caster {
	var appendText func(dst []byte, s Slot) []byte
	switch from.Kind {
	case Boolean:
		appendText = func(dst []byte, s Slot) []byte { return strconv.AppendBool(dst, s.I != 0) }
	case Int, Bigint:
		appendText = func(dst []byte, s Slot) []byte { return strconv.AppendInt(dst, s.I, 10) }
	case Double:
		appendText = func(dst []byte, s Slot) []byte { return AppendDouble(dst, s.Double()) }
	case Date:
		appendText = func(dst []byte, s Slot) []byte { return AppendDate(dst, s.I) }
	case Time:
		appendText = func(dst []byte, s Slot) []byte { return AppendTime(dst, s.I) }
	case Timestamp:
		appendText = func(dst []byte, s Slot) []byte { return AppendTimestamp(dst, s.I) }
	case Decimal, Array, Map, Struct:
		appendText = func(dst []byte, s Slot) []byte { return AppendBoxed(dst, from, s.R) }
	default:
		return nil
	}
	buf := make([]byte, 0, 32)
	return func(s Slot) (Slot, error) {
		buf = appendText(buf[:0], s)
		return BytesSlot(buf), nil
	}
}

func castToBytes(from *Type) Caster {
	if from.Kind != String {
		return nil
	}
	return func(s Slot) (Slot, error) {
		b, err := base64.StdEncoding.AppendDecode([]byte{}, s.B)
		if err != nil {
			return NullSlot, fmt.Errorf("%q is no base64 text", s.B)
		}
		return BytesSlot(b), nil
	}
}

func castToTime(from, to *Type) Caster {
	type pair struct{ from, to Kind }
	switch (pair{from.Kind, to.Kind}) {
	case pair{String, Date}:
		return castText(ParseDate)
	case pair{String, Time}:
		return castText(ParseTime)
	case pair{String, Timestamp}:
		return castText(func(s string) (int64, error) { return ParseTimestamp(s, nil) })
	case pair{Timestamp, Date}:
		return func(s Slot) (Slot, error) { return IntSlot(floorDiv(s.I, msPerDay)), nil }
	case pair{Timestamp, Time}:
		return func(s Slot) (Slot, error) { return IntSlot(s.I - floorDiv(s.I, msPerDay)*msPerDay), nil }
	case pair{Date, Timestamp}:
		return func(s Slot) (Slot, error) { return IntSlot(s.I * msPerDay), nil }
	}
	return nil
}

func castText(parse func(string) (int64, error)) Caster {
	return func(s Slot) (Slot, error) {
		v, err := parse(Text(s.B))
		if err != nil {
			return NullSlot, err
		}
		return IntSlot(v), nil
	}
}
