package exec_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/cluster"
	"github.com/ksqlgo/ksqlgo/exec/pull"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/planner"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// pullPlan plans a pull query over the table that plan makes.
func (w *world) pullPlan(sql string, plan *physical.Plan) *physical.Pull {
	w.t.Helper()
	st, err := grammar.ParseOne(sql, grammar.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	env := w.env()
	env.Plans = func(id string) (*physical.Plan, bool) { return plan, id == plan.QueryID }
	p, err := planner.PullQuery(env, st.Statement.(*ast.Query).Select)
	if err != nil {
		w.t.Fatal(err)
	}
	return p.Table
}

// pulled reads an answer to its end: rows as text, how often each came.
func pulled(rows exec.PulledRows) (map[string]int, error) {
	defer rows.Close()
	out := map[string]int{}
	for {
		values, err := rows.Next(context.Background())
		switch {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, err
		}
		out[fmt.Sprint(values...)]++
	}
}

// shared starts a query on two executors and waits until each owns half of its tasks.
func shared(w *world, plan *physical.Plan) (a, b *exec.Executor) {
	w.t.Helper()
	a, b = w.executor("a", state.NewMemFS()), w.executor("b", state.NewMemFS())
	for _, x := range []*exec.Executor{a, b} {
		if err := x.Start(exec.QuerySpec{Plan: plan, Properties: everyUpdate()}); err != nil {
			w.t.Fatal(err)
		}
	}
	w.eventually("the tasks are shared", func() bool {
		return tasksIn(a, plan.QueryID, exec.TaskRunning) == 6 && tasksIn(b, plan.QueryID, exec.TaskRunning) == 6
	})
	return a, b
}

// owned lists the partitions of a stage that a node owns.
func owned(x *exec.Executor, query string, stage int, node string) []int32 {
	var out []int32
	if a, ok := x.Assignment(query); ok {
		for p := range int32(6) {
			if h, ok := a.Owner(cluster.TaskID{Stage: int32(stage), Partition: p}); ok && h.NodeID == node {
				out = append(out, p)
			}
		}
	}
	return out
}

// Each server answers for what it owns and refuses the rest, naming the owner; together they have every row once.
func TestPullByParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plan := w.sql(countByG)
	a, b := shared(w, plan)
	w.produce("e", 0, 3700, keyed)
	w.eventually("all is counted", func() bool { return sum(counts(t, w.records("C"), "N")) == 3700 })
	scan := w.pullPlan("SELECT * FROM c;", plan)
	_, err := a.Pull(t.Context(), scan, exec.PullOptions{StandbyLag: -1})
	var refused *exec.RefusedError
	if !errors.As(err, &refused) {
		t.Fatalf("one of two servers answered for all: %v", err)
	}
	stage := plan.Materialization.Stage
	others := owned(a, plan.QueryID, stage, "b")
	if have := slices.Sorted(maps.Keys(refused.Partitions)); !slices.Equal(have, others) {
		t.Errorf("refused %v, want %v", have, others)
	}
	for p, r := range refused.Partitions {
		if r.Kind == exec.NotReady || r.Owner != "b" {
			t.Errorf("partition %d was refused with %+v", p, r)
		}
	}
	rows := map[string]int{}
	for node, x := range map[string]*exec.Executor{"a": a, "b": b} {
		part, err := x.Pull(t.Context(), scan, exec.PullOptions{StandbyLag: -1, Partitions: owned(x, plan.QueryID, stage, node)})
		if err != nil {
			t.Fatal(err)
		}
		list, err := pulled(part)
		if err != nil {
			t.Fatal(err)
		}
		for row, n := range list {
			rows[row] += n
		}
	}
	for i := range 37 {
		if row := fmt.Sprint([]any{fmt.Sprintf("g%d", i), int64(100)}...); rows[row] != 1 {
			t.Errorf("row %s came %d times", row, rows[row])
		}
	}
	if len(rows) != 37 {
		t.Errorf("%d rows", len(rows))
	}
	// A key in a partition that is not asked for is not in the answer.
	key := w.pullPlan("SELECT * FROM c WHERE g IN ('g1', 'g2', 'g3', 'g4', 'g5', 'g6');", plan)
	none, err := a.Pull(t.Context(), key, exec.PullOptions{StandbyLag: -1, Partitions: []int32{}})
	if err != nil {
		t.Fatal(err)
	}
	if list, err := pulled(none); err != nil || len(list) != 0 {
		t.Errorf("no partition gave %v, %v", list, err)
	}
	// A standby answers when it may, and then alone.
	w.eventually("a has caught up", func() bool { return caughtUp(a, plan.QueryID, 3) })
	all, err := a.Pull(t.Context(), scan, exec.PullOptions{StandbyLag: math.MaxInt64})
	if err != nil {
		t.Fatal(err)
	}
	if list, err := pulled(all); err != nil || len(list) != 37 {
		t.Errorf("with standbys: %d rows, %v", len(list), err)
	}
}

// An answer tells the positions it stands for, and can be made to wait for some.
func TestPullPositions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plan := w.sql(events + "CREATE TABLE k AS SELECT k, COUNT(*) AS n FROM e GROUP BY k;")
	x := w.executor("a", state.NewMemFS())
	if err := x.Start(exec.QuerySpec{Plan: plan, Properties: everyUpdate()}); err != nil {
		t.Fatal(err)
	}
	const n = 1010
	w.produce("e", 0, n, keyed)
	w.eventually("all is counted", func() bool { return read(plan.QueryID, x) == n })
	scan := w.pullPlan("SELECT * FROM k;", plan)
	ends, err := w.cluster.Admin().EndOffsets(t.Context(), "e")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := x.Pull(t.Context(), scan, exec.PullOptions{StandbyLag: -1})
	if err != nil {
		t.Fatal(err)
	}
	have, err := rows.Positions()
	if err != nil {
		t.Fatal(err)
	}
	rows.Close()
	for tp, end := range ends {
		if at, ok := have.Get("e", tp.Partition); !ok || at != end {
			t.Errorf("partition %d: position %d, %v; want %d", tp.Partition, at, ok, end)
		}
	}
	key := w.pullPlan("SELECT * FROM k WHERE k = 'k7';", plan)
	one, err := x.Pull(t.Context(), key, exec.PullOptions{StandbyLag: -1, AtLeast: have})
	if err != nil {
		t.Fatal(err)
	}
	if p, err := one.Positions(); err != nil || len(p["e"]) != 1 {
		t.Errorf("a key has positions %v, %v", p, err)
	}
	if list, err := pulled(one); err != nil || len(list) != 1 {
		t.Errorf("a key gave %v, %v", list, err)
	}

	// What is wanted does not come: the answer is an error with what is there.
	want := have.Clone()
	for tp, end := range ends {
		want.Set("e", tp.Partition, end+1)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var stale *exec.StaleError
	if _, err = x.Pull(short, scan, exec.PullOptions{StandbyLag: -1, AtLeast: want}); !errors.As(err, &stale) {
		t.Fatalf("an answer without the positions wanted: %v", err)
	}
	if !stale.Have.Covers(have) || stale.Have.Covers(want) {
		t.Errorf("the error has %v; %v was there, %v wanted", stale.Have, have, want)
	}
	// It comes while the query waits.
	type answer struct {
		rows map[string]int
		err  error
	}
	answered := make(chan answer)
	go func() {
		rows, err := x.Pull(t.Context(), scan, exec.PullOptions{StandbyLag: -1, AtLeast: want})
		if err != nil {
			answered <- answer{nil, err}
			return
		}
		list, err := pulled(rows)
		answered <- answer{list, err}
	}()
	w.produce("e", n, 101, keyed)
	got := <-answered
	if got.err != nil || len(got.rows) != 101 {
		t.Errorf("after waiting: %d rows, %v", len(got.rows), got.err)
	}
}

// Rows come over the wire as they are.
func TestPullWireForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plan := w.sql(events + `CREATE TABLE k AS SELECT k, COUNT(*) AS n, SUM(CAST(n AS DECIMAL(20, 4))) AS d, COLLECT_LIST(g) AS gs,
		HISTOGRAM(g) AS hist, MAX(CAST(n AS DOUBLE) / 3) AS f, MAX(TO_BYTES(g, 'utf8')) AS b FROM e GROUP BY k;`)
	x := w.executor("a", state.NewMemFS())
	if err := x.Start(exec.QuerySpec{Plan: plan, Properties: everyUpdate()}); err != nil {
		t.Fatal(err)
	}
	w.produce("e", 0, 303, keyed)
	w.eventually("all is counted", func() bool { return read(plan.QueryID, x) == 303 })
	scan := w.pullPlan("SELECT k, n, d, gs, hist, f, b, CAST(null AS STRING) AS nothing, STRUCT(x := gs, y := d) AS s FROM k;", plan)
	direct, err := x.PreparePull(scan)
	if err != nil {
		t.Fatal(err)
	}
	again, err := x.PreparePull(scan)
	if err != nil {
		t.Fatal(err)
	}
	one, err := direct.Read(t.Context(), exec.PullOptions{StandbyLag: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	two, err := again.Read(t.Context(), exec.PullOptions{StandbyLag: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	decoder, err := pull.NewDecoder(scan.Columns)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for {
		want, err := one.Next(t.Context())
		wire, ok, wireErr := two.AppendNext(nil)
		if wireErr != nil || ok != (err == nil) {
			t.Fatalf("row %d: %v, %v, %v", count, err, ok, wireErr)
		}
		if !ok {
			break
		}
		count++
		got, err := decoder.Decode(wire)
		if err != nil {
			t.Fatal(err)
		}
		clear(wire) // The values share nothing with it.
		if len(got) != len(want) {
			t.Fatalf("%d values, want %d", len(got), len(want))
		}
		for i := range want {
			if fmt.Sprintf("%#v", plainly(got[i])) != fmt.Sprintf("%#v", plainly(want[i])) {
				t.Errorf("%s came as %v, not %v", scan.Columns[i].Name, got[i], want[i])
			}
		}
	}
	if count != 101 {
		t.Errorf("%d rows", count)
	}
}

// plainly takes pointers off, whose addresses would be compared.
func plainly(v any) any {
	if s, ok := v.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T %v", v, v)
}
