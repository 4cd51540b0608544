// Package text holds the functions on strings and byte strings.
package text

import "github.com/ksqlgo/ksqlgo/catalog/functions"

// Specs lists the string functions.
func Specs() []*functions.Spec {
	return []*functions.Spec{
		chr(), concat(), concatWS(), elt(), encode(), field(), fromBytes(), initcap(), instr(), lcase(), length(), lpad(),
		mask(), maskKeepLeft(), maskKeepRight(), maskLeft(), maskRight(), md5Text(), replace(), rpad(), split(),
		splitToMap(), substring(), toBytes(), trim(), ucase(), uuid(),
	}
}

// spec makes the description of a string function.
func spec(name, description string, overloads []functions.Scalar, examples ...string) *functions.Spec {
	return &functions.Spec{
		Name: name, Kind: functions.ScalarKind, Category: "STRING", Description: description,
		Scalars: overloads, Examples: functions.Examples(examples...),
	}
}
