package kafka_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// faulty is a cluster of several brokers whose answers a test can spoil.
func faulty(t testing.TB, brokers int) (env, *kfake.Cluster) {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(brokers))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	c, err := kafka.Connect(t.Context(), kafka.Config{BootstrapServers: fake.ListenAddrs(), ClientID: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return env{Cluster: c}, fake
}

func (e env) producer(t testing.TB, txnID string) *kafka.Producer {
	t.Helper()
	p, err := e.NewProducer(timeout(t), kafka.ProducerConfig{Name: "test", TransactionalID: txnID})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func TestErrorsOfATransaction(t *testing.T) {
	offsets := []kafka.OffsetCommit{{TopicPartition: kafka.TopicPartition{Topic: "in"}, GroupOffset: kafka.GroupOffset{Offset: 1, LeaderEpoch: -1}}}
	for _, c := range []struct {
		name   string
		faults []kfake.Fault
		member kafka.Member
		want   kafka.ErrorKind
		ok     bool // the transaction commits all the same
	}{
		{name: "appended, answer lost", ok: true, faults: []kfake.Fault{{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicasAfterAppend}}},
		{name: "leader moved", ok: true, faults: []kfake.Fault{{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: 3}}},
		{name: "previous transaction still ending", ok: true, faults: []kfake.Fault{{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.ConcurrentTransactions, Count: 2}}},
		{name: "too large", want: kafka.TooLarge, faults: []kfake.Fault{{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.MessageTooLarge}}},
		{name: "not allowed", want: kafka.Denied, faults: []kfake.Fault{{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.TopicAuthorizationFailed}}},
		{name: "topic deleted", want: kafka.TopicGone, faults: []kfake.Fault{{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.UnknownTopicID, Count: -1}}},
		{name: "sequence lost", want: kafka.Aborted, faults: []kfake.Fault{{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.OutOfOrderSequenceNumber}}},
		{name: "transaction timed out", want: kafka.Aborted, faults: []kfake.Fault{{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.InvalidProducerEpoch}}},
		{name: "generation passed", want: kafka.Stale, faults: []kfake.Fault{{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.IllegalGeneration}}},
		{name: "member unknown", want: kafka.Stale, faults: []kfake.Fault{{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.UnknownMemberID}}},
		{name: "instance fenced", want: kafka.Fenced, faults: []kfake.Fault{{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.FencedInstanceID}}},
		{name: "coordinator loading", ok: true, faults: []kfake.Fault{{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.CoordinatorLoadInProgress}}},
		{name: "end refused", want: kafka.Unknown, faults: []kfake.Fault{{Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.InvalidTxnState}}},
		{name: "end applied, answer lost", want: kafka.Unknown, faults: []kfake.Fault{{Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.UnknownServerError}}},
		{name: "end to be tried again", ok: true, faults: []kfake.Fault{{Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.ConcurrentTransactions, Count: 2}}},
		{name: "not a member", want: kafka.Stale, member: kafka.Member{Group: "g", MemberID: "nobody", Generation: 7}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e, fake := faulty(t, 1)
			e.topic(t, "in", 1)
			e.topic(t, "out", 1)
			p := e.producer(t, "txn")
			ctx := timeout(t)
			if c.member.Group == "" {
				c.member.Group = "g"
			}
			fake.Fault(c.faults...)
			p.Produce("out", 0, nil, []byte("first"), 0, nil)
			err := p.CommitTransaction(ctx, c.member, offsets)
			var want []string
			switch {
			case c.ok && err != nil:
				t.Fatalf("commit: %v", err)
			case c.ok:
				want = []string{"first"}
			case kafka.KindOf(err) != c.want:
				t.Fatalf("commit: kind %v (%v), want %v", kafka.KindOf(err), err, c.want)
			}
			if err := p.AbortTransaction(ctx); err != nil {
				t.Fatalf("abort: %v", err)
			}
			if c.want == kafka.TopicGone {
				return
			}
			// The producer goes on, and nothing of the failed interval shows.
			p.Produce("out", 0, nil, []byte("second"), 0, nil)
			if err := p.CommitTransaction(ctx, kafka.Member{Group: "g"}, offsets); err != nil {
				t.Fatalf("the next commit: %v", err)
			}
			want = append(want, "second")
			if got := e.readAll(t, "out"); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("topic has %v, want %v", got, want)
			}
		})
	}
}

func TestTakenOverProducerIsFenced(t *testing.T) {
	e := start(t)
	e.topic(t, "out", 1)
	ctx := timeout(t)
	old := e.producer(t, "txn")
	old.Produce("out", 0, nil, []byte("old"), 0, nil)
	if err := old.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	young := e.producer(t, "txn")
	young.Produce("out", 0, nil, []byte("young"), 0, nil)
	if err := young.CommitTransaction(ctx, kafka.Member{}, nil); err != nil {
		t.Fatal(err)
	}
	if err := old.CommitTransaction(ctx, kafka.Member{}, nil); err == nil {
		t.Error("the old producer committed")
	}
	if got := e.readAll(t, "out"); len(got) != 1 || got[0] != "young" {
		t.Errorf("topic has %v", got)
	}
}

// A producer without transactions writes nothing while it may not, says why, and can go on later.
func TestProducerAsksForPermission(t *testing.T) {
	e := start(t)
	e.topic(t, "out", 1)
	ctx := timeout(t)
	var denied atomic.Pointer[error]
	p, err := e.NewProducer(ctx, kafka.ProducerConfig{Name: "asks", Permit: func() error {
		if err := denied.Load(); err != nil {
			return *err
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	reason := errors.New("not now")
	for i, text := range []string{"first", "second", "third"} {
		want := i == 1
		denied.Store(nil)
		if want {
			denied.Store(&reason)
		}
		p.Produce("out", 0, nil, []byte(text), 0, nil)
		err := p.Flush(ctx)
		if want != errors.Is(err, reason) || !want && err != nil || want && kafka.KindOf(err) != kafka.Stale {
			t.Errorf("%s: %v", text, err)
		}
		if err != nil {
			if err := p.AbortTransaction(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := e.readAll(t, "out"); !slices.Equal(got, []string{"first", "third"}) {
		t.Errorf("topic has %v", got)
	}
}

func TestEmptyIntervalCommitsOffsets(t *testing.T) {
	e := start(t)
	e.topic(t, "in", 1)
	ctx := timeout(t)
	p := e.producer(t, "txn")
	tp := kafka.TopicPartition{Topic: "in"}
	commit := kafka.OffsetCommit{TopicPartition: tp, GroupOffset: kafka.GroupOffset{Offset: 17, LeaderEpoch: 3, Metadata: "meta"}}
	if err := p.CommitTransaction(ctx, kafka.Member{Group: "g"}, []kafka.OffsetCommit{commit}); err != nil {
		t.Fatal(err)
	}
	got, err := e.StableOffsets(ctx, "g", []kafka.TopicPartition{tp, {Topic: "in", Partition: 0}})
	if err != nil || got[tp] != commit.GroupOffset {
		t.Errorf("offsets %v, %v", got, err)
	}
	if none, err := e.StableOffsets(ctx, "other", []kafka.TopicPartition{tp}); err != nil || none[tp].Offset != kafka.NoOffset {
		t.Errorf("a group that never committed has %v, %v", none, err)
	}
}

func TestStableOffsetsWaitForTheTransaction(t *testing.T) {
	e := start(t)
	e.topic(t, "in", 1)
	e.topic(t, "out", 1)
	ctx := timeout(t)
	tp := kafka.TopicPartition{Topic: "in"}
	commit := []kafka.OffsetCommit{{TopicPartition: tp, GroupOffset: kafka.GroupOffset{Offset: 5, LeaderEpoch: -1}}}
	if err := e.CommitOffsets(ctx, kafka.Member{Group: "g"}, commit); err != nil { // a group must exist to be waited for
		t.Fatal(err)
	}
	commit[0].Offset = 6
	p := e.producer(t, "txn")
	p.Produce("out", 0, nil, []byte("a"), 0, nil)
	if err := kafka.StageOffsets(ctx, p, kafka.Member{Group: "g"}, commit); err != nil {
		t.Fatal(err)
	}
	got := make(chan int64)
	go func() {
		offsets, err := e.StableOffsets(ctx, "g", []kafka.TopicPartition{tp})
		if err != nil {
			t.Error(err)
		}
		got <- offsets[tp].Offset
	}()
	select {
	case o := <-got:
		t.Fatalf("answered %d while the transaction was open", o)
	case <-time.After(100 * time.Millisecond):
	}
	if err := p.CommitTransaction(ctx, kafka.Member{Group: "g"}, commit); err != nil {
		t.Fatal(err)
	}
	if o := <-got; o != 6 {
		t.Errorf("offset %d, want 6", o)
	}
}

// TestCopyOverFaults copies while three brokers fail at random: requests that
// were applied and not answered, leaders and coordinators that move.
func TestCopyOverFaults(t *testing.T) {
	e, fake := faulty(t, 3)
	e.topic(t, "in", 6)
	e.topic(t, "out", 6)
	const n, chunk = 10000, 100
	written := 0
	in := e.producer(t, "")
	rng := rand.New(rand.NewPCG(3, 4))
	kinds := []kfake.Fault{
		{Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.RequestTimedOut},
		{Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.UnknownServerError},
		{Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.NotCoordinator},
		{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.IllegalGeneration},
		{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.RequestTimedOut},
		{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicasAfterAppend},
		{Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Err: kerr.InvalidProducerEpoch},
		{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.RequestTimedOut},
		{Keys: []kmsg.Key{kmsg.OffsetFetch}, Err: kerr.UnstableOffsetCommit},
		{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.NotLeaderForPartition},
	}
	ctx := timeout(t)
	c := newCopier(t, e.Cluster, "in", "out", "one")
	defer c.close()
	aborts := 0
	for interval := 0; ; interval++ {
		if written < n {
			for range chunk {
				in.Produce("in", int32(written%6), nil, fmt.Appendf(nil, "value-%d", written), 0, nil)
				written++
			}
			if err := in.Flush(ctx); err != nil {
				t.Fatal(err)
			}
		} else if c.atEnd(t) {
			break
		}
		switch rng.IntN(4) {
		case 0:
			fake.Fault(kinds[rng.IntN(len(kinds))])
		case 1:
			fake.ShufflePartitionLeaders()
		case 2:
			fake.RehashCoordinators()
		}
		for range 3 {
			if err := c.step(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.commit(ctx); err != nil {
			var kafkaErr *kafka.Error
			if !errors.As(err, &kafkaErr) {
				t.Fatalf("untyped error %v", err)
			}
			aborts++
			if err := c.recoverFrom(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d aborts", aborts)
	wantOnce(t, e.readAll(t, "out"), n)
}

// atEnd reports whether the group has committed all input.
func (c *copier) atEnd(t testing.TB) bool {
	ctx := timeout(t)
	ends, err := c.cluster.Admin().EndOffsets(ctx, c.in)
	if err != nil {
		t.Fatal(err)
	}
	var all []kafka.TopicPartition
	for tp := range ends {
		all = append(all, tp)
	}
	offsets, err := c.cluster.StableOffsets(ctx, copyGroup, all)
	if err != nil {
		t.Fatal(err)
	}
	for tp, end := range ends {
		if offsets[tp].Offset < end {
			return false
		}
	}
	return true
}
