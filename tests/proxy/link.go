package proxy

import (
	"context"
	"encoding/binary"
	"net"
	"sync"
	"time"
)

// link is one client's connection and the one to the target that belongs to it.
type link struct {
	proxy  *Proxy
	client net.Conn
	cancel context.CancelFunc

	mu     sync.Mutex
	server net.Conn // nil before it is dialled, and when the link has been halved
	id     string
	halved bool
}

// chunk is what was read at once, and when.
type chunk struct {
	bytes []byte
	at    time.Time
}

// chunks bounds how many wait in one direction, each of up to chunkBytes.
const (
	chunks     = 64
	chunkBytes = 32 << 10
	// dripEvery is how often bytes go on when there may be only so many a second.
	dripEvery = 50 * time.Millisecond
)

func (l *link) clientID() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.id
}

// reset ends both connections with an RST.
func (l *link) reset() {
	l.cancel()
	abort(l.client)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.server != nil {
		abort(l.server)
	}
}

// halve resets the target's side alone.
func (l *link) halve() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.halved = true
	if l.server != nil {
		abort(l.server)
		l.server = nil
	}
}

func (l *link) isHalved() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.halved
}

// abort closes a connection so that the other side gets an RST.
func abort(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// run passes bytes on until either side ends, or the proxy does.
func (l *link) run(ctx context.Context) {
	first := make([]byte, chunkBytes)
	n, err := l.client.Read(first)
	if err != nil {
		return
	}
	l.mu.Lock()
	l.id = clientIDOf(first[:n])
	l.mu.Unlock()
	if f, _ := l.proxy.inForce(l.clientID()); f.Refuse {
		return
	}
	dialer := net.Dialer{Timeout: 5 * time.Second}
	server, err := dialer.DialContext(ctx, "tcp", l.proxy.target)
	if err != nil {
		return
	}
	l.mu.Lock()
	if l.halved {
		abort(server)
	} else {
		l.server = server
	}
	l.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	up, down := make(chan chunk, chunks), make(chan chunk, chunks)
	up <- chunk{first[:n], time.Now()}
	var all sync.WaitGroup
	pump := func(from, to net.Conn, queue chan chunk, held func(Fault) bool) {
		all.Go(func() {
			defer close(queue)
			take(ctx, from, queue)
		})
		all.Go(func() {
			// When one direction ends, so does the link; a link that was halved ends when its client ends it.
			if l.give(ctx, to, queue, held); !l.isHalved() {
				l.reset()
			}
		})
	}
	pump(l.client, server, up, func(f Fault) bool { return f.HoldUp })
	pump(server, l.client, down, func(f Fault) bool { return f.HoldDown })
	all.Wait()
}

// take reads until the connection ends.
func take(ctx context.Context, from net.Conn, queue chan<- chunk) {
	for {
		b := make([]byte, chunkBytes)
		n, err := from.Read(b)
		if n > 0 {
			select {
			case queue <- chunk{b[:n], time.Now()}:
			case <-ctx.Done():
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// give writes what was read, as the faults in force allow.
func (l *link) give(ctx context.Context, to net.Conn, queue <-chan chunk, held func(Fault) bool) {
	for c := range queue {
		for len(c.bytes) > 0 {
			f, changed := l.proxy.inForce(l.clientID())
			late := time.Until(c.at.Add(f.Delay))
			switch {
			case ctx.Err() != nil:
				return
			case held(f):
				await(ctx, changed, time.Hour)
				continue
			case f.Delay > 0 && late > 0:
				await(ctx, changed, late)
				continue
			}
			n := len(c.bytes)
			if f.BytesPerSecond > 0 {
				n = min(n, max(1, f.BytesPerSecond*int(dripEvery)/int(time.Second)))
			}
			if _, err := to.Write(c.bytes[:n]); err != nil && !l.isHalved() {
				return
			}
			if c.bytes = c.bytes[n:]; f.BytesPerSecond > 0 {
				await(ctx, nil, dripEvery)
			}
		}
	}
}

// await waits for a change of the faults, for time, or for the end.
func await(ctx context.Context, changed <-chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-changed:
	case <-t.C:
	}
}

// clientIDOf reads the client id in the header of a request: size, API key and version, correlation id, then the id as a
// string with a length of two bytes. It is empty when there is none.
func clientIDOf(request []byte) string {
	const at = 4 + 2 + 2 + 4
	if len(request) < at+2 {
		return ""
	}
	n := int(int16(binary.BigEndian.Uint16(request[at:])))
	if n <= 0 || len(request) < at+2+n {
		return ""
	}
	return string(request[at+2 : at+2+n])
}
