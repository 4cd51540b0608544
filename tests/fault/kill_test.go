package fault

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/tests/process"
)

var (
	long = flag.Bool("long", false, "sixty kills and half a million inputs instead of a few")
	seed = flag.Uint64("seed", 0, "of the moments of the kills; 0 takes the clock")
	keep = flag.String("keep", "", "folder to keep the data directory and the server's log in")
)

// ksqlgo is the program, built once.
var ksqlgo = sync.OnceValues(func() (string, error) {
	return filepath.Join(programs, "ksqlgo"), process.Build(programs, "cmd/ksqlgo")
})

// programs is where it is built.
var programs string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if programs, err = os.MkdirTemp("", "ksqlgo-fault"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(programs)
	return m.Run()
}

// newServer configures a server on a data directory of its own.
func newServer(t *testing.T) process.ServerConfig {
	t.Helper()
	if testing.Short() {
		t.Skip("runs real processes")
	}
	program, err := ksqlgo()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "data")
	if *keep != "" {
		dir = filepath.Join(*keep, t.Name())
	}
	cfg, err := process.NewServerConfig(program, dir)
	if err != nil {
		t.Fatal(err)
	}
	if *keep != "" {
		if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
			t.Fatal(err)
		}
		if cfg.Log, err = os.Create(dir + ".log"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cfg.Log.Close() })
	}
	return cfg
}

// start starts a server that ends with the test, and waits until it answers.
func start(ctx context.Context, t *testing.T, cfg process.ServerConfig) *process.Server {
	t.Helper()
	s, err := process.StartServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	if err := s.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

// within bounds a test.
func within(t *testing.T, limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

// campaign is how often is killed and how much is fed meanwhile.
type campaign struct {
	kills, inputs, perSecond int
	// shortest and longest life of a process, from its start.
	shortest, longest time.Duration
	limit             time.Duration
}

// TestKill kills the whole process, embedded broker included, at random moments under load, and then looks at every input.
func TestKill(t *testing.T) {
	c := campaign{kills: 5, inputs: 40_000, perSecond: 8_000, shortest: 100 * time.Millisecond, longest: 1600 * time.Millisecond, limit: 2 * time.Minute}
	if *long {
		c = campaign{kills: 60, inputs: 500_000, perSecond: 5_000, shortest: 50 * time.Millisecond, longest: 4 * time.Second, limit: 30 * time.Minute}
	}
	c.run(within(t, c.limit), t, newServer(t))
}

// TestKillEngine kills the engine alone: the broker goes on, with what the dead engine had open.
func TestKillEngine(t *testing.T) {
	c := campaign{kills: 3, inputs: 10_000, perSecond: 5_000, shortest: 200 * time.Millisecond, longest: 1200 * time.Millisecond, limit: 2 * time.Minute}
	if *long {
		c = campaign{kills: 60, inputs: 500_000, perSecond: 5_000, shortest: 50 * time.Millisecond, longest: 4 * time.Second, limit: 30 * time.Minute}
	}
	ctx := within(t, c.limit)
	cfg := newServer(t)
	cfg.Bootstrap = startBroker(ctx, t, cfg)
	c.run(ctx, t, cfg)
}

// startBroker runs the embedded broker as a process of its own and returns its address.
func startBroker(ctx context.Context, t *testing.T, cfg process.ServerConfig) string {
	t.Helper()
	address := cfg.Kafka()
	b, err := process.Start(cfg.Log, nil, cfg.Binary, "broker", "--broker-listener", address, "--data-dir", filepath.Join(t.TempDir(), "broker"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Kill)
	err = b.Await(ctx, func() error {
		if !strings.Contains(b.Output(), "listening") {
			return errors.New("the broker is not up yet")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// run declares the program, feeds it while killing, and checks everything at the end.
func (c *campaign) run(ctx context.Context, t *testing.T, cfg process.ServerConfig) {
	t.Helper()
	s := start(ctx, t, cfg)
	queries, err := declare(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	if len(queries) != 3 {
		t.Fatalf("queries %v", queries)
	}
	g, err := newGenerator(cfg.Kafka(), "inputs")
	if err != nil {
		t.Fatal(err)
	}
	feeding, stopFeeding := context.WithCancel(ctx)
	defer stopFeeding()
	var feeder sync.WaitGroup
	feeder.Go(func() { g.run(feeding, c.perSecond) })

	s, answers := c.killing(ctx, t, s, g)
	stopFeeding()
	feeder.Wait()
	if err := g.finish(ctx); err != nil {
		t.Fatalf("flushing the generator: %v", err)
	}
	l, took := settle(ctx, t, s, queries)
	l.acked = g.acked
	if err := s.Stop(10 * time.Second); err != nil {
		t.Errorf("stopping: %v", err)
	}
	report(t, l, g, c.kills, answers, took)
}

// killing kills and restarts until there were enough kills and inputs. It returns the last process and how long each took
// from its start to its first answer.
func (c *campaign) killing(ctx context.Context, t *testing.T, s *process.Server, g *generator) (*process.Server, []time.Duration) {
	t.Helper()
	from := *seed
	if from == 0 {
		from = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", from)
	dice := rand.New(rand.NewPCG(from, 0))
	var answers []time.Duration
	for n := 0; n < c.kills || g.done.Load() < int64(c.inputs); n++ {
		life := c.shortest + time.Duration(dice.Int64N(int64(c.longest-c.shortest)))
		if n >= c.kills {
			life = c.longest // Kills there were enough of; only inputs are missing.
		}
		if err := pause(ctx, s, life); err != nil {
			t.Fatalf("before kill %d: %v", n+1, err)
		}
		if n >= c.kills {
			continue
		}
		s.Kill()
		began := time.Now()
		var err error
		if s, err = process.StartServer(s.Config); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Kill)
		// Some are killed while they start; of the others it is seen how soon they answer.
		if dice.IntN(3) == 0 {
			continue
		}
		if err := s.Ready(ctx); err != nil {
			t.Fatalf("after kill %d: %v", n+1, err)
		}
		answers = append(answers, time.Since(began))
	}
	if err := s.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	return s, answers
}

// pause lets a process live for a while; its end by itself is an error.
func pause(ctx context.Context, s *process.Server, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.Done():
		return fmt.Errorf("the process ended by itself:\n%s", s.Output())
	}
}

// settle waits until everything is processed and reads all there is.
func settle(ctx context.Context, t *testing.T, s *process.Server, queries map[string]string) (*ledger, time.Duration) {
	t.Helper()
	l := &ledger{read: map[string]int64{}, wantRead: map[string]int64{}}
	total, err := l.readInputs(ctx, s.Config.Kafka())
	if err != nil {
		t.Fatal(err)
	}
	l.wantRead[queries["COUNTS"]], l.wantRead[queries["SUMS"]], l.wantRead[queries["JOINED"]] = total, total, total+users
	began := time.Now()
	stats, err := drained(ctx, s, l.wantRead)
	if err != nil {
		t.Fatalf("waiting for the queries: %v\n%s", err, s.Output())
	}
	took := time.Since(began)
	for id, figures := range stats {
		l.read[id] = figures["records-read"]
		sum := figures["records-emitting"] + figures["records-filtered"] + figures["records-merged-into-state"] + figures["records-late"] +
			figures["records-null-key"] + figures["records-failed"]
		if sum != figures["records-read"] {
			t.Errorf("the accounting of %s does not close: %v", id, figures)
		}
	}
	if err := l.pullAll(ctx, s); err != nil {
		t.Fatal(err)
	}
	if err := l.readOutputs(ctx, s.Config.Kafka()); err != nil {
		t.Fatal(err)
	}
	return l, took
}

// report prints figures and what is wrong.
func report(t *testing.T, l *ledger, g *generator, kills int, answers []time.Duration, took time.Duration) {
	t.Helper()
	again, total := 0, 0
	for _, n := range l.inputs {
		total += n
		again += n - 1
	}
	t.Logf("%d kills; %d inputs in the topic (%d sent, %d confirmed, %d refused, %d written again by the client)",
		kills, total, g.next.Load(), len(g.acked), len(g.failed), again)
	t.Logf("outputs: %d counts, %d joined, %d window sums; pulled %d counts, %d windows; the rest was read in %s",
		len(l.counts), len(l.joined), len(l.sums), len(l.pulledCounts), len(l.pulledSums), took.Round(time.Millisecond))
	t.Logf("from start to first answer: %d restarts, median %s, most %s", len(answers), percentile(answers, 50).Round(time.Millisecond),
		percentile(answers, 100).Round(time.Millisecond))
	f := l.check()
	t.Logf("findings by kind: %v", f.count)
	for _, line := range f.list {
		t.Error(line)
	}
}
