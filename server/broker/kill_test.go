package broker

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

var kills = flag.Int("kills", 5, "how often TestKilledBrokerIsExact kills the broker")

// childEnv makes the test binary run a broker instead of the tests.
const childEnv = "KSQLGO_TEST_BROKER"

func TestMain(m *testing.M) {
	if args := os.Getenv(childEnv); args != "" {
		runChild(args)
		return
	}
	os.Exit(m.Run())
}

// runChild is a broker process: it prints its address and runs until killed.
func runChild(args string) {
	listener, dir, _ := strings.Cut(args, " ")
	b, err := Start(context.Background(), Config{Listener: listener, DataDir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(b.Addr())
	select {}
}

// child is a broker in a process of its own.
type child struct {
	cmd  *exec.Cmd
	addr string
}

func startChild(t testing.TB, listener, dir string) (*child, error) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+listener+" "+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	c := &child{cmd, strings.TrimSpace(line)}
	if !strings.HasPrefix(c.addr, "127.0.0.1:") {
		c.kill()
		return nil, fmt.Errorf("the broker did not start: %s", c.addr)
	}
	return c, nil
}

func (c *child) kill() {
	c.cmd.Process.Kill()
	c.cmd.Wait()
}

// TestKilledBrokerIsExact kills the broker's process at random moments while
// clients that survive it produce, and copy in transactions. Each value
// acknowledged must be in the topic once, and once in the copy.
func TestKilledBrokerIsExact(t *testing.T) {
	dir := t.TempDir()
	c, err := startChild(t, "127.0.0.1:0", dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { c.kill() }()
	addr := c.addr
	b := &Broker{addr: addr}
	createTopic(t, b, "in", 4, nil)
	createTopic(t, b, "copy", 4, nil)

	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	produced := make(chan int)
	var stopProducing atomic.Bool
	go func() { produced <- produceNumbers(ctx, t, addr, &stopProducing) }()
	copied := make(chan error)
	copyCtx, stopCopying := context.WithCancel(ctx)
	go func() { copied <- copyTransactionally(copyCtx, addr) }()

	for range *kills {
		timer := time.NewTimer(time.Duration(100+rand.IntN(400)) * time.Millisecond)
		<-timer.C
		c.kill()
		if c, err = startChild(t, addr, dir); err != nil {
			t.Fatal(err)
		}
	}
	stopProducing.Store(true)
	n := <-produced
	waitForCopy(ctx, t, b, n)
	stopCopying()
	if err := <-copied; err != nil {
		t.Error(err)
	}
	c.kill()
	if c, err = startChild(t, addr, dir); err != nil {
		t.Fatal(err)
	}
	wantNumbers(t, "in", committed(t, b, "in", 4), n)
	wantNumbers(t, "copy", committed(t, b, "copy", 4), n)
	t.Logf("%d values over %d kills", n, *kills)
}

// produceNumbers writes 0, 1, 2, … until told to stop; returns how many, all
// of them acknowledged.
func produceNumbers(ctx context.Context, t *testing.T, addr string, stop *atomic.Bool) int {
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MaxBufferedRecords(200))
	if err != nil {
		t.Error(err)
		return 0
	}
	defer cl.Close()
	n := 0
	for ; !stop.Load() && ctx.Err() == nil; n++ {
		cl.Produce(ctx, &kgo.Record{Topic: "in", Partition: int32(n % 4), Value: fmt.Append(nil, n)}, func(_ *kgo.Record, err error) {
			if err != nil {
				t.Errorf("produce: %v", err)
			}
		})
	}
	if err := cl.Flush(ctx); err != nil {
		t.Errorf("flush: %v", err)
	}
	return n
}

// copyTransactionally copies "in" to "copy" until ctx ends.
func copyTransactionally(ctx context.Context, addr string) error {
	for generation := 0; ctx.Err() == nil; generation++ {
		s, err := kgo.NewGroupTransactSession(
			kgo.SeedBrokers(addr), kgo.ConsumerGroup("copiers"), kgo.ConsumeTopics("in"),
			kgo.TransactionalID("copier"), kgo.TransactionTimeout(5*time.Second), kgo.SessionTimeout(6*time.Second),
			kgo.FetchIsolationLevel(kgo.ReadCommitted()),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		if err != nil {
			return err
		}
		for ctx.Err() == nil && copyOnce(ctx, s) == nil {
			continue
		}
		s.Close()
	}
	return nil
}

// copyOnce is one transaction; an error asks for a new session.
func copyOnce(ctx context.Context, s *kgo.GroupTransactSession) error {
	pollCtx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	fetches := s.PollRecords(pollCtx, 500)
	if fetches.NumRecords() == 0 {
		return nil
	}
	if err := s.Begin(); err != nil {
		return err
	}
	var failed atomic.Bool
	fetches.EachRecord(func(r *kgo.Record) {
		s.Produce(context.Background(), &kgo.Record{Topic: "copy", Partition: r.Partition, Value: r.Value}, func(_ *kgo.Record, err error) {
			if err != nil {
				failed.Store(true)
			}
		})
	})
	flushCtx, stop := context.WithTimeout(context.Background(), 20*time.Second)
	defer stop()
	if err := s.Client().Flush(flushCtx); err != nil {
		failed.Store(true)
	}
	_, err := s.End(flushCtx, kgo.TransactionEndTry(!failed.Load()))
	return err
}

// waitForCopy waits until the copy holds n values.
func waitForCopy(ctx context.Context, t *testing.T, b *Broker, n int) {
	t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	for {
		total := 0
		for _, values := range committed(t, b, "copy", 4) {
			total += len(values)
		}
		if total >= n {
			return
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			t.Fatalf("the copy has %d of %d values", total, n)
		}
		<-time.After(200 * time.Millisecond)
	}
}

func wantNumbers(t *testing.T, topic string, values [][]string, n int) {
	t.Helper()
	seen := make(map[string]int, n)
	for _, list := range values {
		for _, v := range list {
			seen[v]++
		}
	}
	lost, dup := 0, 0
	for i := range n {
		switch c := seen[fmt.Sprint(i)]; {
		case c == 0:
			lost++
		case c > 1:
			dup++
		}
	}
	if lost+dup > 0 || len(seen) != n {
		t.Errorf("%s: of %d values %d lost, %d duplicated (%d distinct)", topic, n, lost, dup, len(seen))
	}
}
