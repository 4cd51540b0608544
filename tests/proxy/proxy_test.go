package proxy_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/tests/proxy"
)

// echo answers every line with itself, after a request header.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	return l.Addr().String()
}

// connection is a client of the echo behind a proxy.
type connection struct {
	net.Conn
	lines *bufio.Reader
}

// header is how a request of a client begins.
func header(id string) []byte {
	b := make([]byte, 14, 14+len(id)+1)
	binary.BigEndian.PutUint16(b[12:], uint16(len(id)))
	return append(append(b, id...), '\n')
}

// dial connects as a client, and reads its own header back where the proxy lets it.
func dial(t *testing.T, p *proxy.Proxy, id string) *connection {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	k := &connection{c, bufio.NewReader(c)}
	if _, err := c.Write(header(id)); err != nil {
		t.Fatal(err)
	}
	return k
}

// line waits for a line that ends with a text; timeout is the error when none comes in time.
func (c *connection) line(want string, within time.Duration) error {
	_ = c.SetReadDeadline(time.Now().Add(within))
	got, err := c.lines.ReadString('\n')
	if err == nil && !strings.HasSuffix(got, want+"\n") {
		err = errors.New("got " + got)
	}
	return err
}

func (c *connection) say(t *testing.T, text string) {
	t.Helper()
	if _, err := c.Write([]byte(text + "\n")); err != nil {
		t.Fatal(err)
	}
}

const soon, never = 10 * time.Second, 80 * time.Millisecond

func start(t *testing.T) *proxy.Proxy {
	t.Helper()
	p, err := proxy.Start(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

func TestFaults(t *testing.T) {
	t.Parallel()
	ofA := func(id string) bool { return id == "a" }
	for name, test := range map[string]func(t *testing.T, p *proxy.Proxy, a, b *connection){
		"cut": func(t *testing.T, p *proxy.Proxy, a, b *connection) {
			if n := p.Cut(ofA); n != 1 {
				t.Fatalf("%d connections cut", n)
			}
			if err := a.line("", soon); err == nil || isTimeout(err) {
				t.Errorf("the connection is still there: %v", err)
			}
		},
		"held on the way up": func(t *testing.T, p *proxy.Proxy, a, b *connection) {
			lift := p.Impose(proxy.Fault{Of: ofA, HoldUp: true})
			a.say(t, "held")
			if err := a.line("held", never); !isTimeout(err) {
				t.Errorf("not held: %v", err)
			}
			lift()
			if err := a.line("held", soon); err != nil {
				t.Errorf("after it was lifted: %v", err)
			}
		},
		"held on the way down": func(t *testing.T, p *proxy.Proxy, a, b *connection) {
			lift := p.Impose(proxy.Fault{Of: ofA, HoldDown: true})
			a.say(t, "held")
			if err := a.line("held", never); !isTimeout(err) {
				t.Errorf("not held: %v", err)
			}
			lift()
			lift()
			if err := a.line("held", soon); err != nil {
				t.Errorf("after it was lifted: %v", err)
			}
		},
		"delayed": func(t *testing.T, p *proxy.Proxy, a, b *connection) {
			const delay = 60 * time.Millisecond
			defer p.Impose(proxy.Fault{Of: ofA, Delay: delay})()
			began := time.Now()
			a.say(t, "late")
			if err := a.line("late", soon); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took < 2*delay {
				t.Errorf("there and back took %v", took)
			}
		},
		"dripping": func(t *testing.T, p *proxy.Proxy, a, b *connection) {
			defer p.Impose(proxy.Fault{Of: ofA, BytesPerSecond: 100})()
			began := time.Now()
			a.say(t, "0123456789012345")
			if err := a.line("0123456789012345", soon); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took < 150*time.Millisecond {
				t.Errorf("17 bytes at 100 a second took %v", took)
			}
		},
		"half open": func(t *testing.T, p *proxy.Proxy, a, b *connection) {
			if n := p.Halve(ofA); n != 1 {
				t.Fatalf("%d connections halved", n)
			}
			for range 3 {
				a.say(t, "into the void")
			}
			if err := a.line("", never); !isTimeout(err) {
				t.Errorf("the client noticed: %v", err)
			}
		},
		"refused": func(t *testing.T, p *proxy.Proxy, a, b *connection) {
			lift := p.Impose(proxy.Fault{Of: ofA, Refuse: true})
			if err := dial(t, p, "a").line("", soon); err == nil || isTimeout(err) {
				t.Errorf("not refused: %v", err)
			}
			lift()
			if err := dial(t, p, "a").line("a", soon); err != nil {
				t.Errorf("after it was lifted: %v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t)
			a, b := dial(t, p, "a"), dial(t, p, "b")
			for c, id := range map[*connection]string{a: "a", b: "b"} {
				if err := c.line(id, soon); err != nil {
					t.Fatal(err)
				}
			}
			test(t, p, a, b)
			// The others are left alone.
			b.say(t, "untouched")
			if err := b.line("untouched", soon); err != nil {
				t.Errorf("another client's connection: %v", err)
			}
		})
	}
}

// A proxy whose clients or target have gone keeps nothing of them.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	p := start(t)
	a, b, c := dial(t, p, "a"), dial(t, p, "b"), dial(t, p, "c")
	for conn, id := range map[*connection]string{a: "a", b: "b", c: "c"} {
		if err := conn.line(id, soon); err != nil {
			t.Fatal(err)
		}
	}
	p.Halve(func(id string) bool { return id == "b" })
	p.Impose(proxy.Fault{Of: func(id string) bool { return id == "c" }, HoldUp: true})
	c.say(t, "held")
	a.Close()
	b.Close()
	c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	for p.Connections() > 1 { // What is held is kept until the fault is lifted, as on a network.
		select {
		case <-ctx.Done():
			t.Fatalf("%d connections are left", p.Connections())
		case <-time.After(5 * time.Millisecond):
		}
	}
	p.Close()
	if n := p.Connections(); n != 0 {
		t.Errorf("%d connections are left after Close", n)
	}
}
