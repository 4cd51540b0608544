// Package kafka is what the engine knows of Kafka: fetching, transactional
// producing, offsets and administration over franz-go, in types of our own.
//
// One [Cluster] is opened per process and hands out:
//
//   - [Admin]: topics, their configurations and offsets, groups.
//   - [GroupConsumer], one a persistent query: membership of its consumer
//     group, batches of the partitions it was told to fetch.
//   - [Producer], one a persistent query: transactions (exactly once) or
//     idempotent writes (at least once).
//   - [Reader]: partitions read directly, without a group: restore, PRINT,
//     push queries, the command topic.
//   - [PlainProducer]: barrier records and INSERT VALUES.
//
// # Exactly once: who calls what, in which order
//
// The host of a query runs one loop and is the only caller of its
// GroupConsumer and Producer:
//
//  1. [GroupConsumer.Poll] reports an Assigned event: for each new task read
//     [Cluster.StableOffsets], restore its state up to a barrier record
//     ([PlainProducer.Produce], [Cluster.ReadRange]), then
//     [GroupConsumer.StartAt] for its partitions, then [Rebalance.Ack].
//  2. Poll returns batches; the tasks run over them and [Producer.Produce]
//     what they emit; [Batch.Release] when nothing points into a batch.
//  3. At the end of the interval, all tasks at a record boundary:
//     [Producer.CommitTransaction] with [GroupConsumer.Member] and the next
//     offset of every task that moved. nil: write the state batch and publish.
//     An error: see [Error]; drop the interval and take the assign path again.
//  4. Poll reports a Revoked event: commit (3), close those tasks, Ack. Lost:
//     [Producer.AbortTransaction], close them, Ack.
//
// At least once is the same with [Producer.Flush], the state batch, then
// [GroupConsumer.CommitOffsets].
package kafka
