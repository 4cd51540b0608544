// Package sqltest runs query tests: statements, records that go in, and records that must come out, on the planner and
// exec/sim, without Kafka or a clock.
package sqltest
