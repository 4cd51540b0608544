package kafka_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// pollUntil steps copiers until a condition holds.
func pollUntil(t testing.TB, ctx context.Context, what string, done func() bool, copiers ...*copier) {
	t.Helper()
	for !done() {
		for _, c := range copiers {
			if err := c.step(ctx); err != nil {
				t.Fatalf("waiting for %s: %v", what, err)
			}
		}
	}
}

func TestPartitionsMoveBetweenMembers(t *testing.T) {
	e := start(t)
	e.topic(t, "in", 4)
	e.topic(t, "out", 4)
	e.write(t, "in", 4, 0, 1000)
	ctx := timeout(t)
	a := newCopier(t, e.Cluster, "in", "out", "a")
	pollUntil(t, ctx, "a to own all", func() bool { return len(a.owned) == 4 && a.copied == 1000 }, a)
	b := newCopier(t, e.Cluster, "in", "out", "b")
	defer b.close()
	// a commits what it has when it is asked to give two partitions up.
	pollUntil(t, ctx, "two each", func() bool { return len(a.owned) == 2 && len(b.owned) == 2 }, a, b)
	e.write(t, "in", 4, 1000, 1000)
	pollUntil(t, ctx, "both to copy", func() bool { return a.copied+b.copied >= 2000 }, a, b)
	for _, c := range []*copier{a, b} {
		if err := c.commit(ctx); err != nil {
			t.Fatal(err)
		}
	}
	// a goes for good: b takes everything over.
	a.close()
	if err := e.Admin().LeaveGroup(ctx, copyGroup, "a"); err != nil {
		t.Fatal(err)
	}
	pollUntil(t, ctx, "b to own all", func() bool { return len(b.owned) == 4 }, b)
	e.write(t, "in", 4, 2000, 1000)
	pollUntil(t, ctx, "b to copy the rest", func() bool { return a.copied+b.copied >= 3000 }, b)
	if err := b.commit(ctx); err != nil {
		t.Fatal(err)
	}
	wantOnce(t, e.readAll(t, "out"), 3000)
}

// TestStaticMemberComesBack restarts a member within its session: it finds
// its partitions, and what the first life left open is gone.
func TestStaticMemberComesBack(t *testing.T) {
	e := start(t)
	e.topic(t, "in", 4)
	e.topic(t, "out", 4)
	e.write(t, "in", 4, 0, 100)
	ctx := timeout(t)
	first := newCopier(t, e.Cluster, "in", "out", "one")
	pollUntil(t, ctx, "the first copy", func() bool { return first.copied == 100 }, first)
	member := first.consumer.Member()
	first.close()

	began := time.Now()
	second := newCopier(t, e.Cluster, "in", "out", "one")
	defer second.close()
	pollUntil(t, ctx, "the second copy", func() bool { return second.copied == 100 }, second)
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the member was back after %v", took)
	}
	// The first life can commit no more.
	err := e.CommitOffsets(ctx, member, []kafka.OffsetCommit{{TopicPartition: kafka.TopicPartition{Topic: "in"}, GroupOffset: kafka.GroupOffset{Offset: 1}}})
	if kind := kafka.KindOf(err); kind != kafka.Fenced && kind != kafka.Stale {
		t.Errorf("a commit of the first life: %v", err)
	}
	if err := second.commit(ctx); err != nil {
		t.Fatal(err)
	}
	wantOnce(t, e.readAll(t, "out"), 100)
	info, err := e.Admin().Group(ctx, copyGroup)
	if err != nil || len(info.Members) != 1 || !slices.ContainsFunc(info.Members, func(m kafka.GroupMember) bool { return m.InstanceID == "one" }) {
		t.Errorf("group %+v, %v", info, err)
	}
}

// TestGroupOfAMissingTopic: a topic that was deleted after the query looked at it leaves a member that can never join.
func TestGroupOfAMissingTopic(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.topic(t, "there", 1)
	g, err := e.NewGroupConsumer(kafka.GroupConfig{Name: "test", Group: "g", Topics: []string{"there", "gone"}})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	ctx := timeout(t)
	for {
		event, batches, err := g.Poll(ctx, time.Second)
		if event != nil {
			event.Ack()
		}
		for _, b := range batches {
			b.Release()
		}
		if err != nil {
			if kafka.KindOf(err) != kafka.TopicGone {
				t.Errorf("error %v", err)
			}
			return
		}
	}
}
