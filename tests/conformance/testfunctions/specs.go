// Package testfunctions holds the functions that only ksqlDB's own test files call; the conformance runner registers
// them beside the built-in ones, the way users add theirs.
package testfunctions

import "github.com/ksqlgo/ksqlgo/catalog/functions"

// Specs lists the functions of the test files.
func Specs() []*functions.Spec {
	return []*functions.Spec{
		badUDF(), testUDF(), toStruct(), whenCondition(), whenResult(),
		testUDTF(), throwingUDTF(),
		testUDAF(), varArg(), midVarArg(), multiArg(), fourArg(), fiveArg(), genericVarArg(), objColArg(),
	}
}
