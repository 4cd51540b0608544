package peers

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// resolver remembers the addresses of a host: a name server that fails must not make servers look as if they were down.
type resolver struct {
	lookupHost func(ctx context.Context, host string) ([]string, error)

	mu sync.Mutex
	// host is whose addresses are known, since when.
	host      string
	addresses []string
	at        time.Time
}

const (
	// freshFor is how long addresses are used without asking again, lookupTimeout how long a name server is waited for when
	// old ones are known.
	freshFor      = 30 * time.Second
	lookupTimeout = 300 * time.Millisecond
)

// dial connects to the first address of a host that answers.
func (r *resolver) dial(ctx context.Context, dial func(context.Context, string, string) (net.Conn, error), network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if net.ParseIP(host) != nil {
		return dial(ctx, network, address)
	}
	list, err := r.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	for _, a := range list {
		var conn net.Conn
		if conn, err = dial(ctx, network, net.JoinHostPort(a, port)); err == nil {
			return conn, nil
		}
	}
	// The host may have moved.
	r.mu.Lock()
	r.at = time.Time{}
	r.mu.Unlock()
	return nil, err
}

// lookup gives the addresses of a host, old ones if the name server does not answer.
func (r *resolver) lookup(ctx context.Context, host string) ([]string, error) {
	r.mu.Lock()
	known, fresh := r.addresses, time.Since(r.at) < freshFor
	if r.host != host {
		known, fresh = nil, false
	}
	r.mu.Unlock()
	if fresh {
		return known, nil
	}
	if len(known) > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, lookupTimeout)
		defer cancel()
	}
	list, err := r.lookupHost(ctx, host)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("the host %s has no address", host)
	}
	if err != nil {
		if len(known) > 0 {
			return known, nil
		}
		return nil, err
	}
	r.mu.Lock()
	r.host, r.addresses, r.at = host, list, time.Now()
	r.mu.Unlock()
	return list, nil
}
