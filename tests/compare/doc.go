// Package compare measures what ksqlgo costs beside a plain franz-go program (raw) on the same broker, the same data, in the
// same run: CPU time a record, memory, rates. The broker is a process of its own, so that its costs are not mixed in.
//
//	go test ./tests/compare                                  # that it works at all, on a little data
//	go test ./tests/compare -compare -v                      # the figures, and the goals
//	go test ./tests/compare -compare -v -run Table/count -inside -cpuprofile /tmp/cpu -o /tmp/compare.test
//
// With -inside the engine runs in the test's process, where it can be profiled.
package compare
