package kafka_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// joined is a member that owns the partitions of a topic.
func joined(t *testing.T, e env, topic string) *kafka.GroupConsumer {
	t.Helper()
	g, err := e.NewGroupConsumer(kafka.GroupConfig{Name: "test", Group: "g", InstanceID: "a", Topics: []string{topic}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	ctx := timeout(t)
	for {
		event, _, err := g.Poll(ctx, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if event != nil {
			event.Ack()
			return g
		}
	}
}

// TestCommitDuringARebalance: between the moment at which all have joined and the one at which the partitions are divided the
// coordinator refuses commits. They are made again, so that a rebalance that takes nothing away costs no interval.
func TestCommitDuringARebalance(t *testing.T) {
	t.Parallel()
	offsets := []kafka.OffsetCommit{{TopicPartition: kafka.TopicPartition{Topic: "in"}, GroupOffset: kafka.GroupOffset{Offset: 1, LeaderEpoch: -1}}}
	for name, c := range map[string]struct {
		err    *kerr.Error
		thrown bool // the member is thrown out meanwhile
		want   kafka.ErrorKind
		ok     bool
	}{
		"not divided yet":        {err: kerr.RebalanceInProgress, ok: true},
		"the generation before":  {err: kerr.IllegalGeneration, ok: true},
		"the topic is news":      {err: kerr.UnknownTopicOrPartition, ok: true},
		"thrown out":             {err: kerr.UnknownMemberID, want: kafka.Stale},
		"thrown out while it is": {err: kerr.RebalanceInProgress, thrown: true, want: kafka.Stale},
	} {
		for _, how := range []string{"in a transaction", "plainly"} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				e, fake := faulty(t, 1)
				e.topic(t, "in", 1)
				e.topic(t, "out", 1)
				g := joined(t, e, "in")
				p := e.producer(t, "txn")
				ctx := timeout(t)
				count := 5
				if c.thrown {
					count = -1
				}
				commits := fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.TxnOffsetCommit, kmsg.OffsetCommit}, Err: c.err, Count: count})
				if c.thrown {
					fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, TopLevel: true, Err: kerr.UnknownMemberID})
					g.Rejoin()
				}
				var err error
				if how == "plainly" {
					err = g.CommitOffsets(ctx, offsets)
				} else {
					p.Produce("out", 0, nil, []byte("x"), 0, nil)
					err = p.CommitTransaction(ctx, g.Member(), offsets)
				}
				if c.ok && err != nil || !c.ok && kafka.KindOf(err) != c.want {
					t.Fatalf("commit: %v after %d refusals", err, commits.Hits())
				}
				if c.err == kerr.UnknownMemberID && commits.Hits() > 1 {
					t.Errorf("tried %d times as a member that is not one", commits.Hits())
				}
			})
		}
	}
}

// TestOffsetsOfANewCoordinator: a broker that has just been started does not know all topics yet.
func TestOffsetsOfANewCoordinator(t *testing.T) {
	t.Parallel()
	e, fake := faulty(t, 1)
	e.topic(t, "in", 1)
	g := joined(t, e, "in")
	ctx := timeout(t)
	tp := kafka.TopicPartition{Topic: "in"}
	if err := g.CommitOffsets(ctx, []kafka.OffsetCommit{{TopicPartition: tp, GroupOffset: kafka.GroupOffset{Offset: 7, LeaderEpoch: -1}}}); err != nil {
		t.Fatal(err)
	}
	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetFetch}, Err: kerr.UnknownTopicID, Count: 4})
	offsets, err := e.StableOffsets(ctx, "g", []kafka.TopicPartition{tp})
	if err != nil || offsets[tp].Offset != 7 {
		t.Errorf("offsets %v, %v", offsets, err)
	}
}
