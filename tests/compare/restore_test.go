package compare

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/server/client"
	"github.com/ksqlgo/ksqlgo/tests/topics"
)

// restoreGoal is how many changelog rows a second are to be restored.
const restoreGoal = 300_000

// TestRestore counts events by key, deletes the local state, and measures how fast it comes back from the changelog.
func TestRestore(t *testing.T) {
	if !*whole {
		t.Skip("SKIPPED: takes figures; -compare runs it")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	b := newBench(ctx, t, *events)
	dir := t.TempDir()
	e := b.start(ctx, t, "compare_restore_", dir)
	e.execute(ctx, t, declarations)
	// Every change goes to the changelog, so that it is longer than the table.
	id := e.execute(ctx, t, "SET 'cache.max.bytes.buffering' = '0'; SET 'commit.interval.ms' = '20';"+queries[3].sql)
	if err := e.reach(ctx, id, b.n); err != nil {
		t.Fatal(err)
	}
	e.stop()
	if err := os.RemoveAll(filepath.Join(dir, "state")); err != nil {
		t.Fatal(err)
	}
	rows := b.changelogRows(ctx, t, e.service)
	began := time.Now()
	e = b.start(ctx, t, e.service, dir)
	up := time.Since(began)
	if n, err := e.countRows(ctx, "SELECT user_id, n FROM out;"); err != nil || n != keys {
		t.Fatalf("%d rows, want %d (%v)", n, keys, err)
	}
	took := time.Since(began)
	rate := float64(rows) / (took - up).Seconds()
	t.Logf("%d changelog rows restored, and all rows of the table read, in %s (%s after the server was up): %.0f rows/s",
		rows, took.Round(time.Millisecond), (took - up).Round(time.Millisecond), rate)
	if rate < restoreGoal {
		t.Errorf("%.0f rows a second, fewer than %d", rate, restoreGoal)
	}
	e.stop()
	e.clean(ctx, t, "out")
}

// changelogRows counts what is in the changelogs of a service.
func (b *bench) changelogRows(ctx context.Context, t *testing.T, service string) int64 {
	t.Helper()
	all, err := b.admin.ListTopics(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var n int64
	for name := range all {
		if ok, _ := filepath.Match("_confluent-ksql-"+service+"*-changelog", name); ok {
			total, err := topics.Total(ctx, b.broker, name)
			if err != nil {
				t.Fatal(err)
			}
			n += total
		}
	}
	return n
}

// countRows runs a query that ends and counts its rows.
func (e *engine) countRows(ctx context.Context, sql string) (int, error) {
	rows, err := e.client.Query(ctx, client.Request{SQL: sql})
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	n := 0
	for r, err := range rows.All() {
		if err != nil {
			return n, err
		}
		if !json.Valid(r.Values[0]) {
			return n, fmt.Errorf("row %d: %s", n, r.Values)
		}
		n++
	}
	return n, rows.Err()
}
