//go:build !ksqlgo_control

package exec

// stateFirst would write an interval's rows to the state before its transaction commits, and window wait in between: wrong,
// and what the tests' control does (see order_control.go).
const stateFirst, window = false, 0
