// Package topics writes and reads whole Kafka topics with a client of its own, so that tests depend on nothing they test.
package topics

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// connect makes a client; broker is host:port, or several with commas between them.
func connect(broker string, opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append(opts, kgo.SeedBrokers(strings.Split(broker, ",")...))...)
}

// endMark is the header of the records that Read writes to know the end of a topic.
const endMark = "test.end"

// Ends lists the end offsets of a topic by partition, aborted and control records included.
func Ends(ctx context.Context, broker, topic string) (map[int32]int64, error) {
	cl, err := connect(broker)
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	listed, err := kadm.NewClient(cl).ListEndOffsets(ctx, topic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("end offsets of %s: %w", topic, err)
	}
	ends := map[int32]int64{}
	listed.Each(func(o kadm.ListedOffset) { ends[o.Partition] = o.Offset })
	return ends, nil
}

// Total sums the end offsets of a topic.
func Total(ctx context.Context, broker, topic string) (int64, error) {
	ends, err := Ends(ctx, broker, topic)
	var n int64
	for _, e := range ends {
		n += e
	}
	return n, err
}

// Read hands every committed record of a topic to fn, those of a partition in their order. It first writes a record to the
// end of each partition: once that can be read, every transaction before it has been decided. fn must not keep records.
func Read(ctx context.Context, broker, topic string, fn func(*kgo.Record)) error {
	ends, err := Ends(ctx, broker, topic)
	if err != nil {
		return err
	}
	writer, err := connect(broker, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return err
	}
	defer writer.Close()
	for p := range ends {
		r := &kgo.Record{Topic: topic, Partition: p, Headers: []kgo.RecordHeader{{Key: endMark}}, Timestamp: time.UnixMilli(0)}
		if err := writer.ProduceSync(ctx, r).FirstErr(); err != nil {
			return fmt.Errorf("marking the end of %s: %w", topic, err)
		}
		ends[p] = r.Offset
	}
	return until(ctx, broker, topic, ends, fn)
}

// ReadPlain hands every record of a topic nobody writes to in transactions to fn, up to the end as it is now.
func ReadPlain(ctx context.Context, broker, topic string, fn func(*kgo.Record)) error {
	ends, err := Ends(ctx, broker, topic)
	if err != nil {
		return err
	}
	for p, end := range ends {
		if ends[p] = end - 1; end == 0 {
			delete(ends, p)
		}
	}
	return until(ctx, broker, topic, ends, fn)
}

// until reads from the start up to and including the last offset of each partition.
func until(ctx context.Context, broker, topic string, last map[int32]int64, fn func(*kgo.Record)) error {
	from := map[int32]kgo.Offset{}
	for p := range last {
		from[p] = kgo.NewOffset().AtStart()
	}
	cl, err := connect(broker, kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxPartitionBytes(8<<20),
		kgo.FetchMaxBytes(int32(len(last)+1)*(8<<20)), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	if err != nil {
		return err
	}
	defer cl.Close()
	for len(last) > 0 {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return fmt.Errorf("reading %s: %w (%d partitions left: %v)", topic, err, len(last), last)
		}
		for _, e := range fetches.Errors() {
			return fmt.Errorf("reading %s-%d: %w", e.Topic, e.Partition, e.Err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			end, open := last[r.Partition]
			if !open {
				return
			}
			if len(r.Headers) == 0 || r.Headers[0].Key != endMark {
				fn(r)
			}
			if r.Offset >= end {
				delete(last, r.Partition)
			}
		})
	}
	return nil
}

// Create makes topics whose records are kept, whatever their timestamps, with the broker's settings otherwise.
func Create(ctx context.Context, broker string, partitions int32, topics ...string) error {
	cl, err := connect(broker)
	if err != nil {
		return err
	}
	defer cl.Close()
	answers, err := kadm.NewClient(cl).CreateTopics(ctx, partitions, -1, map[string]*string{"retention.ms": kadm.StringPtr("-1")}, topics...)
	if err == nil {
		err = answers.Error()
	}
	return err
}

// Write produces records, each to the partition of its key's hash as Kafka's own clients do, and waits until the broker has
// them.
func Write(ctx context.Context, broker string, records ...*kgo.Record) error {
	cl, err := connect(broker, kgo.ProducerBatchMaxBytes(64<<20), kgo.MaxBufferedBytes(256<<20))
	if err != nil {
		return err
	}
	defer cl.Close()
	return cl.ProduceSync(ctx, records...).FirstErr()
}
