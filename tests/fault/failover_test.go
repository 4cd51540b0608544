package fault

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// failoverTime is how long tasks of a server that died may rest when others stand by for them, beyond the session timeout;
// returnTime is how long those of one that died and came back at once may.
const failoverTime, returnTime = 2 * time.Second, 2 * time.Second

// TestFailover kills servers under load. Once one that stays away: its standbys take over when its session has timed out.
// Once one that comes back at once: it goes on with the state that it has. Nothing is lost or repeated.
func TestFailover(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: runs real processes")
	}
	// The gate's machine has other things to do.
	rounds, patience := 1, 10*time.Second
	if *long {
		rounds, patience = 5, 0
	}
	ctx := within(t, 5*time.Minute+2*time.Duration(rounds)*time.Minute)
	f, queries := startFleet(ctx, t, startApart(ctx, t), 3, map[string]string{"ksql.streams.num.standby.replicas": "1"})
	var away, back []time.Duration
	c := fleetCampaign{perSecond: 500}
	r := c.feed(ctx, t, f, func(r *fought) error {
		for n := range rounds {
			for _, list := range []*[]time.Duration{&away, &back} {
				m := f.members[n%len(f.members)]
				if err := m.cluster(ctx, "wait-ready"); err != nil {
					return err
				}
				pause, err := killAndWait(ctx, m, r, list == &back)
				if err != nil {
					return fmt.Errorf("kill %d: %w", n+1, err)
				}
				*list = append(*list, pause)
			}
		}
		return nil
	})
	if t.Failed() {
		return
	}
	for _, x := range []struct {
		what  string
		took  []time.Duration
		limit time.Duration
	}{
		{"a server died and stayed away", away, sessionTimeout + failoverTime + patience},
		{"a server died and came back", back, returnTime + patience},
	} {
		most := percentile(x.took, 100)
		t.Logf("%s %d times; the outputs paused for: median %s, most %s", x.what, len(x.took),
			percentile(x.took, 50).Round(time.Millisecond), most.Round(time.Millisecond))
		if most > x.limit {
			t.Errorf("%s: the outputs stood still for %s", x.what, most)
		}
	}
	c.check(ctx, t, f, queries, r)
}

// killAndWait kills a server and says how long outputs paused. One that does not come back at once does so at the end.
func killAndWait(ctx context.Context, m *member, r *fought, comesBack bool) (pause time.Duration, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r.watcher.rest()
	m.server.Kill()
	if comesBack {
		if err := m.revive(); err != nil {
			return 0, err
		}
	}
	if err := r.flowsAgain(ctx, "kill"); err != nil {
		return 0, err
	}
	pause = r.watcher.gap()
	if !comesBack {
		if err := m.revive(); err != nil {
			return 0, err
		}
	}
	return pause, m.ready(ctx)
}
