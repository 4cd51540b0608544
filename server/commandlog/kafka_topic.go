package commandlog

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// TopicName is the command topic of a service (ksqlDB's scheme).
func TopicName(serviceID string) string { return "_confluent-ksql-" + serviceID + "_command_topic" }

// KafkaTopicConfig says which command topic is meant.
type KafkaTopicConfig struct {
	Cluster   *kafka.Cluster
	ServiceID string
	// Replication is the topic's replication factor if it is created; 0 leaves it to the brokers.
	Replication int16
	// MustExist does not create the topic.
	MustExist bool
	// Backup, unless nil, is this server's copy of the log. If there is one the topic was there, and is not created, unless
	// the service was terminated in it: then a new log begins.
	Backup *Backup
	Logger *slog.Logger
}

// spec describes the topic.
func (c *KafkaTopicConfig) spec() kafka.TopicSpec {
	return kafka.TopicSpec{Name: TopicName(c.ServiceID), Partitions: 1, ReplicationFactor: c.Replication,
		Configs: map[string]string{"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}}
}

// KafkaTopic is the command topic on a Kafka cluster. Writers are ordered by a transactional id that all servers of a
// service share: whoever takes it over fences the others, so a record that was validated at the head of the log is written
// there or not at all.
type KafkaTopic struct {
	cfg KafkaTopicConfig
	tp  kafka.TopicPartition

	// writing has room for the one append of this process that may be under way; producer, holds and crowd belong to it.
	writing  chan struct{}
	producer *kafka.Producer
	// holds says that no other server is known to have taken the id over.
	holds bool
	// mayBeOpen is set when this server's last transaction failed, and it is not known whether it was ended.
	mayBeOpen bool
	crowd     crowd

	written, lost atomic.Int64
}

// OpenKafkaTopic creates the command topic if it does not exist, and verifies it.
func OpenKafkaTopic(ctx context.Context, cfg KafkaTopicConfig) (*KafkaTopic, error) {
	t := &KafkaTopic{cfg: cfg, tp: kafka.TopicPartition{Topic: TopicName(cfg.ServiceID)}, writing: make(chan struct{}, 1)}
	var terminated []string
	if cfg.MustExist || cfg.Backup.Exists() {
		id, exists, err := t.id(ctx)
		if err == nil && !cfg.MustExist && !(exists && cfg.Backup.isOf(id)) {
			terminated, err = cfg.Backup.Terminated()
		}
		if err != nil || !exists && terminated == nil {
			return t, err
		}
	}
	if _, err := cfg.Cluster.Admin().EnsureTopic(ctx, cfg.spec()); err != nil {
		return nil, fmt.Errorf("command topic: %w", err)
	}
	if terminated != nil {
		if err := t.beginAnew(ctx, terminated); err != nil {
			t.Close()
			return nil, err
		}
	}
	return t, nil
}

// Identify implements Topic.
func (t *KafkaTopic) Identify(ctx context.Context) (id kafka.TopicID, end int64, exists bool, err error) {
	if id, exists, err = t.id(ctx); err != nil || !exists {
		return id, 0, false, err
	}
	ends, err := t.cfg.Cluster.Admin().CommittedEndOffsets(ctx, t.tp.Topic)
	return id, ends[t.tp], err == nil, err
}

func (t *KafkaTopic) id(ctx context.Context) (kafka.TopicID, bool, error) {
	infos, err := t.cfg.Cluster.Admin().Topics(ctx, t.tp.Topic)
	if err != nil {
		return kafka.TopicID{}, false, fmt.Errorf("command topic: %w", err)
	}
	info, ok := infos[t.tp.Topic]
	return info.ID, ok, nil
}

// WriteStats counts what Append did since the topic was opened: records written, and attempts that other servers' writing
// made void.
func (t *KafkaTopic) WriteStats() (written, lost int64) { return t.written.Load(), t.lost.Load() }

// Close gives the writer back.
func (t *KafkaTopic) Close() {
	t.writing <- struct{}{}
	defer func() { <-t.writing }()
	t.closeProducer()
}

func (t *KafkaTopic) closeProducer() {
	if t.producer != nil {
		t.producer.Close()
		t.producer, t.holds = nil, false
	}
}

// Follow implements Topic.
func (t *KafkaTopic) Follow(ctx context.Context, f Follower) error {
	reader, err := t.cfg.Cluster.NewReader(kafka.ReaderConfig{Name: "command"})
	if err != nil {
		return err
	}
	defer reader.Close()
	following := &following{topic: t, reader: reader, to: f}
	if err := following.begin(ctx); err != nil {
		return err
	}
	for {
		if following.behind && following.position >= following.target {
			following.behind = false
			if err := f.CaughtUp(); err != nil {
				return err
			}
		}
		// Brokers that are out of reach give no error here: the reader looks for them until they are back, and warns.
		batches, err := reader.Poll(ctx, time.Second)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		for _, b := range batches {
			if err == nil {
				err = following.batch(ctx, b)
			}
			b.Release()
		}
		if err != nil {
			return err
		}
	}
}

// following is one run of Follow.
type following struct {
	topic  *KafkaTopic
	reader *kafka.Reader
	to     Follower
	// start is the first offset of the topic, position the one after what was delivered, target where the log ended at the
	// beginning.
	start, position, target int64
	behind                  bool
}

// begin finds the topic and starts reading it.
func (f *following) begin(ctx context.Context) error {
	tp, admin := f.topic.tp, f.topic.cfg.Cluster.Admin()
	id, exists, err := f.topic.id(ctx)
	if err != nil {
		return err
	}
	if !exists {
		return gone("the command topic %s does not exist any more", tp.Topic)
	}
	ends, err := admin.CommittedEndOffsets(ctx, tp.Topic)
	if err != nil {
		return err
	}
	starts, err := admin.StartOffsets(ctx, tp.Topic)
	if err != nil {
		return err
	}
	f.start, f.position, f.target, f.behind = starts[tp], starts[tp], ends[tp], true
	if err := f.to.Begin(BackupHeader{Topic: tp.Topic, TopicID: id}); err != nil {
		return err
	}
	if err := f.reader.Start(ctx, map[kafka.TopicPartition]int64{tp: f.start}); err != nil {
		return err
	}
	return f.to.Advance(f.position, f.target)
}

// batch delivers what one fetch brought.
func (f *following) batch(ctx context.Context, b *kafka.Batch) error {
	if b.Err != nil {
		return f.unreadable(ctx, b)
	}
	if b.LogStart > f.start {
		return corrupted("the records before offset %d were deleted from the command topic", b.LogStart)
	}
	for i := range b.Records {
		m := &b.Records[i]
		if err := f.to.Apply(Entry{Offset: m.Offset, Timestamp: m.Timestamp, Key: m.Key, Value: m.Value}); err != nil {
			return err
		}
	}
	f.position = b.Next
	return f.to.Advance(b.Next, b.HighWatermark)
}

// unreadable deals with a place where the topic cannot be read on.
func (f *following) unreadable(ctx context.Context, b *kafka.Batch) error {
	switch kafka.KindOf(b.Err) {
	case kafka.Corrupt:
		// The followers are told, and what comes behind it: one of those records may skip this one.
		if err := f.to.Apply(Entry{Offset: b.Next, Err: b.Err}); err != nil {
			return err
		}
		f.position = b.Skip
		if err := f.to.Advance(b.Skip, b.Skip); err != nil {
			return err
		}
		return f.reader.Start(ctx, map[kafka.TopicPartition]int64{f.topic.tp: b.Skip})
	case kafka.OutOfRange:
		return corrupted("the command topic was cut off: there is nothing at offset %d any more, where it was being read", b.Next)
	case kafka.TopicGone:
		return gone("the command topic %s was deleted, or made anew", f.topic.tp.Topic)
	}
	return fmt.Errorf("following the command topic: %w", b.Err)
}
