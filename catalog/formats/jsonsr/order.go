package jsonsr

import (
	"slices"
	"unicode/utf16"
)

// hashOrder puts names into the order in which Java's HashMap has them: Connect keeps the properties of a schema in one, and
// columns without an index come in that order. Names must differ.
func hashOrder(names []string) {
	capacity := uint32(16)
	for len(names) > int(capacity)*3/4 {
		capacity *= 2
	}
	slices.SortStableFunc(names, func(a, b string) int {
		return int(bucket(a, capacity)) - int(bucket(b, capacity))
	})
}

func bucket(name string, capacity uint32) uint32 {
	var h uint32
	for _, unit := range utf16.Encode([]rune(name)) {
		h = h*31 + uint32(unit)
	}
	return (h ^ h>>16) & (capacity - 1)
}
