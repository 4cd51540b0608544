package simulation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// network carries connections between named hosts and the ports of brokers. As in TCP, what a side has written stays under
// way when that side is gone: it arrives late, and then the end of the connection, or it is lost with the connection.
// Nothing arrives out of order or in part. (kfake's own virtual network is net.Pipe, which has no room for bytes under way,
// so that a request of a dead server could never arrive.)
type network struct {
	mu        sync.Mutex
	listeners map[int]*listener
	conns     map[*connection]struct{}
	paths     map[pathID]*path
	downUntil map[int]time.Time
	random    *rand.Rand
}

// pathID names a direction between a host and a broker.
type pathID struct {
	host   string
	port   int
	inward bool // to the broker
}

// path is the condition of one direction between a host and a broker. It is guarded by the network's mutex.
type path struct {
	stalledUntil time.Time
	delay        time.Duration
	delayUntil   time.Time
	// lossPercent of the segments have to be sent again, up to lossUntil.
	lossPercent int
	lossUntil   time.Time
}

func newNetwork(random *rand.Rand) *network {
	return &network{listeners: map[int]*listener{}, conns: map[*connection]struct{}{}, paths: map[pathID]*path{},
		downUntil: map[int]time.Time{}, random: random}
}

func (n *network) path(id pathID) *path {
	p, ok := n.paths[id]
	if !ok {
		p = &path{}
		n.paths[id] = p
	}
	return p
}

// change applies a condition to the paths between a host and a broker; port 0 means all brokers of ports, and the direction
// is inward, outward or both.
func (n *network) change(host string, ports []int, d direction, fn func(*path)) {
	n.mu.Lock()
	for _, port := range ports {
		if d != outward {
			fn(n.path(pathID{host, port, true}))
		}
		if d != inward {
			fn(n.path(pathID{host, port, false}))
		}
	}
	list := n.matching(func(c *connection) bool { return c.host == host })
	n.mu.Unlock()
	wakeAll(list)
}

// matching lists the connections that fit. The network's mutex is held; those of streams are taken without it.
func (n *network) matching(fits func(*connection) bool) []*connection {
	var list []*connection
	for c := range n.conns {
		if fits(c) {
			list = append(list, c)
		}
	}
	return list
}

func wakeAll(list []*connection) {
	for _, c := range list {
		c.in.wake()
		c.out.wake()
	}
}

// direction is a way between a host and a broker.
type direction int

const (
	both direction = iota
	inward
	outward
)

func (d direction) String() string { return [...]string{"both ways", "requests", "answers"}[d] }

// resend is how long it takes until a lost segment is sent again.
const resend = 300 * time.Millisecond

// arrival is when a segment sent now can be read at the earliest, not counting stalls. The network's mutex is held.
func (n *network) arrival(p *path) time.Time {
	now := time.Now()
	at := now
	if now.Before(p.delayUntil) {
		at = at.Add(p.delay)
	}
	if now.Before(p.lossUntil) && n.random.IntN(100) < p.lossPercent {
		at = at.Add(resend)
	}
	return at
}

// stalledUntil says until when nothing arrives on a path.
func (n *network) stalledUntil(p *path) time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return p.stalledUntil
}

// listen is kfake's ListenFn.
func (n *network) listen(_, address string) (net.Listener, error) {
	port, err := portOf(address)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.listeners[port]; ok {
		return nil, syscall.EADDRINUSE
	}
	l := &listener{n: n, port: port, accepted: make(chan net.Conn, 64), closed: make(chan struct{})}
	n.listeners[port] = l
	return l, nil
}

func portOf(address string) (int, error) {
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

// dialer gives a host its way onto the network.
func (n *network) dialer(h *host) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		port, err := portOf(address)
		if err != nil {
			return nil, err
		}
		for {
			c, wait, err := n.connect(h, port)
			if err == nil || wait.IsZero() {
				return c, err
			}
			t := time.NewTimer(time.Until(wait))
			select {
			case <-ctx.Done():
				t.Stop()
				return nil, ctx.Err()
			case <-h.dead:
				t.Stop()
			case <-t.C:
			}
		}
	}
}

var errHandshake = errors.New("nothing comes through")

// connect opens a connection; wait is set when the handshake hangs until then.
func (n *network) connect(h *host, port int) (c net.Conn, wait time.Time, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if h.isDead() {
		return nil, time.Time{}, syscall.ENETDOWN
	}
	now := time.Now()
	for _, in := range []bool{true, false} {
		if p := n.path(pathID{h.name, port, in}); now.Before(p.stalledUntil) {
			return nil, p.stalledUntil, errHandshake
		}
	}
	l, ok := n.listeners[port]
	if !ok || now.Before(n.downUntil[port]) && !h.spared {
		return nil, time.Time{}, syscall.ECONNREFUSED
	}
	k := &connection{host: h.name, port: port, owner: h,
		in: newStream(n, n.path(pathID{h.name, port, true})), out: newStream(n, n.path(pathID{h.name, port, false}))}
	select {
	case l.accepted <- &end{net: n, c: k, read: k.in, write: k.out}:
	default:
		return nil, time.Time{}, syscall.ECONNREFUSED
	}
	n.conns[k] = struct{}{}
	return &end{net: n, c: k, read: k.out, write: k.in}, time.Time{}, nil
}

// kill is the death of a host: no further connection, and of the present ones the brokers get what is under way and the end.
func (n *network) kill(h *host) {
	n.mu.Lock()
	if h.isDead() {
		n.mu.Unlock()
		return
	}
	close(h.dead)
	list := n.matching(func(c *connection) bool { return c.owner == h })
	n.mu.Unlock()
	for _, c := range list {
		c.in.finish()
		c.out.reset()
		n.forget(c)
	}
}

// down takes a broker off the network for a while: its connections end, and nobody can connect.
func (n *network) down(port int, d time.Duration) {
	n.mu.Lock()
	n.downUntil[port] = time.Now().Add(d)
	n.mu.Unlock()
	n.cut("", port)
}

// cut resets the connections of a host to a broker; "" stands for all hosts that are not spared and 0 for all brokers.
func (n *network) cut(host string, port int) {
	n.mu.Lock()
	list := n.matching(func(c *connection) bool {
		return (host == "" && !c.owner.spared || c.host == host) && (port == 0 || c.port == port)
	})
	n.mu.Unlock()
	for _, c := range list {
		c.in.reset()
		c.out.reset()
		n.forget(c)
	}
}

// forget drops a connection whose host is done with it.
func (n *network) forget(c *connection) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.conns, c)
}

// heal removes all conditions.
func (n *network) heal() {
	n.mu.Lock()
	for _, p := range n.paths {
		*p = path{}
	}
	clear(n.downUntil)
	list := n.matching(func(*connection) bool { return true })
	n.mu.Unlock()
	wakeAll(list)
}

// host is one process on the network.
type host struct {
	name string
	// spared hosts reach brokers that are down: those of the test itself.
	spared bool
	dead   chan struct{}
}

func newHost(name string) *host { return &host{name: name, dead: make(chan struct{})} }

// newObserver is the host of a client of the test's own.
func newObserver(name string) *host {
	return &host{name: name, spared: true, dead: make(chan struct{})}
}

func (h *host) isDead() bool {
	select {
	case <-h.dead:
		return true
	default:
		return false
	}
}

// listener implements net.Listener.
type listener struct {
	n        *network
	port     int
	accepted chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accepted:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() {
		l.n.mu.Lock()
		delete(l.n.listeners, l.port)
		l.n.mu.Unlock()
		close(l.closed)
	})
	return nil
}

func (l *listener) Addr() net.Addr { return address(l.port) }

// address implements net.Addr.
type address int

func (address) Network() string  { return "tcp" }
func (a address) String() string { return fmt.Sprintf("127.0.0.1:%d", int(a)) }

// connection is both directions between a host and a broker.
type connection struct {
	host    string
	port    int
	owner   *host
	in, out *stream
}

// end is one side of a connection. It implements net.Conn.
type end struct {
	net         *network
	c           *connection
	read, write *stream
}

func (e *end) Read(b []byte) (int, error)  { return e.read.take(b) }
func (e *end) Write(b []byte) (int, error) { return e.write.put(b) }

// Close ends the connection: the other side reads what is under way, then the end. What it writes is lost.
func (e *end) Close() error {
	e.write.finish()
	e.read.reset()
	e.net.forget(e.c)
	return nil
}

func (e *end) LocalAddr() net.Addr                { return address(e.c.port) }
func (e *end) RemoteAddr() net.Addr               { return address(e.c.port) }
func (e *end) SetDeadline(t time.Time) error      { e.read.setDeadline(t); return nil }
func (e *end) SetReadDeadline(t time.Time) error  { e.read.setDeadline(t); return nil }
func (e *end) SetWriteDeadline(_ time.Time) error { return nil } // Writes never wait.

// stream is one direction of a connection.
type stream struct {
	n    *network
	path *path

	mu       sync.Mutex
	changed  *sync.Cond
	segments []segment
	at       int // what of the first segment has been read
	ended    bool
	broken   bool
	deadline time.Time
	alarm    *time.Timer
}

type segment struct {
	data    []byte
	arrival time.Time
}

func newStream(n *network, p *path) *stream {
	s := &stream{n: n, path: p}
	s.changed = sync.NewCond(&s.mu)
	return s
}

func (s *stream) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed.Broadcast()
}

// finish is the end of the stream, behind what is under way.
func (s *stream) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.changed.Broadcast()
}

// reset loses what is under way; both sides get an error.
func (s *stream) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = true
	s.segments = nil
	if s.alarm != nil {
		s.alarm.Stop()
	}
	s.changed.Broadcast()
}

func (s *stream) setDeadline(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = t
	s.changed.Broadcast()
}

func (s *stream) put(b []byte) (int, error) {
	s.n.mu.Lock()
	at := s.n.arrival(s.path)
	s.n.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken || s.ended {
		return 0, syscall.ECONNRESET
	}
	if n := len(s.segments); n > 0 && at.Before(s.segments[n-1].arrival) {
		at = s.segments[n-1].arrival
	}
	s.segments = append(s.segments, segment{append([]byte(nil), b...), at})
	s.changed.Broadcast()
	return len(b), nil
}

func (s *stream) take(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		now := time.Now()
		stalled := s.n.stalledUntil(s.path)
		var next time.Time
		switch {
		case s.broken:
			return 0, syscall.ECONNRESET
		case !s.deadline.IsZero() && !now.Before(s.deadline):
			return 0, os.ErrDeadlineExceeded
		case now.Before(stalled):
			next = stalled
		case len(s.segments) > 0 && now.Before(s.segments[0].arrival):
			next = s.segments[0].arrival
		case len(s.segments) > 0:
			n := copy(b, s.segments[0].data[s.at:])
			if s.at += n; s.at == len(s.segments[0].data) {
				s.segments, s.at = s.segments[1:], 0
			}
			return n, nil
		case s.ended:
			return 0, io.EOF
		}
		if !s.deadline.IsZero() && (next.IsZero() || s.deadline.Before(next)) {
			next = s.deadline
		}
		s.ring(next)
		s.changed.Wait()
	}
}

// ring wakes the reader at a time; the zero time means not at all.
func (s *stream) ring(at time.Time) {
	switch {
	case at.IsZero() && s.alarm != nil:
		s.alarm.Stop()
	case at.IsZero():
	case s.alarm == nil:
		s.alarm = time.AfterFunc(time.Until(at), s.wake)
	default:
		s.alarm.Reset(time.Until(at))
	}
}
