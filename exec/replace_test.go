package exec_test

import (
	"testing"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/state"
)

// A query that gets another plan while it runs on two servers goes on where it was, with the rows it has: each record counts
// once, and nothing is restored.
func TestReplace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const declared = "CREATE TABLE c WITH (PARTITIONS=6) AS SELECT g, COUNT(*) AS n FROM e GROUP BY g;"
	plan := w.sql(events + declared)
	next := w.sql("CREATE OR REPLACE TABLE c AS SELECT g, COUNT(*) AS n, COUNT(*) * 2 AS twice FROM e WHERE n >= 0 GROUP BY g;")
	if next.QueryID != plan.QueryID {
		t.Fatalf("%s became %s", plan.QueryID, next.QueryID)
	}
	a, b := w.executor("a", state.NewMemFS()), w.executor("b", state.NewMemFS())
	servers := []*exec.Executor{a, b}
	for _, x := range servers {
		if err := x.Start(exec.QuerySpec{Plan: plan, Properties: everyUpdate()}); err != nil {
			t.Fatal(err)
		}
	}
	w.eventually("both run tasks", func() bool {
		return tasksIn(a, plan.QueryID, exec.TaskRunning) == 6 && tasksIn(b, plan.QueryID, exec.TaskRunning) == 6
	})
	const step = 1000
	total := 0
	feed := func() {
		w.produce("e", total, step, keyed)
		total += step
	}
	feed()
	for round := range 4 {
		spec := exec.QuerySpec{Plan: next, Properties: everyUpdate()}
		if round%2 == 1 {
			spec.Plan = plan
		}
		for _, x := range servers {
			if err := x.Replace(spec); err != nil {
				t.Fatal(err)
			}
			feed()
		}
	}
	feed()
	w.eventually("everything is counted", func() bool { return sum(counts(t, w.records("C"), "N")) == int64(total) })
	w.eventually("everything is accounted for", func() bool { return read(plan.QueryID, servers...) == int64(total) })
	for _, x := range servers {
		s, _ := x.Status(plan.QueryID)
		for _, task := range s.Tasks {
			// What it wrote itself last is all that may have to be read.
			if task.State == exec.TaskRunning && task.RestoredRows > step {
				t.Errorf("task %d_%d restored %d rows", task.Stage, task.Partition, task.RestoredRows)
			}
		}
	}
	// A server that starts over finds its state again.
	a.Close()
	feed()
	w.eventually("everything is counted by the other one", func() bool { return sum(counts(t, w.records("C"), "N")) == int64(total) })
}
