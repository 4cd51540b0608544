package forward

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog"
	formats "github.com/ksqlgo/ksqlgo/catalog/formats/builtin"
	functions "github.com/ksqlgo/ksqlgo/catalog/functions/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/cluster"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/planner"
	"github.com/ksqlgo/ksqlgo/planner/physical"
	"github.com/ksqlgo/ksqlgo/server/broker"
	"github.com/ksqlgo/ksqlgo/server/peers"
)

const (
	partitions = 6
	keys       = 60
)

// world is one executor that has all of a table, so that it can play every server; who owns what is up to the test.
type world struct {
	executor *exec.Executor
	plan     *physical.Plan
	env      func() *planner.Env
}

func newWorld(t testing.TB) *world {
	t.Helper()
	ctx := context.Background()
	b, err := broker.Start(ctx, broker.Config{Listener: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	c, err := kafka.Connect(ctx, kafka.Config{BootstrapServers: b.BootstrapServers()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	topic := kafka.TopicSpec{Name: "t", Partitions: partitions}
	if _, err := c.Admin().EnsureTopic(ctx, topic); err != nil {
		t.Fatal(err)
	}
	w := &world{}
	snapshot := catalog.Empty()
	w.env = func() *planner.Env {
		return &planner.Env{Catalog: snapshot, Functions: functions.Registry(), Formats: formats.Registry(schemas.None{}), Topics: topics{}, ServiceID: "test_",
			QueryNumber: 1, Properties: map[string]string{}, Plans: func(string) (*physical.Plan, bool) { return w.plan, w.plan != nil }}
	}
	stmts, err := grammar.Parse(`CREATE STREAM s (k VARCHAR KEY, n INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=6);
		CREATE TABLE c AS SELECT k, COUNT(*) AS n, SUM(n) AS total FROM s GROUP BY k;`, grammar.Options{})
	if err != nil {
		t.Fatal(err)
	}
	source, err := planner.CreateSource(w.env(), stmts[0].Statement.(*ast.CreateSource))
	if err != nil {
		t.Fatal(err)
	}
	snapshot = snapshot.WithSource(source.Source)
	table, err := planner.CreateAsSelect(w.env(), stmts[1].Statement.(*ast.CreateAsSelect))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Admin().EnsureTopic(ctx, kafka.TopicSpec{Name: table.Topic.Name, Partitions: partitions}); err != nil {
		t.Fatal(err)
	}
	snapshot = snapshot.WithSource(table.Source).WithQuery(table.Query)
	w.plan = table.Plan
	pool := state.NewPool(state.PoolOptions{CacheBytes: 8 << 20})
	w.executor = exec.New(exec.Config{
		Kafka: c, StateDir: "state", FS: state.NewMemFS(), Pool: pool, ServiceID: "test_", NodeID: "self", Dynamic: true,
		Functions: functions.Registry(), Formats: formats.Registry(schemas.None{}), Logger: slog.New(slog.DiscardHandler), Now: time.Now, Random: rand.Uint64,
	})
	t.Cleanup(func() { w.executor.Close(); pool.Close() })
	if err := w.executor.Start(exec.QuerySpec{Plan: w.plan, Properties: map[string]string{"auto.offset.reset": "earliest", "commit.interval.ms": "10"}}); err != nil {
		t.Fatal(err)
	}
	p, err := c.NewProducer(ctx, kafka.ProducerConfig{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for i := range keys {
		key := []byte(keyName(i))
		p.Produce("t", kafka.PartitionForKey(key, partitions), key, fmt.Appendf(nil, `{"N":%d}`, i), int64(i), nil)
	}
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(30 * time.Second)
	for {
		if s, ok := w.executor.Status(w.plan.QueryID); ok && s.Total.Read == keys && s.State == exec.Running {
			return w
		}
		if time.Now().After(deadline) {
			t.Fatal("the table was never filled")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func keyName(i int) string { return fmt.Sprintf("key%03d", i) }

func partitionOf(i int) int32 { return kafka.PartitionForKey([]byte(keyName(i)), partitions) }

// topics exist with six partitions.
type topics struct{}

func (topics) Topic(string) (planner.TopicInfo, bool, error) {
	return planner.TopicInfo{Partitions: partitions, Replicas: 1}, true, nil
}

// pull plans a pull query.
func (w *world) pull(t testing.TB, sql string) *physical.Pull {
	t.Helper()
	st, err := grammar.ParseOne(sql, grammar.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := planner.PullQuery(w.env(), st.Statement.(*ast.Query).Select)
	if err != nil {
		t.Fatal(err)
	}
	return p.Table
}

// assigned is the executor with an assignment of the test's own.
type assigned struct {
	*exec.Executor
	mu     sync.Mutex
	owners map[int32]string
	stage  int32
}

// Assignment implements Executor.
func (a *assigned) Assignment(string) (*cluster.Assignment, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := &cluster.Assignment{Owners: map[cluster.TaskID]int{}}
	for p, node := range a.owners {
		out.Hosts = append(out.Hosts, cluster.Host{NodeID: node})
		out.Owners[cluster.TaskID{Stage: a.stage, Partition: p}] = len(out.Hosts) - 1
	}
	return out, a.owners != nil
}

func (a *assigned) give(p int32, node string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.owners[p] = node
}

// town are the other servers of a test; each is an HTTP handler.
type town struct {
	mu      sync.Mutex
	servers map[string]*resident
	changed chan struct{}
}

type resident struct {
	peers.Host
	url  string
	down chan struct{}
	// asked counts the requests.
	asked int
}

func newTown() *town { return &town{servers: map[string]*resident{}, changed: make(chan struct{})} }

// add adds a server. A nil handler is one whose port nobody listens on.
func (w *town) add(t testing.TB, id string, h http.HandlerFunc) *resident {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		w.mu.Lock()
		w.servers[id].asked++
		w.mu.Unlock()
		h(rw, req)
	}))
	t.Cleanup(s.Close)
	if h == nil {
		s.Close()
	}
	r := &resident{Host: peers.Host{Node: peers.Node{ID: id, Endpoint: s.Listener.Addr().String()}, Alive: true, Status: &peers.Status{Host: id + ":8088"}},
		url: s.URL, down: make(chan struct{})}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.servers[id] = r
	return r
}

func (w *town) set(id string, alive bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r := w.servers[id]; r.Alive && !alive {
		close(r.down)
		r.Alive = false
	}
}

func (w *town) askedOf(id string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.servers[id].asked
}

// Self implements Peers.
func (w *town) Self() peers.Node { return peers.Node{ID: "self"} }

// Host implements Peers.
func (w *town) Host(id string) (peers.Host, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r, ok := w.servers[id]; ok {
		return r.Host, true
	}
	return peers.Host{}, false
}

// Others implements Peers.
func (w *town) Others() []peers.Host {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []peers.Host
	for _, r := range w.servers {
		out = append(out, r.Host)
	}
	return out
}

// Changed implements Peers.
func (w *town) Changed() <-chan struct{} { return w.changed }

// Down implements Peers.
func (w *town) Down(id string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.servers[id].down
}

// Post implements Peers.
func (w *town) Post(ctx context.Context, id, path string, body []byte) (*http.Response, error) {
	w.mu.Lock()
	r, ok := w.servers[id]
	w.mu.Unlock()
	if !ok {
		return nil, errors.New("not known")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return http.DefaultClient.Do(request)
}

// answers is an answer read to its end: how often each key came.
func answers(rows exec.PulledRows) (map[string]int, error) {
	defer rows.Close()
	out := map[string]int{}
	for {
		values, err := rows.Next(context.Background())
		switch {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return out, err
		}
		out[fmt.Sprint(values[0])]++
	}
}
