// Package cluster decides who owns which task, who stands by for it, and tells every server so.
//
// Servers of one query form a Kafka consumer group. At each join a member tells what it is and how far its local state
// reaches ([Subscription]); the leader divides the tasks ([Assign]) and sends every member the whole picture ([Assignment]):
// its own standbys and warm-ups, and the host of every task, by which requests are routed. Assign is a pure function: the
// same members give the same plan, whoever leads.
//
// The rules follow Kafka Streams' high availability assignor (KIP-441) and rack awareness (KIP-708), with these
// differences: being caught up is judged by time as well as by records, a member that has caught up asks for the next
// rebalance itself instead of being probed, and a standby is given up only when its successor has caught up.
package cluster
