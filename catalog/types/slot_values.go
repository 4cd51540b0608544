package types

import "math"

// NullSlot is the slot of a null of any type.
var NullSlot = Slot{Null: true}

// BoolSlot is the slot of a BOOLEAN.
func BoolSlot(v bool) Slot {
	if v {
		return Slot{I: 1}
	}
	return Slot{}
}

// IntSlot is the slot of an INT, BIGINT, DATE, TIME or TIMESTAMP.
func IntSlot(v int64) Slot { return Slot{I: v} }

// DoubleSlot is the slot of a DOUBLE.
func DoubleSlot(v float64) Slot { return Slot{I: int64(math.Float64bits(v))} }

// StringSlot is the slot of a STRING; the text is shared, not copied.
func StringSlot(v string) Slot {
	if v == "" {
		return Slot{B: emptyBytes}
	}
	return Slot{B: TextBytes(v)}
}

// BytesSlot is the slot of a BYTES (or STRING given as bytes); the slice is kept, not copied.
func BytesSlot(v []byte) Slot { return Slot{B: v} }

// RefSlot is the slot of a DECIMAL, ARRAY, MAP or STRUCT in boxed form.
func RefSlot(v any) Slot { return Slot{R: v} }

var emptyBytes = []byte{}

// Text views a STRING slot's bytes as a string without copying; it lives as long as the slot's bytes do.
func (s Slot) Text() string { return Text(s.B) }
