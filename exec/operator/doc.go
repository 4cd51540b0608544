// Package operator holds the streaming operators, one a file: each takes the records that flow into it, keeps its state
// in exec/state stores, and passes records on.
//
// Operators are single-threaded and deterministic: no clock, no goroutine, no network. What they want from the world
// goes through [Effects]. An error returned by an operator is a failure of the machinery (state, host) and stops the
// task; an error in a record is an effect ([Effects.RecordError]) and the record's fate is counted ([Accounting]).
package operator
