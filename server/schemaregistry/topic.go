package schemaregistry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// TopicName is the topic that registries keep their schemas in.
const TopicName = "_schemas"

// transactionalID is whose transactions changes are: who takes it over ends those of the one before.
const transactionalID = "_ksqlgo-schema-registry"

// topic is a log in a topic of Kafka with one partition.
type topic struct {
	cluster *kafka.Cluster
	// producer is nil until Settle, and after an error.
	producer *kafka.Producer
}

var topicPartition = kafka.TopicPartition{Topic: TopicName}

// OpenTopic creates the topic if there is none, and verifies it. The cluster stays the caller's. Records are compacted where
// brokers do that, as Confluent's registry wants it; the embedded broker does not.
func OpenTopic(ctx context.Context, cluster *kafka.Cluster) (Log, error) {
	spec := kafka.TopicSpec{Name: TopicName, Partitions: 1, Configs: map[string]string{"cleanup.policy": "compact"}}
	if _, err := cluster.Admin().EnsureTopic(ctx, spec); err != nil {
		return nil, fmt.Errorf("the schema registry's topic: %w", err)
	}
	return &topic{cluster: cluster}, nil
}

// Append implements Log.
func (t *topic) Append(ctx context.Context, records []Record) (int64, error) {
	if t.producer == nil {
		return 0, errors.New("the log is not settled")
	}
	now := time.Now().UnixMilli()
	for _, r := range records {
		t.producer.Produce(TopicName, 0, r.Key, r.Value, now, nil)
	}
	if err := t.producer.CommitTransaction(ctx, kafka.Member{}, nil); err != nil {
		t.Close()
		if kafka.KindOf(err) == kafka.TooLarge {
			return 0, errorf(codeTooLarge, "Register operation failed because schema is too large")
		}
		return 0, err
	}
	return t.producer.NextOffset(TopicName, 0), nil
}

// Settle implements Log: to take the transactional id over ends what is open under it.
func (t *topic) Settle(ctx context.Context, from int64, fn func(Record) error) (int64, error) {
	t.Close()
	producer, err := t.cluster.NewProducer(ctx, kafka.ProducerConfig{Name: "schema-registry", TransactionalID: transactionalID})
	if err != nil {
		return from, err
	}
	next, err := t.read(ctx, from, fn)
	if err != nil {
		producer.Close()
		return from, err
	}
	t.producer = producer
	return next, nil
}

func (t *topic) read(ctx context.Context, from int64, fn func(Record) error) (int64, error) {
	starts, err := t.cluster.Admin().StartOffsets(ctx, TopicName)
	if err != nil {
		return 0, err
	}
	ends, err := t.cluster.Admin().CommittedEndOffsets(ctx, TopicName)
	if err != nil {
		return 0, err
	}
	if from > ends[topicPartition] {
		return 0, fmt.Errorf("the topic %s ends at %d, and was read until %d: it was deleted or cut off", TopicName, ends[topicPartition], from)
	}
	from = max(from, starts[topicPartition])
	err = t.cluster.ReadRange(ctx, topicPartition, from, ends[topicPartition], func(b *kafka.Batch) error {
		for i := range b.Records {
			// The records are the batch's.
			r := Record{Key: append([]byte(nil), b.Records[i].Key...)}
			if b.Records[i].Value != nil {
				r.Value = append([]byte{}, b.Records[i].Value...)
			}
			if err := fn(r); err != nil {
				return err
			}
		}
		return nil
	})
	return ends[topicPartition], err
}

// Close implements Log.
func (t *topic) Close() {
	if t.producer != nil {
		t.producer.Close()
		t.producer = nil
	}
}
