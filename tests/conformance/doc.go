// Package conformance runs ksqlDB's own functional cases, kept as data outside this repository, on the planner and the
// simulated runtime.
//
// The folder is named by CONFORMANCE_DIR; the default is shared/conformance beside the checkout. Without it the tests
// skip and say so. testdata/failing-*.txt lists the cases that do not pass yet: a case that fails and is not listed fails
// the run, and so does one that is listed and passes. The lists only shrink: go test ./tests/conformance -update takes
// out what passes.
package conformance
