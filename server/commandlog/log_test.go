package commandlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/tests/apache"
)

// recorder is an applier that notes what it is told.
type recorder struct {
	mu       sync.Mutex
	applied  []string
	adopted  []string // what became of the queries, sources and completeness at each Adopt
	fail     string
	complete bool

	terminations []Termination
}

func (r *recorder) Applied(c AppliedCommand, _, _ *catalog.Snapshot) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.applied = append(r.applied, fmt.Sprintf("%d %s", c.Offset, c.ID))
	if c.Name == r.fail && r.fail != "" {
		return errors.New("it does not work")
	}
	return nil
}

func (r *recorder) Adopt(before, after *catalog.Snapshot, live map[string]*Command, complete bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.adopted = append(r.adopted, fmt.Sprintf("%s -> %s, %d live", names(before), names(after), len(live)))
	r.complete = complete
}

func (r *recorder) Abandon() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.adopted = append(r.adopted, "abandoned")
}

func (r *recorder) Terminate(t Termination) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.terminations = append(r.terminations, t)
}

// ends are the terminations it was told of.
func (r *recorder) ends() []Termination {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.terminations)
}

func (r *recorder) adoptions() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.adopted)
}

// names are the sources of a catalog.
func names(s *catalog.Snapshot) string {
	var out []string
	for _, src := range s.Sources() {
		out = append(out, src.Name)
	}
	return "[" + strings.Join(out, " ") + "]"
}

func source(name string) *Command {
	return &Command{Action: CreateSource, Statement: "CREATE STREAM " + name + ";", Source: &catalog.Source{Name: name, Topic: name,
		Schema: types.Schema{Value: []types.Column{{Name: "V", Type: types.StringType}}}}}
}

func idOf(name string) ID { return ID{Type: "stream", Entity: "`" + name + "`", Action: "create"} }

// server is one server's end of the log.
type server struct {
	*Log
	app   *recorder
	topic *KafkaTopic
	stop  func()
}

// serverOptions say what is special about a server.
type serverOptions struct {
	backup *BackupConfig
	fail   string
}

// open starts a server over the command topic of a broker, and waits until it is ready.
func open(t testing.TB, cluster *kafka.Cluster, o serverOptions) *server {
	t.Helper()
	var backup *Backup
	logger := slog.New(slog.NewTextHandler(logWriter{t}, nil))
	if o.backup != nil {
		o.backup.Logger = logger
		var err error
		if backup, err = OpenBackup(*o.backup); err != nil {
			t.Fatal(err)
		}
	}
	topic, err := OpenKafkaTopic(t.Context(), KafkaTopicConfig{Cluster: cluster, ServiceID: "test_", Backup: backup, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	a := &recorder{fail: o.fail}
	l := New(Config{Topic: topic, Applier: a, Backup: backup, Logger: logger})
	s := &server{Log: l, app: a, topic: topic}
	s.resume(t)
	return s
}

// resume runs the log, until stop, and waits until it is ready.
func (s *server) resume(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Run(ctx, func() { close(ready) }); err != nil {
			t.Error(err)
		}
	}()
	s.stop = sync.OnceFunc(func() { cancel(); <-done; s.topic.Close() })
	t.Cleanup(s.stop)
	select {
	case <-ready:
	case <-time.After(time.Minute):
		t.Fatal("the log was never replayed")
	}
}

// logWriter writes a server's messages to the test's log while the test runs.
type logWriter struct{ t testing.TB }

func (w logWriter) Write(b []byte) (int, error) {
	if w.t.Context().Err() == nil {
		w.t.Log(strings.TrimSpace(string(b)))
	}
	return len(b), nil
}

// create appends a command that creates a source.
func (s *server) create(t testing.TB, name string) int64 {
	t.Helper()
	_, offset, err := s.Append(t.Context(), func(*catalog.Snapshot, int64) (ID, *Command, error) { return idOf(name), source(name), nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Wait(t.Context(), offset); err != nil {
		t.Fatal(err)
	}
	return offset
}

// eventually polls until done.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		if time.Now().After(deadline) {
			t.Fatal("it never happens: " + what)
		}
		<-tick.C
	}
}

func connect(t testing.TB) *kafka.Cluster {
	t.Helper()
	c, err := kafka.Connect(t.Context(), kafka.Config{BootstrapServers: apache.Bootstrap(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
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
		`{"version":1,"action":"terminateCluster","deleteTopics":[{"name":"T","id":"x"}]}`, `{"version":1,"action":"begun"}`,
		`{"version":1,"action":"terminateCluster","deleteTopics":[{"id":"00000000000000000000000000000001"}]}`,
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
	f.Add([]byte(`{"version":1,"action":"terminateCluster","deleteTopics":[{"name":"T","id":"00000000000000000000000000000001"}]}`))
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
