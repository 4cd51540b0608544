// Package numeric holds the mathematical functions.
package numeric

import (
	"github.com/ksqlgo/ksqlgo/catalog/functions"
)

const category = "MATHEMATICAL"

// Specs lists the mathematical functions.
func Specs() []*functions.Spec {
	return append(realFunctions(),
		abs(), atan2(), ceil(), floor(), geoDistance(), greatest(), least(), log(), pi(), power(), random(), round(),
		sign(), trunc(),
	)
}

// spec makes the description of a mathematical function.
func spec(name, description string, overloads []functions.Scalar, examples []functions.Example) *functions.Spec {
	return &functions.Spec{
		Name: name, Kind: functions.ScalarKind, Category: category, Description: description,
		Scalars: overloads, Examples: examples,
	}
}
