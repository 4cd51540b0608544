package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// eventsPerSecond is how many events share a second of event time.
const eventsPerSecond = 10_000

// firstEvent is the time of the first event; fixed, so that runs agree.
var firstEvent = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// event appends event i: a purchase of about 250 bytes, by a user drawn
// uniformly, up to two seconds out of order.
func event(b []byte, rng *rand.Rand, i, keys int) (value []byte, user int, millis int64) {
	user = rng.IntN(keys)
	millis = firstEvent + int64(i)*1000/eventsPerSecond - int64(rng.IntN(2000))
	actions := [...]string{"view", "add", "buy"}
	b = append(b, `{"event_time":`...)
	b = strconv.AppendInt(b, millis, 10)
	b = append(b, `,"user_id":"`...)
	b = appendUser(b, user)
	b = append(b, `","store_id":`...)
	b = strconv.AppendInt(b, int64(rng.IntN(1000)), 10)
	b = append(b, `,"item":"item_`...)
	b = strconv.AppendInt(b, int64(rng.IntN(10_000)), 10)
	b = append(b, `","quantity":`...)
	b = strconv.AppendInt(b, int64(1+rng.IntN(9)), 10)
	b = append(b, `,"price":`...)
	b = strconv.AppendFloat(b, float64(rng.IntN(100_000))/100, 'f', -1, 64)
	b = append(b, `,"action":"`...)
	b = append(b, actions[rng.IntN(len(actions))]...)
	b = append(b, `","session":"`...)
	b = strconv.AppendUint(b, rng.Uint64()|1<<63, 16)
	b = append(b, `","filler":"`...)
	for n := 60 + rng.IntN(40); n > 0; n-- {
		b = append(b, byte('a'+rng.IntN(26)))
	}
	return append(b, `"}`...), user, millis
}

func appendUser(b []byte, user int) []byte {
	return strconv.AppendInt(append(b, "user_"...), int64(user), 10)
}

// fill writes the events.
func fill(ctx context.Context, o options) error {
	rng := rand.New(rand.NewPCG(1, 2))
	return produceAll(ctx, o, o.n, nil, func(i int) *kgo.Record {
		value, user, millis := event(make([]byte, 0, 320), rng, i, o.keys)
		return &kgo.Record{Key: appendUser(nil, user), Value: value, Timestamp: time.UnixMilli(millis)}
	})
}

// users writes a row for each user, into a compacted topic: the table of a join.
func users(ctx context.Context, o options) error {
	regions, tiers := [...]string{"emea", "amer", "apac", "latam"}, [...]string{"free", "silver", "gold"}
	compact := "compact"
	return produceAll(ctx, o, o.keys, map[string]*string{"cleanup.policy": &compact}, func(i int) *kgo.Record {
		value := fmt.Appendf(nil, `{"region":%q,"tier":%q}`, regions[i%len(regions)], tiers[i%len(tiers)])
		return &kgo.Record{Key: appendUser(nil, i), Value: value, Timestamp: time.UnixMilli(firstEvent)}
	})
}

// produceAll creates the topic and writes n records to it.
func produceAll(ctx context.Context, o options, n int, configs map[string]*string, record func(int) *kgo.Record) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(o.broker), kgo.DefaultProduceTopic(o.topic),
		kgo.ProducerBatchMaxBytes(512<<10), kgo.MaxBufferedRecords(100_000), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		return err
	}
	defer client.Close()
	if err := createTopic(ctx, client, o.topic, o.partitions, configs); err != nil {
		return err
	}
	began := time.Now()
	var failed atomic.Pointer[error]
	for i := range n {
		if o.rate > 0 && i%50 == 0 {
			time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(o.rate))))
		}
		client.Produce(ctx, record(i), func(_ *kgo.Record, err error) {
			if err != nil {
				failed.CompareAndSwap(nil, &err)
			}
		})
	}
	if err := client.Flush(ctx); err != nil {
		return err
	}
	if err := failed.Load(); err != nil {
		return *err
	}
	fmt.Printf("wrote %d records to %s, %.0f a second\n", n, o.topic, float64(n)/time.Since(began).Seconds())
	return nil
}

// createTopic creates a topic that may exist.
func createTopic(ctx context.Context, client *kgo.Client, name string, partitions int, configs map[string]*string) error {
	_, err := kadm.NewClient(client).CreateTopic(ctx, int32(partitions), -1, configs, name)
	if errors.Is(err, kerr.TopicAlreadyExists) {
		return nil
	}
	return err
}
