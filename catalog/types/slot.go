package types

import (
	"bytes"
	"fmt"
	"math"
	"unsafe"

	"github.com/cockroachdb/apd/v3"
)

// Slot is one value outside a row; its type is known from the context. Only the field of the type's [Class] counts, and
// none when Null is set.
type Slot struct {
	I    int64
	B    []byte
	R    any
	Null bool
}

// DateValue is a boxed DATE: days since 1970-01-01.
type DateValue int32

// TimeValue is a boxed TIME: milliseconds since midnight.
type TimeValue int32

// TimestampValue is a boxed TIMESTAMP: milliseconds since 1970 UTC.
type TimestampValue int64

// StructValue is a boxed STRUCT: its fields by position.
type StructValue []any

// MapValue is a boxed MAP: entries in order of insertion, keys unique. Immutable once built.
type MapValue struct {
	Keys   []any
	Values []any
}

// Get finds the value of a key (boxed, compared with [EqualBoxed]).
func (m *MapValue) Get(key any) (any, bool) {
	for i, k := range m.Keys {
		if EqualBoxed(k, key) {
			return m.Values[i], true
		}
	}
	return nil, false
}

// Put adds an entry or replaces the value of an equal key. Only for whoever is building the map.
func (m *MapValue) Put(key, value any) {
	for i, k := range m.Keys {
		if EqualBoxed(k, key) {
			m.Values[i] = value
			return
		}
	}
	m.Keys = append(m.Keys, key)
	m.Values = append(m.Values, value)
}

// Text views a byte string as a string without copying; valid as long as b is and is not changed.
func Text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// TextBytes views a string as bytes without copying; the bytes must not be changed.
func TextBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// Double is the slot's value as a DOUBLE.
func (s Slot) Double() float64 { return math.Float64frombits(uint64(s.I)) }

// Boxed gives the slot's value, of type t, in its boxed form (nil when null). Byte strings are copied.
func (s Slot) Boxed(t *Type) any {
	if s.Null {
		return nil
	}
	switch t.Kind {
	case Boolean:
		return s.I != 0
	case Int:
		return int32(s.I)
	case Bigint, IntervalUnit:
		return s.I
	case Double:
		return s.Double()
	case Date:
		return DateValue(s.I)
	case Time:
		return TimeValue(s.I)
	case Timestamp:
		return TimestampValue(s.I)
	case String:
		return string(s.B)
	case Bytes:
		return bytes.Clone(s.B)
	case Null:
		return nil
	default:
		return s.R
	}
}

// Unbox gives the slot form of a boxed value of type t. The dynamic type must be the one the package comment names;
// anything else is a bug of the caller and panics.
func Unbox(t *Type, v any) Slot {
	if v == nil {
		return Slot{Null: true}
	}
	switch x := v.(type) {
	case bool:
		if x {
			return Slot{I: 1}
		}
		return Slot{}
	case int32:
		return Slot{I: int64(x)}
	case int64:
		return Slot{I: x}
	case float64:
		return Slot{I: int64(math.Float64bits(x))}
	case DateValue:
		return Slot{I: int64(x)}
	case TimeValue:
		return Slot{I: int64(x)}
	case TimestampValue:
		return Slot{I: int64(x)}
	case string:
		return Slot{B: TextBytes(x)}
	case []byte:
		if x == nil {
			x = []byte{}
		}
		return Slot{B: x}
	case *apd.Decimal, []any, *MapValue, StructValue:
		return Slot{R: x}
	}
	panic(fmt.Sprintf("types: %T is no boxed value of %s", v, t))
}

// EqualBoxed reports whether two boxed values of one type are equal; nil equals nil. Decimals compare by value.
func EqualBoxed(a, b any) bool {
	switch x := a.(type) {
	case []byte:
		y, ok := b.([]byte)
		return ok && bytes.Equal(x, y)
	case *apd.Decimal:
		y, ok := b.(*apd.Decimal)
		return ok && x.Cmp(y) == 0
	case []any:
		y, ok := b.([]any)
		return ok && equalList(x, y)
	case StructValue:
		y, ok := b.(StructValue)
		return ok && equalList(x, y)
	case *MapValue:
		y, ok := b.(*MapValue)
		if !ok || len(x.Keys) != len(y.Keys) {
			return false
		}
		for i, k := range x.Keys {
			v, found := y.Get(k)
			if !found || !EqualBoxed(x.Values[i], v) {
				return false
			}
		}
		return true
	case float64:
		y, ok := b.(float64)
		return ok && (x == y || x != x && y != y)
	default:
		switch b.(type) {
		case []byte, *apd.Decimal, []any, StructValue, *MapValue:
			return false
		}
		return a == b
	}
}

func equalList(x, y []any) bool {
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if !EqualBoxed(x[i], y[i]) {
			return false
		}
	}
	return true
}
