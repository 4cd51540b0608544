// Package exec is the executor of one server: it hosts the tasks of persistent and push queries, carries out their
// effects on Kafka and state in the order that makes them exactly once, restores state, answers pull queries from it, and
// reports what it sees.
//
// A persistent query has one goroutine (session.run): it polls its member of the query's consumer group, feeds tasks,
// and commits. Everything unclear takes one path, resync (resync.go): stable committed offsets, a barrier on each
// changelog partition, read from the local checkpoint to the barrier, go on from the committed offsets.
package exec
