package forward

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/position"
	"github.com/ksqlgo/ksqlgo/server/peers"
)

// scene is a router among other servers: b owns the partitions from 2 on, self the first two, unless a test changes that.
type scene struct {
	*Router
	*world
	town     *town
	assigned *assigned
	// remote answers as a server that has everything.
	remote http.HandlerFunc
}

func (w *world) scene() *scene {
	s := &scene{world: w, town: newTown(), assigned: &assigned{Executor: w.executor, owners: map[int32]string{}, stage: int32(w.plan.Materialization.Stage)}}
	for p := range int32(partitions) {
		s.assigned.owners[p] = "self"
		if p >= 2 {
			s.assigned.owners[p] = "b"
		}
	}
	s.Router = New(Config{Executor: s.assigned, Peers: s.town, Timeout: 5 * time.Second, Wait: 300 * time.Millisecond})
	s.remote = s.answer
	return s
}

// refusing answers as a server that refuses some partitions, and redirects to owner.
func (s *scene) refusing(kind exec.RefusalKind, owner string, partitions ...int32) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		m := received(req)
		h := header{refused: map[int32]exec.Refusal{}}
		for _, p := range m.partitions {
			if len(partitions) == 0 || slices.Contains(partitions, p) {
				h.refused[p] = exec.Refusal{Kind: kind, Reason: "does not own it", Owner: owner}
			} else {
				h.answered = append(h.answered, p)
			}
		}
		out := appendFrame([]byte{answerVersion}, frameHeader, h.append(nil))
		_, _ = w.Write(appendFrame(out, frameEnd, []byte{0}))
	}
}

func received(req *http.Request) *request {
	buf := make([]byte, req.ContentLength)
	n := 0
	for n < len(buf) {
		k, err := req.Body.Read(buf[n:])
		if n += k; err != nil {
			break
		}
	}
	m, err := decodeRequest(buf[:n])
	if err != nil {
		panic(err)
	}
	return m
}

// spoilt lets a server answer and then changes the bytes.
func (s *scene) spoilt(change func([]byte) []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		good := httptest.NewRecorder()
		s.remote(good, req)
		_, _ = w.Write(change(good.Body.Bytes()))
	}
}

func (s *scene) all(t *testing.T, o exec.PullOptions) (map[string]int, error) {
	t.Helper()
	rows, err := s.Pull(t.Context(), s.pull(t, "SELECT * FROM c;"), o)
	if err != nil {
		return nil, err
	}
	return answers(rows)
}

func wantAll(t *testing.T, got map[string]int) {
	t.Helper()
	for i := range keys {
		if got[keyName(i)] != 1 {
			t.Errorf("%s came %d times", keyName(i), got[keyName(i)])
		}
	}
	if len(got) != keys {
		t.Errorf("%d rows, want %d", len(got), keys)
	}
}

var owners = exec.PullOptions{StandbyLag: -1}

func TestRouter(t *testing.T) {
	w := newWorld(t)
	t.Run("all servers have their part", func(t *testing.T) {
		s := w.scene()
		s.town.add(t, "b", s.remote)
		s.town.add(t, "c", s.remote)
		s.assigned.give(5, "c")
		got, err := s.all(t, owners)
		if err != nil {
			t.Fatal(err)
		}
		wantAll(t, got)
		if s.town.askedOf("b") != 1 || s.town.askedOf("c") != 1 {
			t.Errorf("asked %d and %d times", s.town.askedOf("b"), s.town.askedOf("c"))
		}
	})
	t.Run("only who has the key is asked", func(t *testing.T) {
		s := w.scene()
		s.town.add(t, "b", s.remote)
		for i := range keys {
			before := s.town.askedOf("b")
			rows, err := s.Pull(t.Context(), s.pull(t, fmt.Sprintf("SELECT * FROM c WHERE k = '%s';", keyName(i))), owners)
			if err != nil {
				t.Fatal(err)
			}
			at, err := rows.Positions()
			if err != nil || len(at["t"]) != 1 || at["t"][partitionOf(i)] == 0 {
				t.Errorf("positions %v, %v", at, err)
			}
			got, err := answers(rows)
			if err != nil || got[keyName(i)] != 1 || len(got) != 1 {
				t.Errorf("%s: %v, %v", keyName(i), got, err)
			}
			want := 0
			if partitionOf(i) >= 2 {
				want = 1
			}
			if asked := s.town.askedOf("b") - before; asked != want {
				t.Errorf("%s in partition %d: b was asked %d times", keyName(i), partitionOf(i), asked)
			}
		}
	})
	t.Run("a limit holds over all", func(t *testing.T) {
		s := w.scene()
		s.town.add(t, "b", s.remote)
		rows, err := s.Pull(t.Context(), s.pull(t, "SELECT * FROM c LIMIT 20;"), owners)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := answers(rows); err != nil || len(got) != 20 {
			t.Errorf("%d rows, %v", len(got), err)
		}
	})
	t.Run("this server alone", func(t *testing.T) {
		s := w.scene()
		s.town.add(t, "b", s.remote)
		if _, err := s.all(t, exec.PullOptions{StandbyLag: -1, LocalOnly: true}); err != nil {
			t.Error(err) // The executor has everything in truth.
		}
		if n := s.town.askedOf("b"); n != 0 {
			t.Errorf("b was asked %d times", n)
		}
	})
	t.Run("positions of all parts", func(t *testing.T) {
		s := w.scene()
		s.town.add(t, "b", s.remote)
		rows, err := s.Pull(t.Context(), s.pull(t, "SELECT * FROM c;"), owners)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		v, err := rows.Positions()
		if err != nil || len(v["t"]) != partitions {
			t.Errorf("positions %v, %v", v, err)
		}
		again, err := s.all(t, exec.PullOptions{StandbyLag: -1, AtLeast: v})
		if err != nil {
			t.Fatal(err)
		}
		wantAll(t, again)
	})
	t.Run("positions that are not there", func(t *testing.T) {
		s := w.scene()
		s.town.add(t, "b", func(w http.ResponseWriter, req *http.Request) {
			m := received(req)
			h := header{answered: m.partitions, positions: position.Vector{"t": {4: 17}}, stale: true}
			_, _ = w.Write(appendFrame(appendFrame([]byte{answerVersion}, frameHeader, h.append(nil)), frameEnd, []byte{0}))
		})
		_, err := s.all(t, exec.PullOptions{StandbyLag: -1, AtLeast: position.Vector{"t": {4: 1000}}})
		var stale *exec.StaleError
		if !errors.As(err, &stale) || stale.Have["t"][4] != 17 {
			t.Errorf("error %v", err)
		}
	})
}

// What goes wrong with one server costs nothing when another one has what it should have: rows come once, from whom has them.
func TestOtherServersHelp(t *testing.T) {
	w := newWorld(t)
	running := func(s *scene, list ...int32) *peers.Status {
		q := peers.Query{ID: s.plan.QueryID}
		for _, p := range list {
			q.Tasks = append(q.Tasks, peers.Task{TaskSummary: exec.TaskSummary{Stage: s.plan.Materialization.Stage, Partition: p, State: exec.TaskRunning}})
		}
		return &peers.Status{Host: "c:8088", Queries: []peers.Query{q}}
	}
	for name, bad := range map[string]func(*scene) http.HandlerFunc{
		"down":               func(*scene) http.HandlerFunc { return nil },
		"not the owner":      func(s *scene) http.HandlerFunc { return s.refusing(exec.NotOwner, "") },
		"not of all":         func(s *scene) http.HandlerFunc { return s.refusing(exec.NotReady, "", 3, 4) },
		"not found":          func(*scene) http.HandlerFunc { return http.NotFound },
		"cut at once":        func(s *scene) http.HandlerFunc { return s.spoilt(func([]byte) []byte { return nil }) },
		"cut before the end": func(s *scene) http.HandlerFunc { return s.spoilt(func(b []byte) []byte { return b[:len(b)-1] }) },
		"cut after the head": func(s *scene) http.HandlerFunc { return s.spoilt(func(b []byte) []byte { return b[:40] }) },
		"wrong count": func(s *scene) http.HandlerFunc {
			return s.spoilt(func(b []byte) []byte { return append(b[:len(b)-1:len(b)-1], 3) })
		},
		"another version": func(s *scene) http.HandlerFunc {
			return s.spoilt(func(b []byte) []byte { return append([]byte{99}, b[1:]...) })
		},
		"garbage": func(*scene) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{1, 'R', 200, 200, 200}) }
		},
		"an error": func(*scene) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write(appendFrame([]byte{1}, frameError, []byte("no disk")))
			}
		},
		"breaks off": func(*scene) http.HandlerFunc {
			return func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
		},
		"the wrong partition": func(s *scene) http.HandlerFunc { return s.spoilt(func(b []byte) []byte { b[4] = 0; return b }) },
	} {
		t.Run(name, func(t *testing.T) {
			s := w.scene()
			s.town.add(t, "b", bad(s))
			c := s.town.add(t, "c", s.remote)
			if name == "not of all" {
				// What b answers has no rows here: those are not asked for again.
				s.town.servers["b"].Status = nil
			}
			c.Status = running(s, 2, 3, 4, 5)
			got, err := s.all(t, owners)
			if err != nil {
				t.Fatal(err)
			}
			if name == "not of all" {
				for i := range keys {
					if want := map[bool]int{true: 1}[partitionOf(i) != 2 && partitionOf(i) != 5]; got[keyName(i)] != want {
						t.Errorf("%s in partition %d came %d times", keyName(i), partitionOf(i), got[keyName(i)])
					}
				}
				return
			}
			wantAll(t, got)
		})
	}
	t.Run("redirected", func(t *testing.T) {
		s := w.scene()
		s.town.add(t, "b", s.refusing(exec.NotOwner, "c"))
		s.town.add(t, "c", s.remote)
		// This server refuses, too: it is not the owner.
		s.assigned.Executor = w.executor
		got, err := s.all(t, owners)
		if err != nil {
			t.Fatal(err)
		}
		wantAll(t, got)
	})
}

// A server that is silent is given up when it goes down, and its part asked of another one.
func TestSilentServer(t *testing.T) {
	w := newWorld(t)
	s := w.scene()
	asked := make(chan struct{}, 10)
	release := make(chan struct{})
	defer close(release)
	s.town.add(t, "b", func(_ http.ResponseWriter, req *http.Request) {
		received(req)
		asked <- struct{}{}
		select {
		case <-release:
		case <-req.Context().Done():
		}
	})
	go func() {
		<-asked
		s.town.set("b", false)
	}()
	began := time.Now()
	got, err := s.all(t, owners)
	if err != nil {
		t.Fatal(err)
	}
	wantAll(t, got)
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("it took %s", took)
	}
}

// A large part is given out while it comes; a connection that is cut then is an error, never a short answer.
func TestCutInTheMiddle(t *testing.T) {
	w := newWorld(t)
	s := w.scene()
	s.town.add(t, "b", s.spoilt(func(good []byte) []byte {
		// The rows frame, again and again, and no end.
		f := newFrameReader(strings.NewReader(string(good)))
		_, head, err := f.next()
		if err != nil {
			t.Error(err)
		}
		_, rows, err := f.next()
		if err != nil {
			t.Error(err)
		}
		out := appendFrame([]byte{answerVersion}, frameHeader, head)
		for len(out) < 3*holdBytes {
			out = appendFrame(out, frameRows, rows)
		}
		return out
	}))
	rows, err := s.Pull(t.Context(), s.pull(t, "SELECT * FROM c;"), owners)
	if err != nil {
		t.Fatal(err)
	}
	got, err := answers(rows)
	if err == nil || !strings.Contains(err.Error(), errCut.Error()) || len(got) == 0 {
		t.Errorf("%d keys, error %v", len(got), err)
	}
}

// Nobody has it: the whole query fails, in ksqlDB's words, with each server and its reason.
func TestNobodyAnswers(t *testing.T) {
	w := newWorld(t)
	s := w.scene()
	s.town.add(t, "b", nil)
	s.town.add(t, "c", s.refusing(exec.NotOwner, ""))
	g := &gathering{r: s.Router, o: owners, plan: s.pull(t, "SELECT * FROM c;"), stage: w.plan.Materialization.Stage, left: []int32{3}, tried: map[int32][]attempt{}}
	candidates := map[int32][]string{3: {"b", "c"}}
	for _, node := range candidates[3] {
		a := g.askPeer(t.Context(), target{node: node}, []int32{3})
		if err := g.take(a, candidates); err != nil {
			t.Fatal(err)
		}
	}
	err := g.unanswered()
	const want = "Unable to execute pull query. [Partition 3 failed to find valid host. Hosts scanned: [b:8088: no connection"
	if !strings.HasPrefix(err.Error(), strings.TrimSuffix(want, "no connection")) || !strings.HasSuffix(err.Error(), ", c:8088: does not own it]]") {
		t.Errorf("error %v", err)
	}
}

// Standbys are asked the nearest first, by what all servers have seen of the changelogs' ends; those too far behind are not.
func TestStandbysByLag(t *testing.T) {
	w := newWorld(t)
	s := w.scene()
	standby := func(id string, state exec.TaskState, behind time.Duration, position, end int64) {
		r := s.town.add(t, id, s.remote)
		r.Status = &peers.Status{Host: id, Queries: []peers.Query{{ID: w.plan.QueryID, Tasks: []peers.Task{{Behind: behind, TaskSummary: exec.TaskSummary{
			Stage: w.plan.Materialization.Stage, Partition: 4, State: state, Stores: []exec.Progress{{Position: position, End: end}}}}}}}}
	}
	standby("b", exec.TaskRunning, 0, 100, 100)
	s.town.set("b", false)
	standby("near", exec.TaskStandby, 0, 95, 95)
	standby("far", exec.TaskStandby, 0, 90, 100)
	standby("cut off", exec.TaskStandby, 0, 10, 10)
	standby("new", exec.TaskStandby, -1, 99, 100)
	standby("lost", exec.TaskStandby, 0, 100, 100)
	s.town.set("lost", false)
	for _, c := range []struct {
		lag  int64
		want []string
	}{
		{-1, []string{"self", "b"}},
		{4, []string{"self", "b"}},
		{5, []string{"self", "near", "b"}},
		{50, []string{"self", "near", "far", "b"}},
		{1 << 40, []string{"self", "near", "far", "cut off", "b"}},
	} {
		g := &gathering{r: s.Router, o: exec.PullOptions{StandbyLag: c.lag}, plan: s.pull(t, "SELECT * FROM c;"), stage: w.plan.Materialization.Stage, left: []int32{4}}
		if got := g.candidates()[4]; !slices.Equal(got, c.want) {
			t.Errorf("within %d: %v, want %v", c.lag, got, c.want)
		}
	}
}

// The other side: what a server answers to what it is asked.
func TestHandler(t *testing.T) {
	w := newWorld(t)
	s := w.scene()
	plan := s.pull(t, "SELECT * FROM c;")
	encoded := encode(t, plan)
	_, hash, err := w.executor.Plan(w.plan.QueryID)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(change func(*request)) (*header, string) {
		m := &request{query: w.plan.QueryID, hash: hash, plan: encoded, partitions: []int32{1, 4}, standbyLag: -1, noWait: true}
		change(m)
		rec := httptest.NewRecorder()
		s.remote(rec, httptest.NewRequest(http.MethodPost, path, strings.NewReader(string(m.append(nil)))))
		f := newFrameReader(rec.Body)
		kind, payload, err := f.next()
		if err != nil {
			t.Fatal(err)
		}
		if kind == frameError {
			return nil, string(payload)
		}
		h, err := decodeHeader(payload)
		if err != nil || !h.isFor(m.partitions) {
			t.Fatalf("%+v, %v", h, err)
		}
		return h, ""
	}
	if h, _ := ask(func(*request) {}); len(h.answered) != 2 || len(h.positions["t"]) != 2 {
		t.Errorf("%+v", h)
	}
	if h, _ := ask(func(m *request) { m.query = "OTHER" }); h.refused[1].Kind != exec.NotOwner || h.refused[4].Reason != "does not run the query OTHER" {
		t.Errorf("%+v", h)
	}
	if h, _ := ask(func(m *request) { m.hash++ }); h.refused[1].Kind != exec.NotReady {
		t.Errorf("%+v", h)
	}
	if _, text := ask(func(m *request) { m.plan = []byte("{}") }); !strings.Contains(text, "pull plan") {
		t.Errorf("error %q", text)
	}
}

// Answers that are not read to their end leave nothing behind.
func TestNoLeaks(t *testing.T) {
	w := newWorld(t)
	s := w.scene()
	s.town.add(t, "b", s.remote)
	s.town.add(t, "c", s.refusing(exec.NotOwner, ""))
	s.assigned.give(3, "c")
	once := func() {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		rows, err := s.Pull(ctx, s.pull(t, "SELECT * FROM c;"), owners)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rows.Next(ctx); err != nil {
			t.Error(err)
		}
		rows.Close()
		rows.Close()
	}
	once()
	http.DefaultClient.CloseIdleConnections()
	before := runtime.NumGoroutine()
	for range 50 {
		once()
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		http.DefaultClient.CloseIdleConnections()
		if n := runtime.NumGoroutine(); n <= before+5 {
			return
		} else if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", n, before)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestErrorText(t *testing.T) {
	e := &Error{Partitions: map[int32][]Scanned{4: {{"a:1", "is down"}, {"b:1", "does not own it"}}, 0: nil}}
	const want = "Unable to execute pull query. [Partition 0 failed to find valid host. Hosts scanned: []]" +
		" [Partition 4 failed to find valid host. Hosts scanned: [a:1: is down, b:1: does not own it]]"
	if e.Error() != want {
		t.Errorf("%s", e)
	}
	if len(slices.Collect(maps.Keys(e.Partitions))) != 2 {
		t.Error("the error changed")
	}
}
