package main

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// pass copies the topic exactly once, partition by partition, with franz-go's
// own session for that: a transaction an interval.
func pass(ctx context.Context, o options) error {
	m := meter{warm: o.warm}
	m.done(0)
	id := "raw-pass-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	session, err := kgo.NewGroupTransactSession(
		kgo.SeedBrokers(o.broker), kgo.ConsumeTopics(o.topic), kgo.ConsumerGroup(id), kgo.TransactionalID(id),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DefaultProduceTopic(o.out),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(512<<10),
		kgo.MaxBufferedRecords(200_000), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		return err
	}
	defer session.Close()
	if err := createTopic(ctx, session.Client(), o.out, o.partitions, nil); err != nil {
		return err
	}
	total, err := recordsIn(ctx, session.Client(), o.topic)
	if err != nil {
		return err
	}
	var n int64
	for n < total {
		copied, err := transaction(ctx, session, o.interval)
		if err != nil {
			return err
		}
		n += copied
		m.done(n)
	}
	m.report("pass", n)
	return nil
}

// transaction copies what comes within an interval.
func transaction(ctx context.Context, session *kgo.GroupTransactSession, interval time.Duration) (copied int64, err error) {
	if err := session.Begin(); err != nil {
		return 0, err
	}
	pollCtx, cancel := context.WithTimeout(ctx, interval)
	defer cancel()
	var failed atomic.Bool
	for pollCtx.Err() == nil {
		session.PollRecords(pollCtx, 20_000).EachRecord(func(r *kgo.Record) {
			copied++
			session.Produce(ctx, &kgo.Record{Key: r.Key, Value: r.Value, Timestamp: r.Timestamp, Partition: r.Partition},
				func(_ *kgo.Record, err error) {
					if err != nil {
						failed.Store(true)
					}
				})
		})
	}
	committed, err := session.End(ctx, kgo.TransactionEndTry(!failed.Load()))
	if err == nil && !committed {
		err = fmt.Errorf("a transaction of %d records was aborted", copied)
	}
	return copied, err
}
