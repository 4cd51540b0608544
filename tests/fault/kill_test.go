package fault

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/tests/apache"
	"github.com/ksqlgo/ksqlgo/tests/process"
)

var (
	long = flag.Bool("long", false, "sixty kills and half a million inputs instead of a few")
	seed = flag.Uint64("seed", 0, "of the moments of the kills; 0 takes the clock")
	talk = flag.String("loglevel", "", "of the servers, for a look at their logs with -keep: debug, info; empty is warn")
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

// newServer configures a server on a data directory of its own, with the embedded broker.
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
	cfg.LogLevel = *talk
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

// newServerOnKafka configures a server on the Kafka that the environment asks for.
func newServerOnKafka(t *testing.T) process.ServerConfig {
	t.Helper()
	cfg := newServer(t)
	if servers := apache.Servers(t, nil); servers != nil {
		cfg.Bootstrap = servers[0]
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

// campaign is how often something is struck down and how much is fed meanwhile.
type campaign struct {
	strikes, inputs, perSecond int
	// shortest and longest time between strikes.
	shortest, longest time.Duration
	limit             time.Duration
	// apart runs the broker as a process of its own.
	apart bool
	// kinds are what may happen; one of them is drawn each time.
	kinds []strike
	// program is the one to run, the usual one if empty.
	program string
}

// strike does something bad to a process and, where it is dead, starts it again.
type strike func(ctx context.Context, w *world) error

// TestKill kills the whole process, embedded broker included, at random moments under load, and then looks at every input.
func TestKill(t *testing.T) {
	if apache.Wanted(t) {
		t.Skip("SKIPPED: kills the embedded broker")
	}
	c := campaign{strikes: 5, inputs: 40_000, perSecond: 8_000, shortest: 100 * time.Millisecond, longest: 1600 * time.Millisecond, limit: 2 * time.Minute}
	c.kinds = []strike{killServer}
	c.run(t)
}

// TestKillEngine kills the engine alone: the broker goes on, with what the dead engine had open.
func TestKillEngine(t *testing.T) {
	c := campaign{strikes: 3, inputs: 10_000, perSecond: 5_000, shortest: 200 * time.Millisecond, longest: 1200 * time.Millisecond, limit: 2 * time.Minute, apart: true}
	c.kinds = []strike{killServer}
	c.run(t)
}

// TestFreezeEngine stops the engine for a while, in the long form longer than its session and its transactions may last: it
// comes back as a zombie that believes to own what it has lost.
func TestFreezeEngine(t *testing.T) {
	c := campaign{strikes: 2, inputs: 5_000, perSecond: 3_000, shortest: 300 * time.Millisecond, longest: 900 * time.Millisecond, limit: 2 * time.Minute, apart: true}
	c.kinds = []strike{freezeServer}
	c.run(t)
}

// TestKillBroker kills the broker alone: the engine goes on with transactions whose fate it does not know.
func TestKillBroker(t *testing.T) {
	c := campaign{strikes: 3, inputs: 10_000, perSecond: 5_000, shortest: 300 * time.Millisecond, longest: 1500 * time.Millisecond, limit: 2 * time.Minute, apart: true}
	c.kinds = []strike{killBroker}
	c.run(t)
}

// TestKillAny kills engine or broker, or freezes the engine, whatever comes up.
func TestKillAny(t *testing.T) {
	if !*long {
		t.Skip("SKIPPED: -long runs it")
	}
	c := campaign{apart: true, kinds: []strike{killServer, killBroker, freezeServer}}
	c.run(t)
}

// world is what a campaign is fought in.
type world struct {
	cfg    process.ServerConfig
	server *process.Server
	// broker is nil when it is embedded.
	broker apart
	dice   *rand.Rand
	// answers are how long servers took from their start to their first answer.
	answers []time.Duration
	cleanup func(func())
}

func killServer(ctx context.Context, w *world) error {
	w.server.Kill()
	began := time.Now()
	var err error
	if w.server, err = process.StartServer(w.cfg); err != nil {
		return err
	}
	w.cleanup(w.server.Kill)
	// Some are killed while they start; of the others it is seen how soon they answer.
	if w.dice.IntN(3) == 0 {
		return nil
	}
	if err := w.server.Ready(ctx); err != nil {
		return err
	}
	w.answers = append(w.answers, time.Since(began))
	return nil
}

func freezeServer(ctx context.Context, w *world) error {
	longest := time.Second
	if *long {
		longest = 13 * time.Second
	}
	return w.server.Freeze(ctx, longest/4+time.Duration(w.dice.Int64N(int64(longest*3/4))))
}

func killBroker(ctx context.Context, w *world) error { return w.broker.bounce(ctx) }

// run declares the program, feeds it while things happen, and checks everything at the end.
func (c *campaign) run(t *testing.T) {
	t.Helper()
	report(t, c.wage(t))
}

// outcome is what a campaign left.
type outcome struct {
	ledger    *ledger
	generator *generator
	strikes   int
	// answers are how long servers took from their start to their first answer, settled how long the rest of the work took after
	// the last strike.
	answers []time.Duration
	settled time.Duration
}

// wage does all of a campaign but the checking.
func (c *campaign) wage(t *testing.T) *outcome {
	t.Helper()
	if *long {
		c.strikes, c.inputs, c.perSecond, c.shortest, c.longest, c.limit = 60, 500_000, 5_000, 50*time.Millisecond, 4*time.Second, 30*time.Minute
	}
	from := *seed
	if from == 0 {
		from = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", from)
	ctx := within(t, c.limit)
	w := &world{cfg: newServer(t), dice: rand.New(rand.NewPCG(from, 0)), cleanup: t.Cleanup}
	if c.program != "" {
		w.cfg.Binary = c.program
	}
	if c.apart {
		w.broker = startApart(ctx, t)
		w.cfg.Bootstrap = w.broker.address()
	}
	w.server = start(ctx, t, w.cfg)
	queries, err := declare(ctx, w.server)
	if err != nil {
		t.Fatal(err)
	}
	if len(queries) != 6 {
		t.Fatalf("queries %v", queries)
	}
	g, err := newGenerator(w.cfg.Kafka(), "inputs")
	if err != nil {
		t.Fatal(err)
	}
	feeding, stopFeeding := context.WithCancel(ctx)
	defer stopFeeding()
	var feeder sync.WaitGroup
	feeder.Go(func() { g.run(feeding, c.perSecond) })

	c.fight(ctx, t, w, g)
	stopFeeding()
	feeder.Wait()
	if err := g.finish(ctx); err != nil {
		t.Fatalf("flushing the generator: %v", err)
	}
	o := &outcome{generator: g, strikes: c.strikes, answers: w.answers}
	o.ledger, o.settled = settle(ctx, t, w.server, queries)
	o.ledger.acked = g.acked
	if err := w.server.Stop(10 * time.Second); err != nil {
		t.Errorf("stopping: %v", err)
	}
	return o
}

// fight strikes until there were enough strikes and inputs.
func (c *campaign) fight(ctx context.Context, t *testing.T, w *world, g *generator) {
	t.Helper()
	for n := 0; n < c.strikes || g.done.Load() < int64(c.inputs); n++ {
		life := c.shortest + time.Duration(w.dice.Int64N(int64(c.longest-c.shortest)))
		if n >= c.strikes {
			life = c.longest // Strikes there were enough of; only inputs are missing.
		}
		if err := pause(ctx, w.server, life); err != nil {
			t.Fatalf("before strike %d: %v", n+1, err)
		}
		if n >= c.strikes {
			continue
		}
		if err := c.kinds[w.dice.IntN(len(c.kinds))](ctx, w); err != nil {
			t.Fatalf("strike %d: %v", n+1, err)
		}
	}
	if err := w.server.Ready(ctx); err != nil {
		t.Fatal(err)
	}
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
	l := &ledger{read: map[string]int64{}}
	total, err := l.readInputs(ctx, s.Config.Kafka())
	if err != nil {
		t.Fatal(err)
	}
	l.wantRead = wantRead(queries, total)
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
func report(t *testing.T, o *outcome) {
	t.Helper()
	l, g := o.ledger, o.generator
	again, total := 0, 0
	for _, n := range l.inputs {
		total += n
		again += n - 1
	}
	t.Logf("%d strikes; %d inputs in the topic (%d sent, %d confirmed, %d refused, %d written again by the client)",
		o.strikes, total, g.next.Load(), len(g.acked), len(g.failed), again)
	t.Logf("outputs: %d counts, %d joined, %d window sums, %d pairs; pulled %d counts, %d windows, %d sessions; the rest was read in %s",
		len(l.counts), len(l.joined), len(l.sums), len(l.paired), len(l.pulledCounts), len(l.pulledSums), len(l.pulledVisits), o.settled.Round(time.Millisecond))
	t.Logf("from start to first answer: %d restarts, median %s, most %s", len(o.answers), percentile(o.answers, 50).Round(time.Millisecond),
		percentile(o.answers, 100).Round(time.Millisecond))
	f := l.check()
	t.Logf("findings by kind: %v", f.count)
	for _, line := range f.list {
		t.Error(line)
	}
}

// TestControl runs a server that writes its state before the transaction commits (build tag ksqlgo_control), and has the
// broker die meanwhile: the checker finds out.
func TestControl(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: runs real processes")
	}
	dir := t.TempDir()
	if err := process.BuildTagged(dir, "ksqlgo_control", "cmd/ksqlgo"); err != nil {
		t.Fatal(err)
	}
	c := campaign{strikes: 4, inputs: 4_000, perSecond: 2_000, shortest: 300 * time.Millisecond, longest: 900 * time.Millisecond, limit: 2 * time.Minute, apart: true,
		kinds: []strike{killBroker}, program: filepath.Join(dir, "ksqlgo")}
	f := c.wage(t).ledger.check()
	t.Logf("findings by kind: %v", f.count)
	if f.count["sequence"]+f.count["duplicated"]+f.count["row differs"]+f.count["sum"] == 0 {
		t.Error("the checker has not noticed that state was written before the commit")
	}
}
