package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
	"github.com/ksqlgo/ksqlgo/tests/apache"
)

// world is a server in this process and a client of it.
type world struct {
	*server.Server
	client *client.Client
}

// start starts a server on the Kafka that the environment asks for (see apache.Servers); without data directory it keeps
// everything in memory.
func start(ctx context.Context, t *testing.T, cfg server.Config) *world {
	t.Helper()
	if len(cfg.BootstrapServers) == 0 {
		cfg.BootstrapServers = apache.Servers(t, nil)
	}
	cfg.Listener, cfg.BrokerListener = "http://127.0.0.1:0", "127.0.0.1:0"
	s, err := server.Start(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	cl, err := client.New(client.Config{URL: s.URL()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return &world{Server: s, client: cl}
}

// within bounds a test.
func within(t *testing.T, limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

// kafka is the address of the server's broker.
func (w *world) kafka() string { return w.BootstrapServers()[0] }

// earliest lets queries see what is there already.
var earliest = api.Properties{"auto.offset.reset": "earliest"}

// execute runs statements and returns what became of them.
func (w *world) execute(ctx context.Context, t *testing.T, sql string) api.Entities {
	t.Helper()
	entities, err := w.client.Execute(ctx, client.Request{SQL: sql, Properties: earliest})
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	return entities
}

// ask runs a query that ends and returns its rows as text, in their order.
func (w *world) ask(ctx context.Context, sql string) ([]string, error) {
	rows, err := w.client.Query(ctx, client.Request{SQL: sql, Properties: earliest})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for r, err := range rows.All() {
		if err != nil {
			return nil, err
		}
		out = append(out, text(r.Values))
	}
	return out, nil
}

// text is a row as text.
func text(values []json.RawMessage) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = string(v)
	}
	return strings.Join(parts, " | ")
}

// eventually repeats a check until it holds, and fails with its last error when ctx ends.
func eventually(ctx context.Context, t *testing.T, check func() error) {
	t.Helper()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal(errors.Join(ctx.Err(), err))
		case <-poll.C:
		}
	}
}

// expect waits until a query has the rows wanted; their order counts only if they are ordered.
func (w *world) expect(ctx context.Context, t *testing.T, sql string, ordered bool, want []string) {
	t.Helper()
	if !ordered {
		want = slices.Sorted(slices.Values(want))
	}
	eventually(ctx, t, func() error {
		have, err := w.ask(ctx, sql)
		if err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
		if !ordered {
			slices.Sort(have)
		}
		if !slices.Equal(have, want) {
			return fmt.Errorf("%s\n%s", sql, difference(have, want))
		}
		return nil
	})
}

// difference lists what is missing and what is too much, a few of each.
func difference(have, want []string) string {
	left := map[string]int{}
	for _, w := range want {
		left[w]--
	}
	for _, h := range have {
		left[h]++
	}
	var lines []string
	for row, n := range left {
		if n != 0 {
			lines = append(lines, fmt.Sprintf("%+d  %s", n, row))
		}
	}
	slices.Sort(lines)
	const most = 12
	if len(lines) > most {
		lines = append(lines[:most], "…")
	}
	return fmt.Sprintf("%d rows, want %d; - is missing, + is too much:\n%s", len(have), len(want), strings.Join(lines, "\n"))
}

// describe is DESCRIBE EXTENDED of a source.
func (w *world) describe(ctx context.Context, source string) (api.SourceDescription, error) {
	entities, err := w.client.Execute(ctx, client.Request{SQL: "DESCRIBE " + source + " EXTENDED;"})
	if err != nil {
		return api.SourceDescription{}, err
	}
	d, ok := entities[0].(*api.SourceDescriptionEntity)
	if !ok {
		return api.SourceDescription{}, fmt.Errorf("DESCRIBE answered %T", entities[0])
	}
	return d.SourceDescription, nil
}

// statistics sums the figures of a description over its queries, by name.
func statistics(d api.SourceDescription) map[string]int64 {
	out := map[string]int64{}
	for _, s := range slices.Concat(d.ClusterStatistics, d.ClusterErrorStats) {
		out[s.Name[strings.LastIndexByte(s.Name, '.')+1:]] += int64(s.Value)
	}
	return out
}

// caughtUp waits until all queries have read everything.
func (w *world) caughtUp(ctx context.Context, t *testing.T) {
	t.Helper()
	eventually(ctx, t, func() error {
		entities, err := w.client.Execute(ctx, client.Request{SQL: "DESCRIBE STREAMS EXTENDED; DESCRIBE TABLES EXTENDED;"})
		if err != nil {
			return err
		}
		for _, e := range entities {
			list, ok := e.(*api.SourceDescriptionList)
			if !ok {
				return fmt.Errorf("DESCRIBE answered %T", e)
			}
			for _, d := range list.SourceDescriptions {
				if err := behind(d); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// behind says which query of a source has not read everything yet.
func behind(d api.SourceDescription) error {
	for _, q := range d.QueryOffsetSummaries {
		if len(q.TopicSummaries) == 0 {
			return fmt.Errorf("%s has no tasks yet", q.GroupID)
		}
		for _, t := range q.TopicSummaries {
			for _, o := range t.Offsets {
				if o.ConsumerOffset < o.LogEndOffset {
					return fmt.Errorf("%s is at %d of %d in %s-%d", q.GroupID, o.ConsumerOffset, o.LogEndOffset, t.KafkaTopic, o.Partition)
				}
			}
		}
	}
	return nil
}

// journal is a slog handler that keeps the messages about records.
type journal struct {
	slog.Handler
	records chan map[string]slog.Value
}

func newJournal() *journal {
	return &journal{Handler: slog.DiscardHandler, records: make(chan map[string]slog.Value, 1000)}
}

// Enabled implements slog.Handler.
func (j *journal) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// Handle implements slog.Handler.
func (j *journal) Handle(_ context.Context, r slog.Record) error {
	if r.Message != "record error" {
		return nil
	}
	attrs := map[string]slog.Value{}
	r.Attrs(func(a slog.Attr) bool {
		attrs[a.Key] = a.Value
		return true
	})
	j.records <- attrs
	return nil
}

// WithAttrs implements slog.Handler.
func (j *journal) WithAttrs([]slog.Attr) slog.Handler { return j }

// WithGroup implements slog.Handler.
func (j *journal) WithGroup(string) slog.Handler { return j }
