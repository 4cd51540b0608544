package exec_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog"
	formats "github.com/ksqlgo/ksqlgo/catalog/formats/builtin"
	functions "github.com/ksqlgo/ksqlgo/catalog/functions/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/planner"
	"github.com/ksqlgo/ksqlgo/planner/physical"
	"github.com/ksqlgo/ksqlgo/tests/apache"
)

// world is a broker (see apache.Bootstrap) with executors on it, and a catalog that statements are planned against.
type world struct {
	t       *testing.T
	cluster *kafka.Cluster
	catalog *catalog.Snapshot
	number  int64
	// plans are those of persistent queries, by id.
	plans planned
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx := t.Context()
	cluster, err := kafka.Connect(ctx, kafka.Config{BootstrapServers: apache.Bootstrap(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return &world{t: t, cluster: cluster, catalog: catalog.Empty(), plans: planned{}}
}

// executor starts an executor with state in fs.
func (w *world) executor(node string, fs state.FS) *exec.Executor {
	w.t.Helper()
	return w.executorAt(node, fs, time.Now)
}

// executorAt is executor with a clock of its own.
func (w *world) executorAt(node string, fs state.FS, now func() time.Time) *exec.Executor {
	w.t.Helper()
	pool := state.NewPool(state.PoolOptions{CacheBytes: 8 << 20})
	x := exec.New(exec.Config{
		Kafka: w.cluster, StateDir: "state", FS: fs, Pool: pool, ServiceID: "test_", NodeID: node, Dynamic: true,
		Functions: functions.Registry(), Formats: formats.Registry(schemas.None{}), Logger: slog.New(slog.DiscardHandler), Now: now,
		Random: rand.Uint64, RetryInitial: 50 * time.Millisecond, RetryMax: time.Second,
	})
	w.t.Cleanup(func() { x.Close(); pool.Close() })
	return x
}

// clock is moved by hand. Its methods are safe for concurrent use.
type clock struct{ ahead atomic.Int64 }

func newClock() *clock { return &clock{} }

// now is the wall clock and what advance has added.
func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// advance moves the clock by an hour.
func (c *clock) advance() { c.ahead.Add(int64(time.Hour)) }

func (w *world) env() *planner.Env {
	w.number++
	return &planner.Env{Catalog: w.catalog, Functions: functions.Registry(), Formats: formats.Registry(schemas.None{}), Topics: w, ServiceID: "test_",
		QueryNumber: w.number, Properties: map[string]string{},
		Plans: func(id string) (*physical.Plan, bool) { p, ok := w.plans[id]; return p, ok }}
}

// Topic implements planner.Topics.
func (w *world) Topic(name string) (planner.TopicInfo, bool, error) {
	infos, err := w.cluster.Admin().Topics(w.t.Context(), name)
	info, ok := infos[name]
	return planner.TopicInfo{Partitions: int(info.Partitions), Replicas: int(info.ReplicationFactor)}, ok, err
}

func (w *world) createTopic(p planner.TopicPlan) {
	w.t.Helper()
	if p.Exists || p.Name == "" {
		return
	}
	_, err := w.cluster.Admin().EnsureTopic(w.t.Context(), kafka.TopicSpec{Name: p.Name, Partitions: int32(p.Partitions)})
	if err != nil {
		w.t.Fatal(err)
	}
}

// sql declares sources and plans queries; it returns the plan of the last statement if that is a query.
func (w *world) sql(text string) *physical.Plan {
	w.t.Helper()
	stmts, err := grammar.Parse(text, grammar.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	var plan *physical.Plan
	for _, st := range stmts {
		switch n := st.Statement.(type) {
		case *ast.CreateSource:
			p, err := planner.CreateSource(w.env(), n)
			if err != nil {
				w.t.Fatal(err)
			}
			w.createTopic(p.Topic)
			w.catalog = w.catalog.WithSource(p.Source)
		case *ast.CreateAsSelect:
			p, err := planner.CreateAsSelect(w.env(), n)
			if err != nil {
				w.t.Fatal(err)
			}
			w.createTopic(p.Topic)
			w.catalog = w.catalog.WithSource(p.Source).WithQuery(p.Query)
			plan = p.Plan
			w.plans[plan.QueryID] = plan
		case *ast.Query:
			p, err := planner.PushQuery(w.env(), n.Select)
			if err != nil {
				w.t.Fatal(err)
			}
			plan = p.Plan
		default:
			w.t.Fatalf("not a statement of this test: %T", n)
		}
	}
	return plan
}

// produce writes n records made by make to a topic, numbered from first.
func (w *world) produce(topic string, first, n int, make func(i int) (key, value string)) {
	w.t.Helper()
	info, _, err := w.Topic(topic)
	if err != nil {
		w.t.Fatal(err)
	}
	p, err := w.cluster.NewProducer(w.t.Context(), kafka.ProducerConfig{Name: "test"})
	if err != nil {
		w.t.Fatal(err)
	}
	defer p.Close()
	for i := first; i < first+n; i++ {
		key, value := make(i)
		var v []byte
		if value != "" {
			v = []byte(value)
		}
		p.Produce(topic, kafka.PartitionForKey([]byte(key), int32(info.Partitions)), []byte(key), v, int64(i), nil)
	}
	if err := p.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// records reads the committed records of a topic, partition by partition.
func (w *world) records(topic string) []kafka.Record {
	w.t.Helper()
	ctx := w.t.Context()
	starts, err := w.cluster.Admin().StartOffsets(ctx, topic)
	if err != nil {
		w.t.Fatal(err)
	}
	ends, err := w.cluster.Admin().CommittedEndOffsets(ctx, topic)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []kafka.Record
	for tp, end := range ends {
		err := w.cluster.ReadRange(ctx, tp, starts[tp], end, func(b *kafka.Batch) error {
			for _, r := range b.Records {
				r.Key, r.Value = append([]byte(nil), r.Key...), append([]byte(nil), r.Value...)
				out = append(out, r)
			}
			return nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return out
}

// eventually polls until done says so.
func (w *world) eventually(what string, done func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			w.t.Fatalf("never came true: %s", what)
		case <-tick.C:
		}
	}
}

// read sums what the executors have read from the sources of a query.
func read(id string, list ...*exec.Executor) int64 {
	var n int64
	for _, x := range list {
		if s, ok := x.Status(id); ok {
			n += s.Total.Read
		}
	}
	return n
}

// counts checks the output of a running count: per key 1, 2, 3 … without a gap or repeat; it returns the last of each key.
func counts(t *testing.T, records []kafka.Record, field string) map[string]int64 {
	t.Helper()
	last := map[string]int64{}
	for _, r := range records {
		var v map[string]int64
		if err := json.Unmarshal(r.Value, &v); err != nil {
			t.Fatalf("value %q: %v", r.Value, err)
		}
		key := string(r.Key)
		if v[field] != last[key]+1 {
			t.Fatalf("key %s: count %d after %d", key, v[field], last[key])
		}
		last[key] = v[field]
	}
	return last
}

func sum(m map[string]int64) (n int64) {
	for _, v := range m {
		n += v
	}
	return n
}

func everyUpdate() map[string]string {
	return map[string]string{"auto.offset.reset": "earliest", "cache.max.bytes.buffering": "0", "commit.interval.ms": "20"}
}

func eventValue(i int) string { return fmt.Sprintf(`{"G":"g%d","N":%d}`, i%37, i) }

// planned are plans of queries by id.
type planned map[string]*physical.Plan
