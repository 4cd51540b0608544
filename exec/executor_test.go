package exec_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/planner"
)

const events = "CREATE STREAM e (k VARCHAR KEY, g VARCHAR, n INT) WITH (KAFKA_TOPIC='e', VALUE_FORMAT='JSON', PARTITIONS=6);"

func keyed(i int) (string, string) { return fmt.Sprintf("k%d", i%101), eventValue(i) }

// A count behind a repartition keeps counting exactly while tasks move between executors that come and go, each with
// state of its own.
func TestTasksMoveWithoutLossOrRepeat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plan := w.sql(events + "CREATE TABLE c WITH (PARTITIONS=6) AS SELECT g, COUNT(*) AS n FROM e GROUP BY g;")
	spec := exec.QuerySpec{Plan: plan, Properties: everyUpdate()}
	const step = 3000
	a := w.executor("a", state.NewMemFS())
	if err := a.Start(spec); err != nil {
		t.Fatal(err)
	}
	w.produce("e", 0, step, keyed)
	w.eventually("a has read the first records", func() bool { return read(plan.QueryID, a) == step })
	b := w.executor("b", state.NewMemFS())
	if err := b.Start(spec); err != nil {
		t.Fatal(err)
	}
	w.produce("e", step, step, keyed)
	w.eventually("b owns tasks", func() bool { s, _ := b.Status(plan.QueryID); return len(s.Tasks) > 0 })
	w.produce("e", 2*step, step, keyed)
	a.Close()
	w.produce("e", 3*step, step, keyed)
	c := w.executor("c", state.NewMemFS())
	if err := c.Start(spec); err != nil {
		t.Fatal(err)
	}
	w.produce("e", 4*step, step, keyed)
	const all = 5 * step
	w.eventually("everything is counted", func() bool { return sum(counts(t, w.records("C"), "N")) == all })
	w.eventually("the accounting is complete", func() bool { return read(plan.QueryID, b, c) == all })
	for _, x := range []*exec.Executor{b, c} {
		s, _ := x.Status(plan.QueryID)
		if !s.Total.Closed() {
			t.Errorf("accounting does not close: %+v", s.Total)
		}
	}
}

// At least once takes no transaction, loses nothing, and on an orderly way gives the same counts.
func TestAtLeastOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plan := w.sql(events + "CREATE TABLE c AS SELECT g, COUNT(*) AS n FROM e GROUP BY g;")
	properties := everyUpdate()
	properties["processing.guarantee"] = "at_least_once"
	fs := state.NewMemFS()
	for round := 1; round <= 3; round++ {
		x := w.executor("a", fs)
		if err := x.Start(exec.QuerySpec{Plan: plan, Properties: properties}); err != nil {
			t.Fatal(err)
		}
		w.produce("e", 500*(round-1), 500, keyed)
		w.eventually("all are counted", func() bool { return sum(counts(t, w.records("C"), "N")) == int64(500*round) })
		w.eventually("all are accounted for", func() bool { return read(plan.QueryID, x) == int64(500*round) })
		x.Close()
	}
}

// Paused queries stand still and go on where they stopped; state that is there is not read again.
func TestPauseAndRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plan := w.sql(events + "CREATE TABLE c AS SELECT g, COUNT(*) AS n FROM e GROUP BY g;")
	spec := exec.QuerySpec{Plan: plan, Properties: everyUpdate()}
	fs := state.NewMemFS()
	x := w.executor("a", fs)
	if err := x.Start(spec); err != nil {
		t.Fatal(err)
	}
	w.produce("e", 0, 500, keyed)
	w.eventually("500 are read", func() bool { return read(plan.QueryID, x) == 500 })
	if err := x.Pause(plan.QueryID); err != nil {
		t.Fatal(err)
	}
	w.produce("e", 500, 500, keyed)
	if s, _ := x.Status(plan.QueryID); s.State != exec.Paused || s.Total.Read != 500 {
		t.Fatalf("paused query: %v, %d read", s.State, s.Total.Read)
	}
	if err := x.Resume(plan.QueryID); err != nil {
		t.Fatal(err)
	}
	w.eventually("1000 are read", func() bool { return sum(counts(t, w.records("C"), "N")) == 1000 })
	x.Close()
	y := w.executor("a", fs)
	if err := y.Start(spec); err != nil {
		t.Fatal(err)
	}
	w.eventually("the restarted query runs", func() bool {
		s, _ := y.Status(plan.QueryID)
		return s.State == exec.Running && len(s.Tasks) == 12
	})
	s, _ := y.Status(plan.QueryID)
	for _, task := range s.Tasks {
		if task.RestoredRows != 0 {
			t.Errorf("task %d_%d restored %d rows that were on disk", task.Stage, task.Partition, task.RestoredRows)
		}
	}
	w.produce("e", 1000, 100, keyed)
	w.eventually("1100 are counted", func() bool { return sum(counts(t, w.records("C"), "N")) == 1100 })
}

// A query whose topic is not there is in ERROR with the cause, is tried again, and runs once the topic is there.
func TestFailedQueryIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plan := w.sql(events + "CREATE STREAM s AS SELECT * FROM e;")
	if err := w.cluster.Admin().DeleteTopics(t.Context(), "e"); err != nil {
		t.Fatal(err)
	}
	x := w.executor("a", state.NewMemFS())
	if err := x.Start(exec.QuerySpec{Plan: plan, Properties: everyUpdate()}); err != nil {
		t.Fatal(err)
	}
	w.eventually("the query is in ERROR", func() bool { s, _ := x.Status(plan.QueryID); return s.State == exec.Failed })
	s, _ := x.Status(plan.QueryID)
	if e := s.Errors[0]; e.Class != exec.UserError || !strings.Contains(e.Message, "e") {
		t.Errorf("error %+v", e)
	}
	w.createTopic(planner.TopicPlan{Name: "e", Partitions: 6})
	w.produce("e", 0, 10, keyed)
	w.eventually("it runs", func() bool { return len(w.records("S")) == 10 })
}

// Records that cannot be read are errors with their place; the query goes on and accounts for each.
func TestBadRecordsAreAccountedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plan := w.sql("CREATE STREAM e (k VARCHAR KEY, n INT) WITH (KAFKA_TOPIC='e', VALUE_FORMAT='JSON', PARTITIONS=1);" +
		"CREATE TABLE c AS SELECT k, SUM(n) AS s FROM e GROUP BY k;")
	x := w.executor("a", state.NewMemFS())
	if err := x.Start(exec.QuerySpec{Plan: plan, Properties: everyUpdate()}); err != nil {
		t.Fatal(err)
	}
	values := []string{`{"N":1}`, `{"N":`, `{"N":"x"}`, `{"N":99999999999}`, `[]`, `{"N":2}`}
	w.produce("e", 0, len(values), func(i int) (string, string) { return "k", values[i] })
	w.eventually("all are read", func() bool { return read(plan.QueryID, x) == int64(len(values)) })
	s, _ := x.Status(plan.QueryID)
	if s.Total.Errors != 4 || !s.Total.Closed() {
		t.Errorf("accounting %+v", s.Total)
	}
	for i, e := range s.RecordErrors {
		if e.Topic != "e" || e.Offset != int64(i+1) || e.Reason == "" || !e.Skipped {
			t.Errorf("record error %d: %+v", i, e)
		}
	}
	w.eventually("the sum is there", func() bool {
		sums := w.records("C")
		return len(sums) == 2 && string(sums[1].Value) == `{"S":3}`
	})
}

// Push queries repartition in memory, stop at their limit, and end when they are closed.
func TestPushQuery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sql(events)
	x := w.executor("a", state.NewMemFS())
	w.produce("e", 0, 370, keyed)
	plan := w.sql("SELECT g, COUNT(*) AS n FROM e GROUP BY g EMIT CHANGES LIMIT 37;")
	sub, err := x.Subscribe(t.Context(), exec.SubscribeSpec{Plan: plan, Properties: map[string]string{"auto.offset.reset": "earliest"}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[any]any{}
	for {
		row, err := sub.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got[row.Values[0]] = row.Values[1]
	}
	if !sub.LimitReached() || len(got) == 0 {
		t.Errorf("limit %v, %d groups", sub.LimitReached(), len(got))
	}
	sub.Close()

	live, err := x.Subscribe(t.Context(), exec.SubscribeSpec{Plan: w.sql("SELECT k, n FROM e WHERE n >= 370 EMIT CHANGES;")})
	if err != nil {
		t.Fatal(err)
	}
	w.produce("e", 370, 3, keyed)
	for range 3 {
		if _, err := live.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	live.Close()
	if _, err := live.Next(context.Background()); !errors.Is(err, io.EOF) {
		t.Errorf("after Close: %v", err)
	}
}

// A client that does not take its rows makes its query wait; no row is dropped.
func TestSlowSubscriberLosesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sql(events)
	x := w.executor("a", state.NewMemFS())
	const n = 30_000
	w.produce("e", 0, n, keyed)
	sub, err := x.Subscribe(t.Context(), exec.SubscribeSpec{Plan: w.sql("SELECT n FROM e EMIT CHANGES;"),
		Properties: map[string]string{"auto.offset.reset": "earliest"}})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	seen := map[any]bool{}
	for range n {
		row, err := sub.Next(ctx)
		if err != nil {
			t.Fatalf("after %d rows: %v", len(seen), err)
		}
		seen[row.Values[0]] = true
	}
	if len(seen) != n {
		t.Errorf("%d different rows of %d", len(seen), n)
	}
}

// What a terminated query leaves is removed; what a crashed server left is removed at the next start.
func TestNothingIsLeftBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plan := w.sql(events + "CREATE TABLE c AS SELECT g, COUNT(*) AS n FROM e GROUP BY g;")
	fs := state.NewMemFS()
	x := w.executor("a", fs)
	internal := func() (n int) {
		infos, err := w.cluster.Admin().AllTopics(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for name := range infos {
			if strings.HasPrefix(name, "_confluent-ksql-test_query_") {
				n++
			}
		}
		return n
	}
	start := func() {
		if err := x.Start(exec.QuerySpec{Plan: plan, Properties: everyUpdate()}); err != nil {
			t.Fatal(err)
		}
		w.eventually("it runs", func() bool {
			s, _ := x.Status(plan.QueryID)
			return s.State == exec.Running && len(s.Tasks) == 12
		})
	}
	start()
	if internal() != 2 {
		t.Fatalf("%d internal topics", internal())
	}
	if err := x.Terminate(t.Context(), plan.QueryID); err != nil {
		t.Fatal(err)
	}
	if n := internal(); n != 0 {
		t.Errorf("%d internal topics after TERMINATE", n)
	}
	start()
	x.Close()
	y := w.executor("a", fs)
	if err := y.RemoveLeftovers(t.Context(), func(context.Context) (exec.QueryIDs, error) { return exec.QueryIDs{}, nil }); err != nil {
		t.Fatal(err)
	}
	if n := internal(); n != 0 {
		t.Errorf("%d internal topics after the clean-up", n)
	}
	if dirs, err := fs.List("state"); err == nil && len(dirs) > 0 {
		t.Errorf("state left: %v", dirs)
	}
}
