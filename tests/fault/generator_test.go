package fault

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// generator writes inputs through the broker's Kafka port at a steady rate and goes on whatever happens to the broker.
type generator struct {
	client *kgo.Client
	topic  string
	// next is the id of the next input.
	next atomic.Int64
	// done counts the inputs whose fate is known.
	done   atomic.Int64
	mu     sync.Mutex
	acked  []int64
	failed []error
}

func newGenerator(broker, topic string) (*generator, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(broker, ",")...), kgo.ClientID("generator"), kgo.DefaultProduceTopic(topic),
		kgo.MaxBufferedRecords(20_000), kgo.ProducerLinger(time.Millisecond),
		kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }),
		kgo.MetadataMinAge(50*time.Millisecond), kgo.UnknownTopicRetries(-1))
	if err != nil {
		return nil, err
	}
	return &generator{client: cl, topic: topic}, nil
}

// input is the record of an id.
func input(topic string, id int64) *kgo.Record {
	return &kgo.Record{Topic: topic, Key: []byte(userOf(id)), Value: []byte(inputJSON(id)), Timestamp: time.UnixMilli(timeOf(id))}
}

// run writes inputs until ctx ends, perSecond of them.
func (g *generator) run(ctx context.Context, perSecond int) {
	const step = 5 * time.Millisecond
	tick := time.NewTicker(step)
	defer tick.Stop()
	began := time.Now()
	var sent int64
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for due := int64(time.Since(began).Seconds() * float64(perSecond)); sent < due && ctx.Err() == nil; sent++ {
			g.send(ctx, g.next.Add(1)-1)
		}
	}
}

func (g *generator) send(ctx context.Context, id int64) {
	// The record outlives ctx: it is retried until the broker has it.
	g.client.Produce(context.WithoutCancel(ctx), input(g.topic, id), func(_ *kgo.Record, err error) {
		g.done.Add(1)
		g.mu.Lock()
		defer g.mu.Unlock()
		if err != nil {
			g.failed = append(g.failed, err)
			return
		}
		g.acked = append(g.acked, id)
	})
}

// finish waits until the fate of every input is known.
func (g *generator) finish(ctx context.Context) error {
	err := g.client.Flush(ctx)
	g.client.Close()
	return err
}

// userRecords are the rows of the table that inputs are joined with.
func userRecords(topic string) []*kgo.Record {
	var out []*kgo.Record
	for n := range users {
		u := "u" + strconv.Itoa(n)
		out = append(out, &kgo.Record{Topic: topic, Key: []byte(u), Value: []byte(`{"region":"` + regionOf(u) + `"}`), Timestamp: time.UnixMilli(epoch - 1)})
	}
	return out
}
