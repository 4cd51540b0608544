// Package sqltest runs query tests: statements, records that go in, and records that must come out, on the planner and
// exec/sim, without Kafka or a clock.
//
// A [World] is a fresh engine. A [Case] is a test in one of the two forms that ksqlDB's tools have: an [SQLTest] is a part of a
// file of statements and assertions, a [RunnerTest] is a file of statements with files of inputs and outputs. [Load] finds both.
package sqltest
