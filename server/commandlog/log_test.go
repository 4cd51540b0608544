package commandlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/server/broker"
)

// recorder is an applier that notes what it is told.
type recorder struct {
	mu      sync.Mutex
	applied []string
	replays int
	ready   int
	fail    string
}

func (r *recorder) Applied(c AppliedCommand, _, _ *catalog.Snapshot, replay bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.applied = append(r.applied, fmt.Sprintf("%d %s", c.Offset, c.ID))
	if replay {
		r.replays++
	}
	if c.Name == r.fail && r.fail != "" {
		return errors.New("it does not work")
	}
	return nil
}

func (r *recorder) Ready(*catalog.Snapshot, map[string]*Command) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ready++
}

func source(name string) *Command {
	return &Command{Action: CreateSource, Statement: "CREATE STREAM " + name + ";", Source: &catalog.Source{Name: name, Topic: name,
		Schema: types.Schema{Value: []types.Column{{Name: "V", Type: types.StringType}}}}}
}

func idOf(name string) ID { return ID{Type: "stream", Entity: "`" + name + "`", Action: "create"} }

// open starts a log over the command topic of a broker.
func open(t *testing.T, cluster *kafka.Cluster, a Applier) *Log {
	t.Helper()
	topic, err := OpenKafkaTopic(t.Context(), cluster, "test_", 0, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(topic.Close)
	l := New(topic, a, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		if err := l.Run(ctx, func() { close(ready) }); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	select {
	case <-ready:
	case <-time.After(20 * time.Second):
		t.Fatal("the log was never replayed")
	}
	return l
}

func connect(t *testing.T) *kafka.Cluster {
	t.Helper()
	b, err := broker.Start(t.Context(), broker.Config{Listener: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	c, err := kafka.Connect(t.Context(), kafka.Config{BootstrapServers: b.BootstrapServers()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Four servers write at once. Every command is in the log once, each was validated against everything before it, and all
// servers have the same catalog.
func TestManyWriters(t *testing.T) {
	t.Parallel()
	cluster := connect(t)
	const servers, each = 4, 15
	var logs []*Log
	for range servers {
		logs = append(logs, open(t, cluster, &recorder{}))
	}
	var wg sync.WaitGroup
	for s, l := range logs {
		wg.Go(func() {
			for i := range each {
				name := fmt.Sprintf("S%d_%d", s, i)
				_, offset, err := l.Append(t.Context(), func(c *catalog.Snapshot, offset int64) (ID, *Command, error) {
					cmd := source(name)
					// What this writer saw is written down, to be compared with where the command came to stand.
					cmd.Statement = fmt.Sprint(len(c.Sources()))
					return idOf(name), cmd, nil
				})
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := l.Wait(t.Context(), offset); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	last := open(t, cluster, &recorder{})
	if n := len(last.Snapshot().Sources()); n != servers*each {
		t.Fatalf("%d sources, want %d", n, servers*each)
	}
	seen := map[string]bool{}
	for _, o := range last.Outcomes() {
		if seen[o.Command.Statement] {
			t.Errorf("two commands were validated against a catalog of %s sources", o.Command.Statement)
		}
		seen[o.Command.Statement] = true
	}
	for _, l := range logs {
		if _, err := l.Wait(t.Context(), last.Applied()-1); err != nil || len(l.Snapshot().Sources()) != servers*each {
			t.Errorf("a server has %d sources: %v", len(l.Snapshot().Sources()), err)
		}
	}
}

// A refused command writes nothing; one that fails to be carried out stays in the log with its error.
func TestRefusedAndFailedCommands(t *testing.T) {
	t.Parallel()
	a := &recorder{fail: "X"}
	l := open(t, connect(t), a)
	refused := errors.New("no such thing")
	_, _, err := l.Append(t.Context(), func(*catalog.Snapshot, int64) (ID, *Command, error) { return ID{}, nil, refused })
	if !errors.Is(err, refused) || l.Applied() != 0 {
		t.Fatalf("error %v, applied %d", err, l.Applied())
	}
	id, offset, err := l.Append(t.Context(), func(*catalog.Snapshot, int64) (ID, *Command, error) {
		return ID{"stream", "X", "drop"}, &Command{Action: DropSource, Name: "X"}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	failure, err := l.Wait(t.Context(), offset)
	if err != nil || failure == nil || failure.Error() != "it does not work" {
		t.Errorf("failure %v, error %v", failure, err)
	}
	if o := l.Outcomes()[id.String()]; o.Err == nil || o.Offset != offset {
		t.Errorf("outcome %+v", o)
	}
}

// A record that cannot be read stops DDL and the application of what follows, and says where it is.
func TestUnreadableRecordDegrades(t *testing.T) {
	t.Parallel()
	cluster := connect(t)
	first := open(t, cluster, &recorder{})
	if _, _, err := first.Append(t.Context(), func(*catalog.Snapshot, int64) (ID, *Command, error) { return idOf("A"), source("A"), nil }); err != nil {
		t.Fatal(err)
	}
	plain, err := cluster.Plain()
	if err != nil {
		t.Fatal(err)
	}
	at, err := plain.Produce(t.Context(), kafka.TopicPartition{Topic: TopicName("test_")}, []byte(`"x"`), []byte(`{"version":99}`), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	a := &recorder{}
	l := open(t, cluster, a)
	state, reason := l.State()
	if state != Degraded || !strings.Contains(reason, fmt.Sprint(at)) || !strings.Contains(reason, "99") {
		t.Errorf("state %s: %s", state, reason)
	}
	if len(l.Snapshot().Sources()) != 1 || a.ready != 1 {
		t.Errorf("what came before is not in force: %d sources, ready %d", len(l.Snapshot().Sources()), a.ready)
	}
	if _, _, err := l.Append(t.Context(), func(*catalog.Snapshot, int64) (ID, *Command, error) { return idOf("B"), source("B"), nil }); !errors.Is(err, ErrDegraded) {
		t.Errorf("DDL on a degraded log: %v", err)
	}
}

func TestApplyIsPure(t *testing.T) {
	q := &catalog.Query{ID: "CSAS_B_2", Kind: catalog.CreateAsQuery, Sink: "B", Sources: []string{"A"}}
	sink := source("B").Source
	sink.CreatedBy = q.ID
	s := source("A").Apply(catalog.Empty())
	s = (&Command{Action: StartQuery, Query: q, Source: sink}).Apply(s)
	paused := (&Command{Action: PauseQuery, Name: All}).Apply(s)
	if got, _ := paused.Query(q.ID); !got.Paused {
		t.Error("PAUSE ALL did not pause")
	}
	if got, _ := s.Query(q.ID); got.Paused {
		t.Error("Apply changed the snapshot it was given")
	}
	dropped := (&Command{Action: DropSource, Name: "B"}).Apply(s)
	if _, ok := dropped.Query(q.ID); ok || len(dropped.Sources()) != 1 {
		t.Error("DROP did not end the query that created the source")
	}
	terminated := (&Command{Action: TerminateQuery, Name: q.ID}).Apply(s)
	if b, ok := terminated.Source("B"); !ok || b.CreatedBy != "" {
		t.Error("TERMINATE must leave the sink, without its query")
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, bad := range []string{``, `{}`, `{"version":2,"action":"dropSource","name":"X"}`, `{"version":1,"action":"fly"}`,
		`{"version":1,"action":"createSource"}`, `{"version":1,"action":"startQuery","query":{"id":"Q"}}`,
		`{"version":1,"action":"dropSource","name":"X","surprise":1}`} {
		if c, err := Decode([]byte(bad)); err == nil {
			t.Errorf("%s was read as %+v", bad, c)
		}
	}
}

func FuzzDecode(f *testing.F) {
	good, err := Encode(source("A"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"version":1,"action":"createType","name":"T","type":{"kind":"ARRAY"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Decode(b)
		if err != nil {
			return
		}
		again, err := Encode(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(again); err != nil {
			t.Fatalf("%s does not read back: %v", again, err)
		}
		c.Apply(catalog.Empty())
	})
}
