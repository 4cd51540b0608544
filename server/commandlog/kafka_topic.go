package commandlog

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// TopicName is the command topic of a service (ksqlDB's scheme).
func TopicName(serviceID string) string { return "_confluent-ksql-" + serviceID + "_command_topic" }

// KafkaTopic is the command topic on a Kafka cluster. Writers are ordered by a transactional id that all servers of a
// service share: whoever opens it fences the others, so a record that was validated at the head of the log is written
// there or not at all.
type KafkaTopic struct {
	cluster   *kafka.Cluster
	serviceID string
	tp        kafka.TopicPartition
	logger    *slog.Logger

	// writing orders the appends of this process.
	writing  sync.Mutex
	producer *kafka.Producer

	// mu guards next, the offset up to which Follow has delivered, and changed, which is closed when it moves.
	mu      sync.Mutex
	next    int64
	changed chan struct{}
}

// OpenKafkaTopic creates the command topic if it does not exist, and verifies it.
func OpenKafkaTopic(ctx context.Context, cluster *kafka.Cluster, serviceID string, replication int16, logger *slog.Logger) (*KafkaTopic, error) {
	name := TopicName(serviceID)
	_, err := cluster.Admin().EnsureTopic(ctx, kafka.TopicSpec{Name: name, Partitions: 1, ReplicationFactor: replication,
		Configs: map[string]string{"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}})
	if err != nil {
		return nil, fmt.Errorf("command topic: %w", err)
	}
	return &KafkaTopic{cluster: cluster, serviceID: serviceID, tp: kafka.TopicPartition{Topic: name}, logger: logger,
		changed: make(chan struct{})}, nil
}

// appendAttempts bounds how often a writer that lost the race tries again.
const appendAttempts = 50

// Append implements Topic.
func (t *KafkaTopic) Append(ctx context.Context, build func(offset int64) (key, value []byte, err error)) (int64, error) {
	t.writing.Lock()
	defer t.writing.Unlock()
	var last error
	for range appendAttempts {
		offset, retry, err := t.tryAppend(ctx, build)
		if err == nil || !retry {
			return offset, err
		}
		last = err
		t.closeProducer()
		// Another server was faster. Jitter keeps the two from meeting again.
		pause := time.NewTimer(time.Duration(5+rand.IntN(100)) * time.Millisecond)
		select {
		case <-ctx.Done():
			pause.Stop()
			return 0, ctx.Err()
		case <-pause.C:
		}
	}
	return 0, fmt.Errorf("the command could not be written, other servers kept writing: %w", last)
}

// tryAppend validates at the head of the log and writes there. retry says that nothing was written and another attempt may
// succeed.
func (t *KafkaTopic) tryAppend(ctx context.Context, build func(int64) ([]byte, []byte, error)) (offset int64, retry bool, err error) {
	if t.producer == nil {
		t.producer, err = t.cluster.NewProducer(ctx, kafka.ProducerConfig{Name: "command", TransactionalID: t.tp.Topic})
		if err != nil {
			return 0, kafka.KindOf(err) == kafka.Fenced, err
		}
	}
	ends, err := t.cluster.Admin().EndOffsets(ctx, t.tp.Topic)
	if err != nil {
		return 0, false, err
	}
	end := ends[t.tp]
	if err := t.waitFor(ctx, end); err != nil {
		return 0, false, err
	}
	key, value, err := build(end)
	if err != nil {
		return 0, false, err
	}
	t.producer.Produce(t.tp.Topic, t.tp.Partition, key, value, time.Now().UnixMilli(), nil)
	err = t.producer.Flush(ctx)
	if at := t.producer.NextOffset(t.tp.Topic, t.tp.Partition) - 1; err == nil && at != end {
		err = &kafka.Error{Kind: kafka.Aborted, Op: "writing a command", Err: fmt.Errorf("it came to offset %d instead of %d", at, end)}
	}
	if err == nil {
		err = t.producer.CommitTransaction(ctx, kafka.Member{}, nil)
	}
	if err == nil {
		return end, false, nil
	}
	if kafka.KindOf(err) == kafka.Unknown {
		// It may have been written: what Follow delivers at end tells.
		return t.settle(ctx, end, key, err)
	}
	if abort := t.producer.AbortTransaction(ctx); abort != nil {
		t.closeProducer()
	}
	switch kafka.KindOf(err) {
	case kafka.Fenced, kafka.Aborted, kafka.Retriable:
		return 0, true, err
	}
	return 0, false, err
}

// settle finds out whether a commit of unknown outcome was carried out: opening the transactional id anew decides it, and
// a committed reader sees the record then or never.
func (t *KafkaTopic) settle(ctx context.Context, end int64, key []byte, cause error) (int64, bool, error) {
	t.closeProducer()
	var err error
	if t.producer, err = t.cluster.NewProducer(ctx, kafka.ProducerConfig{Name: "command", TransactionalID: t.tp.Topic}); err != nil {
		return 0, false, cause
	}
	found := false
	ends, err := t.cluster.Admin().EndOffsets(ctx, t.tp.Topic)
	if err != nil {
		return 0, false, cause
	}
	err = t.cluster.ReadRange(ctx, t.tp, end, ends[t.tp], func(b *kafka.Batch) error {
		for i := range b.Records {
			found = found || b.Records[i].Offset == end && string(b.Records[i].Key) == string(key)
		}
		return nil
	})
	if err != nil {
		return 0, false, cause
	}
	if found {
		return end, false, nil
	}
	return 0, true, cause
}

func (t *KafkaTopic) closeProducer() {
	if t.producer != nil {
		t.producer.Close()
		t.producer = nil
	}
}

// Close gives the writer back.
func (t *KafkaTopic) Close() {
	t.writing.Lock()
	defer t.writing.Unlock()
	t.closeProducer()
}

// waitFor waits until Follow has delivered everything below offset.
func (t *KafkaTopic) waitFor(ctx context.Context, offset int64) error {
	for {
		t.mu.Lock()
		next, changed := t.next, t.changed
		t.mu.Unlock()
		if next >= offset {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the commands before: %w", ctx.Err())
		case <-changed:
		}
	}
}

func (t *KafkaTopic) delivered(next int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if next > t.next {
		t.next = next
		close(t.changed)
		t.changed = make(chan struct{})
	}
}

// Follow implements Topic.
func (t *KafkaTopic) Follow(ctx context.Context, apply func(Entry), caughtUp func()) error {
	ends, err := t.cluster.Admin().CommittedEndOffsets(ctx, t.tp.Topic)
	if err != nil {
		return err
	}
	starts, err := t.cluster.Admin().StartOffsets(ctx, t.tp.Topic)
	if err != nil {
		return err
	}
	end := ends[t.tp]
	reader, err := t.cluster.NewReader(kafka.ReaderConfig{Name: "command"})
	if err != nil {
		return err
	}
	defer reader.Close()
	if err := reader.Start(ctx, map[kafka.TopicPartition]int64{t.tp: starts[t.tp]}); err != nil {
		return err
	}
	t.delivered(starts[t.tp])
	behind := true
	for {
		if behind && t.position() >= end {
			behind = false
			caughtUp()
		}
		batches, err := reader.Poll(ctx, time.Second)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		for _, b := range batches {
			if b.Err != nil {
				err := b.Err
				b.Release()
				return fmt.Errorf("following the command topic: %w", err)
			}
			for i := range b.Records {
				m := &b.Records[i]
				apply(Entry{Offset: m.Offset, Key: m.Key, Value: m.Value})
			}
			next := b.Next
			b.Release()
			t.delivered(next)
		}
	}
}

func (t *KafkaTopic) position() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.next
}
