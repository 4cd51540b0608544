package main

import (
	"context"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// consume reads the topic to its end and looks at nothing but the lengths.
func consume(ctx context.Context, o options) error {
	m := meter{warm: o.warm}
	m.done(0)
	client, err := kgo.NewClient(kgo.SeedBrokers(o.broker), kgo.ConsumeTopics(o.topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		return err
	}
	defer client.Close()
	total, err := recordsIn(ctx, client, o.topic)
	if err != nil {
		return err
	}
	var n, bytes int64
	for n < total {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			n++
			bytes += int64(len(r.Key) + len(r.Value))
		})
		m.done(n)
	}
	m.report("consume", n)
	return nil
}

// recordsIn is how many records a topic without transactions holds.
func recordsIn(ctx context.Context, client *kgo.Client, topic string) (total int64, err error) {
	admin := kadm.NewClient(client)
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return 0, err
	}
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err != nil {
		return 0, err
	}
	ends.Each(func(o kadm.ListedOffset) { total += o.Offset })
	starts.Each(func(o kadm.ListedOffset) { total -= o.Offset })
	return total, firstError(ends, starts)
}

// firstError is the first error of a listed partition.
func firstError(lists ...kadm.ListedOffsets) error {
	for _, l := range lists {
		if err := l.Error(); err != nil {
			return err
		}
	}
	return nil
}
