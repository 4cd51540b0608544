package kafka_test

import (
	"context"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/server/broker"
)

// A member hears from its group as long as there is a broker, and no longer.
func TestHeard(t *testing.T) {
	t.Parallel()
	b, err := broker.Start(t.Context(), broker.Config{Listener: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := kafka.Connect(t.Context(), kafka.Config{BootstrapServers: b.BootstrapServers()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if _, err := c.Admin().CreateTopic(t.Context(), kafka.TopicSpec{Name: "t", Partitions: 1}); err != nil {
		t.Fatal(err)
	}
	g, err := c.NewGroupConsumer(kafka.GroupConfig{Name: "m", Group: "g", Topics: []string{"t"}, SessionTimeout: 6 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	until := func(what string, done func() bool) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for !done() {
			e, batches, err := g.Poll(ctx, 10*time.Millisecond)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if e != nil {
				e.Ack()
			}
			for _, b := range batches {
				b.Release()
			}
		}
	}
	until("it hears something", func() bool { return !g.Heard().IsZero() })
	first := g.Heard()
	until("it hears more", func() bool { return g.Heard().After(first) })
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	until("it hears no more", func() bool { return time.Since(g.Heard()) > 2500*time.Millisecond })
}
