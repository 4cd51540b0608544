package fault

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ksqlgo/ksqlgo/tests/apache"
)

// TestRollingRestart restarts the servers of a fleet one after the other, cleanly and under load: no task moves, the outputs
// pause for little more than the restart takes, and nothing is lost or repeated.
func TestRollingRestart(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: runs real processes")
	}
	rounds, perSecond := 1, 500
	if *long {
		rounds, perSecond = 10, 1000
	}
	ctx := within(t, 5*time.Minute+time.Duration(rounds)*time.Minute)
	var b brokers
	if apache.Wanted(t) {
		b = startTrio(t, false)
	} else {
		b = startLone(ctx, t)
	}
	f, queries := startFleet(ctx, t, b, 3, map[string]string{"ksql.streams.num.standby.replicas": "1"})
	groups, err := watchGroups(b.address(), queries)
	if err != nil {
		t.Fatal(err)
	}
	defer groups.close()
	var pauses, restarts []time.Duration
	c := fleetCampaign{perSecond: perSecond}
	r := c.feed(ctx, t, f, func(r *fought) error {
		if err := groups.settle(ctx, 3*time.Second); err != nil {
			return err
		}
		for n := range rounds * len(f.members) {
			pause, restart, err := rollOne(ctx, f.members[n%len(f.members)], r, groups, !apache.Wanted(t))
			if err != nil {
				return fmt.Errorf("restart %d: %w", n+1, err)
			}
			pauses, restarts = append(pauses, pause), append(restarts, restart)
		}
		return nil
	})
	if t.Failed() {
		return
	}
	t.Logf("%d restarts took: median %s, most %s; the outputs paused: median %s, most %s", len(restarts), percentile(restarts, 50).Round(time.Millisecond),
		percentile(restarts, 100).Round(time.Millisecond), percentile(pauses, 50).Round(time.Millisecond), percentile(pauses, 100).Round(time.Millisecond))
	if most := percentile(pauses, 100); most > sessionTimeout {
		t.Errorf("the outputs stood still for %s", most)
	}
	c.check(ctx, t, f, queries, r)
}

// rollOne restarts one server and says how long the outputs paused, and how long the server was away. leadersRebalance says
// that the broker begins a rebalance when the leader of a group comes back, as the embedded one does: it must move no task.
func rollOne(ctx context.Context, m *member, r *fought, groups *groupWatch, leadersRebalance bool) (pause, restart time.Duration, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, err := groups.calmOwners(ctx)
	if err != nil {
		return 0, 0, err
	}
	restless := groups.restless()
	r.watcher.rest()
	began := time.Now()
	if err := m.server.Stop(20 * time.Second); err != nil {
		return 0, 0, fmt.Errorf("stopping server %d: %w", m.number, err)
	}
	if err := m.revive(); err != nil {
		return 0, 0, err
	}
	if err := m.ready(ctx); err != nil {
		return 0, 0, err
	}
	restart = time.Since(began)
	r.watcher.struck("rolling restart", r.generator.next.Load())
	for r.watcher.open() > 0 {
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return 0, 0, fmt.Errorf("waiting for outputs: %w", err)
		}
	}
	pause = r.watcher.gap()
	after, err := groups.calmOwners(ctx)
	if err != nil {
		return 0, 0, err
	}
	if !maps.Equal(before, after) {
		return 0, 0, fmt.Errorf("tasks have moved: %s", moved(before, after))
	}
	if n := groups.restless() - restless; n > 0 && !leadersRebalance {
		return 0, 0, fmt.Errorf("groups were seen in a rebalance %d times", n)
	}
	return pause, restart, nil
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
