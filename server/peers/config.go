package peers

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/cluster"
)

// Config is what peers are built from.
type Config struct {
	// ServiceID is ksql.service.id; servers of another one are refused.
	ServiceID string
	// Self is this server. With an empty Endpoint it has no internal listener: nobody can reach it, but it reaches others.
	Self Node
	// Known lists the hosts that the assignments of the queries name, this server and repetitions included.
	Known func() []cluster.Host
	// Status is this server's own; it is asked for several times a second and must be cheap.
	Status func() Status
	// Interval is how often each peer is asked how it is (ksql.heartbeat.send.interval.ms); 0 means 100 ms.
	Interval time.Duration
	// Misses is after how many beats without an answer a peer counts as down (ksql.heartbeat.missed.threshold.ms); 0 means 3.
	Misses int
	// Window is after how long an unanswered beat is given up with its connection (ksql.heartbeat.window.ms); 0 means 2 s.
	Window time.Duration
	// Discover is how often Known is looked at (ksql.heartbeat.discover.interval.ms); 0 means 2 s. [Peers.Discover] does at once.
	Discover time.Duration
	// TLS, unless nil, is what both sides of an internal connection show and ask for.
	TLS *TLS
	// Dial makes a connection; nil means net.Dialer's, with TCP keep-alive so that half-open connections end.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Logger is told when peers come and go.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	orDefault(&c.Interval, 100*time.Millisecond)
	orDefault(&c.Misses, 3)
	orDefault(&c.Window, 2*time.Second)
	orDefault(&c.Discover, 2*time.Second)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Dial == nil {
		c.Dial = (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: time.Second, Count: 3}}).DialContext
	}
	return c
}

func orDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}
