package exec

import (
	"testing"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// TestQueuesAreBounded: a partition is not fetched while its queue holds its share, however many or few batches that is.
func TestQueuesAreBounded(t *testing.T) {
	plan := &physical.Plan{Stages: []*physical.Stage{
		{Inputs: []*physical.Input{{Topic: "a"}, {Topic: "b"}}, Partitions: 50},
		{Inputs: []*physical.Input{{Topic: "c"}}, Partitions: 28},
	}}
	if got, want := queueLimit(plan), queueBytes/128; got != want {
		t.Errorf("the share of one of 128 queues is %d, want %d", got, want)
	}
	plan.Stages[0].Partitions = 5000
	if got := queueLimit(plan); got != minQueueBytes {
		t.Errorf("the share of one of many queues is %d, want %d", got, minQueueBytes)
	}

	paused := false
	stage := &physical.Stage{Inputs: []*physical.Input{{Topic: "in"}}}
	batch := func(records int) *kafka.Batch {
		return &kafka.Batch{TopicPartition: kafka.TopicPartition{Topic: "in"}, Records: make([]record.Message, records)}
	}
	f := newFeeder(stage, 0, 10*batch(100).Size(), func(_ kafka.TopicPartition, p bool) { paused = p })
	for range 9 {
		f.enqueue(0, batch(100))
	}
	if paused {
		t.Error("paused below the limit")
	}
	f.enqueue(0, batch(100))
	if !paused {
		t.Error("not paused at the limit")
	}
	consumed := 0
	for f.at[0] = 100; paused && f.head(0) != nil; f.at[0] = 100 {
		consumed++
	}
	if consumed != 8 || paused {
		t.Errorf("fetched again (%v) after %d batches, want after 8", !paused, consumed)
	}
	f.enqueue(0, batch(10_000))
	if !paused {
		t.Error("not paused by one large batch")
	}
	f.dropQueues()
	if f.queued[0] != 0 {
		t.Errorf("%d bytes are left of no batches", f.queued[0])
	}
}
