package kafka_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/tests/apache"
)

// env is a connection to a broker of the test's own.
type env struct {
	*kafka.Cluster
}

func start(t testing.TB) env {
	t.Helper()
	return env{connect(t, apache.Bootstrap(t))}
}

func connect(t testing.TB, servers []string) *kafka.Cluster {
	t.Helper()
	c, err := kafka.Connect(t.Context(), kafka.Config{BootstrapServers: servers, ClientID: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// timeout bounds a test's waits.
func timeout(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func (e env) topic(t testing.TB, name string, partitions int32) {
	t.Helper()
	if _, err := e.Admin().CreateTopic(timeout(t), kafka.TopicSpec{Name: name, Partitions: partitions}); err != nil {
		t.Fatal(err)
	}
}

// write appends n records "key-i", "value-i" round the partitions.
func (e env) write(t testing.TB, topic string, partitions int32, from, n int) {
	t.Helper()
	p, err := e.NewProducer(timeout(t), kafka.ProducerConfig{Name: "write"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for i := from; i < from+n; i++ {
		p.Produce(topic, int32(i)%partitions, fmt.Appendf(nil, "key-%d", i), fmt.Appendf(nil, "value-%d", i), int64(i), nil)
	}
	if err := p.Flush(timeout(t)); err != nil {
		t.Fatal(err)
	}
}

// readAll returns the committed values of a topic up to its present end, once
// no transaction is open: what is committed may be readable a moment later.
func (e env) readAll(t testing.TB, topic string) []string {
	t.Helper()
	ctx := timeout(t)
	ends, err := e.Admin().EndOffsets(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for tp, end := range ends {
		err := e.ReadRange(ctx, tp, 0, end, func(b *kafka.Batch) error {
			for _, r := range b.Records {
				values = append(values, string(r.Value))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return values
}

// copier is a minimal host: it copies a topic exactly once.
type copier struct {
	t        testing.TB
	cluster  *kafka.Cluster
	in, out  string
	consumer *kafka.GroupConsumer
	producer *kafka.Producer
	next     map[kafka.TopicPartition]int64
	owned    map[kafka.TopicPartition]bool
	copied   int
}

const copyGroup = "copy-group"

func newCopier(t testing.TB, c *kafka.Cluster, in, out, instance string) *copier {
	t.Helper()
	p, err := c.NewProducer(timeout(t), kafka.ProducerConfig{Name: "copy-p", TransactionalID: "copy-" + instance})
	if err != nil {
		t.Fatal(err)
	}
	g, err := c.NewGroupConsumer(kafka.GroupConfig{Name: "copy-c", Group: copyGroup, InstanceID: instance, Topics: []string{in}, SessionTimeout: 6 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return &copier{t: t, cluster: c, in: in, out: out, consumer: g, producer: p,
		next: map[kafka.TopicPartition]int64{}, owned: map[kafka.TopicPartition]bool{}}
}

// close leaves without committing, as a killed process would.
func (c *copier) close() {
	c.consumer.Close()
	c.producer.Close()
}

// step polls once and copies what comes.
func (c *copier) step(ctx context.Context) error {
	event, batches, err := c.consumer.Poll(ctx, 50*time.Millisecond)
	if err != nil {
		return err
	}
	if event != nil {
		if err := c.rebalance(ctx, event); err != nil {
			return err
		}
		event.Ack()
	}
	for _, b := range batches {
		if b.Err != nil {
			return b.Err
		}
		for _, r := range b.Records {
			c.producer.Produce(c.out, b.Partition, r.Key, r.Value, r.Timestamp, r.Headers)
			c.copied++
		}
		c.next[b.TopicPartition] = b.Next
		b.Release()
	}
	return nil
}

func (c *copier) rebalance(ctx context.Context, event *kafka.Rebalance) error {
	switch event.Kind {
	case kafka.Assigned:
		for _, tp := range event.Partitions {
			c.owned[tp] = true
		}
		return c.resync(ctx, event.Partitions)
	case kafka.Revoked:
		if err := c.commit(ctx); err != nil {
			return err
		}
	case kafka.Lost:
		if err := c.producer.AbortTransaction(ctx); err != nil {
			return err
		}
	}
	for _, tp := range event.Partitions {
		delete(c.owned, tp)
		delete(c.next, tp)
	}
	return nil
}

// resync starts partitions from their stable committed offsets.
func (c *copier) resync(ctx context.Context, partitions []kafka.TopicPartition) error {
	offsets, err := c.cluster.StableOffsets(ctx, copyGroup, partitions)
	if err != nil {
		return err
	}
	starts := map[kafka.TopicPartition]int64{}
	for tp, o := range offsets {
		starts[tp] = max(o.Offset, 0)
		delete(c.next, tp)
	}
	c.consumer.StartAt(starts)
	return nil
}

func (c *copier) commit(ctx context.Context) error {
	var offsets []kafka.OffsetCommit
	for tp, next := range c.next {
		offsets = append(offsets, kafka.OffsetCommit{TopicPartition: tp,
			GroupOffset: kafka.GroupOffset{Offset: next, LeaderEpoch: -1, Metadata: "m"}})
	}
	return c.producer.CommitTransaction(ctx, c.consumer.Member(), offsets)
}

// recoverFrom is the one way back from a failed commit.
func (c *copier) recoverFrom(ctx context.Context) error {
	if err := c.producer.AbortTransaction(ctx); err != nil {
		c.producer.Close()
		p, err := c.cluster.NewProducer(ctx, kafka.ProducerConfig{Name: "copy-p", TransactionalID: "copy-again"})
		if err != nil {
			return err
		}
		c.producer = p
	}
	var owned []kafka.TopicPartition
	for tp := range c.owned {
		owned = append(owned, tp)
	}
	if len(owned) == 0 {
		return nil
	}
	return c.resync(ctx, owned)
}

// wantOnce fails unless values are value-0 … value-(n-1), each once.
func wantOnce(t testing.TB, values []string, n int) {
	t.Helper()
	seen := make(map[string]int, len(values))
	for _, v := range values {
		seen[v]++
	}
	lost, dup := 0, 0
	for i := range n {
		switch c := seen[fmt.Sprintf("value-%d", i)]; {
		case c == 0:
			lost++
		case c > 1:
			dup++
		}
	}
	if lost > 0 || dup > 0 || len(values) != n {
		t.Fatalf("%d values of %d: %d lost, %d duplicated", len(values), n, lost, dup)
	}
}

func TestCopyIsExactlyOnceOverKills(t *testing.T) {
	e := start(t)
	e.topic(t, "in", 4)
	e.topic(t, "out", 4)
	const n = 4000
	e.write(t, "in", 4, 0, n)
	ctx := timeout(t)
	committed := 0
	for round := 0; committed < n; round++ {
		c := newCopier(t, e.Cluster, "in", "out", "one")
		for range 3 {
			before := c.copied
			for c.copied < before+n/10 && committed+c.copied < n {
				if err := c.step(ctx); err != nil {
					t.Fatal(err)
				}
			}
			if round%2 == 0 || committed+c.copied >= n {
				if err := c.commit(ctx); err != nil {
					t.Fatalf("commit: %v", err)
				}
				committed += c.copied
				c.copied = 0
			}
		}
		c.close() // with an open transaction in odd rounds
	}
	wantOnce(t, e.readAll(t, "out"), n)
}
