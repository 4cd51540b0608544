// Package proxy stands between Kafka's clients and a broker and does to their connections what networks do: it cuts, refuses,
// delays and withholds, for all clients or for those of one process.
//
// Whose a connection is follows from the client id in its first request, which every client of Kafka sends.
package proxy

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"
)

// Proxy listens on a port of 127.0.0.1 and passes every connection on to its target. Its methods are safe for concurrent use.
type Proxy struct {
	target   string
	listener net.Listener
	stop     context.CancelFunc
	running  sync.WaitGroup

	mu     sync.Mutex
	links  map[*link]bool
	faults []*Fault
	// changed is closed and replaced when faults do.
	changed chan struct{}
}

// Fault is what happens to connections as long as it is imposed.
type Fault struct {
	// Of says whose connections are meant, by client id; nil means all.
	Of func(clientID string) bool
	// Refuse resets new connections.
	Refuse bool
	// Delay is how much later bytes arrive, each way.
	Delay time.Duration
	// HoldUp and HoldDown keep back what goes to the target, or comes from it: packets are lost, and sent again when the fault
	// is over.
	HoldUp, HoldDown bool
	// BytesPerSecond slows each direction of a connection down; 0 does not.
	BytesPerSecond int
}

// Start listens on a free port and passes connections on to target, host:port.
func Start(target string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &Proxy{target: target, listener: l, stop: stop, links: map[*link]bool{}, changed: make(chan struct{})}
	p.running.Go(func() { p.accept(ctx) })
	return p, nil
}

// Addr is where clients connect, host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Close ends all connections and waits until nothing of them is left.
func (p *Proxy) Close() {
	p.stop()
	p.listener.Close()
	p.Cut(nil)
	p.running.Wait()
}

// Impose puts a fault in force until lift is called, which may be done more than once.
func (p *Proxy) Impose(f Fault) (lift func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, &f)
	p.announce()
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.faults = slices.DeleteFunc(slices.Clone(p.faults), func(g *Fault) bool { return g == &f })
		p.announce()
	}
}

// announce wakes all that wait for faults to change. p.mu is held.
func (p *Proxy) announce() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// Cut resets the connections of the clients that of names, nil for all, and says how many there were.
func (p *Proxy) Cut(of func(clientID string) bool) int {
	list := p.named(of)
	for _, l := range list {
		l.reset()
	}
	return len(list)
}

// Halve leaves the connections half open: the target sees them reset, the client sees nothing, and what it sends is swallowed.
// It says how many there were.
func (p *Proxy) Halve(of func(clientID string) bool) int {
	list := p.named(of)
	for _, l := range list {
		l.halve()
	}
	return len(list)
}

// Connections is how many connections there are.
func (p *Proxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links)
}

func (p *Proxy) named(of func(clientID string) bool) []*link {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []*link
	for l := range p.links {
		if of == nil || of(l.clientID()) {
			list = append(list, l)
		}
	}
	return list
}

// inForce lists what is imposed on a client's connections, and the channel that tells of changes.
func (p *Proxy) inForce(clientID string) (sum Fault, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.faults {
		if f.Of != nil && !f.Of(clientID) {
			continue
		}
		sum.Refuse = sum.Refuse || f.Refuse
		sum.HoldUp, sum.HoldDown = sum.HoldUp || f.HoldUp, sum.HoldDown || f.HoldDown
		sum.Delay += f.Delay
		if f.BytesPerSecond > 0 && (sum.BytesPerSecond == 0 || f.BytesPerSecond < sum.BytesPerSecond) {
			sum.BytesPerSecond = f.BytesPerSecond
		}
	}
	return sum, p.changed
}

// accept takes connections until the listener is closed.
func (p *Proxy) accept(ctx context.Context) {
	for {
		c, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		p.running.Go(func() { p.serve(ctx, c) })
	}
}

// serve connects a client to the target and passes bytes on until either side ends.
func (p *Proxy) serve(ctx context.Context, client net.Conn) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l := &link{proxy: p, client: client, cancel: cancel}
	p.mu.Lock()
	p.links[l] = true
	p.mu.Unlock()
	defer func() {
		l.reset()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.links, l)
	}()
	if ctx.Err() != nil {
		return
	}
	l.run(ctx)
}
