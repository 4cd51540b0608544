package peers_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/cluster"
	"github.com/ksqlgo/ksqlgo/server/peers"
)

// town is what the assignments say: all servers of a test.
type town struct {
	mu    sync.Mutex
	hosts map[string]cluster.Host
}

func (w *town) known() []cluster.Host {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []cluster.Host
	for _, h := range w.hosts {
		out = append(out, h)
	}
	return out
}

func (w *town) list(h cluster.Host) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hosts == nil {
		w.hosts = map[string]cluster.Host{}
	}
	w.hosts[h.NodeID] = h
}

func (w *town) strike(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.hosts, id)
}

// server is one life of a server.
type server struct {
	*peers.Peers
	endpoint string
	applied  atomic.Int64
	stop     func()
}

// start starts a server; listed says whether assignments name it.
func start(t *testing.T, w *town, id string, life uint64, listed bool, change func(*peers.Config)) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{endpoint: l.Addr().String()}
	cfg := peers.Config{
		ServiceID: "test_", Self: peers.Node{ID: id, Incarnation: life, Endpoint: s.endpoint, Zone: "zone-" + id}, Known: w.known,
		Status: func() peers.Status {
			return peers.StatusOf(id+":8088", s.applied.Load(), []exec.QueryTasks{{ID: "Q_1", State: exec.Running, Tasks: []exec.TaskSummary{
				{Stage: 1, Partition: 2, State: exec.TaskRunning, Inputs: []exec.Progress{{Position: 3, End: 10}}},
				{Stage: 1, Partition: 3, State: exec.TaskStandby, Stores: []exec.Progress{{Position: 5, End: 9}, {Position: 1, End: 2}}, Warmup: true},
			}}}, time.Now())
		},
		Interval: 10 * time.Millisecond, Window: 200 * time.Millisecond, Discover: 20 * time.Millisecond,
	}
	if change != nil {
		change(&cfg)
	}
	if s.Peers, err = peers.New(cfg); err != nil {
		t.Fatal(err)
	}
	s.Handle("/echo", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	if listed {
		w.list(cluster.Host{NodeID: id, Endpoint: s.endpoint})
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { s.Run(ctx) })
	done.Go(func() {
		if err := s.Serve(ctx, l); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	})
	s.stop = sync.OnceFunc(func() { cancel(); done.Wait() })
	t.Cleanup(s.stop)
	return s
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !is() {
		if time.Now().After(deadline) {
			t.Fatalf("never came true: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func (s *server) sees(id string, alive bool) func() bool {
	return func() bool {
		h, ok := s.Host(id)
		return ok && h.Alive == alive
	}
}

func (s *server) echo(id, text string) (string, error) {
	response, err := s.Post(context.Background(), id, "/echo", []byte(text))
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	return string(b), err
}

func TestServersSeeEachOther(t *testing.T) {
	t.Parallel()
	w := &town{}
	a, b := start(t, w, "a", 1, true, nil), start(t, w, "b", 1, true, nil)
	eventually(t, "a sees b", a.sees("b", true))
	eventually(t, "b sees a", b.sees("a", true))
	h, _ := a.Host("b")
	task, ok := h.Status.Task("Q_1", 1, 2)
	standby, ok2 := h.Status.Task("Q_1", 1, 3)
	switch {
	case h.Zone != "zone-b" || h.Status.Host != "b:8088" || time.Since(h.LastSeen) > time.Second:
		t.Errorf("a knows of b: %+v", h)
	case !ok || task.State != exec.TaskRunning || task.Lag() != 7:
		t.Errorf("the task of b: %+v", task)
	case !ok2 || standby.State != exec.TaskStandby || standby.Lag() != 5 || standby.Behind >= 0 || !standby.Warmup:
		t.Errorf("the standby of b: %+v", standby)
	}
	changed := a.Changed()
	b.applied.Store(77)
	<-changed
	eventually(t, "a knows what b has applied", func() bool { h, _ := a.Host("b"); return h.Status.Applied == 77 })
	all := a.Snapshot()
	if len(all) != 2 || all[0].ID != "a" || !all[0].Self || !all[0].Alive || all[0].Status == nil || all[1].ID != "b" || all[1].Self {
		t.Errorf("snapshot %+v", all)
	}
	if text, err := a.echo("b", "hello"); text != "hello" || err != nil {
		t.Errorf("echo %q, %v", text, err)
	}
	if _, err := a.echo("c", "hello"); err == nil {
		t.Error("a server that is not known answered")
	}
}

// A server that stops is down after three beats; those who wait for that know at once. When no assignment names it any more
// it is forgotten. When it comes back on another port it is found, whatever the assignments say.
func TestServersComeAndGo(t *testing.T) {
	t.Parallel()
	w := &town{}
	a, b := start(t, w, "a", 1, true, nil), start(t, w, "b", 1, true, nil)
	eventually(t, "a sees b", a.sees("b", true))
	down := a.Down("b")
	began := time.Now()
	b.stop()
	<-down
	t.Logf("down after %s", time.Since(began))
	if h, _ := a.Host("b"); h.Alive || h.Misses < 3 || h.Reason == "" || h.Status == nil {
		t.Errorf("b is down: %+v", h)
	}
	again := start(t, w, "b", 2, false, nil)
	eventually(t, "a sees b again", a.sees("b", true))
	// A beat that is missed on a busy machine sends a to the old address once more, which the assignment still names.
	eventually(t, "a knows where b is now", func() bool {
		h, _ := a.Host("b")
		text, err := a.echo("b", "again")
		return h.Endpoint == again.endpoint && h.Incarnation == 2 && text == "again" && err == nil
	})
	again.stop()
	w.strike("b")
	eventually(t, "b is forgotten", func() bool { _, ok := a.Host("b"); return !ok })
	<-a.Down("b")
}

// Another server that got the port of one that is gone does not pass for it, nor does one of another service.
func TestMistakenIdentity(t *testing.T) {
	t.Parallel()
	w := &town{}
	a, b := start(t, w, "a", 1, true, nil), start(t, w, "b", 1, true, nil)
	other := start(t, &town{}, "x", 1, true, func(c *peers.Config) { c.ServiceID = "other_" })
	w.list(cluster.Host{NodeID: "c", Endpoint: b.endpoint})
	w.list(cluster.Host{NodeID: "x", Endpoint: other.endpoint})
	w.list(cluster.Host{NodeID: "mute"})
	for id, want := range map[string]string{"c": "node id b", "x": "service other_", "mute": "no internal listener"} {
		eventually(t, id+" is down: "+want, func() bool {
			h, ok := a.Host(id)
			return ok && h.Misses > 5 && !h.Alive && strings.Contains(h.Reason, want)
		})
		if _, err := a.echo(id, "hello"); err == nil && id != "x" {
			t.Errorf("%s answered", id)
		}
	}
}

// A server that is only half there, connected but silent, is down, and the connections to it end.
func TestHalfOpenConnections(t *testing.T) {
	t.Parallel()
	w := &town{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open atomic.Int64
	var taken sync.WaitGroup
	taken.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			open.Add(1)
			taken.Go(func() {
				_, _ = io.Copy(io.Discard, c)
				c.Close()
				open.Add(-1)
			})
		}
	})
	w.list(cluster.Host{NodeID: "b", Endpoint: l.Addr().String()})
	a := start(t, w, "a", 1, true, nil)
	eventually(t, "a misses b", func() bool { h, ok := a.Host("b"); return ok && h.Misses > 30 })
	if h, _ := a.Host("b"); h.Alive || open.Load() > 2 {
		t.Errorf("%+v, %d connections", h, open.Load())
	}
	a.stop()
	eventually(t, "the connections are closed", func() bool { return open.Load() == 0 })
	l.Close()
	taken.Wait()
}

// Servers that come and go leave no goroutine behind.
func TestNoLeaks(t *testing.T) {
	w := &town{}
	a := start(t, w, "a", 1, true, nil)
	count := func(life uint64) int {
		b, c := start(t, w, "b", life, true, nil), start(t, w, "c", life, true, nil)
		eventually(t, "a sees b and c", func() bool { return a.sees("b", true)() && a.sees("c", true)() })
		for range 10 {
			if _, err := a.echo("b", "x"); err != nil {
				t.Fatal(err)
			}
		}
		b.stop()
		c.stop()
		w.strike("b")
		w.strike("c")
		eventually(t, "b and c are forgotten", func() bool { return len(a.Snapshot()) == 1 })
		return runtime.NumGoroutine()
	}
	first := count(1)
	last := first
	for life := range uint64(8) {
		last = count(life + 2)
	}
	eventually(t, fmt.Sprintf("no more than %d goroutines, %d were left", first+4, last), func() bool { return runtime.NumGoroutine() <= first+4 })
}

// Whatever answers at an endpoint, what is no heartbeat is none.
func TestGarbageIsNoAnswer(t *testing.T) {
	t.Parallel()
	w := &town{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "no heartbeat") })}
	go func() { _ = h.Serve(l) }()
	defer h.Close()
	w.list(cluster.Host{NodeID: "b", Endpoint: l.Addr().String()})
	a := start(t, w, "a", 1, true, nil)
	eventually(t, "a misses b", func() bool { h, ok := a.Host("b"); return ok && h.Misses > 3 })
	eventually(t, "the reason is told", func() bool {
		h, _ := a.Host("b")
		return !h.Alive && strings.Contains(h.Reason, "version")
	})
}
