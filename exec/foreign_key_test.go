package exec_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/state"
)

// Tables l and r have different numbers of partitions.
const foreignTables = "CREATE TABLE l (k VARCHAR PRIMARY KEY, fk VARCHAR, n BIGINT) WITH (KAFKA_TOPIC='l', VALUE_FORMAT='JSON', PARTITIONS=3);" +
	"CREATE TABLE r (k VARCHAR PRIMARY KEY, v BIGINT) WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON', PARTITIONS=2);"

func foreignLeft(i int) (key, value string) {
	return fmt.Sprintf("l%d", i), fmt.Sprintf(`{"FK":"r%d","N":%d}`, i%10, i)
}

// foreignRight numbers its records i, so that the value of row i%10 is i; row 9 is deleted.
func foreignRight(i int) (key, value string) {
	if i%10 == 9 {
		return "r9", ""
	}
	return fmt.Sprintf("r%d", i%10), fmt.Sprintf(`{"V":%d}`, i)
}

// A foreign-key join gives the rows of the last changes of both sides, in its topic, to pull queries and after a restart from
// the changelogs; what it leaves is removed with it.
func TestForeignKeyJoin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plan := w.sql(foreignTables + "CREATE TABLE j AS SELECT l.k AS k, n, v FROM l JOIN r ON l.fk = r.k;")
	x := w.executor("a", state.NewMemFS())
	start := func(x *exec.Executor) {
		t.Helper()
		if err := x.Start(exec.QuerySpec{Plan: plan, Properties: everyUpdate()}); err != nil {
			t.Fatal(err)
		}
	}
	start(x)
	rows := func() map[string]string {
		out := map[string]string{}
		for _, r := range w.records("J") {
			out[string(r.Key)] = string(r.Value)
		}
		for k, v := range out {
			if v == "" {
				delete(out, k)
			}
		}
		return out
	}
	// complete says that all rows but those of r9 are joined with the values of the round.
	complete := func(round int) func() bool {
		return func() bool {
			got := rows()
			for i := range 300 {
				want := fmt.Sprintf(`{"N":%d,"V":%d}`, i, 10*round+i%10)
				if i%10 == 9 {
					want = ""
				}
				if got[fmt.Sprintf("l%d", i)] != want {
					return false
				}
			}
			return true
		}
	}
	w.produce("l", 0, 300, foreignLeft)
	w.produce("r", 0, 10, foreignRight)
	w.eventually("all left rows are joined", complete(0))
	w.produce("r", 10, 10, foreignRight)
	w.eventually("changes of the right rows come through", complete(1))
	rowsOf := func(x *exec.Executor) map[string]int {
		pull, err := x.Pull(t.Context(), w.pullPlan("SELECT * FROM j WHERE k IN ('l3', 'l9', 'l27');", plan), exec.PullOptions{StandbyLag: -1})
		if err != nil {
			return nil
		}
		list, err := pulled(pull)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if list := rowsOf(x); len(list) != 2 || list[fmt.Sprint("l3", 3, 13)] != 1 || list[fmt.Sprint("l27", 27, 17)] != 1 {
		t.Errorf("pulled %v", list)
	}
	x.Close()

	y := w.executor("a", state.NewMemFS())
	start(y)
	w.eventually("the rows are back", func() bool { list := rowsOf(y); return len(list) == 2 && list[fmt.Sprint("l27", 27, 17)] == 1 })
	w.produce("r", 20, 10, foreignRight)
	w.eventually("the subscriptions are back", complete(2))

	y.Close()
	z := w.executor("a", state.NewMemFS())
	if err := z.RemoveLeftovers(t.Context(), func(context.Context) (exec.QueryIDs, error) { return exec.QueryIDs{}, nil }); err != nil {
		t.Fatal(err)
	}
	all, err := w.cluster.Admin().AllTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name := range all {
		if strings.Contains(name, plan.QueryID) {
			t.Errorf("topic %s is left", name)
		}
	}
}

// A push query runs both stages in memory.
func TestForeignKeyPushQuery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sql(foreignTables)
	x := w.executor("a", state.NewMemFS())
	w.produce("l", 0, 30, foreignLeft)
	w.produce("r", 0, 9, foreignRight)
	sub, err := x.Subscribe(t.Context(), exec.SubscribeSpec{
		Plan:       w.sql("SELECT l.k, n, v FROM l JOIN r ON l.fk = r.k WHERE n < 20 EMIT CHANGES;"),
		Properties: map[string]string{"auto.offset.reset": "earliest"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	next := func() exec.SubscriberRow {
		t.Helper()
		row, err := sub.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return row
	}
	got := map[string]bool{}
	for range 18 {
		got[fmt.Sprint(next().Values...)] = true
	}
	for i := range 20 {
		if row := fmt.Sprint(fmt.Sprint("l", i), i, i%10); got[row] != (i%10 != 9) {
			t.Errorf("row %s came: %v", row, got[row])
		}
	}
	w.produce("l", 5, 1, func(int) (string, string) { return "l5", "" })
	if row := next(); !row.Tombstone || row.Values[0] != "l5" {
		t.Errorf("after the deletion of l5: %v", row)
	}
}
