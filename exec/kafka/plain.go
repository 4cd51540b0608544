package kafka

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// PlainProducer writes single records that belong to no query's transaction:
// barriers and INSERT VALUES. It is idempotent, waits for all replicas, and is
// safe for concurrent use.
type PlainProducer struct {
	client *kgo.Client
	// asking lets one caller at a time make sure that there is a producer id: the others can give up meanwhile, which those
	// that wait within the client cannot.
	asking chan struct{}
}

func newPlainProducer(c *Cluster) (*PlainProducer, error) {
	client, err := c.newClient("plain",
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(0),
		kgo.ProducerBatchMaxBytes(maxPlainBatchBytes),
	)
	if err != nil {
		return nil, err
	}
	return &PlainProducer{client: client, asking: make(chan struct{}, 1)}, nil
}

// maxPlainBatchBytes lets INSERT VALUES write what a topic's own limit takes.
const maxPlainBatchBytes = 64 << 20

// Produce writes one record and returns its offset once all replicas have it.
// key and value must not change until then. Kinds: TooLarge, Denied,
// TopicGone, Retriable, Canceled; after the last two it may have been written.
func (p *PlainProducer) Produce(ctx context.Context, tp TopicPartition, key, value []byte, timestamp int64, headers []Header) (int64, error) {
	offset, err := p.produce(ctx, tp, key, value, timestamp, headers)
	if KindOf(err) != TopicGone {
		return offset, err
	}
	// The topic may have been deleted and created again since this client last
	// wrote to it: forget it and look once more.
	p.client.PurgeTopicsFromProducing(tp.Topic)
	return p.produce(ctx, tp, key, value, timestamp, headers)
}

func (p *PlainProducer) produce(ctx context.Context, tp TopicPartition, key, value []byte, timestamp int64, headers []Header) (int64, error) {
	r := &kgo.Record{
		Topic: tp.Topic, Partition: tp.Partition, Key: key, Value: value,
		Timestamp: time.UnixMilli(timestamp),
	}
	for _, h := range headers {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	if err := p.ready(ctx); err != nil {
		return 0, topicError("producing", tp.Topic, tp.Partition, err)
	}
	if err := p.client.ProduceSync(ctx, r).FirstErr(); err != nil {
		return 0, topicError("producing", tp.Topic, tp.Partition, err)
	}
	return r.Offset, nil
}

// ready waits until the client has a producer id.
func (p *PlainProducer) ready(ctx context.Context) error {
	select {
	case p.asking <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.asking }()
	_, _, err := p.client.ProducerID(ctx)
	return err
}

func (p *PlainProducer) close() { p.client.Close() }
