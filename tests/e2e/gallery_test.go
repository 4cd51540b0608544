package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ksqlgo/ksqlgo/queries"
	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
	"github.com/ksqlgo/ksqlgo/tests/apache"
	"github.com/ksqlgo/ksqlgo/tests/topics"
)

// partitions finds the partition counts in a program.
var partitions = regexp.MustCompile(`PARTITIONS\s*=\s*\d+`)

// TestGallery runs every program of the gallery as it is, and over other numbers of partitions: the rows are the same.
func TestGallery(t *testing.T) {
	for _, name := range queries.Names() {
		program, err := queries.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{0, 1, 7} {
			title := "as it is"
			if n > 0 {
				title = strconv.Itoa(n) + " partitions"
			}
			t.Run(name+"/"+title, func(t *testing.T) {
				t.Parallel()
				ctx := within(t, 60*time.Second)
				w := start(ctx, t, server.Config{})
				w.runProgram(ctx, t, program, n)
			})
		}
	}
}

// runProgram applies a program's files, feeds its data and compares the rows of its checks. Every stream and table that a
// query fills must show rows to a push query as well.
func (w *world) runProgram(ctx context.Context, t *testing.T, p *queries.Program, numPartitions int) {
	t.Helper()
	for _, f := range p.Files {
		sql := f.SQL
		if numPartitions > 0 {
			sql = partitions.ReplaceAllString(sql, fmt.Sprintf("PARTITIONS = %d", numPartitions))
		}
		w.execute(ctx, t, sql)
	}
	sinks := w.sinks(ctx, t)
	seen := w.watch(ctx, t, sinks)
	for _, step := range p.Steps {
		var list []*kgo.Record
		for _, r := range step.Records {
			list = append(list, &kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value, Timestamp: time.UnixMilli(r.Timestamp)})
		}
		if err := topics.Write(ctx, w.kafka(), list...); err != nil {
			t.Fatal(err)
		}
		w.caughtUp(ctx, t)
	}
	w.check(ctx, t, p)
	for range sinks {
		select {
		case err := <-seen:
			if err != nil {
				t.Error(err)
			}
		case <-ctx.Done():
			t.Fatal("a push query has not seen a row")
		}
	}
}

// check asks the program's questions.
func (w *world) check(ctx context.Context, t *testing.T, p *queries.Program) {
	t.Helper()
	for _, c := range p.Checks {
		var want []string
		for _, r := range c.Rows {
			for i, v := range r {
				var b bytes.Buffer
				if err := json.Compact(&b, v); err != nil {
					t.Fatal(err)
				}
				r[i] = b.Bytes()
			}
			want = append(want, text(r))
		}
		w.expect(ctx, t, c.Query, c.Ordered, want)
	}
}

// sinks lists the streams and tables that queries fill.
func (w *world) sinks(ctx context.Context, t *testing.T) []string {
	t.Helper()
	var out []string
	for _, e := range w.execute(ctx, t, "SHOW QUERIES;") {
		if list, ok := e.(*api.Queries); ok {
			for _, q := range list.Queries {
				out = append(out, q.Sinks...)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// watch runs a push query on each source and reports on the channel when it has seen a row.
func (w *world) watch(ctx context.Context, t *testing.T, sources []string) <-chan error {
	t.Helper()
	seen := make(chan error, len(sources))
	for _, source := range sources {
		rows, err := w.client.Query(ctx, client.Request{SQL: "SELECT * FROM " + source + " EMIT CHANGES LIMIT 1;", Properties: earliest})
		if err != nil {
			t.Fatalf("push query on %s: %v", source, err)
		}
		go func() {
			defer rows.Close()
			row, ok := rows.Next()
			switch {
			case !ok:
				seen <- fmt.Errorf("push query on %s ended without a row: %w", source, rows.Err())
			case len(row.Values) != len(rows.Columns):
				seen <- fmt.Errorf("push query on %s: %d values, %d columns", source, len(row.Values), len(rows.Columns))
			default:
				seen <- nil
			}
		}()
	}
	return seen
}

// TestRestart starts a server anew on the data of one before: catalog, rows and accounting are as they were, and what comes
// then is added to them.
func TestRestart(t *testing.T) {
	ctx := within(t, 60*time.Second)
	p, err := queries.Load("retail_inventory")
	if err != nil {
		t.Fatal(err)
	}
	cfg := server.Config{DataDir: t.TempDir(), BootstrapServers: apache.Servers(t, nil)}
	w := start(ctx, t, cfg)
	w.runProgram(ctx, t, p, 0)
	before, err := w.describe(ctx, "InventoryTable")
	if err != nil {
		t.Fatal(err)
	}
	w.Close()

	w = start(ctx, t, cfg)
	w.caughtUp(ctx, t)
	w.check(ctx, t, p)
	after, err := w.describe(ctx, "InventoryTable")
	if err != nil {
		t.Fatal(err)
	}
	if before.Statement != after.Statement || before.Topic != after.Topic || len(before.Fields) != len(after.Fields) {
		t.Errorf("the table was\n%+v\nand is\n%+v", before, after)
	}
	for _, figure := range []string{"records-read", "records-emitting", "records-failed"} {
		if b, a := statistics(before)[figure], statistics(after)[figure]; a != b {
			t.Errorf("%s was %d and is %d", figure, b, a)
		}
	}
	w.execute(ctx, t, "INSERT INTO shipments (store_id, item, quantity, event_time) VALUES ('store_new', 'lamp', 5, 1760000000000);")
	w.expect(ctx, t, "SELECT on_hand FROM InventoryTable WHERE store_id = 'store_new' AND item = 'lamp';", true, []string{"5"})
}
