package exec_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/state"
)

const countByG = events + "CREATE TABLE c WITH (PARTITIONS=6) AS SELECT g, COUNT(*) AS n FROM e GROUP BY g;"

// tasksIn counts the tasks of a query on an executor that are in a state.
func tasksIn(x *exec.Executor, id string, in exec.TaskState) (n int) {
	s, _ := x.Status(id)
	for _, t := range s.Tasks {
		if t.State == in {
			n++
		}
	}
	return n
}

// caughtUp says whether an executor stands by for n tasks and all of them are complete.
func caughtUp(x *exec.Executor, id string, n int) bool {
	s, _ := x.Status(id)
	standbys := 0
	for _, t := range s.Tasks {
		if t.State != exec.TaskStandby {
			continue
		}
		if t.Lag() > 0 || time.Since(t.CaughtUp) > 2*time.Second {
			return false
		}
		standbys++
	}
	return standbys == n
}

// Two servers share the tasks and stand by for each other; when one goes, the other goes on from its standbys, having
// nearly nothing to read.
func TestStandbyTakesOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plan := w.sql(countByG)
	spec := exec.QuerySpec{Plan: plan, Properties: everyUpdate()}
	a, b := w.executor("a", state.NewMemFS()), w.executor("b", state.NewMemFS())
	for _, x := range []*exec.Executor{a, b} {
		if err := x.Start(spec); err != nil {
			t.Fatal(err)
		}
	}
	w.eventually("the tasks are shared", func() bool {
		return tasksIn(a, plan.QueryID, exec.TaskRunning) == 6 && tasksIn(b, plan.QueryID, exec.TaskRunning) == 6
	})
	const step = 5000
	w.produce("e", 0, step, keyed)
	w.eventually("all is counted and followed", func() bool {
		return read(plan.QueryID, a, b) == step && caughtUp(a, plan.QueryID, 3) && caughtUp(b, plan.QueryID, 3)
	})
	a.Close()
	w.produce("e", step, step, keyed)
	w.eventually("b owns everything", func() bool { return tasksIn(b, plan.QueryID, exec.TaskRunning) == 12 })
	w.eventually("everything is counted", func() bool { return sum(counts(t, w.records("C"), "N")) == 2*step })
	s, _ := b.Status(plan.QueryID)
	for _, task := range s.Tasks {
		if task.RestoredRows > step/10 {
			t.Errorf("task %d_%d restored %d rows that its standby had", task.Stage, task.Partition, task.RestoredRows)
		}
	}
}

// A server that joins warms up before it gets a task that has much state, and the owner goes on meanwhile.
func TestJoiningServerWarmsUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plan := w.sql(countByG)
	properties := everyUpdate()
	properties["acceptable.recovery.lag"] = "0"
	spec := exec.QuerySpec{Plan: plan, Properties: properties}
	a := w.executor("a", state.NewMemFS())
	if err := a.Start(spec); err != nil {
		t.Fatal(err)
	}
	const step = 3000
	w.produce("e", 0, step, keyed)
	w.eventually("a counts", func() bool { return read(plan.QueryID, a) == step })
	b := w.executor("b", state.NewMemFS())
	if err := b.Start(spec); err != nil {
		t.Fatal(err)
	}
	w.eventually("b owns its share", func() bool {
		return tasksIn(a, plan.QueryID, exec.TaskRunning) == 6 && tasksIn(b, plan.QueryID, exec.TaskRunning) == 6
	})
	s, _ := b.Status(plan.QueryID)
	for _, task := range s.Tasks {
		if task.State == exec.TaskRunning && task.RestoredRows > step/10 {
			t.Errorf("task %d_%d stood still while %d rows were restored", task.Stage, task.Partition, task.RestoredRows)
		}
	}
	w.produce("e", step, step, keyed)
	w.eventually("everything is counted", func() bool { return sum(counts(t, w.records("C"), "N")) == 2*step })
}

// A server that drains gives everything away, keeps nothing up to date, and the others count on; the last server refuses.
func TestDrain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plan := w.sql(countByG)
	spec := exec.QuerySpec{Plan: plan, Properties: everyUpdate()}
	a, b := w.executor("a", state.NewMemFS()), w.executor("b", state.NewMemFS())
	for _, x := range []*exec.Executor{a, b} {
		if err := x.Start(spec); err != nil {
			t.Fatal(err)
		}
	}
	const step = 3000
	w.produce("e", 0, step, keyed)
	w.eventually("both count", func() bool {
		return read(plan.QueryID, a, b) == step && tasksIn(a, plan.QueryID, exec.TaskRunning) == 6 && tasksIn(b, plan.QueryID, exec.TaskRunning) == 6
	})
	var seen []exec.DrainProgress
	if err := a.Drain(t.Context(), func(p exec.DrainProgress) { seen = append(seen, p) }); err != nil {
		t.Fatal(err)
	}
	if n := len(seen); n < 2 || seen[0].Tasks == 0 || seen[n-1].Tasks != 0 {
		t.Errorf("progress %v", seen)
	}
	w.eventually("b owns everything", func() bool { return tasksIn(b, plan.QueryID, exec.TaskRunning) == 12 })
	w.eventually("a keeps nothing up to date", func() bool { return tasksIn(a, plan.QueryID, exec.TaskStandby) == 0 })
	w.produce("e", step, step, keyed)
	w.eventually("everything is counted", func() bool { return sum(counts(t, w.records("C"), "N")) == 2*step })
	a.Close()
	w.eventually("b is alone", func() bool { p, ok := b.Assignment(plan.QueryID); return ok && len(p.Hosts) == 1 })
	if err := b.Drain(t.Context(), func(exec.DrainProgress) {}); err == nil {
		t.Error("the last server drained")
	}
}

// A query that is dropped while two servers run it leaves nothing: the last one to go cleans up, whichever it is.
func TestLastServerCleansUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plan := w.sql(countByG)
	spec := exec.QuerySpec{Plan: plan, Properties: everyUpdate()}
	a, b := w.executor("a", state.NewMemFS()), w.executor("b", state.NewMemFS())
	for _, x := range []*exec.Executor{a, b} {
		if err := x.Start(spec); err != nil {
			t.Fatal(err)
		}
	}
	w.eventually("the tasks are shared", func() bool {
		return tasksIn(a, plan.QueryID, exec.TaskRunning) == 6 && tasksIn(b, plan.QueryID, exec.TaskRunning) == 6
	})
	left := func() (n int) {
		infos, err := w.cluster.Admin().AllTopics(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for name := range infos {
			if strings.HasPrefix(name, exec.GroupName("test_", "")) {
				n++
			}
		}
		groups, err := w.cluster.Admin().Groups(t.Context(), exec.GroupName("test_", ""))
		if err != nil {
			t.Fatal(err)
		}
		return n + len(groups)
	}
	if err := a.Terminate(t.Context(), plan.QueryID); err != nil {
		t.Fatal(err)
	}
	if n := left(); n != 3 {
		t.Errorf("%d topics and groups while a server runs the query; wanted 3", n)
	}
	w.eventually("b owns everything", func() bool { return tasksIn(b, plan.QueryID, exec.TaskRunning) == 12 })
	if err := b.Terminate(t.Context(), plan.QueryID); err != nil {
		t.Fatal(err)
	}
	w.eventually("nothing is left", func() bool { return left() == 0 })
}
