package types

import (
	"bytes"
	"cmp"
	"unicode/utf8"

	"github.com/cockroachdb/apd/v3"
)

// Compare orders two boxed values of one type, neither nil: negative, 0 or positive. Numbers by value (NaN largest, as in
// Java), false before true, strings by UTF-16 code units, BYTES by signed byte (both as ksqlDB does), arrays and structs
// element by element. Maps have no order and compare as equal.
func Compare(a, b any) int {
	switch x := a.(type) {
	case bool:
		y, _ := b.(bool)
		switch {
		case x == y:
			return 0
		case y:
			return -1
		}
		return 1
	case int32:
		y, _ := b.(int32)
		return cmp.Compare(x, y)
	case int64:
		y, _ := b.(int64)
		return cmp.Compare(x, y)
	case float64:
		y, _ := b.(float64)
		return CompareDouble(x, y)
	case string:
		y, _ := b.(string)
		return CompareText(x, y)
	case []byte:
		y, _ := b.([]byte)
		return CompareSignedBytes(x, y)
	case *apd.Decimal:
		y, _ := b.(*apd.Decimal)
		return x.Cmp(y)
	case DateValue:
		y, _ := b.(DateValue)
		return cmp.Compare(x, y)
	case TimeValue:
		y, _ := b.(TimeValue)
		return cmp.Compare(x, y)
	case TimestampValue:
		y, _ := b.(TimestampValue)
		return cmp.Compare(x, y)
	case []any:
		y, _ := b.([]any)
		return compareLists(x, y)
	case StructValue:
		y, _ := b.(StructValue)
		return compareLists(x, y)
	}
	return 0
}

func compareLists(x, y []any) int {
	for i := 0; i < len(x) && i < len(y); i++ {
		switch {
		case x[i] == nil && y[i] == nil:
			continue
		case x[i] == nil:
			return -1
		case y[i] == nil:
			return 1
		}
		if c := Compare(x[i], y[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(x), len(y))
}

// CompareDouble orders doubles as Java's Double.compare: NaN is largest, -0.0 before 0.0.
func CompareDouble(x, y float64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	case x == y:
		if x == 0 {
			return cmp.Compare(DoubleSlot(x).I, DoubleSlot(y).I)
		}
		return 0
	case x != x && y != y:
		return 0
	case x != x:
		return 1
	}
	return -1
}

// CompareText orders strings by UTF-16 code units, as Java does: it differs from byte order only where one side has a
// code point beyond U+FFFF and the other one in U+E000..U+FFFF.
func CompareText(x, y string) int {
	n := min(len(x), len(y))
	i := 0
	for i < n && x[i] == y[i] {
		i++
	}
	if i == n {
		return cmp.Compare(len(x), len(y))
	}
	if x[i] < 0xEE || y[i] < 0xEE {
		return cmp.Compare(x[i], y[i])
	}
	rx, _ := utf8.DecodeRuneInString(x[i:])
	ry, _ := utf8.DecodeRuneInString(y[i:])
	if (rx > 0xFFFF) != (ry > 0xFFFF) {
		// A surrogate pair starts with D800..DBFF, below E000.
		if rx > 0xFFFF {
			return -1
		}
		return 1
	}
	return cmp.Compare(rx, ry)
}

// CompareSignedBytes orders byte strings by signed bytes, as ksqlDB's MAX and GREATEST on BYTES do.
func CompareSignedBytes(x, y []byte) int {
	for i := 0; i < len(x) && i < len(y); i++ {
		if x[i] != y[i] {
			return cmp.Compare(int8(x[i]), int8(y[i]))
		}
	}
	return cmp.Compare(len(x), len(y))
}

// SlotComparer gives the ordering of [Compare] for slots of type t, neither null.
func SlotComparer(t *Type) func(a, b Slot) int {
	switch t.Kind {
	case Double:
		return func(a, b Slot) int { return CompareDouble(a.Double(), b.Double()) }
	case String:
		return func(a, b Slot) int { return CompareText(Text(a.B), Text(b.B)) }
	case Bytes:
		return func(a, b Slot) int { return CompareSignedBytes(a.B, b.B) }
	}
	if t.Class() == ClassInt64 {
		return func(a, b Slot) int { return cmp.Compare(a.I, b.I) }
	}
	return func(a, b Slot) int { return Compare(a.R, b.R) }
}

// SlotEqualer gives equality of slots of type t, neither null; decimals compare by value.
func SlotEqualer(t *Type) func(a, b Slot) bool {
	switch t.Class() {
	case ClassBytes:
		return func(a, b Slot) bool { return bytes.Equal(a.B, b.B) }
	case ClassInt64:
		if t.Kind == Double {
			return func(a, b Slot) bool { return EqualBoxed(a.Double(), b.Double()) }
		}
		return func(a, b Slot) bool { return a.I == b.I }
	}
	return func(a, b Slot) bool { return EqualBoxed(a.R, b.R) }
}
