package forward

import (
	"context"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/cluster"
	"github.com/ksqlgo/ksqlgo/planner/physical"
	"github.com/ksqlgo/ksqlgo/server/peers"
)

// BenchmarkPull measures a pull query by key: from the executor alone, through the router from here, and through the router
// from another server over a real connection; and a scan of which another server has most.
func BenchmarkPull(b *testing.B) {
	w := newWorld(b)
	s := w.scene()
	far := start(b, s, "b", "")
	near := start(b, s, "self", far.Self().Endpoint)
	r := New(Config{Executor: s.assigned, Peers: near})
	for deadline := time.Now().Add(10 * time.Second); ; {
		if h, ok := near.Host("b"); ok && h.Alive {
			break
		} else if time.Now().After(deadline) {
			b.Fatal("b was not found")
		}
		time.Sleep(time.Millisecond)
	}
	key := func(own bool) string {
		for i := range keys {
			if partitionOf(i) < 2 == own {
				return fmt.Sprintf("SELECT * FROM c WHERE k = '%s';", keyName(i))
			}
		}
		b.Fatal("no key")
		return ""
	}
	for _, c := range []struct {
		name, sql string
		rows      int
		pull      func(context.Context, *physical.Pull) (exec.PulledRows, error)
	}{
		{"executor", key(true), 1, func(ctx context.Context, plan *physical.Pull) (exec.PulledRows, error) {
			return w.executor.Pull(ctx, plan, owners)
		}},
		{"local", key(true), 1, func(ctx context.Context, plan *physical.Pull) (exec.PulledRows, error) {
			return r.Pull(ctx, plan, owners)
		}},
		{"forwarded", key(false), 1, func(ctx context.Context, plan *physical.Pull) (exec.PulledRows, error) {
			return r.Pull(ctx, plan, owners)
		}},
		{"scan", "SELECT * FROM c;", keys, func(ctx context.Context, plan *physical.Pull) (exec.PulledRows, error) {
			return r.Pull(ctx, plan, owners)
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			plan := w.pull(b, c.sql)
			took := make([]time.Duration, 0, b.N)
			for b.Loop() {
				began := time.Now()
				rows, err := c.pull(b.Context(), plan)
				if err != nil {
					b.Fatal(err)
				}
				if got, err := answers(rows); err != nil || len(got) != c.rows {
					b.Fatalf("%d rows, %v", len(got), err)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
		})
	}
}

// start starts the peers of a server on a real listener; it knows b at an endpoint.
func start(b *testing.B, s *scene, id, endpoint string) *peers.Peers {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	p, err := peers.New(peers.Config{ServiceID: "s", Self: peers.Node{ID: id, Endpoint: l.Addr().String()},
		Known: func() []cluster.Host { return []cluster.Host{{NodeID: "b", Endpoint: endpoint}} }, Status: func() peers.Status { return peers.Status{} }})
	if err != nil {
		b.Fatal(err)
	}
	New(Config{Executor: s.assigned, Peers: p}).Register(p)
	ctx, cancel := context.WithCancel(context.Background())
	b.Cleanup(cancel)
	go p.Run(ctx)
	go func() { _ = p.Serve(ctx, l) }()
	return p
}
