package simulation

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// pair is a host and a broker that are connected.
type pair struct {
	n              *network
	h              *host
	client, broker net.Conn
}

func connectPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{n: newNetwork(rand.New(rand.NewPCG(1, 2))), h: newHost("a")}
	l, err := p.n.listen("tcp", "127.0.0.1:9001")
	if err != nil {
		t.Fatal(err)
	}
	if p.client, err = p.n.dialer(p.h)(context.Background(), "tcp", "127.0.0.1:9001"); err != nil {
		t.Fatal(err)
	}
	if p.broker, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return p
}

// read reads what comes, and how long that takes.
func read(c net.Conn) (string, time.Duration, error) {
	began := time.Now()
	b := make([]byte, 100)
	n, err := c.Read(b)
	return string(b[:n]), time.Since(began), err
}

func TestNetwork(t *testing.T) {
	t.Parallel()
	const second = time.Second
	for _, c := range []struct {
		name string
		do   func(*pair)
		// what the broker reads at last, after which time, and the error.
		text string
		took time.Duration
		err  error
	}{
		{name: "at once", do: func(p *pair) { _, _ = p.client.Write([]byte("hello")) }, text: "hello"},
		{name: "what is under way arrives behind a stall", text: "hello", took: 5 * second, do: func(p *pair) {
			until := time.Now().Add(5 * second)
			p.n.change("a", []int{9001}, inward, func(x *path) { x.stalledUntil = until })
			_, _ = p.client.Write([]byte("hello"))
			_ = p.client.Close()
		}},
		{name: "the other way is not stalled", text: "hello", do: func(p *pair) {
			until := time.Now().Add(5 * second)
			p.n.change("a", []int{9001}, outward, func(x *path) { x.stalledUntil = until })
			_, _ = p.client.Write([]byte("hello"))
		}},
		{name: "a stall that is healed", text: "hello", took: second, do: func(p *pair) {
			until := time.Now().Add(5 * second)
			p.n.change("a", []int{9001}, both, func(x *path) { x.stalledUntil = until })
			_, _ = p.client.Write([]byte("hello"))
			time.AfterFunc(second, p.n.heal)
		}},
		{name: "latency", text: "hello", took: second / 2, do: func(p *pair) {
			until := time.Now().Add(5 * second)
			p.n.change("a", []int{9001}, both, func(x *path) { x.delay, x.delayUntil = second/2, until })
			_, _ = p.client.Write([]byte("hello"))
		}},
		{name: "a dead host's last words", text: "hello", do: func(p *pair) {
			_, _ = p.client.Write([]byte("hello"))
			p.n.kill(p.h)
			p.n.kill(p.h)
		}},
		{name: "the end behind them", err: io.EOF, do: func(p *pair) {
			_, _ = p.client.Write([]byte("hello"))
			p.n.kill(p.h)
			_, _, _ = read(p.broker)
		}},
		{name: "a broker that goes down loses them", err: syscall.ECONNRESET, do: func(p *pair) {
			_, _ = p.client.Write([]byte("hello"))
			p.n.down(9001, second)
		}},
		{name: "deadline", err: os.ErrDeadlineExceeded, took: second, do: func(p *pair) { _ = p.broker.SetReadDeadline(time.Now().Add(second)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := connectPair(t)
				c.do(p)
				text, took, err := read(p.broker)
				if text != c.text || took != c.took || !errors.Is(err, c.err) {
					t.Errorf("%q after %v, %v; want %q after %v, %v", text, took, err, c.text, c.took, c.err)
				}
			})
		})
	}
}

func TestDialling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := connectPair(t)
		dial := p.n.dialer(p.h)
		until := time.Now().Add(3 * time.Second)
		p.n.change("a", []int{9001}, outward, func(x *path) { x.stalledUntil = until })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := dial(ctx, "tcp", "127.0.0.1:9001"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dialling over a stalled path: %v", err)
		}
		began := time.Now()
		if _, err := dial(t.Context(), "tcp", "127.0.0.1:9001"); err != nil || time.Since(began) != 2*time.Second {
			t.Errorf("dialling until the stall ends: %v after %v", err, time.Since(began))
		}
		p.n.down(9001, time.Second)
		if _, err := dial(t.Context(), "tcp", "127.0.0.1:9001"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dialling a broker that is down: %v", err)
		}
		if _, err := p.n.dialer(newObserver("test"))(t.Context(), "tcp", "127.0.0.1:9001"); err != nil {
			t.Errorf("the test's own client: %v", err)
		}
		p.n.kill(p.h)
		if _, err := dial(t.Context(), "tcp", "127.0.0.1:9001"); !errors.Is(err, syscall.ENETDOWN) {
			t.Errorf("dialling by a dead host: %v", err)
		}
	})
}

// The script of a seed is always the same.
func TestScriptsAreRepeatable(t *testing.T) {
	t.Parallel()
	kinds := map[faultKind]bool{}
	for seed := range uint64(300) {
		s := generate(seed)
		if a, b := s.String(), generate(seed).String(); a != b {
			t.Fatalf("seed %d: %s and %s", seed, a, b)
		}
		for _, f := range s.faults {
			kinds[f.kind] = true
		}
	}
	for k := range faultKinds {
		if !kinds[k] {
			t.Errorf("no seed has a %s", kindNames[k])
		}
	}
}
