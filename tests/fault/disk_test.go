package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
	"github.com/ksqlgo/ksqlgo/tests/process"
	"github.com/ksqlgo/ksqlgo/tests/topics"
)

// retrySoon makes failed queries start again within the test's time.
var retrySoon = map[string]string{"ksql.query.retry.backoff.initial.ms": "300", "ksql.query.retry.backoff.max.ms": "1000"}

// feed writes inputs from the id on and returns the id after the last.
func feed(ctx context.Context, t *testing.T, s *process.Server, from, n int64) int64 {
	t.Helper()
	var list []*kgo.Record
	for id := from; id < from+n; id++ {
		list = append(list, input("inputs", id))
	}
	if err := topics.Write(ctx, s.Config.Kafka(), list...); err != nil {
		t.Fatal(err)
	}
	return from + n
}

// explain tells the state of a query and its errors.
func explain(ctx context.Context, s *process.Server, id string) (string, []api.QueryErrorInfo, error) {
	entities, err := s.Client.Execute(ctx, client.Request{SQL: "EXPLAIN " + id + ";"})
	if err != nil {
		return "", nil, err
	}
	d, ok := entities[0].(*api.QueryDescriptionEntity)
	if !ok || d.QueryDescription.State == nil {
		return "", nil, fmt.Errorf("EXPLAIN answered %+v", entities[0])
	}
	return *d.QueryDescription.State, d.QueryDescription.QueryErrors, nil
}

// awaitError waits until a query is in ERROR and returns the last cause.
func awaitError(ctx context.Context, t *testing.T, s *process.Server, id string) api.QueryErrorInfo {
	t.Helper()
	var cause api.QueryErrorInfo
	err := s.Await(ctx, func() error {
		state, errs, err := explain(ctx, s, id)
		if err == nil && (state != api.QueryError || len(errs) == 0) {
			err = fmt.Errorf("%s is %s, errors %v", id, state, errs)
		}
		if err == nil {
			cause = errs[len(errs)-1]
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return cause
}

// awaitJoined waits until the join, which keeps running, has read so many inputs.
func awaitJoined(ctx context.Context, t *testing.T, s *process.Server, id string, inputs int64) {
	t.Helper()
	err := s.Await(ctx, func() error {
		stats, _, err := statistics(ctx, s, "joined")
		if err == nil && stats[id]["records-read"] < inputs+users {
			err = fmt.Errorf("the join has read %d of %d", stats[id]["records-read"], inputs+users)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// verify waits until all is processed and looks at every input.
func verify(ctx context.Context, t *testing.T, s *process.Server, queries map[string]string) {
	t.Helper()
	l, _ := settle(ctx, t, s, queries)
	for _, line := range l.check().list {
		t.Error(line)
	}
}

// stateDir is where the state of a query is.
func stateDir(s *process.Server, id string) string {
	return filepath.Join(s.Config.DataDir, "state", id)
}

// TestStateDirectoryGone puts a file where the state of a query should be: that query fails and says why, the others go
// on, and when the disk is as it should be the query takes up where it was.
func TestStateDirectoryGone(t *testing.T) {
	ctx := within(t, 90*time.Second)
	cfg := newServerOnKafka(t)
	cfg.Properties = retrySoon
	s := start(ctx, t, cfg)
	queries, err := declare(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	next := feed(ctx, t, s, 0, 3000)
	awaitJoined(ctx, t, s, queries["JOINED"], next)
	if err := s.Stop(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	dir := stateDir(s, queries["COUNTS"])
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, []byte("not a directory"), 0o600); err != nil {
		t.Fatal(err)
	}
	s = start(ctx, t, cfg)
	cause := awaitError(ctx, t, s, queries["COUNTS"])
	if cause.Type != "SYSTEM" || !strings.Contains(cause.ErrorMessage, queries["COUNTS"]) || !strings.Contains(cause.ErrorMessage, "not a directory") {
		t.Errorf("the cause is %+v, want a SYSTEM error that names the directory", cause)
	}
	next = feed(ctx, t, s, next, 3000)
	awaitJoined(ctx, t, s, queries["JOINED"], next)
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	verify(ctx, t, s, queries)
}

// TestDamagedState flips bytes in the files of one query's state: its rows are restored from the changelog.
func TestDamagedState(t *testing.T) {
	ctx := within(t, 90*time.Second)
	cfg := newServerOnKafka(t)
	cfg.Properties = retrySoon
	s := start(ctx, t, cfg)
	queries, err := declare(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	var next int64
	// Two starts, so that rows are in table files and not only in the write-ahead log.
	for range 2 {
		next = feed(ctx, t, s, next, 3000)
		awaitJoined(ctx, t, s, queries["JOINED"], next)
		if err := s.Stop(10 * time.Second); err != nil {
			t.Fatal(err)
		}
		s = start(ctx, t, cfg)
	}
	if _, err := drained(ctx, s, wantRead(queries, next)); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	if n := damage(t, stateDir(s, queries["COUNTS"])); n == 0 {
		t.Fatal("there were no table files to damage")
	}
	s = start(ctx, t, cfg)
	feed(ctx, t, s, next, 3000)
	verify(ctx, t, s, queries)
}

// damage flips every hundredth byte of the table files in a directory and returns how many files there were.
func damage(t *testing.T, dir string) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for i := 50; i < len(b)-200; i += 100 {
			b[i] ^= 0x55
		}
		if err := os.WriteFile(f, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return len(files)
}

// TestRestartAnswersAtOnce restarts on intact data: pull queries are answered within a second, nothing that was committed
// is processed or written again.
func TestRestartAnswersAtOnce(t *testing.T) {
	ctx := within(t, 90*time.Second)
	cfg := newServerOnKafka(t)
	s := start(ctx, t, cfg)
	queries, err := declare(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	next := feed(ctx, t, s, 0, 20_000)
	want := wantRead(queries, next)
	if _, err := drained(ctx, s, want); err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{"stopped", "killed"} {
		var before, after ledger
		if err := before.pullAll(ctx, s); err != nil {
			t.Fatal(err)
		}
		written := ends(ctx, t, cfg.Kafka())
		if how == "killed" {
			s.Kill()
		} else if err := s.Stop(10 * time.Second); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if s, err = process.StartServer(cfg); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Kill)
		err := s.Await(ctx, func() error {
			rows := 0
			err := pull(ctx, s, "SELECT n FROM counts WHERE grp = 'g1';", func([]json.RawMessage) error { rows++; return nil })
			if err == nil && rows != 1 {
				err = fmt.Errorf("%d rows", rows)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		took := time.Since(began)
		t.Logf("%s: the first answer came %s after the start", how, took.Round(time.Millisecond))
		// A loaded machine is given more time; alone it is a second.
		if limit := 3 * time.Second; took > limit {
			t.Errorf("%s: that is more than %s", how, limit)
		}
		stats, err := drained(ctx, s, want)
		if err != nil {
			t.Fatal(err)
		}
		if err := after.pullAll(ctx, s); err != nil {
			t.Fatal(err)
		}
		var f findings
		compareRows(&f, how+": counts", after.pulledCounts, before.pulledCounts)
		compareRows(&f, how+": sums", after.pulledSums, before.pulledSums)
		for id, n := range want {
			if got := stats[id]["records-read"]; got != n {
				t.Errorf("%s: %s has read %d records, want %d", how, id, got, n)
			}
		}
		for topic, n := range ends(ctx, t, cfg.Kafka()) {
			if n != written[topic] {
				t.Errorf("%s: %s ended at %d and now at %d", how, topic, written[topic], n)
			}
		}
		for _, line := range f.list {
			t.Error(line)
		}
	}
}

// ends are the end offsets of the sinks.
func ends(ctx context.Context, t *testing.T, broker string) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	for _, topic := range []string{"counts", "joined", "sums", "paired", "visits"} {
		n, err := topics.Total(ctx, broker, topic)
		if err != nil {
			t.Fatal(err)
		}
		out[topic] = n
	}
	return out
}
