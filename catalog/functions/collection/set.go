package collection

import (
	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// set remembers boxed values, null included.
type set struct {
	scalars map[any]bool
	// others are arrays, maps and structs, compared one by one.
	others []any
}

// textKey and decimalKey keep byte strings and decimals apart from strings in the map.
type textKey string
type decimalKey string

// key gives the map key of a scalar.
func key(v any) (any, bool) {
	switch x := v.(type) {
	case []byte:
		return textKey(x), true
	case *apd.Decimal:
		var d apd.Decimal
		d.Reduce(x)
		return decimalKey(d.String()), true
	case float64:
		if x != x {
			return decimalKey("NaN"), true
		}
		return x, true
	case []any, *types.MapValue, types.StructValue:
		return nil, false
	}
	return v, true
}

func (s *set) has(v any) bool {
	if k, ok := key(v); ok {
		return s.scalars[k]
	}
	for _, o := range s.others {
		if types.EqualBoxed(o, v) {
			return true
		}
	}
	return false
}

// add reports whether v is new.
func (s *set) add(v any) bool {
	if s.has(v) {
		return false
	}
	if k, ok := key(v); ok {
		if s.scalars == nil {
			s.scalars = map[any]bool{}
		}
		s.scalars[k] = true
	} else {
		s.others = append(s.others, v)
	}
	return true
}

func setOf(items []any) *set {
	s := &set{}
	for _, v := range items {
		s.add(v)
	}
	return s
}

// distinct gives the different items that keep accepts, in order of first occurrence.
func distinct(keep func(any) bool, lists ...[]any) []any {
	out := []any{}
	seen := &set{}
	for _, l := range lists {
		for _, v := range l {
			if (keep == nil || keep(v)) && seen.add(v) {
				out = append(out, v)
			}
		}
	}
	return out
}

func arrayDistinct() *functions.Spec {
	return arraySpec("ARRAY_DISTINCT", "The different elements, null included, in order of first occurrence.",
		one("(ARRAY<T> array) -> ARRAY<T>", functions.Unary(func(a []any) []any { return distinct(nil, a) })),
		"ARRAY_DISTINCT(ARRAY[1, 2, NULL, 1, NULL])", "[1,2,null]",
		"ARRAY_DISTINCT(ARRAY[ARRAY[1], ARRAY[1]])", "[[1]]",
		"ARRAY_DISTINCT(CAST(NULL AS ARRAY<INT>))", "null")
}

func arrayExcept() *functions.Spec {
	return arraySpec("ARRAY_EXCEPT", "The different elements of the first array that are not in the second.",
		one("(ARRAY<T> left, ARRAY<T> right) -> ARRAY<T>", functions.Binary(func(a, b []any) []any {
			other := setOf(b)
			return distinct(func(v any) bool { return !other.has(v) }, a)
		})),
		"ARRAY_EXCEPT(ARRAY[1, 2, 3, 1], ARRAY[2])", "[1,3]",
		"ARRAY_EXCEPT(ARRAY[1], CAST(NULL AS ARRAY<INT>))", "null")
}

func arrayIntersect() *functions.Spec {
	return arraySpec("ARRAY_INTERSECT", "The different elements that both arrays have, in the order of the first.",
		one("(ARRAY<T> left, ARRAY<T> right) -> ARRAY<T>", functions.Binary(func(a, b []any) []any {
			return distinct(setOf(b).has, a)
		})),
		"ARRAY_INTERSECT(ARRAY[3, 1, 2, 3], ARRAY[2, 3])", "[3,2]",
		"ARRAY_INTERSECT(CAST(NULL AS ARRAY<INT>), ARRAY[1])", "null")
}

func arrayUnion() *functions.Spec {
	return arraySpec("ARRAY_UNION", "The different elements of both arrays, first seen first.",
		one("(ARRAY<T> left, ARRAY<T> right) -> ARRAY<T>", functions.Binary(func(a, b []any) []any { return distinct(nil, a, b) })),
		"ARRAY_UNION(ARRAY[3, 1], ARRAY[1, NULL, 2])", "[3,1,null,2]",
		"ARRAY_UNION(ARRAY[1], CAST(NULL AS ARRAY<INT>))", "null")
}
