package kafka_test

import (
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// TestThrownOutWhileJoining: JoinGroup says that the member is not known any more. What it owned is lost, whoever has it next,
// and until that has been said nothing can be committed under another name than the one it owned it by.
func TestThrownOutWhileJoining(t *testing.T) {
	t.Parallel()
	e, fake := faulty(t, 1)
	e.topic(t, "in", 4)
	ctx := timeout(t)
	g, err := e.NewGroupConsumer(kafka.GroupConfig{Name: "test", Group: "g", InstanceID: "a", Topics: []string{"in"}})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if id := g.Member().MemberID; id == "" {
		t.Error("commits before the first join are not fenced")
	}
	var events []string
	poll := func(wait time.Duration) *kafka.Rebalance {
		t.Helper()
		event, batches, err := g.Poll(ctx, wait)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range batches {
			b.Release()
		}
		return event
	}
	await := func(kind kafka.RebalanceKind) *kafka.Rebalance {
		t.Helper()
		for {
			if event := poll(time.Second); event != nil {
				events = append(events, event.Kind.String())
				if event.Kind != kind || len(event.Partitions) != 4 {
					t.Fatalf("events %v, the last of %v; want %v of all four partitions", events, event.Partitions, kind)
				}
				return event
			}
		}
	}
	await(kafka.Assigned).Ack()
	before := g.Member()

	refused := fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, TopLevel: true, Err: kerr.UnknownMemberID})
	waiting := fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, TopLevel: true, Err: kerr.CoordinatorLoadInProgress, Count: -1,
		When: func(r kmsg.Request) bool { return r.(*kmsg.JoinGroupRequest).MemberID == "" }})
	g.Rejoin()
	for refused.Hits() == 0 || waiting.Hits() == 0 {
		if event := poll(10 * time.Millisecond); event != nil {
			t.Fatalf("%v of %v before the group has answered", event.Kind, event.Partitions)
		}
	}
	if m := g.Member(); m != before {
		t.Errorf("while it joins again the member is %+v, want %+v", m, before)
	}
	waiting.Remove()
	lost := await(kafka.Lost)
	lost.Ack()
	await(kafka.Assigned).Ack()
	if m := g.Member(); m.MemberID == before.MemberID || m.MemberID == "" {
		t.Errorf("the member is still %+v", m)
	}
	if want := []string{"assigned", "lost", "assigned"}; !slices.Equal(events, want) {
		t.Errorf("events %v, want %v", events, want)
	}
}
