package kafka_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// deaf is a connection on which nothing is heard any more once it is stopped.
type deaf struct {
	net.Conn
	stopped *atomic.Bool
	closed  chan struct{}
}

func (c *deaf) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.stopped.Load() {
		<-c.closed
		return 0, net.ErrClosed
	}
	return n, err
}

func (c *deaf) Close() error {
	select {
	case <-c.closed:
	default:
		close(c.closed)
	}
	return c.Conn.Close()
}

// TestCloseDoesNotWaitForTheGroup: a member whose JoinGroup is not answered, as when a dead member holds the rebalance up, can
// be closed all the same.
func TestCloseDoesNotWaitForTheGroup(t *testing.T) {
	t.Parallel()
	_, fake := faulty(t, 1)
	var stopped atomic.Bool
	c, err := kafka.Connect(t.Context(), kafka.Config{BootstrapServers: fake.ListenAddrs(), ClientID: "test",
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			return &deaf{conn, &stopped, make(chan struct{})}, err
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	e := env{Cluster: c}
	e.topic(t, "in", 1)
	g := joined(t, e, "in")
	stopped.Store(true)
	g.Rejoin()
	for until := time.Now().Add(300 * time.Millisecond); time.Now().Before(until); {
		if event, _, err := g.Poll(timeout(t), 50*time.Millisecond); err != nil || event != nil {
			t.Fatalf("event %v, error %v", event, err)
		}
	}
	began := time.Now()
	g.Close()
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("Close took %v", took)
	}
}
