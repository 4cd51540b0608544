package fault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ksqlgo/ksqlgo/tests/apache"
	"github.com/ksqlgo/ksqlgo/tests/process"
	"github.com/ksqlgo/ksqlgo/tests/proxy"
)

// brokers are the Kafka that a fleet runs on.
type brokers interface {
	// address is host:port of all of them, with commas.
	address() string
	// serverProperties are what servers need to know of them.
	serverProperties() map[string]string
}

// apart is one broker that is no part of a server.
type apart interface {
	brokers
	// bounce takes it down and starts it again with its data.
	bounce(ctx context.Context) error
}

// startApart runs the one broker that the environment asks for, until the test ends.
func startApart(ctx context.Context, t *testing.T) apart {
	t.Helper()
	if apache.Wanted(t) {
		return &single{apache.Start(t, apache.Options{})}
	}
	return startLone(ctx, t)
}

// single is Apache Kafka with one broker.
type single struct{ *apache.Cluster }

func (k *single) address() string                     { return k.BootstrapServers()[0] }
func (k *single) serverProperties() map[string]string { return nil }

// bounce stops the broker cleanly: see apache.Cluster.Kill for what else it may do to transactions.
func (k *single) bounce(ctx context.Context) error {
	if err := k.Stop(0); err != nil {
		return err
	}
	if err := k.Restart(0); err != nil {
		return err
	}
	return k.Await(ctx)
}

// lone is the embedded broker as a process of its own.
type lone struct {
	program, dir, listener string
	process                *process.Process
}

// startLone runs an embedded broker until the test ends.
func startLone(ctx context.Context, t *testing.T) *lone {
	t.Helper()
	program, err := ksqlgo()
	if err != nil {
		t.Fatal(err)
	}
	port, err := process.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	l := &lone{program: program, dir: filepath.Join(t.TempDir(), "broker"), listener: fmt.Sprintf("127.0.0.1:%d", port)}
	if err := l.start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.process.Kill() })
	return l
}

func (l *lone) start(ctx context.Context) error {
	var err error
	l.process, err = process.Start(nil, nil, l.program, "broker", "--broker-listener", l.listener, "--data-dir", l.dir, "--partitions", fmt.Sprint(partitions))
	if err != nil {
		return err
	}
	return l.process.Await(ctx, func() error {
		if !strings.Contains(l.process.Output(), "listening") {
			return errors.New("the broker is not up yet")
		}
		return nil
	})
}

// bounce kills the broker.
func (l *lone) bounce(ctx context.Context) error {
	l.process.Kill()
	return l.start(ctx)
}

func (l *lone) address() string                     { return l.listener }
func (l *lone) serverProperties() map[string]string { return nil }

// trio is Apache Kafka with three brokers, each behind a proxy.
type trio struct {
	*apache.Cluster
	proxies []*proxy.Proxy
	// mu is held by who takes a broker down, until all its replicas are in sync again: one at a time.
	mu     sync.Mutex
	client *kgo.Client
	admin  *kadm.Client
}

const trioSize = 3

// startTrio runs the brokers until the test ends.
func startTrio(t *testing.T, sustained bool) *trio {
	t.Helper()
	k := &trio{}
	var failed error
	front := func(_ int, listener string) string {
		p, err := proxy.Start(listener)
		if err != nil {
			failed = err
			return listener
		}
		k.proxies = append(k.proxies, p)
		t.Cleanup(p.Close)
		return p.Addr()
	}
	heap := 256
	if sustained {
		heap = 512
	}
	k.Cluster = apache.Start(t, apache.Options{Brokers: trioSize, Front: front, Sustained: sustained, HeapMB: heap})
	if failed != nil {
		t.Fatal(failed)
	}
	var err error
	if k.client, err = kgo.NewClient(kgo.SeedBrokers(k.BootstrapServers()...), kgo.ClientID("striker"), kgo.MetadataMinAge(100*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.client.Close)
	k.admin = kadm.NewClient(k.client)
	return k
}

func (k *trio) address() string { return strings.Join(k.BootstrapServers(), ",") }

func (k *trio) serverProperties() map[string]string {
	return map[string]string{"ksql.internal.topic.replicas": fmt.Sprint(trioSize)}
}

// inSync waits until every partition has all its replicas in sync.
func (k *trio) inSync(ctx context.Context) error {
	poll := time.NewTicker(200 * time.Millisecond)
	defer poll.Stop()
	for {
		err := k.outOfSync(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-poll.C:
		}
	}
}

// outOfSync says what is not in sync.
func (k *trio) outOfSync(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	listed, err := k.admin.ListTopicsWithInternal(limited)
	if err != nil {
		return err
	}
	for _, t := range listed {
		for _, p := range t.Partitions {
			if p.Err != nil {
				return fmt.Errorf("%s-%d: %w", t.Topic, p.Partition, p.Err)
			}
			if len(p.ISR) < len(p.Replicas) {
				return fmt.Errorf("%s-%d has %v of %v in sync", t.Topic, p.Partition, p.ISR, p.Replicas)
			}
		}
	}
	return nil
}

// moveLeaders gives partitions of the topics chosen another leader: the replicas get another order, and the first of them
// is elected. It says how many there were.
func (k *trio) moveLeaders(ctx context.Context, dice *rand.Rand, chosen func(topic string) bool) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	listed, err := k.admin.ListTopicsWithInternal(ctx)
	if err != nil {
		return 0, err
	}
	var order kadm.AlterPartitionAssignmentsReq
	moved := kadm.TopicsSet{}
	n := 0
	for _, t := range listed.Sorted() {
		if !chosen(t.Topic) {
			continue
		}
		for _, p := range t.Partitions.Sorted() {
			if len(p.Replicas) < 2 || p.Leader < 0 || dice.IntN(2) == 0 {
				continue
			}
			others := slices.DeleteFunc(slices.Clone(p.Replicas), func(r int32) bool { return r == p.Leader })
			at := dice.IntN(len(others))
			others[0], others[at] = others[at], others[0]
			order.Assign(t.Topic, p.Partition, append(others, p.Leader))
			moved.Add(t.Topic, p.Partition)
			n++
		}
	}
	if n == 0 {
		return 0, nil
	}
	if _, err := k.admin.AlterPartitionAssignments(ctx, order); err != nil {
		return 0, err
	}
	// Some may say that no election is needed, or that a replica is down; the others move.
	_, err = k.admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, moved)
	return n, err
}

// isCoordinators says whether a topic's leaders are the coordinators of groups or transactions.
func isCoordinators(topic string) bool {
	return topic == "__consumer_offsets" || topic == "__transaction_state"
}

// hangingTransactions lists transactions that are open or half ended.
func (k *trio) hangingTransactions(ctx context.Context) ([]string, error) {
	req := kmsg.NewPtrListTransactionsRequest()
	var out []string
	for _, shard := range k.client.RequestSharded(ctx, req) {
		if shard.Err != nil {
			return nil, shard.Err
		}
		for _, s := range shard.Resp.(*kmsg.ListTransactionsResponse).TransactionStates {
			switch s.TransactionState {
			case "Empty", "CompleteCommit", "CompleteAbort":
			default:
				out = append(out, s.TransactionalID+" "+s.TransactionState)
			}
		}
	}
	return out, nil
}
