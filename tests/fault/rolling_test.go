package fault

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ksqlgo/ksqlgo/tests/apache"
)

// TestRollingRestart restarts the servers of a fleet one after the other, cleanly and under load. As they are, no task moves and
// the outputs pause for little more than the restart takes; drained before, the tasks move and the outputs hardly pause.
// Nothing is lost or repeated either way.
func TestRollingRestart(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: runs real processes")
	}
	rounds, perSecond := 1, 500
	if *long {
		rounds, perSecond = 10, 1000
	}
	ctx := within(t, 5*time.Minute+2*time.Duration(rounds)*time.Minute)
	// One broker, not three: what is measured is how long the servers pause.
	b := startApart(ctx, t)
	f, queries := startFleet(ctx, t, b, 3, map[string]string{"ksql.streams.num.standby.replicas": "1"})
	groups, err := watchGroups(b.address(), queries)
	if err != nil {
		t.Fatal(err)
	}
	defer groups.close()
	var plain, drained rolls
	// usual is the longest pause without a restart.
	var usual time.Duration
	c := fleetCampaign{perSecond: perSecond}
	r := c.feed(ctx, t, f, func(r *fought) error {
		if err := groups.settle(ctx, 3*time.Second); err != nil {
			return err
		}
		r.watcher.rest()
		if err := sleep(ctx, 3*time.Second); err != nil {
			return err
		}
		usual = r.watcher.gap()
		for n := range rounds * len(f.members) {
			if err := rollOne(ctx, f.members[n%len(f.members)], r, groups, !apache.Wanted(t), &plain); err != nil {
				return fmt.Errorf("restart %d: %w", n+1, err)
			}
		}
		for n := range rounds * len(f.members) {
			if err := rollDrained(ctx, f.members[n%len(f.members)], r, &drained); err != nil {
				return fmt.Errorf("drained restart %d: %w", n+1, err)
			}
		}
		return nil
	})
	if t.Failed() {
		return
	}
	t.Logf("without restarts outputs pause for %s at most", usual.Round(time.Millisecond))
	t.Logf("as they are: %s", &plain)
	t.Logf("drained before: %s", &drained)
	limit := sessionTimeout
	if *long {
		limit = time.Second
	}
	if most := percentile(drained.pauses, 100); most > limit {
		t.Errorf("the outputs stood still for %s though the servers were drained", most)
	}
	if most := percentile(plain.pauses, 100); most > sessionTimeout {
		t.Errorf("the outputs stood still for %s", most)
	}
	c.check(ctx, t, f, queries, r)
}

// rolls are the times of restarts, one of each list for each of them.
type rolls struct {
	// stops and starts are how long the process took to end and to answer, pauses how long outputs stood still at most.
	stops, starts, pauses []time.Duration
}

func (r *rolls) String() string {
	of := func(list []time.Duration) string {
		return fmt.Sprintf("median %s, most %s", percentile(list, 50).Round(time.Millisecond), percentile(list, 100).Round(time.Millisecond))
	}
	return fmt.Sprintf("%d restarts; the servers stopped in %s, started in %s, the outputs paused for %s", len(r.pauses), of(r.stops), of(r.starts), of(r.pauses))
}

// restart stops the server and starts it again. m.mu is held.
func (r *rolls) restart(ctx context.Context, m *member) error {
	began := time.Now()
	if err := m.server.Stop(20 * time.Second); err != nil {
		return fmt.Errorf("stopping server %d: %w", m.number, err)
	}
	stopped := time.Now()
	if err := m.revive(); err != nil {
		return err
	}
	if err := m.ready(ctx); err != nil {
		return err
	}
	r.stops, r.starts = append(r.stops, stopped.Sub(began)), append(r.starts, time.Since(stopped))
	return nil
}

// rollOne restarts one server as it is, and waits as operators are told to: a server that restarts while the one before has
// yet to join some group may trade tasks with it. leadersRebalance says that the broker begins a rebalance when the leader of a group
// comes back, as the embedded one does: it must move no task.
func rollOne(ctx context.Context, m *member, r *fought, groups *groupWatch, leadersRebalance bool, times *rolls) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, err := groups.calmOwners(ctx)
	if err != nil {
		return err
	}
	restless := groups.restless()
	r.watcher.rest()
	if err := times.restart(ctx, m); err != nil {
		return err
	}
	if err := r.flowsAgain(ctx, "rolling restart"); err != nil {
		return err
	}
	times.pauses = append(times.pauses, r.watcher.gap())
	if err := m.cluster(ctx, "wait-ready"); err != nil {
		return err
	}
	after, err := groups.calmOwners(ctx)
	if err != nil {
		return err
	}
	if !maps.Equal(before, after) {
		return fmt.Errorf("tasks have moved: %s", moved(before, after))
	}
	if n := groups.restless() - restless; n > 0 && !leadersRebalance {
		return fmt.Errorf("groups were seen in a rebalance %d times", n)
	}
	return nil
}

// rollDrained restarts one server as operators are told to that want no pause.
func rollDrained(ctx context.Context, m *member, r *fought, times *rolls) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r.watcher.rest()
	if err := m.cluster(ctx, "drain"); err != nil {
		return err
	}
	if err := times.restart(ctx, m); err != nil {
		return err
	}
	if err := m.cluster(ctx, "wait-ready"); err != nil {
		return err
	}
	if err := r.flowsAgain(ctx, "drained restart"); err != nil {
		return err
	}
	times.pauses = append(times.pauses, r.watcher.gap())
	return nil
}

// cluster is what an operator says to the server: ksqlgo cluster drain, or wait-ready.
func (m *member) cluster(ctx context.Context, verb string) error {
	out, err := exec.CommandContext(ctx, m.cfg.Binary, "cluster", verb, "--server", m.cfg.URL(), "--timeout", "90s").CombinedOutput()
	if err != nil {
		return fmt.Errorf("cluster %s: %w\n%s", verb, err, out)
	}
	return nil
}

// flowsAgain waits until every partition has outputs of inputs written from now on.
func (r *fought) flowsAgain(ctx context.Context, after string) error {
	r.watcher.struck(after, r.generator.next.Load())
	for r.watcher.open() > 0 {
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return fmt.Errorf("waiting for outputs: %w", err)
		}
	}
	return nil
}

// moved lists what has another owner.
func moved(before, after map[string]string) string {
	var out []string
	for at, owner := range before {
		if after[at] != owner {
			out = append(out, fmt.Sprintf("%s from %s to %s", at, owner, after[at]))
		}
	}
	return strings.Join(out, "; ")
}

// groupWatch looks at the groups of queries from outside.
type groupWatch struct {
	client *kgo.Client
	admin  *kadm.Client
	names  []string
	stop   context.CancelFunc
	done   sync.WaitGroup

	mu sync.Mutex
	// unrest counts the looks at which some group was not stable; last is when that was last so.
	unrest int
	last   time.Time
}

// watchGroups looks at the groups of the queries several times a second until close.
func watchGroups(broker string, queries map[string]string) (*groupWatch, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(broker, ",")...), kgo.ClientID("group watch"))
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	w := &groupWatch{client: cl, admin: kadm.NewClient(cl), stop: stop, last: time.Now()}
	for _, id := range queries {
		w.names = append(w.names, "_confluent-ksql-"+serviceID+"query_"+id)
	}
	w.done.Go(func() {
		for sleep(ctx, 100*time.Millisecond) == nil {
			described, err := w.admin.DescribeGroups(ctx, w.names...)
			if err != nil {
				continue
			}
			w.mu.Lock()
			for _, g := range described {
				if g.Err == nil && g.State != "Stable" {
					w.unrest++
					w.last = time.Now()
				}
			}
			w.mu.Unlock()
		}
	})
	return w, nil
}

func (w *groupWatch) close() {
	w.stop()
	w.done.Wait()
	w.client.Close()
}

// restless is how often a group was seen that was not stable.
func (w *groupWatch) restless() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.unrest
}

// settle waits until no group has been in a rebalance, and no task has moved, for a while.
func (w *groupWatch) settle(ctx context.Context, calm time.Duration) error {
	before, since := map[string]string{}, time.Now()
	for {
		now, err := w.owners(ctx)
		if err != nil || !maps.Equal(before, now) {
			before, since = now, time.Now()
		}
		w.mu.Lock()
		if w.last.After(since) {
			since = w.last
		}
		w.mu.Unlock()
		if time.Since(since) > calm {
			return nil
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return fmt.Errorf("waiting for the groups to settle: %w", err)
		}
	}
}

// calmOwners is owners once every group is stable: in a rebalance a broker tells of nobody's partitions.
func (w *groupWatch) calmOwners(ctx context.Context) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		described, err := w.admin.DescribeGroups(ctx, w.names...)
		if err == nil {
			err = described.Error()
		}
		if err == nil && !slices.ContainsFunc(described.Sorted(), func(g kadm.DescribedGroup) bool { return g.State != "Stable" }) {
			return owners(described), nil
		}
		if sleep(ctx, 50*time.Millisecond) != nil {
			return nil, fmt.Errorf("waiting for stable groups: %w", cmp.Or(err, ctx.Err()))
		}
	}
}

// owners tells who owns each partition of each group, by the name of the instance.
func (w *groupWatch) owners(ctx context.Context) (map[string]string, error) {
	described, err := w.admin.DescribeGroups(ctx, w.names...)
	if err == nil {
		err = described.Error()
	}
	if err != nil {
		return nil, err
	}
	return owners(described), nil
}

func owners(described kadm.DescribedGroups) map[string]string {
	out := map[string]string{}
	for _, g := range described {
		for _, m := range g.Members {
			assigned, ok := m.Assigned.AsConsumer()
			if !ok || m.InstanceID == nil {
				continue
			}
			for _, t := range assigned.Topics {
				for _, p := range t.Partitions {
					out[fmt.Sprintf("%s %s-%d", g.Group, t.Topic, p)] = *m.InstanceID
				}
			}
		}
	}
	return out
}
