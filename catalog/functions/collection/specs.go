// Package collection holds the functions on arrays and maps.
package collection

import (
	"github.com/ksqlgo/ksqlgo/catalog/functions"
)

// Specs lists the array and map functions.
func Specs() []*functions.Spec {
	return []*functions.Spec{
		arrayConcat(), arrayContains(), arrayDistinct(), arrayExcept(), arrayIntersect(), arrayJoin(), arrayLength(),
		arrayMax(), arrayMin(), arrayRemove(), arraySort(), arrayUnion(), asMap(), entries(), generateSeries(), mapKeys(),
		mapUnion(), mapValues(), slice(),
	}
}

func arraySpec(name, description string, overloads []functions.Scalar, examples ...string) *functions.Spec {
	return &functions.Spec{
		Name: name, Kind: functions.ScalarKind, Category: "ARRAY", Description: description,
		Scalars: overloads, Examples: functions.Examples(examples...),
	}
}

func mapSpec(name, description string, overloads []functions.Scalar, examples ...string) *functions.Spec {
	s := arraySpec(name, description, overloads, examples...)
	s.Category = "MAP"
	return s
}

// one makes the list of a single overload.
func one(signature string, construct functions.Constructor) []functions.Scalar {
	return []functions.Scalar{functions.NewScalar(signature, construct)}
}
