package exec_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/state"
)

// Two servers end everything. What the queries leave on the brokers goes when both have ended, and not before it is confirmed;
// what belongs to a service whose name begins in the same way stays.
func TestEndAllAndRemoveQueries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, admin := t.Context(), w.cluster.Admin()
	plan := w.sql("CREATE STREAM E (G STRING, N BIGINT) WITH (KAFKA_TOPIC='e', VALUE_FORMAT='JSON', PARTITIONS=2);" +
		"CREATE TABLE `by-g` AS SELECT G, COUNT(*) AS C FROM E GROUP BY G;")
	id := plan.QueryID
	// The service test_query_CTAS_ has a query with the same name, as far as this one can see.
	foreign := exec.GroupName("test_query_CTAS_", "CTAS_X_1")
	for _, name := range []string{foreign + "-Aggregate-Aggregate-Materialize-changelog", exec.GroupName("test_", id) + "-mine"} {
		if _, err := admin.EnsureTopic(ctx, kafka.TopicSpec{Name: name, Partitions: 1}); err != nil {
			t.Fatal(err)
		}
	}
	ours := func() (n int) {
		t.Helper()
		infos, err := admin.AllTopics(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for name := range infos {
			if strings.HasPrefix(name, exec.GroupName("test_", "")) {
				n++
			}
		}
		return n
	}
	one, two := state.NewMemFS(), state.NewMemFS()
	x, y := w.executor("a", one), w.executor("b", two)
	for _, e := range []*exec.Executor{x, y} {
		if err := e.Start(exec.QuerySpec{Plan: plan, Properties: everyUpdate()}); err != nil {
			t.Fatal(err)
		}
	}
	w.eventually("both run", func() bool {
		a, _ := x.Status(id)
		b, _ := y.Status(id)
		return a.State == exec.Running && b.State == exec.Running && len(a.Tasks) > 0 && len(b.Tasks) > 0
	})
	if n := ours(); n != 4 {
		t.Fatalf("%d topics, want the two internal ones and two others", n)
	}
	yes := func(context.Context) error { return nil }
	if err := x.EndAll(nil); err != nil {
		t.Fatal(err)
	}
	if err := x.RemoveQueries(ctx, []string{id, "CTAS_NEVER_9"}, yes); kafka.KindOf(err) != kafka.InUse || ours() != 4 {
		t.Errorf("%d topics; while the other server runs the error is %v", ours(), err)
	}
	if err := y.EndAll([]string{id}); err != nil {
		t.Fatal(err)
	}
	stop := errors.New("no")
	if err := x.RemoveQueries(ctx, []string{id}, func(context.Context) error { return stop }); !errors.Is(err, stop) || ours() != 4 {
		t.Errorf("%d topics, error %v, though it was not confirmed", ours(), err)
	}
	if err := x.RemoveQueries(ctx, []string{"CTAS_NEVER_9", id}, yes); err != nil {
		t.Fatal(err)
	}
	if n := ours(); n != 2 {
		t.Errorf("%d topics are left, want the two others", n)
	}
	if groups, err := admin.Groups(ctx, exec.GroupName("test_", "")); err != nil || len(groups) > 0 {
		t.Errorf("groups %v, %v", groups, err)
	}
	for _, fs := range []state.FS{one, two} {
		if dirs, err := fs.List("state"); err == nil && len(dirs) > 0 {
			t.Errorf("state left: %v", dirs)
		}
	}
	if _, ok := x.Status(id); ok {
		t.Error("a query that has ended has a status")
	}
	// Nor do left-overs of others go at a start.
	if err := y.RemoveLeftovers(ctx, func(context.Context) (exec.QueryIDs, error) {
		return exec.QueryIDs{Ended: map[string]bool{id: true}}, nil
	}); err != nil || ours() != 2 {
		t.Errorf("%d topics are left, %v", ours(), err)
	}
}

// A table whose name has a hyphen keeps its internal topics when left-overs are removed.
func TestLeftoversOfNamesWithHyphens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plan := w.sql("CREATE STREAM E (G STRING, N BIGINT) WITH (KAFKA_TOPIC='e', VALUE_FORMAT='JSON', PARTITIONS=1);" +
		"CREATE TABLE `by-g` AS SELECT G, COUNT(*) AS C FROM E GROUP BY G;")
	x := w.executor("a", state.NewMemFS())
	if err := x.Start(exec.QuerySpec{Plan: plan, Properties: everyUpdate()}); err != nil {
		t.Fatal(err)
	}
	w.eventually("it runs", func() bool {
		s, _ := x.Status(plan.QueryID)
		return s.State == exec.Running && len(s.Tasks) > 0
	})
	before, err := w.cluster.Admin().AllTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	live := exec.QueryIDs{Live: map[string]bool{plan.QueryID: true}}
	if err := x.RemoveLeftovers(t.Context(), func(context.Context) (exec.QueryIDs, error) { return live, nil }); err != nil {
		t.Fatal(err)
	}
	after, err := w.cluster.Admin().AllTopics(t.Context())
	if err != nil || len(after) != len(before) {
		t.Errorf("%d topics of %d are left, %v", len(after), len(before), err)
	}
}
