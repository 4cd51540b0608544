package compare

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ksqlgo/ksqlgo/tests/process"
	"github.com/ksqlgo/ksqlgo/tests/topics"
)

// query is one query to measure.
type query struct {
	name, sql string
	// against is the raw run its costs are held against, goal how many times as dear it may be; 0 is no goal.
	against string
	goal    float64
	// check, when set, looks at the sink.
	check func(ctx context.Context, b *bench) error
}

// maxRSS is what the count may have resident, bytes.
const maxRSS = 300 << 20

var queries = []query{
	{name: "passthrough", against: "pass", goal: 2.5, sql: `CREATE STREAM out WITH (KAFKA_TOPIC = 'out') AS SELECT * FROM events EMIT CHANGES;`},
	{name: "filter", against: "pass", sql: `CREATE STREAM out WITH (KAFKA_TOPIC = 'out') AS SELECT * FROM events WHERE action = 'buy' EMIT CHANGES;`},
	{name: "map", against: "pass", sql: `CREATE STREAM out WITH (KAFKA_TOPIC = 'out') AS
		SELECT user_id, event_time, item, quantity * price AS amount, store_id + 1 AS store, action FROM events EMIT CHANGES;`},
	{name: "count", against: "consume", goal: 4, check: countsAdded, sql: `CREATE TABLE out WITH (KAFKA_TOPIC = 'out') AS
		SELECT user_id, COUNT(*) AS n FROM events GROUP BY user_id EMIT CHANGES;`},
	{name: "window", against: "consume", sql: `CREATE TABLE out WITH (KAFKA_TOPIC = 'out') AS
		SELECT user_id, SUM(quantity) AS total FROM events WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY user_id EMIT CHANGES;`},
	{name: "join", against: "pass", sql: `CREATE STREAM out WITH (KAFKA_TOPIC = 'out') AS
		SELECT e.user_id AS user_id, e.item AS item, e.quantity AS quantity, u.region AS region, u.tier AS tier
		FROM events e JOIN users u ON e.user_id = u.user_id EMIT CHANGES;`},
}

// cost is the result of one run.
type cost struct {
	// cpu is nanoseconds of CPU a record; rate records a second; written records a record read.
	cpu, rate, written float64
	rss                int64
	brokerCPU          float64
	allocs             float64
}

// measure runs a query over all events and takes its costs behind the first fifth of them.
func (b *bench) measure(ctx context.Context, t *testing.T, q query) cost {
	t.Helper()
	e := b.start(ctx, t, fmt.Sprintf("compare_%s_", q.name), t.TempDir())
	e.execute(ctx, t, declarations)
	id := e.execute(ctx, t, q.sql)
	if err := e.reach(ctx, id, b.warm()); err != nil {
		t.Fatal(err)
	}
	begun, from := e.moment(ctx, t, id)
	if err := e.reach(ctx, id, b.n); err != nil {
		t.Fatal(err)
	}
	ended, to := e.moment(ctx, t, id)
	n := float64(to - from)
	c := cost{
		cpu: float64(ended.engine.CPU-begun.engine.CPU) / n, rate: n / ended.at.Sub(begun.at).Seconds(), rss: ended.engine.PeakRSS,
		brokerCPU: float64(ended.broker.CPU-begun.broker.CPU) / n, allocs: float64(ended.mallocs-begun.mallocs) / n,
	}
	e.stop()
	written, err := topics.Total(ctx, b.broker, "out")
	if err != nil {
		t.Fatal(err)
	}
	c.written = float64(written) / float64(b.n)
	if q.check != nil {
		if err := q.check(ctx, b); err != nil {
			t.Error(err)
		}
	}
	e.clean(ctx, t, "out")
	return c
}

// warm is how many events are left out of the figures.
func (b *bench) warm() int64 {
	if *whole {
		return b.n / 5
	}
	return 0
}

// moment is a point of a run.
type moment struct {
	at             time.Time
	engine, broker process.Usage
	mallocs        uint64
}

// moment takes the costs so far and how many events they were for.
func (e *engine) moment(ctx context.Context, t *testing.T, id string) (moment, int64) {
	t.Helper()
	m := moment{at: time.Now()}
	var err error
	if m.engine, err = process.UsageOf(e.pid); err != nil {
		t.Skipf("SKIPPED: what a process costs cannot be read here: %v", err)
	}
	if e.bench.pid != 0 {
		if m.broker, err = process.UsageOf(e.bench.pid); err != nil {
			t.Fatal(err)
		}
	}
	n, err := e.processed(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if m.mallocs, err = e.mallocs(ctx); err != nil {
		t.Fatal(err)
	}
	return m, n
}

// countsAdded checks that the last counts of all keys add up to the events.
func countsAdded(ctx context.Context, b *bench) error {
	last := map[string]int64{}
	var bad error
	err := topics.Read(ctx, b.broker, "out", func(r *kgo.Record) {
		var v struct{ N int64 }
		if err := json.Unmarshal(r.Value, &v); err != nil {
			bad = err
		}
		last[string(r.Key)] = v.N
	})
	if err == nil {
		err = bad
	}
	var sum int64
	for _, n := range last {
		sum += n
	}
	if err == nil && sum != b.n {
		err = fmt.Errorf("the last counts of %d keys add up to %d, not %d", len(last), sum, b.n)
	}
	return err
}

// TestTable prints the table of costs. Without -compare it runs on a little data only, to see that it works.
func TestTable(t *testing.T) {
	n, list := *events, queries
	if !*whole {
		if testing.Short() {
			t.Skip("runs real processes")
		}
		n, list = 20_000, queries[3:4]
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	b := newBench(ctx, t, n)
	baseline := map[string]float64{}
	for _, name := range []string{"consume", "pass"} {
		figures := b.raw(ctx, t, name, "-topic", "events", "-out", "raw_pass", "-warm", fmt.Sprint(b.warm()))
		baseline[name] = figures["cpu_ns_per_record"]
		if baseline[name] <= 0 {
			t.Fatalf("raw %s printed %v", name, figures)
		}
		t.Logf("raw %-12s %6.0f ns a record, %8.0f records/s, %4.0f MB", name, baseline[name], figures["records_per_second"], figures["peak_rss_mb"])
	}
	if _, err := b.admin.DeleteTopics(ctx, "raw_pass"); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, q := range list {
		t.Run(q.name, func(t *testing.T) {
			c := b.measure(ctx, t, q)
			ratio := c.cpu / baseline[q.against]
			goal := ""
			if q.goal > 0 {
				goal = fmt.Sprintf(" (goal %.1f)", q.goal)
			}
			lines = append(lines, fmt.Sprintf("%-12s %6.0f ns  %5.2f x raw %s%s  broker %4.0f ns  %8.0f records/s  %4.2f written  %5.3f allocs  %4d MB",
				q.name, c.cpu, ratio, q.against, goal, c.brokerCPU, c.rate, c.written, c.allocs, c.rss>>20))
			if !*whole || *inside {
				return
			}
			if q.goal > 0 && ratio > q.goal {
				t.Errorf("%.2f times raw %s, more than %.1f", ratio, q.against, q.goal)
			}
			if q.name == "count" && c.rss > maxRSS {
				t.Errorf("%d MB resident, more than %d", c.rss>>20, maxRSS>>20)
			}
		})
	}
	t.Logf("%d events of about 250 bytes, %d keys, 4 partitions, exactly once each 100 ms; CPU a record\n%s", n, keys, strings.Join(lines, "\n"))
}
