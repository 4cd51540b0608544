package fault

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/tests/apache"
)

var (
	kills        = flag.Int("kills", 300, "with -long: how many servers a fleet's campaign kills")
	freezes      = flag.Int("freezes", 100, "with -long: how many it freezes")
	brokerFaults = flag.Int("brokerfaults", 200, "with -long, on Apache Kafka: how many faults of brokers and network")
	inputs       = flag.Int64("inputs", 3_000_000, "with -long: how many inputs it writes at least")
	rate         = flag.Int("rate", 1500, "with -long: inputs a second")
	atLeastOnce  = flag.Bool("atleastonce", false, "fleets run their queries under processing.guarantee = at_least_once")
)

// fleetCampaign is how often a fleet is struck, and with what.
type fleetCampaign struct {
	servers int
	// lanes strike side by side, each one blow after the other.
	lanes     []lane
	inputs    int64
	perSecond int
	limit     time.Duration
	// atLeastOnce runs the queries with that guarantee, and forgives what comes twice.
	atLeastOnce bool
}

// lane is a number of blows with pauses between them.
type lane struct {
	blow              blow
	count             int
	shortest, longest time.Duration
}

// TestFleet strikes servers of one service, and the broker they share.
func TestFleet(t *testing.T) {
	if apache.Wanted(t) {
		t.Skip("SKIPPED: the fleet runs on Apache Kafka, see TestFleetOnApacheKafka")
	}
	c := fleetCampaign{servers: 3, inputs: 6_000, perSecond: 1_500, limit: 3 * time.Minute, atLeastOnce: *atLeastOnce, lanes: []lane{
		{killMember, 2, 500 * time.Millisecond, 1500 * time.Millisecond},
		{bounceBroker, 1, time.Second, 2 * time.Second},
	}}
	if *long {
		c.lanes = []lane{
			{killMember, *kills, 0, 4 * time.Second}, {freezeMember, *freezes, time.Second, 10 * time.Second}, {bounceBroker, *brokerFaults, time.Second, 8 * time.Second},
		}
	}
	c.run(t, func(ctx context.Context) brokers { return startLone(ctx, t) })
}

// TestFleetOnApacheKafka strikes servers of one service, the three brokers they share, and the network between.
func TestFleetOnApacheKafka(t *testing.T) {
	if !apache.Wanted(t) {
		t.Skip("SKIPPED: needs three brokers of Apache Kafka; set " + apache.Variable + "=apache")
	}
	c := fleetCampaign{servers: 3, inputs: 20_000, perSecond: 1_000, limit: 5 * time.Minute, atLeastOnce: *atLeastOnce, lanes: []lane{
		{killMember, 3, 500 * time.Millisecond, 3 * time.Second},
		{freezeMember, 2, 500 * time.Millisecond, 3 * time.Second},
		{anyBrokerBlow, 4, 500 * time.Millisecond, 2 * time.Second},
	}}
	if *long {
		c.lanes = []lane{
			{killMember, *kills, 0, 4 * time.Second}, {freezeMember, *freezes, time.Second, 12 * time.Second}, {anyBrokerBlow, *brokerFaults, 0, 5 * time.Second},
		}
	}
	c.run(t, func(context.Context) brokers { return startTrio(t, *long) })
}

// run declares the program, feeds it while it is struck, and looks at every input at the end.
func (c fleetCampaign) run(t *testing.T, startBrokers func(context.Context) brokers) {
	if testing.Short() {
		t.Skip("SKIPPED: runs real processes")
	}
	if *long {
		c.inputs, c.perSecond, c.limit = *inputs, *rate, 4*time.Hour
	}
	from := *seed
	if from == 0 {
		from = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", from)
	ctx := within(t, c.limit)
	b := startBrokers(ctx)
	settings := map[string]string{"ksql.streams.num.standby.replicas": "1"}
	if c.atLeastOnce {
		settings["ksql.streams.processing.guarantee"] = "at_least_once"
	}
	f, queries := startFleet(ctx, t, b, c.servers, settings)
	r := c.feedAndStrike(ctx, t, f, from)
	if t.Failed() {
		return
	}
	c.check(ctx, t, f, queries, r)
}

// fought is what a campaign did.
type fought struct {
	generator *generator
	watcher   *watcher
	began     time.Time
	mu        sync.Mutex
	strikes   map[string]int
}

// feedAndStrike runs all lanes while inputs are written.
func (c fleetCampaign) feedAndStrike(ctx context.Context, t *testing.T, f *fleet, from uint64) *fought {
	t.Helper()
	return c.feed(ctx, t, f, func(r *fought) error {
		failed := make(chan error, len(c.lanes))
		striker, stop := context.WithCancel(ctx)
		defer stop()
		var striking sync.WaitGroup
		for n, l := range c.lanes {
			striking.Go(func() {
				if err := r.strike(striker, f, l, rand.New(rand.NewPCG(from, uint64(n)))); err != nil {
					failed <- err
					stop()
				}
			})
		}
		striking.Wait()
		select {
		case err := <-failed:
			return fmt.Errorf("after %d strikes: %w", sum(r.strikes), err)
		default:
			return nil
		}
	})
}

// feed writes inputs, once all outputs move lets things happen, and ends when that is over and there were inputs enough.
func (c fleetCampaign) feed(ctx context.Context, t *testing.T, f *fleet, happen func(*fought) error) *fought {
	t.Helper()
	r := &fought{began: time.Now(), strikes: map[string]int{}}
	var err error
	if r.generator, err = newGenerator(f.brokers.address(), "inputs"); err != nil {
		t.Fatal(err)
	}
	watching, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	if r.watcher, err = watch(watching, f.brokers.address()); err != nil {
		t.Fatal(err)
	}
	feeding, stopFeeding := context.WithCancel(ctx)
	defer stopFeeding()
	var feeder, minding sync.WaitGroup
	feeder.Go(func() { r.generator.run(feeding, c.perSecond) })
	minding.Go(func() { r.mind(watching, f) })
	if err := r.flow(ctx); err != nil {
		t.Error(err)
	} else if err := happen(r); err != nil {
		t.Error(err)
	}
	for !t.Failed() && r.generator.done.Load() < c.inputs && sleep(ctx, 50*time.Millisecond) == nil {
	}
	stopFeeding()
	feeder.Wait()
	if err := r.generator.finish(ctx); err != nil {
		t.Errorf("flushing the generator: %v", err)
	}
	// The outputs of the last inputs end the last recoveries.
	for until := time.Now().Add(30 * time.Second); r.watcher.open() > 0 && time.Now().Before(until); _ = sleep(ctx, 50*time.Millisecond) {
	}
	stopWatching()
	minding.Wait()
	r.watcher.done.Wait()
	return r
}

// flow waits until all partitions of the outputs move.
func (r *fought) flow(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for !r.watcher.flows() {
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("waiting for the first outputs: %w", err)
		}
	}
	return nil
}

// pile is how many strikes may be open at once.
const pile = 5

// strike gives the blows of a lane.
func (r *fought) strike(ctx context.Context, f *fleet, l lane, dice *rand.Rand) error {
	for n := range l.count {
		if err := sleep(ctx, between(dice, l.shortest, l.longest)); err != nil {
			return nil // Another lane has failed and says so.
		}
		// Strikes are to hit something that works: when too many have not been recovered from, the others wait a while.
		for until := time.Now().Add(time.Minute); r.watcher.open() >= pile && time.Now().Before(until); {
			if err := sleep(ctx, 20*time.Millisecond); err != nil {
				return nil
			}
		}
		kind := ""
		err := l.blow(ctx, f, dice, func(k string) {
			kind = k
			r.mu.Lock()
			r.strikes[k]++
			r.mu.Unlock()
			r.watcher.struck(k, r.generator.next.Load())
		})
		if err != nil {
			return fmt.Errorf("blow %d, %q: %w", n+1, kind, err)
		}
	}
	return nil
}

// mind looks after the servers and tells how it goes, until the context ends.
func (r *fought) mind(ctx context.Context, f *fleet) {
	for n := 1; sleep(ctx, time.Second) == nil; n++ {
		f.look()
		if n%30 == 0 {
			r.mu.Lock()
			strikes := sum(r.strikes)
			r.mu.Unlock()
			silence, where := r.watcher.silence()
			f.log("%s: %d strikes (%d not recovered), %d inputs written, %d of %d outputs seen, %s-%d silent for %s", time.Since(r.began).Round(time.Second),
				strikes, r.watcher.open(), r.generator.done.Load(), r.watcher.count(), 2*r.generator.done.Load(), where.topic, where.partition, silence.Round(100*time.Millisecond))
		}
	}
}

// check waits until all is processed and compares what came out with what went in.
func (c fleetCampaign) check(ctx context.Context, t *testing.T, f *fleet, queries map[string]string, r *fought) {
	t.Helper()
	patience := 90 * time.Second
	if *long {
		patience = 10 * time.Minute
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	f.look()
	for _, m := range f.members {
		m.mu.Lock()
		err := m.ready(limited)
		m.mu.Unlock()
		if err != nil {
			t.Fatalf("server %d: %v", m.number, err)
		}
	}
	address := f.brokers.address()
	l := &ledger{acked: r.generator.acked}
	total, err := l.readInputs(limited, address)
	if err != nil {
		t.Fatal(err)
	}
	l.wantRead = wantRead(queries, total)
	began := time.Now()
	if l.read, err = f.settled(limited, l.wantRead); err != nil {
		t.Errorf("waiting for the queries: %v", err)
	}
	took := time.Since(began)
	if err := l.readOutputs(ctx, address); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d strikes in %s:%s", sum(r.strikes), time.Since(r.began).Round(time.Second), table(r.strikes))
	t.Logf("from a strike until all partitions move again (%d did not):%s", r.watcher.open(), recoveries(r.watcher.recovered()))
	deaths, vain := f.deaths()
	t.Logf("%d inputs in the topic (%d sent, %d confirmed, %d refused); outputs: %d counts, %d joined, %d window sums, %d pairs, %d sessions; the rest was read in %s; %d servers ended by themselves, %d gave up starting",
		total, r.generator.next.Load(), len(r.generator.acked), len(r.generator.failed), len(l.counts), len(l.joined), len(l.sums), len(l.paired), len(l.visits),
		took.Round(time.Millisecond), deaths, vain)
	found := l.check()
	if c.atLeastOnce {
		found = l.checkAtLeastOnce()
	}
	t.Logf("findings by kind: %v", found.count)
	for _, line := range found.list {
		t.Error(line)
	}
	if k, ok := f.brokers.(*trio); ok && len(found.list) > 0 {
		cases, err := k.forensics(ctx)
		t.Logf("how they came to be there twice (%v):\n%s", err, strings.Join(cases, "\n"))
		open, err := k.hangingTransactions(ctx)
		t.Logf("transactions that are open (%v): %v", err, open)
	}
	if deaths > 0 {
		t.Errorf("%d servers ended by themselves", deaths)
	}
}

// recoveries is a table of times by kind.
func recoveries(byKind map[string][]time.Duration) string {
	var text strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		list := byKind[kind]
		fmt.Fprintf(&text, "\n  %4d %-45s median %6s, p90 %6s, most %6s", len(list), kind, percentile(list, 50).Round(10*time.Millisecond),
			percentile(list, 90).Round(10*time.Millisecond), percentile(list, 100).Round(10*time.Millisecond))
	}
	return text.String()
}
