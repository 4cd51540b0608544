package exec_test

import (
	"fmt"
	"testing"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/state"
)

// A push query on a server that owns none of the tasks sees every change exactly once and in order, while the tasks that make
// the changes move, and while a server that owned some is gone.
func TestPushQuerySeesNoGapWhileTasksMove(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plan := w.sql(countByG)
	spec := exec.QuerySpec{Plan: plan, Properties: everyUpdate()}
	a, b, front := w.executor("a", state.NewMemFS()), w.executor("b", state.NewMemFS()), w.executor("front", state.NewMemFS())
	if err := a.Start(spec); err != nil {
		t.Fatal(err)
	}
	sub, err := front.Subscribe(t.Context(), exec.SubscribeSpec{Plan: w.sql("SELECT g, n FROM c EMIT CHANGES;"),
		Properties: map[string]string{"auto.offset.reset": "earliest"}})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	const step = 1000
	seen := map[string]int64{}
	expect := func(n int64) {
		t.Helper()
		for sum(seen) < n {
			row, err := sub.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			key, count := fmt.Sprint(row.Values[0]), row.Values[1].(int64)
			if count != seen[key]+1 {
				t.Fatalf("key %s: change %d after %d", key, count, seen[key])
			}
			seen[key] = count
		}
	}
	w.produce("e", 0, step, keyed)
	expect(step)
	if err := b.Start(spec); err != nil {
		t.Fatal(err)
	}
	w.produce("e", step, step, keyed)
	w.eventually("b owns its share", func() bool { return tasksIn(b, plan.QueryID, exec.TaskRunning) == 6 })
	w.produce("e", 2*step, step, keyed)
	expect(3 * step)
	a.Close()
	w.produce("e", 3*step, step, keyed)
	expect(4 * step)
}
