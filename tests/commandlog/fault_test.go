package commandlog_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/server/broker"
	"github.com/ksqlgo/ksqlgo/server/commandlog"
)

// follower is a server's end of the log that carries nothing out.
type follower struct {
	*commandlog.Log
	topic   *commandlog.KafkaTopic
	applied map[string]int // how often each id was applied; of the goroutine that follows until stop returned
	stop    func()
}

func (f *follower) Adopt(*catalog.Snapshot, *catalog.Snapshot, map[string]*commandlog.Command, bool) {
}

func (f *follower) Abandon() {}

func (f *follower) Terminate(commandlog.Termination) {}

func (f *follower) Applied(c commandlog.AppliedCommand, _, _ *catalog.Snapshot) error {
	f.applied[c.ID]++
	return nil
}

func follow(t *testing.T, cluster *kafka.Cluster) *follower {
	t.Helper()
	topic, err := commandlog.OpenKafkaTopic(t.Context(), commandlog.KafkaTopicConfig{Cluster: cluster, ServiceID: "faults_", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	f := &follower{topic: topic, applied: map[string]int{}}
	f.Log = commandlog.New(commandlog.Config{Topic: topic, Applier: f, Logger: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		if err := f.Run(ctx, func() { close(ready) }); err != nil {
			t.Error(err)
		}
	}()
	f.stop = sync.OnceFunc(func() { cancel(); <-done; topic.Close() })
	t.Cleanup(f.stop)
	select {
	case <-ready:
	case <-time.After(time.Minute):
		t.Fatal("the log was never replayed")
	}
	return f
}

// create makes a type and returns when it was applied here.
func (f *follower) create(ctx context.Context, name string) error {
	_, offset, err := f.Append(ctx, func(s *catalog.Snapshot, _ int64) (commandlog.ID, *commandlog.Command, error) {
		if _, there := s.Source(name); there {
			return commandlog.ID{}, nil, errors.New("already there")
		}
		return commandlog.ID{Type: "stream", Entity: name, Action: "create"}, &commandlog.Command{Action: commandlog.CreateSource,
			Statement: "CREATE STREAM " + name + ";", Source: &catalog.Source{Name: name}}, nil
	})
	if err == nil {
		_, err = f.Wait(ctx, offset)
	}
	return err
}

// endTxnKey is the key of the request that commits a transaction.
const endTxnKey = 26

// answerLoser is a dialer whose connections may break once a commit was sent, before its answer is read.
type answerLoser struct{ lose, lost atomic.Int64 }

func (d *answerLoser) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &losingConn{Conn: c, dialer: d}, nil
}

type losingConn struct {
	net.Conn
	dialer *answerLoser
	broken atomic.Bool
}

func (c *losingConn) Write(b []byte) (int, error) {
	if len(b) >= 6 && binary.BigEndian.Uint16(b[4:]) == endTxnKey && c.dialer.lose.Load() > 0 && c.dialer.lose.Add(-1) >= 0 {
		c.dialer.lost.Add(1)
		c.broken.Store(true)
	}
	return c.Conn.Write(b)
}

func (c *losingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err == nil && c.broken.Load() {
		c.Close()
		return 0, net.ErrClosed
	}
	return n, err
}

// Three servers write while the brokers fail at random: requests that are refused, answers that are lost after the commit
// was carried out, leaders and coordinators that move. What a client is told is so: a command that was acknowledged is in
// the log once; one that was refused is not there, or was never known to be written.
func TestCommandsOverFaults(t *testing.T) {
	t.Parallel()
	fake, err := kfake.NewCluster(kfake.NumBrokers(3))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	dialer := &answerLoser{}
	var servers []*follower
	for i := range 3 {
		c, err := kafka.Connect(t.Context(), kafka.Config{BootstrapServers: fake.ListenAddrs(), ClientID: fmt.Sprint("server", i), Dial: dialer.dial})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		servers = append(servers, follow(t, c))
	}
	kinds := []kfake.Fault{
		{Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.RequestTimedOut},
		{Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.UnknownServerError},
		{Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.NotCoordinator},
		{Keys: []kmsg.Key{kmsg.InitProducerID}, TopLevel: true, Err: kerr.ConcurrentTransactions},
		{Keys: []kmsg.Key{kmsg.InitProducerID}, TopLevel: true, Err: kerr.NotCoordinator},
		{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicasAfterAppend},
		{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.InvalidProducerEpoch},
		{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.RequestTimedOut},
		{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.NotLeaderForPartition},
		{Keys: []kmsg.Key{kmsg.ListOffsets}, Err: kerr.NotLeaderForPartition},
	}
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	rng := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	acknowledged, unknown := map[string]bool{}, map[string]bool{}
	var wg sync.WaitGroup
	for i, f := range servers {
		wg.Go(func() {
			for n := range 25 {
				name := fmt.Sprintf("S%d_%d", i, n)
				mu.Lock()
				switch rng.IntN(6) {
				case 0, 1:
					fake.Fault(kinds[rng.IntN(len(kinds))])
				case 2:
					fake.ShufflePartitionLeaders()
				case 3:
					fake.RehashCoordinators()
				case 4:
					dialer.lose.Store(1)
				}
				mu.Unlock()
				err := f.create(ctx, name)
				var open *commandlog.UnknownOutcomeError
				mu.Lock()
				switch {
				case err == nil:
					acknowledged[name] = true
				case errors.As(err, &open):
					unknown[name] = true
				default:
					t.Logf("%s: %v", name, err)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if err := servers[0].create(ctx, "LAST"); err != nil {
		t.Fatal(err)
	}
	acknowledged["LAST"] = true
	for i, f := range servers {
		if err := f.CatchUp(ctx); err != nil {
			t.Fatal(err)
		}
		f.stop()
		there := map[string]bool{}
		for _, s := range f.Snapshot().Sources() {
			there[s.Name] = true
			if !acknowledged[s.Name] && !unknown[s.Name] {
				t.Errorf("server %d: %s is there, and its client was told that it was not written", i, s.Name)
			}
			if n := f.applied["stream/"+s.Name+"/create"]; n != 1 {
				t.Errorf("server %d: %s was applied %d times", i, s.Name, n)
			}
		}
		for name := range acknowledged {
			if !there[name] {
				t.Errorf("server %d: %s is lost", i, name)
			}
		}
	}
	if len(acknowledged) < 60 || dialer.lost.Load() == 0 {
		t.Errorf("%d of 76 commands were acknowledged, %d answers lost: too few for a test", len(acknowledged), dialer.lost.Load())
	}
	t.Logf("%d commands were acknowledged, %d of unknown outcome, %d answers to commits were lost", len(acknowledged), len(unknown), dialer.lost.Load())
}

// The broker goes away while servers follow, and comes back: nothing ends, commands are taken again.
func TestBrokerGoesAwayWhileFollowing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, err := broker.Start(t.Context(), broker.Config{Listener: "127.0.0.1:0", DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := kafka.Connect(t.Context(), kafka.Config{BootstrapServers: b.BootstrapServers(), ClientID: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	f, other := follow(t, cluster), follow(t, cluster)
	if err := f.create(t.Context(), "A"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"B", "C"} {
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		written := make(chan error, 1)
		go func() { written <- f.create(t.Context(), name) }() // While there is no broker.
		if b, err = broker.Start(t.Context(), broker.Config{Listener: b.Addr(), DataDir: dir}); err != nil {
			t.Fatal(err)
		}
		if err := <-written; err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	t.Cleanup(func() { _ = b.Close() })
	for i, s := range []*follower{f, other} {
		eventually(t, fmt.Sprintf("server %d has all", i), func() bool { return len(s.Snapshot().Sources()) == 3 })
		if status := s.Status(); status.State != commandlog.Running {
			t.Errorf("server %d: %+v", i, status)
		}
	}
}
