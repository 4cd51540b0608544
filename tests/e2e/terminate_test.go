package e2e

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
	"github.com/ksqlgo/ksqlgo/server/commandlog"
	"github.com/ksqlgo/ksqlgo/tests/apache"
)

// observer is a connection to a Kafka of a test that no server of it closes.
func observer(ctx context.Context, t *testing.T, bootstrap []string) *kafka.Admin {
	t.Helper()
	c, err := kafka.Connect(ctx, kafka.Config{BootstrapServers: bootstrap, ClientID: "observer"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.Admin()
}

// topicNames lists all topics but Kafka's own.
func topicNames(ctx context.Context, t *testing.T, admin *kafka.Admin) []string {
	t.Helper()
	infos, err := admin.AllTopics(ctx)
	if err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(infos, func(_ string, i kafka.TopicInfo) bool { return i.Internal })
	return slices.Sorted(maps.Keys(infos))
}

// reaches waits until a server is in a state of its life.
func (w *world) reaches(ctx context.Context, t *testing.T, state string) {
	t.Helper()
	eventually(ctx, t, func() error {
		h, err := w.client.Healthcheck(ctx)
		if err == nil && h.ServerState != state {
			err = fmt.Errorf("the server is %s, want %s: %+v", h.ServerState, state, h.Details["commandRunner"])
		}
		return err
	})
}

// terminate ends the service at this server.
func (w *world) terminate(ctx context.Context, t *testing.T, topics ...string) *api.CommandStatusEntity {
	t.Helper()
	entities, err := w.client.TerminateCluster(ctx, topics)
	if err != nil {
		t.Fatal(err)
	}
	e, ok := entities[0].(*api.CommandStatusEntity)
	if !ok || len(entities) != 1 || e.CommandID != "cluster/TerminateCluster/terminate" || e.CommandStatus.Status != api.StatusSuccess {
		t.Fatalf("answer %+v", entities[0])
	}
	return e
}

// shutDown wants a server to take nothing.
func (w *world) shutDown(ctx context.Context, t *testing.T) {
	t.Helper()
	_, err := w.client.Execute(ctx, client.Request{SQL: "SHOW STREAMS;"})
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Code != api.CodeServerShutDown && refused.Code != api.CodeServerShuttingDown {
		t.Errorf("a statement after the end: %v", err)
	}
}

// bazaar is a service with what there can be: topics that were there, topics it makes, queries with state.
const bazaar = `
	CREATE STREAM given (id INT KEY, v INT) WITH (KAFKA_TOPIC = 'given', VALUE_FORMAT = 'JSON');
	CREATE STREAM made (id INT KEY, v INT) WITH (KAFKA_TOPIC = 'made', VALUE_FORMAT = 'JSON', PARTITIONS = 2);
	CREATE STREAM spared (id INT KEY, v INT) WITH (KAFKA_TOPIC = 'spared', VALUE_FORMAT = 'JSON', PARTITIONS = 2);
	CREATE STREAM into_given WITH (KAFKA_TOPIC = 'given_too') AS SELECT * FROM made;
	CREATE TABLE counts AS SELECT v, COUNT(*) AS n FROM made GROUP BY v;`

// owned are the topics of the bazaar that are its own, but for internal ones.
var owned = []string{"COUNTS", "made", "spared"}

// TestTerminate ends a service of one server that shares Kafka with another service: its queries, groups, internal topics, the
// topics that were named and that it has made, and the command topic go. What others have made, what was not named, and what
// the other service has, stay. Started anew the service is empty.
func TestTerminate(t *testing.T) {
	t.Parallel()
	ctx := within(t, 2*time.Minute)
	bootstrap := apache.Bootstrap(t)
	admin := observer(ctx, t, bootstrap)
	for _, name := range []string{"given", "given_too"} {
		if _, err := admin.CreateTopic(ctx, kafka.TopicSpec{Name: name, Partitions: 2}); err != nil {
			t.Fatal(err)
		}
	}
	// The other service's name begins with this one's, and its queries are called the same.
	other := start(ctx, t, server.Config{BootstrapServers: bootstrap, ServiceID: "shop_query_"})
	other.execute(ctx, t, `CREATE STREAM made (id INT KEY, v INT) WITH (KAFKA_TOPIC = 'other_made', VALUE_FORMAT = 'JSON', PARTITIONS = 2);
		CREATE TABLE counts WITH (KAFKA_TOPIC = 'other_counts') AS SELECT v, COUNT(*) AS n FROM made GROUP BY v;
		INSERT INTO made (id, v) VALUES (1, 10);`)
	other.expect(ctx, t, "SELECT v, n FROM counts;", false, []string{"10 | 1"})
	foreign := topicNames(ctx, t, admin)

	dir := t.TempDir()
	cfg := server.Config{BootstrapServers: bootstrap, ServiceID: "shop_", DataDir: dir}
	w := start(ctx, t, cfg)
	w.execute(ctx, t, bazaar+"INSERT INTO made (id, v) VALUES (1, 10);")
	w.expect(ctx, t, "SELECT v, n FROM counts;", false, []string{"10 | 1"})
	for _, name := range owned {
		if !slices.Contains(topicNames(ctx, t, admin), name) {
			t.Errorf("there is no topic %s", name)
		}
	}
	push, err := w.client.Query(ctx, client.Request{SQL: "SELECT * FROM made EMIT CHANGES;"})
	if err != nil {
		t.Fatal(err)
	}
	defer push.Close()
	if _, err := w.client.TerminateCluster(ctx, []string{"made", "("}); err == nil || !strings.Contains(err.Error(), "Invalid pattern: (") {
		t.Errorf("a bad pattern: %v", err)
	}
	w.expect(ctx, t, "SELECT v, n FROM counts;", false, []string{"10 | 1"})

	answer := w.terminate(ctx, t, "given.*", "made", "C.*", "other_.*", "nothing")
	var warnings []string
	for _, x := range answer.Warnings {
		warnings = append(warnings, x.Message)
	}
	for _, want := range []string{"The topic given matches and stays", "The topic given_too matches and stays", "No topic of a stream or table matches 'other_.*'",
		"No topic of a stream or table matches 'nothing'"} {
		if !strings.Contains(strings.Join(warnings, "\n"), want) {
			t.Errorf("no warning that %q: %q", want, warnings)
		}
	}
	if len(warnings) != 4 {
		t.Errorf("%d warnings", len(warnings))
	}
	w.shutDown(ctx, t)
	for _, ok := push.Next(); ok; _, ok = push.Next() {
	}
	w.reaches(ctx, t, "TERMINATED")
	w.shutDown(ctx, t)
	if info, err := w.client.Info(ctx); err != nil || info.ServerStatus != "TERMINATED" {
		t.Errorf("/info: %+v, %v", info, err)
	}
	if h, err := w.client.Healthcheck(ctx); err != nil || h.IsHealthy || h.Details["commandRunner"].State != "TERMINATED" || h.Details["commandRunner"].Reason == "" {
		t.Errorf("/healthcheck: %+v, %v", h, err)
	}
	if s, err := w.client.Status(ctx, answer.CommandID); err != nil || s.Status != api.StatusSuccess {
		t.Errorf("/status: %+v, %v", s, err)
	}
	if got, want := topicNames(ctx, t, admin), slices.Sorted(slices.Values(append(slices.Clone(foreign), "spared"))); !slices.Equal(got, want) {
		t.Errorf("topics %v, want %v", got, want)
	}
	groups, err := admin.Groups(ctx, "")
	if err != nil || len(groups) != 1 || !strings.HasPrefix(groups[0], "_confluent-ksql-shop_query_query_") {
		t.Errorf("groups %v, %v; want the other service's", groups, err)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, "state")); len(left) > 0 {
		t.Errorf("state left: %v", left)
	}
	other.execute(ctx, t, "INSERT INTO made (id, v) VALUES (2, 10);")
	other.expect(ctx, t, "SELECT v, n FROM counts;", false, []string{"10 | 2"})

	w.Close()
	w = start(ctx, t, cfg)
	w.reaches(ctx, t, "READY")
	if list := w.execute(ctx, t, "SHOW STREAMS;")[0].(*api.StreamsList).Streams; len(list) > 0 {
		t.Errorf("streams after the end: %+v", list)
	}
	w.execute(ctx, t, bazaar+"INSERT INTO made (id, v) VALUES (1, 10);")
	w.expect(ctx, t, "SELECT v, n FROM counts;", false, []string{"10 | 1"})
	// It was there now: a topic that an earlier life of the service has made is not this one's.
	if answer := w.terminate(ctx, t, "spared"); len(answer.Warnings) != 1 {
		t.Errorf("warnings %+v", answer.Warnings)
	}
	w.reaches(ctx, t, "TERMINATED")
	if names := topicNames(ctx, t, admin); !slices.Contains(names, "spared") || !slices.Contains(names, "made") {
		t.Errorf("topics %v", names)
	}
}

// TestTerminateSeveralServers ends a service of three servers, one of which is down. Those that run end with it and do not take
// the deletion of their command topic for corruption; the third one, started while there is no command topic, says what may
// have happened, and goes on when another one has begun the service anew.
func TestTerminateSeveralServers(t *testing.T) {
	t.Parallel()
	ctx := within(t, 3*time.Minute)
	bootstrap := apache.Bootstrap(t)
	admin := observer(ctx, t, bootstrap)
	configs := make([]server.Config, 3)
	list := make([]*world, 3)
	for i := range list {
		configs[i] = server.Config{BootstrapServers: bootstrap, DataDir: t.TempDir(), Properties: map[string]string{"session.timeout.ms": "6000"}}
		list[i] = start(ctx, t, configs[i])
	}
	list[0].execute(ctx, t, census)
	spread(ctx, t, list, "CITIES", 6)
	list[2].Close()

	list[1].terminate(ctx, t, "people")
	for _, w := range list[:2] {
		w.reaches(ctx, t, "TERMINATED")
		w.shutDown(ctx, t)
		if s := w.CommandLog(); s.State != commandlog.Terminated {
			t.Errorf("the command log is %s: %s", s.State, s.Reason)
		}
	}
	if got := topicNames(ctx, t, admin); !slices.Equal(got, []string{"CITIES", "DECADES"}) {
		t.Errorf("topics %v", got)
	}
	if groups, err := admin.Groups(ctx, ""); err != nil || len(groups) > 0 {
		t.Errorf("groups %v, %v", groups, err)
	}

	late := start(ctx, t, configs[2])
	if s := late.CommandLog(); s.State != commandlog.Corrupted || !strings.Contains(s.Reason, "POST /ksql/terminate") {
		t.Errorf("the server that was down: %s, %s", s.State, s.Reason)
	}
	list[0].Close()
	again := start(ctx, t, configs[0])
	again.execute(ctx, t, "CREATE STREAM s (id INT KEY) WITH (KAFKA_TOPIC = 's', VALUE_FORMAT = 'JSON', PARTITIONS = 1);")
	eventually(ctx, t, func() error {
		entities, err := late.client.Execute(ctx, client.Request{SQL: "SHOW STREAMS; SHOW QUERIES;"})
		if err != nil {
			return err
		}
		streams, queries := entities[0].(*api.StreamsList).Streams, entities[1].(*api.Queries).Queries
		if len(streams) != 1 || len(queries) > 0 || late.CommandLog().State != commandlog.Running {
			return fmt.Errorf("%d streams, %d queries, %s", len(streams), len(queries), late.CommandLog().State)
		}
		return nil
	})
	eventually(ctx, t, func() error {
		if left, _ := os.ReadDir(filepath.Join(configs[2].DataDir, "state")); len(left) > 0 {
			return fmt.Errorf("state left: %v", left)
		}
		return nil
	})
}

// TestTerminateGoesOnAfterARestart stops the only server before it has removed anything: started anew it goes on with that.
func TestTerminateGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	ctx := within(t, 2*time.Minute)
	bootstrap := apache.Bootstrap(t)
	admin := observer(ctx, t, bootstrap)
	cfg := server.Config{BootstrapServers: bootstrap, DataDir: t.TempDir()}
	w := start(ctx, t, cfg)
	w.execute(ctx, t, "CREATE STREAM made (id INT KEY, v INT) WITH (KAFKA_TOPIC = 'made', VALUE_FORMAT = 'JSON', PARTITIONS = 2);"+
		"CREATE TABLE counts AS SELECT v, COUNT(*) AS n FROM made GROUP BY v;")
	w.terminate(ctx, t, "made", "COUNTS")
	w.Close()
	if !slices.Contains(topicNames(ctx, t, admin), commandlog.TopicName(server.DefaultServiceID)) {
		t.Fatal("the command topic is gone before others could have read it")
	}
	w = start(ctx, t, cfg)
	w.shutDown(ctx, t)
	w.reaches(ctx, t, "TERMINATED")
	if got := topicNames(ctx, t, admin); len(got) > 0 {
		t.Errorf("topics %v", got)
	}
}

// refusing is a Kafka that can refuse to delete topics.
func refusing(t *testing.T) *kfake.Cluster {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	return fake
}

// TestTerminateOverRefusals: a topic that must not be deleted is told, and does not keep the others; one that cannot be
// deleted for a while is deleted later.
func TestTerminateOverRefusals(t *testing.T) {
	t.Parallel()
	ctx := within(t, time.Minute)
	fake := refusing(t)
	admin := observer(ctx, t, fake.ListenAddrs())
	w := start(ctx, t, server.Config{BootstrapServers: fake.ListenAddrs()})
	for _, name := range []string{"a", "denied", "late", "z"} {
		w.execute(ctx, t, fmt.Sprintf("CREATE STREAM %s (id INT KEY) WITH (KAFKA_TOPIC = '%[1]s', VALUE_FORMAT = 'JSON', PARTITIONS = 1);", name))
	}
	w.execute(ctx, t, "CREATE STREAM dropped (id INT KEY) WITH (KAFKA_TOPIC = 'dropped', VALUE_FORMAT = 'JSON', PARTITIONS = 1);")
	infos, err := admin.Topics(ctx, "denied", "late", "dropped")
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(topic string, err *kerr.Error, times int) *kfake.FaultHandle {
		return fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DeleteTopics}, Err: err, Count: times, When: func(r kmsg.Request) bool {
			return r.(*kmsg.DeleteTopicsRequest).Topics[0].TopicID == infos[topic].ID
		}})
	}
	denied := refuse("denied", kerr.TopicAuthorizationFailed, -1)
	later := refuse("late", kerr.ReassignmentInProgress, 2)
	before := refuse("dropped", kerr.ReassignmentInProgress, 1)
	w.execute(ctx, t, "DROP STREAM dropped DELETE TOPIC;")
	w.terminate(ctx, t, "a", "denied", "late", "z")
	w.reaches(ctx, t, "TERMINATED")
	if got := topicNames(ctx, t, admin); !slices.Equal(got, []string{"denied"}) {
		t.Errorf("topics %v", got)
	}
	if denied.Hits() == 0 || later.Hits() != 2 || before.Hits() != 1 {
		t.Errorf("refused %d, %d and %d times", denied.Hits(), later.Hits(), before.Hits())
	}
}

// TestDeleteTopicIsCarriedThrough: brokers that delete nothing when DROP … DELETE TOPIC is said delete the topic later, while
// the server runs or after its next start.
func TestDeleteTopicIsCarriedThrough(t *testing.T) {
	t.Parallel()
	ctx := within(t, time.Minute)
	fake := refusing(t)
	admin := observer(ctx, t, fake.ListenAddrs())
	cfg := server.Config{BootstrapServers: fake.ListenAddrs(), DataDir: t.TempDir()}
	w := start(ctx, t, cfg)
	const create = "CREATE STREAM s (id INT KEY) WITH (KAFKA_TOPIC = 's', VALUE_FORMAT = 'JSON', PARTITIONS = 1);"
	refuse := func() *kfake.FaultHandle {
		return fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DeleteTopics}, Err: kerr.UnknownServerError, Count: -1})
	}
	gone := func() {
		t.Helper()
		eventually(ctx, t, func() error {
			if names := topicNames(ctx, t, admin); slices.Contains(names, "s") {
				return fmt.Errorf("topics %v", names)
			}
			return nil
		})
	}
	w.execute(ctx, t, create)
	fault := refuse()
	w.execute(ctx, t, "DROP STREAM s DELETE TOPIC;")
	if !slices.Contains(topicNames(ctx, t, admin), "s") || fault.Hits() == 0 {
		t.Fatal("nothing was refused")
	}
	fault.Remove()
	gone()

	w.execute(ctx, t, create)
	fault = refuse()
	w.execute(ctx, t, "DROP STREAM s DELETE TOPIC;")
	w.Close()
	fault.Remove()
	if !slices.Contains(topicNames(ctx, t, admin), "s") {
		t.Fatal("nothing was refused")
	}
	w = start(ctx, t, cfg)
	gone()

	// A topic that is used again stays, though it should have been deleted.
	w.execute(ctx, t, create)
	fault = refuse()
	w.execute(ctx, t, "DROP STREAM s DELETE TOPIC;")
	w.execute(ctx, t, create)
	w.Close()
	fault.Remove()
	log := &messages{Handler: slog.DiscardHandler}
	cfg.Logger = slog.New(log)
	start(ctx, t, cfg)
	eventually(ctx, t, func() error {
		if list := log.list(); !slices.Contains(list, "the topic of a dropped source is not deleted: it is used again") {
			return fmt.Errorf("the log says %q", list)
		}
		return nil
	})
	if names := topicNames(ctx, t, admin); !slices.Contains(names, "s") {
		t.Errorf("topics %v", names)
	}
}

// messages is a slog handler that keeps what is said.
type messages struct {
	slog.Handler
	mu   sync.Mutex
	said []string
}

// Enabled implements slog.Handler.
func (m *messages) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (m *messages) Handle(_ context.Context, r slog.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said = append(m.said, r.Message)
	return nil
}

// WithAttrs implements slog.Handler.
func (m *messages) WithAttrs([]slog.Attr) slog.Handler { return m }

// WithGroup implements slog.Handler.
func (m *messages) WithGroup(string) slog.Handler { return m }

func (m *messages) list() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.said)
}
