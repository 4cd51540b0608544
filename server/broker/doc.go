// Package broker is the embedded Kafka broker: kfake run as a one-node
// cluster, with the settings and the repairs that keep its data exact.
//
// kfake was made for tests. It speaks the whole protocol, and keeps topics on
// disk; what it lacks for keeping them safe is added here, from outside.
//
// # Settings
//
//   - log.cleaner.backoff.ms is the longest interval there is: kfake's
//     compaction disregards open transactions, and deletes the old files
//     before it has written the new ones. Changelogs grow instead.
//   - The same timer applies retention; retention is applied here, every five
//     minutes. kfake applies it to compacted topics too, seven days by
//     default: those get retention.ms=-1 when they are created, and before
//     every run.
//   - Segments of 16 MiB, batches up to 64 MiB, offsets of idle groups kept for
//     years, topics are created on request only.
//   - The limit of a fetch over all its partitions is lifted: kfake, when it
//     reaches it, leaves out the aborted transactions of the partition at hand.
//   - The data directory is locked: kfake would open one twice.
//
// # Kill -9
//
// kfake serves all requests from one loop, and writes with plain write calls.
// What a write call was given survives the death of the process (not of the
// machine: that is what SyncWrites is for). Hence a kill leaves on disk all
// that was done for all requests but one, and some first part of what was done
// for the last one, whose answer nobody has received: no other request was
// served in between, so nobody has seen a part of it either. To be exact, the
// last request only has to be made to have happened, or not to have happened,
// as a whole. recoverDir does that before kfake opens the directory, when the
// journal file is there to say that the last process did not close it:
//
//   - A torn batch at the end of a segment is cut off. A batch whose index
//     entry is missing gets one: the entry follows from the batch. (kfake
//     would take such a batch for committed, and shift all later entries.)
//   - A torn entry at the end of groups.log or pids.log is cut off. (kfake
//     would append behind it, and never read on from there.)
//   - The commit of a transaction writes a marker to each partition, then each
//     group offset, then its end to pids.log. Before kfake begins with it, the
//     journal takes down the producer, its epoch, and the lengths of the two
//     logs. If pids.log lacks the end, the commit is undone: groups.log is cut
//     back, and each partition that ends with a marker of that producer and
//     epoch loses it. Nothing can have been written behind such a marker. Every
//     request that appends to groups.log first settles the journal, so that
//     cutting back never takes what came after a commit that was refused.
//   - Transactions then open are aborted, by markers in the log, which also
//     completes an abort that was applied in part; and their producers get the
//     next epoch. (kfake aborts them in memory only: readers would go on
//     dropping records of a producer that uses its id again.) A client that
//     survived cannot add to such a transaction, nor learn that it committed.
//   - The numbers by which repeated batches of idempotent producers are known
//     are rebuilt from the log. (kfake keeps them over clean shutdowns only: a
//     surviving client's repeated batch would be written twice.)
//   - A partition whose records are all deleted goes on after the highest
//     offset a group has committed. (kfake would begin at 0 again, and groups
//     would never see the records.)
//   - Each partition gets the snapshot that a clean shutdown writes, so that
//     kfake need not replay it.
//
// A repair that is interrupted can be run again: until it is finished the
// journal stays, each step leaves what it has done alone, and the logs by which
// a torn commit is known are replaced last.
//
// # Consumer groups
//
// kfake ends the session of a member that waits for a rebalance, and never
// answers its join. Heartbeats are sent for it; see sessions.
//
// # A full disk
//
// kfake answers the end of a transaction with success though it could not
// write all markers. Records are refused while there is still room for those,
// with an error that clients retry until there is room again.
package broker
