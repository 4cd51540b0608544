package e2e

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
	"github.com/ksqlgo/ksqlgo/tests/apache"
	"github.com/ksqlgo/ksqlgo/tests/process"
	"github.com/ksqlgo/ksqlgo/tests/topics"
)

// rooms is a source table with a column that shows a header, and a stream over the same topic to write into.
const rooms = `
	CREATE SOURCE TABLE rooms (id VARCHAR PRIMARY KEY, heat DOUBLE, tags ARRAY<VARCHAR>, hand BYTES HEADER('by'))
		WITH (KAFKA_TOPIC = 'rooms', VALUE_FORMAT = 'JSON', PARTITIONS = 6);
	CREATE STREAM readings (id VARCHAR KEY, heat DOUBLE, tags ARRAY<VARCHAR>) WITH (KAFKA_TOPIC = 'rooms', VALUE_FORMAT = 'JSON');`

// roomModel is what the source table has to hold: a row as text for each key.
type roomModel struct {
	rows    map[string]string
	written int64
}

// round writes a few records of every kind: rows through the stream, rows with a header, deletes.
func (m *roomModel) round(ctx context.Context, t *testing.T, w *world, kafka string, n int) {
	t.Helper()
	var sql strings.Builder
	for i := range 10 {
		id := fmt.Sprintf("room%02d", i)
		fmt.Fprintf(&sql, "INSERT INTO readings (id, heat, tags) VALUES ('%s', %d.5, ARRAY['a', 'r%d']);\n", id, n, i)
		m.rows[id] = fmt.Sprintf(`"%s" | %d.5 | ["a","r%d"] | null`, id, n, i)
		m.written++
	}
	w.execute(ctx, t, sql.String())
	var list []*kgo.Record
	for i := 5; i < 20; i++ {
		id := fmt.Sprintf("room%02d", i)
		r := &kgo.Record{Topic: "rooms", Key: []byte(id), Headers: []kgo.RecordHeader{{Key: "by", Value: fmt.Appendf(nil, "hand %d", n)}}}
		if i%5 == n%5 {
			delete(m.rows, id)
		} else {
			r.Value = fmt.Appendf(nil, `{"heat":%d.25}`, n)
			m.rows[id] = fmt.Sprintf(`"%s" | %d.25 | null | "%s"`, id, n, base64.StdEncoding.EncodeToString(r.Headers[0].Value))
		}
		list = append(list, r)
		m.written++
	}
	if err := topics.Write(ctx, kafka, list...); err != nil {
		t.Fatal(err)
	}
}

// expect waits until a server has the rows, and looks them up in several ways.
func (m *roomModel) expect(ctx context.Context, t *testing.T, w *world) {
	t.Helper()
	var all, some []string
	for id, row := range m.rows {
		all = append(all, row)
		if id >= "room03" && id < "room11" {
			some = append(some, row)
		}
	}
	w.expect(ctx, t, "SELECT * FROM rooms;", false, all)
	w.expect(ctx, t, "SELECT * FROM rooms WHERE id >= 'room03' AND id < 'room11';", false, some)
	for i := range 20 {
		id := fmt.Sprintf("room%02d", i)
		var want []string
		if row, ok := m.rows[id]; ok {
			want = []string{row}
		}
		w.expect(ctx, t, "SELECT * FROM rooms WHERE id = '"+id+"';", true, want)
	}
}

// accounted waits until the table's query says that it read each record once and kept it.
func (m *roomModel) accounted(ctx context.Context, t *testing.T, w *world) {
	t.Helper()
	eventually(ctx, t, func() error {
		d, err := w.describe(ctx, "rooms")
		if err != nil {
			return err
		}
		s := statistics(d)
		if s["records-read"] != m.written || s["records-merged-into-state"] != m.written || s["records-written"] != 0 {
			return fmt.Errorf("read %d, kept %d, wrote %d records; %d were written", s["records-read"], s["records-merged-into-state"], s["records-written"], m.written)
		}
		return nil
	})
}

// TestSourceTableRestarts stops and kills a server again and again, once also without the disk that its state was on: the
// source table holds the latest row of each key of its topic, and every record was read once.
func TestSourceTableRestarts(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the binary")
	}
	t.Parallel()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	ctx := within(t, 3*time.Minute)
	cfg, err := process.NewServerConfig(filepath.Join(programs, "ksqlgo"), filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	if apache.Wanted(t) {
		cfg.Bootstrap = apache.Servers(t, nil)[0]
	}
	up := func() (*process.Server, *world) {
		s, err := process.StartServer(cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Kill)
		if err := s.Ready(ctx); err != nil {
			t.Fatal(err)
		}
		return s, &world{client: s.Client}
	}
	s, w := up()
	w.execute(ctx, t, rooms)
	id := sourceQuery(ctx, t, w)
	m := &roomModel{rows: map[string]string{}}
	for n, end := range []func(){
		func() { s.Kill() }, // While the query has just begun to read.
		func() {
			m.expect(ctx, t, w)
			if err := s.Stop(20 * time.Second); err != nil {
				t.Fatal(err)
			}
		},
		func() { m.expect(ctx, t, w); s.Kill() },
		func() {
			m.expect(ctx, t, w)
			s.Kill()
			state := filepath.Join(cfg.DataDir, "state", id)
			if _, err := os.Stat(state); err != nil {
				t.Fatal(err)
			}
			if err := os.RemoveAll(state); err != nil {
				t.Fatal(err)
			}
		},
		func() { s.Kill() },
	} {
		m.round(ctx, t, w, cfg.Kafka(), n)
		end()
		s, w = up()
		if again := sourceQuery(ctx, t, w); again != id {
			t.Fatalf("the query was %s and is %s", id, again)
		}
		m.expect(ctx, t, w)
	}
	m.accounted(ctx, t, w)

	// With the table its query goes, and its changelog; the topic stays.
	w.execute(ctx, t, "DROP TABLE rooms;")
	s.Kill()
	_, w = up()
	if id := sourceQuery(ctx, t, w); id != "" {
		t.Errorf("after DROP TABLE there is the query %s", id)
	}
	eventually(ctx, t, func() error {
		e, err := w.client.Execute(ctx, client.Request{SQL: "SHOW ALL TOPICS;"})
		if err != nil {
			return err
		}
		there := false
		for _, topic := range e[0].(*api.KafkaTopicsList).Topics {
			there = there || topic.Name == "rooms"
			if strings.Contains(topic.Name, id) {
				return fmt.Errorf("there is %s after DROP TABLE", topic.Name)
			}
		}
		if !there {
			t.Error("DROP TABLE removed the table's topic")
		}
		return nil
	})
	w.execute(ctx, t, rooms[:strings.Index(rooms, "CREATE STREAM")])
	m.expect(ctx, t, w)
}

// sourceQuery is the id of the query of the source table; empty when there is none.
func sourceQuery(ctx context.Context, t *testing.T, w *world) string {
	t.Helper()
	for _, q := range w.execute(ctx, t, "SHOW QUERIES;")[0].(*api.Queries).Queries {
		if strings.HasPrefix(q.ID, "CST_ROOMS_") {
			return q.ID
		}
	}
	return ""
}

// TestSourceTableOnServers spreads a source table over two servers that stand by for each other: both answer from all of it,
// and when one is gone the other does.
func TestSourceTableOnServers(t *testing.T) {
	t.Parallel()
	ctx := within(t, 2*time.Minute)
	list := servers(ctx, t, 2, map[string]string{"ksql.streams.num.standby.replicas": "1"})
	list[0].execute(ctx, t, rooms)
	m := &roomModel{rows: map[string]string{}}
	for n := range 3 {
		m.round(ctx, t, list[n%2], list[0].kafka(), n)
	}
	eventually(ctx, t, func() error { return standingBy(list, 6) })
	for _, w := range list {
		m.expect(ctx, t, w)
		m.accounted(ctx, t, w)
	}
	// What was written in a session is in its answers.
	session := &client.Consistency{}
	for n := range 20 {
		w := list[n%2]
		w.writeIn(ctx, t, session, fmt.Sprintf("INSERT INTO readings (id, heat) VALUES ('new', %d);", n))
		m.written++
		have, err := w.askIn(ctx, session, "SELECT heat FROM rooms WHERE id = 'new';", quick)
		if want := fmt.Sprintf("%d.0", n); err != nil || len(have) != 1 || have[0] != want {
			t.Fatalf("heat %v (%v), want %s", have, err, want)
		}
	}
	m.rows["new"] = `"new" | 19.0 | null | null`
	list[0].Close()
	m.round(ctx, t, list[1], list[1].kafka(), 3)
	m.expect(ctx, t, list[1])
	m.accounted(ctx, t, list[1])
}

// standingBy wants each task of the source table to run on one of the servers, and the other to stand by for it.
func standingBy(list []*world, tasks int) error {
	running, standbys := 0, 0
	for _, h := range list[0].Peers().Snapshot() {
		if h.Status == nil {
			return errors.New("a server has said nothing yet")
		}
		for _, q := range h.Status.Queries {
			for _, task := range q.Tasks {
				switch task.State {
				case exec.TaskRunning:
					running++
				case exec.TaskStandby:
					standbys++
				default: // The others are on their way.
				}
			}
		}
	}
	if running != tasks || standbys != tasks {
		return fmt.Errorf("%d tasks run and %d stand by, want %d of each", running, standbys, tasks)
	}
	return nil
}
