// Package forward answers pull queries from all servers of the service: the server that was asked finds out who keeps the
// partitions the answer needs, asks each of them for its part ([Router]), and answers for its own.
//
// Who keeps a partition stands in the assignment of the query's tasks. A server that is asked for a partition answers from
// what it has or refuses; it never asks on, so a query goes over at most one hop. Refused partitions are asked of the next
// server: one that says it runs the task, a standby that is not too far behind if standbys may answer. Tasks that are about
// to move are waited for, five seconds in all. What nobody answers then fails the whole query, with every server asked and
// its reason.
//
// Each partition is answered by one server, from one snapshot, so that a row comes exactly once. The parts are held back
// until they are whole or have grown large: up to then a server that fails is as if it had not been asked, afterwards the
// query fails. A part ends with a frame that says so; a connection that was cut is no end.
//
// What goes over the wire is described in frame.go and message.go.
package forward
