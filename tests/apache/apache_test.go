package apache_test

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/tests/apache"
)

var three = flag.Bool("three", false, "also run the test with three brokers")

// connect opens a cluster for a test.
func connect(t *testing.T, c *apache.Cluster) *kafka.Cluster {
	t.Helper()
	k, err := kafka.Connect(t.Context(), kafka.Config{BootstrapServers: c.BootstrapServers(), ClientID: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// bounded is a context that ends before the test's time is up.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// write produces records in a transaction and commits or aborts it.
func write(ctx context.Context, t *testing.T, k *kafka.Cluster, topic string, first, n int, commit bool) {
	t.Helper()
	p, err := k.NewProducer(ctx, kafka.ProducerConfig{Name: "test", TransactionalID: "writer"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for i := first; i < first+n; i++ {
		p.Produce(topic, 0, nil, fmt.Append(nil, i), int64(i), nil)
	}
	if commit {
		err = p.CommitTransaction(ctx, kafka.Member{}, nil)
	} else if err = p.Flush(ctx); err == nil {
		err = p.AbortTransaction(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// expect wants the committed values of partition 0 to be 0, 1, 2 … n-1.
func expect(ctx context.Context, t *testing.T, k *kafka.Cluster, topic string, n int) {
	t.Helper()
	ends, err := k.Admin().EndOffsets(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	tp := kafka.TopicPartition{Topic: topic}
	have := 0
	err = k.ReadRange(ctx, tp, 0, ends[tp], func(b *kafka.Batch) error {
		for _, r := range b.Records {
			if string(r.Value) != fmt.Sprint(have) {
				return fmt.Errorf("offset %d has %s; wanted %d", r.Offset, r.Value, have)
			}
			have++
		}
		return nil
	})
	if err != nil || have != n {
		t.Fatalf("%d of %d records: %v", have, n, err)
	}
}

// One broker takes transactions, hides what was aborted, and has everything again after it was killed.
func TestOneBroker(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: starts a JVM")
	}
	c := apache.Start(t, apache.Options{})
	k, ctx := connect(t, c), bounded(t)
	if _, err := k.Admin().CreateTopic(ctx, kafka.TopicSpec{Name: "events", Partitions: 1}); err != nil {
		t.Fatal(err)
	}
	write(ctx, t, k, "events", 0, 100, true)
	write(ctx, t, k, "events", 900, 100, false)
	write(ctx, t, k, "events", 100, 100, true)
	expect(ctx, t, k, "events", 200)
	c.Kill(0)
	if err := c.Restart(0); err != nil {
		t.Fatal(err)
	}
	if err := c.Await(ctx); err != nil {
		t.Fatal(err)
	}
	expect(ctx, t, k, "events", 200)
	write(ctx, t, k, "events", 200, 100, true)
	if err := c.Stop(0); err != nil {
		t.Error(err)
	}
	if err := c.Restart(0); err != nil {
		t.Fatal(err)
	}
	if err := c.Await(ctx); err != nil {
		t.Fatal(err)
	}
	expect(ctx, t, k, "events", 300)
}

// Three brokers go on while one of them is down, whichever it is.
func TestThreeBrokers(t *testing.T) {
	if !*three {
		t.Skip("SKIPPED: starts three JVMs; run with -three")
	}
	c := apache.Start(t, apache.Options{Brokers: 3})
	k, ctx := connect(t, c), bounded(t)
	info, err := k.Admin().CreateTopic(ctx, kafka.TopicSpec{Name: "events", Partitions: 1})
	if err != nil || info.ReplicationFactor != 3 {
		t.Fatalf("topic %+v: %v", info, err)
	}
	write(ctx, t, k, "events", 0, 100, true)
	for i := range 3 {
		if i == 1 {
			err = c.Stop(i)
		} else {
			c.Kill(i)
		}
		if err != nil {
			t.Fatal(err)
		}
		write(ctx, t, k, "events", 100*(i+1), 100, true)
		if err := c.Restart(i); err != nil {
			t.Fatal(err)
		}
		if err := c.Await(ctx); err != nil {
			t.Fatal(err)
		}
	}
	expect(ctx, t, k, "events", 400)
}
