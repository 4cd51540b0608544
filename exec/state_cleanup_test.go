package exec_test

import (
	"testing"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/state"
)

// With no delay and no standbys, a server keeps no state of tasks that it has given away.
func TestStateOfMovedTasksIsRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plan := w.sql(countByG)
	properties := everyUpdate()
	properties["num.standby.replicas"] = "0"
	properties["state.cleanup.delay.ms"] = "0"
	spec := exec.QuerySpec{Plan: plan, Properties: properties}
	clock := newClock()
	a := w.executorAt("a", state.NewMemFS(), clock.now)
	if err := a.Start(spec); err != nil {
		t.Fatal(err)
	}
	w.produce("e", 0, 1000, keyed)
	w.eventually("a counts", func() bool { return read(plan.QueryID, a) == 1000 })
	b := w.executor("b", state.NewMemFS())
	if err := b.Start(spec); err != nil {
		t.Fatal(err)
	}
	w.eventually("b owns its share", func() bool { return tasksIn(b, plan.QueryID, exec.TaskRunning) == 6 })
	if n := a.StatePartitions(plan.QueryID); n != 6 {
		t.Fatalf("state of %d partitions before the clean-up; wanted 6", n)
	}
	w.eventually("a has state of its own tasks alone", func() bool {
		clock.advance()
		return a.StatePartitions(plan.QueryID) == 3
	})
	b.Close()
	w.produce("e", 1000, 1000, keyed)
	w.eventually("everything is counted", func() bool { return sum(counts(t, w.records("C"), "N")) == 2000 })
}
