// Package types holds the vocabulary everyone shares: SQL types, schemas, rows of typed slots, boxed values and windows.
//
// A value exists in two forms.
//
// The slot form is the hot one. A [Row] keeps its columns in arrays by [Class]: 64-bit slots, byte strings, and
// references; a null bitmap says which columns are null. A single value outside a row is a [Slot].
//
//	class      SQL types                                     held as
//	Int64      BOOLEAN (0, 1), INT, BIGINT, DATE (days),     int64
//	           TIME (ms of the day), TIMESTAMP (ms), DOUBLE  (DOUBLE: math.Float64bits)
//	Bytes      STRING (UTF-8), BYTES                         []byte
//	Ref        DECIMAL                                       *apd.Decimal
//	           ARRAY                                         []any (boxed elements)
//	           MAP                                           *MapValue (boxed keys and values)
//	           STRUCT                                        StructValue (boxed fields by position)
//
// The boxed form is an any, used inside ARRAY, MAP and STRUCT and wherever speed does not matter:
//
//	BOOLEAN bool · INT int32 · BIGINT int64 · DOUBLE float64 · DECIMAL *apd.Decimal · STRING string · BYTES []byte
//	DATE DateValue · TIME TimeValue · TIMESTAMP TimestampValue · ARRAY []any · MAP *MapValue · STRUCT StructValue · null nil
//
// Boxed values are immutable once built: whoever changes one makes a new one.
package types
