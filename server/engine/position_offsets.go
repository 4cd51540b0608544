package engine

import (
	"context"
	"errors"
	"time"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/position"
)

// kafkaOffsets implements position.Offsets by asking Kafka.
type kafkaOffsets struct {
	kafka     *kafka.Cluster
	serviceID string
}

// Committed implements position.Offsets.
func (o *kafkaOffsets) Committed(ctx context.Context, query string, of position.Vector) (position.Vector, error) {
	var list []kafka.TopicPartition
	for topic, partitions := range of {
		for p := range partitions {
			list = append(list, kafka.TopicPartition{Topic: topic, Partition: p})
		}
	}
	if len(list) == 0 {
		return position.Vector{}, nil
	}
	offsets, err := o.kafka.StableOffsets(ctx, exec.GroupName(o.serviceID, query), list)
	if err != nil {
		return nil, err
	}
	out := position.Vector{}
	for tp, at := range offsets {
		if at.Offset != kafka.NoOffset {
			out.Set(tp.Topic, tp.Partition, at.Offset)
		}
	}
	return out, nil
}

// Ends implements position.Offsets.
func (o *kafkaOffsets) Ends(ctx context.Context, topics ...string) (position.Vector, error) {
	ends, err := o.kafka.Admin().EndOffsets(ctx, topics...)
	return vectorOf(ends), err
}

func vectorOf(offsets map[kafka.TopicPartition]int64) position.Vector {
	out := position.Vector{}
	for tp, at := range offsets {
		out.Set(tp.Topic, tp.Partition, at)
	}
	return out
}

// readablePause is the pause between two looks at what can be read of a topic.
const readablePause = 10 * time.Millisecond

// awaitReadable waits until readers of committed records see the topics as far as wanted, and returns how far they do. When
// the time is up the error is a *position.Behind.
func (o *kafkaOffsets) awaitReadable(ctx context.Context, topics []string, want position.Vector, limit time.Duration) (position.Vector, error) {
	wait, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	behind := &position.Behind{Want: want}
	for {
		ends, err := o.kafka.Admin().CommittedEndOffsets(wait, topics...)
		if err == nil {
			if behind.Have = vectorOf(ends); behind.Have.Covers(want) {
				return behind.Have, nil
			}
		}
		pause := time.NewTimer(readablePause)
		select {
		case <-wait.Done():
			pause.Stop()
			if errors.Is(wait.Err(), context.DeadlineExceeded) && ctx.Err() == nil {
				return nil, behind
			}
			return nil, wait.Err()
		case <-pause.C:
		}
		if err != nil {
			return nil, err
		}
	}
}
