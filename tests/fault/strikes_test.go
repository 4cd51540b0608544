package fault

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"time"

	"github.com/ksqlgo/ksqlgo/tests/proxy"
)

// blow is one kind of strike on a fleet. It returns when what it did is over: the process is up again, the fault lifted. told
// is called, with the kind in more detail, at the moment it strikes.
type blow func(ctx context.Context, f *fleet, dice *rand.Rand, told func(kind string)) error

// sleep waits, unless the context ends first.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// between draws a time.
func between(dice *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(dice.Int64N(int64(high-low)))
}

// sessionTimeout is how long a silent server keeps its tasks.
const sessionTimeout = 10 * time.Second

// killMember kills a server. Most come back at once, some after a while, some when their tasks have gone to others.
func killMember(ctx context.Context, f *fleet, dice *rand.Rand, told func(string)) error {
	m := f.members[dice.IntN(len(f.members))]
	m.mu.Lock()
	defer m.mu.Unlock()
	var down time.Duration
	kind := "kill"
	switch n := dice.IntN(10); {
	case n >= 8 && *long:
		kind, down = "kill, back after the session", between(dice, sessionTimeout+time.Second, sessionTimeout+6*time.Second)
	case n >= 5:
		down = between(dice, 500*time.Millisecond, 4*time.Second)
	}
	m.server.Kill()
	told(kind)
	if err := sleep(ctx, down); err != nil {
		return err
	}
	if err := m.revive(); err != nil {
		return err
	}
	// Some are killed again while they start, the others when they answer.
	if dice.IntN(4) == 0 {
		return nil
	}
	return m.ready(ctx)
}

// freezeMember stops a server for a while; it may come back as a zombie.
func freezeMember(ctx context.Context, f *fleet, dice *rand.Rand, told func(string)) error {
	m := f.members[dice.IntN(len(f.members))]
	m.mu.Lock()
	defer m.mu.Unlock()
	longest := 20 * time.Second
	if !*long {
		longest = 1500 * time.Millisecond
	}
	d := between(dice, 500*time.Millisecond, longest)
	kind := "freeze"
	if d > sessionTimeout {
		kind = "freeze beyond the session"
	}
	told(kind)
	return m.server.Freeze(ctx, d)
}

// bounceBroker takes the only broker down.
func bounceBroker(ctx context.Context, f *fleet, _ *rand.Rand, told func(string)) error {
	told("broker kill")
	return f.brokers.(apart).bounce(ctx)
}

// brokerBlows are the faults of three brokers, each as often as it is listed.
var brokerBlows = []blow{
	leadersMove, leadersMove, coordinatorsMove, coordinatorsMove,
	brokerDown, brokerDown, brokerDown, brokerFreezes,
	network, network, network, network, network, network,
}

// anyBrokerBlow draws one of them.
func anyBrokerBlow(ctx context.Context, f *fleet, dice *rand.Rand, told func(string)) error {
	return brokerBlows[dice.IntN(len(brokerBlows))](ctx, f, dice, told)
}

func leadersMove(ctx context.Context, f *fleet, dice *rand.Rand, told func(string)) error {
	told("leaders move")
	_, err := f.brokers.(*trio).moveLeaders(ctx, dice, func(topic string) bool { return !isCoordinators(topic) })
	return tolerated(ctx, f, "moving leaders", err)
}

func coordinatorsMove(ctx context.Context, f *fleet, dice *rand.Rand, told func(string)) error {
	told("coordinators move")
	_, err := f.brokers.(*trio).moveLeaders(ctx, dice, isCoordinators)
	return tolerated(ctx, f, "moving coordinators", err)
}

// tolerated lets a request of the striker fail, which other strikes may make it do.
func tolerated(ctx context.Context, f *fleet, what string, err error) error {
	if err != nil && ctx.Err() == nil {
		f.log("%s: %v", what, err)
		return nil
	}
	return err
}

// brokerDown kills a broker, or stops it cleanly, and starts it again after a while. It begins when all replicas are in sync,
// and ends then.
func brokerDown(ctx context.Context, f *fleet, dice *rand.Rand, told func(string)) error {
	k := f.brokers.(*trio)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.inSync(ctx); err != nil {
		return err
	}
	i := dice.IntN(trioSize)
	if dice.IntN(3) == 0 {
		told("broker stop")
		if err := k.Stop(i); err != nil {
			return err
		}
	} else {
		told("broker kill")
		k.Kill(i)
	}
	if err := sleep(ctx, between(dice, 0, 6*time.Second)); err != nil {
		return err
	}
	if err := k.Restart(i); err != nil {
		return err
	}
	if err := k.Await(ctx); err != nil {
		return err
	}
	return k.inSync(ctx)
}

// brokerFreezes stops a broker for a while, sometimes so long that the others take it for dead.
func brokerFreezes(ctx context.Context, f *fleet, dice *rand.Rand, told func(string)) error {
	k := f.brokers.(*trio)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.inSync(ctx); err != nil {
		return err
	}
	pid := k.PID(dice.IntN(trioSize))
	told("broker freeze")
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	err := sleep(ctx, between(dice, 500*time.Millisecond, 8*time.Second))
	if e := syscall.Kill(pid, syscall.SIGCONT); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return k.inSync(ctx)
}

// network spoils the connections of one server, or of everybody, to one broker or to all.
func network(ctx context.Context, f *fleet, dice *rand.Rand, told func(string)) error {
	k := f.brokers.(*trio)
	var of func(string) bool
	whose := "everybody's"
	if dice.IntN(3) > 0 {
		of = f.members[dice.IntN(len(f.members))].owns()
		whose = "a server's"
	}
	proxies := k.proxies
	if dice.IntN(2) == 0 {
		at := dice.IntN(len(proxies))
		proxies = proxies[at : at+1]
	}
	fault := proxy.Fault{Of: of}
	var kind string
	var d time.Duration
	switch dice.IntN(7) {
	case 0:
		told("network cut, " + whose)
		for _, p := range proxies {
			p.Cut(of)
		}
		return nil
	case 1:
		told("network half open, " + whose)
		for _, p := range proxies {
			p.Halve(of)
		}
		return nil
	case 2:
		kind, d, fault.Refuse = "network refuses", between(dice, 500*time.Millisecond, 5*time.Second), true
		for _, p := range proxies {
			defer p.Cut(of)
		}
	case 3:
		kind, d, fault.Delay = "network delay", between(dice, 2*time.Second, 8*time.Second), between(dice, 20*time.Millisecond, 500*time.Millisecond)
	case 4:
		kind, d, fault.BytesPerSecond = "network drip", between(dice, 2*time.Second, 8*time.Second), 2_000+dice.IntN(20_000)
	case 5:
		kind, d, fault.HoldUp = "network holds requests", between(dice, time.Second, 15*time.Second), true
		if dice.IntN(3) == 0 {
			kind, fault.HoldDown = "network black hole", true
		}
	case 6:
		kind, d, fault.HoldDown = "network holds answers", between(dice, time.Second, 15*time.Second), true
	}
	told(kind + ", " + whose)
	for _, p := range proxies {
		defer p.Impose(fault)()
		if fault.Refuse {
			p.Cut(of)
		}
	}
	return sleep(ctx, d)
}

// sum is how many there are of all kinds.
func sum(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// table lists counts by kind.
func table(counts map[string]int) string {
	var kinds []string
	for k := range counts {
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	text := ""
	for _, k := range kinds {
		text += fmt.Sprintf("\n  %5d %s", counts[k], k)
	}
	return text
}
