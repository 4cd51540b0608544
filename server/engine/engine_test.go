package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
	"github.com/ksqlgo/ksqlgo/tests/apache"
)

// start runs a server with properties of its own, on the Kafka that the environment asks for, and gives a client of it.
func start(t *testing.T, dir string, properties map[string]string) (*server.Server, *client.Client) {
	t.Helper()
	return startOn(t, apache.Servers(t, nil), dir, properties)
}

// startOn is start on a Kafka that is there; nil means the embedded one.
func startOn(t *testing.T, bootstrap []string, dir string, properties map[string]string) (*server.Server, *client.Client) {
	t.Helper()
	all := map[string]string{"ksql.streams.commit.interval.ms": "20", "ksql.streams.auto.offset.reset": "earliest"}
	for name, value := range properties {
		all[name] = value
	}
	s, err := server.Start(t.Context(), server.Config{Listener: "http://127.0.0.1:0", BrokerListener: "127.0.0.1:0", BootstrapServers: bootstrap,
		DataDir: dir, Properties: all})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	c, err := client.New(client.Config{URL: s.URL()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return s, c
}

func execute(t *testing.T, c *client.Client, sql string) api.Entities {
	t.Helper()
	entities, err := c.Execute(t.Context(), client.Request{SQL: sql})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return entities
}

// refused wants a request to fail with a code and a text.
func refused(t *testing.T, err error, code api.Code, text string) {
	t.Helper()
	var e *client.Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Message, text) {
		t.Errorf("error %v, want %d with %q", err, code, text)
	}
}

// eventually polls until done.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		if time.Now().After(deadline) {
			t.Fatal("it never happens: " + what)
		}
		<-tick.C
	}
}

// pushesOf lists the push queries that run.
func pushesOf(t *testing.T, c *client.Client) []api.RunningQuery {
	t.Helper()
	var out []api.RunningQuery
	for _, q := range execute(t, c, "SHOW QUERIES;")[0].(*api.Queries).Queries {
		if q.QueryType == api.QueryPush {
			out = append(out, q)
		}
	}
	return out
}

func TestPushQueriesCanBeSeenAndEnded(t *testing.T) {
	_, c := start(t, "", nil)
	execute(t, c, "CREATE STREAM s (id INT KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);")
	tests := map[string]func(id string, stop context.CancelFunc){
		"close-query": func(id string, _ context.CancelFunc) {
			if err := c.CloseQuery(t.Context(), id); err != nil {
				t.Error(err)
			}
		},
		"TERMINATE": func(id string, _ context.CancelFunc) {
			e, ok := execute(t, c, "TERMINATE "+id+";")[0].(*api.TerminateQueryEntity)
			if !ok || !e.WasTerminated {
				t.Errorf("TERMINATE answered %+v", e)
			}
		},
		"the client goes": func(_ string, stop context.CancelFunc) { stop() },
	}
	for name, end := range tests {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			rows, err := c.Query(ctx, client.Request{SQL: "SELECT * FROM s EMIT CHANGES;"})
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			list := pushesOf(t, c)
			if len(list) != 1 || list[0].ID != rows.QueryID || len(list[0].Sinks) != 0 || len(list[0].SinkKafkaTopics) != 0 {
				t.Fatalf("push queries %+v, want %s without sinks", list, rows.QueryID)
			}
			end(rows.QueryID, stop)
			eventually(t, "the query is gone", func() bool { return len(pushesOf(t, c)) == 0 })
		})
	}
	refused(t, c.CloseQuery(t.Context(), "transient_S_1"), api.CodeBadRequest, "No query with id transient_S_1")
}

func TestLimitsOnQueries(t *testing.T) {
	_, c := start(t, "", map[string]string{"ksql.max.push.queries": "1", "ksql.query.persistent.active.limit": "2"})
	execute(t, c, "CREATE STREAM s (id INT KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);")
	rows, err := c.Query(t.Context(), client.Request{SQL: "SELECT * FROM s EMIT CHANGES;"})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	_, err = c.Query(t.Context(), client.Request{SQL: "SELECT * FROM s EMIT CHANGES;"})
	refused(t, err, api.CodeMaxPushQueries, "as it would cause the number of active, push queries to exceed the configured limit.")

	execute(t, c, "CREATE STREAM a AS SELECT * FROM s;")
	_, err = c.Execute(t.Context(), client.Request{SQL: "CREATE STREAM b AS SELECT * FROM s; CREATE STREAM c AS SELECT * FROM s;"})
	refused(t, err, api.CodeBadRequest, "as it would cause the number of active, persistent queries to exceed the configured limit.")
	if list := execute(t, c, "SHOW QUERIES;")[0].(*api.Queries).Queries; len(list) != 2 {
		t.Errorf("%d queries after a refused request, want 2: one persistent, one push", len(list))
	}
}

// TestStatementsAtOnce sends requests from several clients at once: they are ordered by the command log.
func TestStatementsAtOnce(t *testing.T) {
	_, c := start(t, "", nil)
	execute(t, c, "CREATE STREAM s (id INT KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);")
	const clients = 8
	var done sync.WaitGroup
	numbers := make([]int64, clients)
	for i := range clients {
		done.Go(func() {
			entities, err := c.Execute(t.Context(), client.Request{SQL: fmt.Sprintf("CREATE STREAM s%d AS SELECT * FROM s;", i)})
			if err != nil {
				t.Error(err)
				return
			}
			numbers[i] = entities[0].(*api.CommandStatusEntity).CommandSequenceNumber
		})
	}
	done.Wait()
	seen := map[int64]bool{}
	for _, n := range numbers {
		seen[n] = true
	}
	if streams := execute(t, c, "SHOW STREAMS;")[0].(*api.StreamsList).Streams; len(streams) != clients+1 || len(seen) != clients {
		t.Errorf("%d streams, %d sequence numbers; want %d, %d", len(streams), len(seen), clients+1, clients)
	}
	// A name given twice is refused once.
	var created, failed int
	var mu sync.Mutex
	for range clients {
		done.Go(func() {
			_, err := c.Execute(t.Context(), client.Request{SQL: "CREATE STREAM same AS SELECT * FROM s;"})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				created++
			} else {
				failed++
			}
		})
	}
	done.Wait()
	if created != 1 || failed != clients-1 {
		t.Errorf("created %d times, refused %d times", created, failed)
	}
}

func TestCommandStatuses(t *testing.T) {
	_, c := start(t, "", nil)
	execute(t, c, "CREATE STREAM s (id INT KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1); DROP STREAM s;")
	statuses, err := c.Statuses(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(statuses) != 2 || statuses["stream/`S`/create"] != api.StatusSuccess || statuses["stream/S/drop"] != api.StatusSuccess {
		t.Errorf("statuses %v", statuses)
	}
	status, err := c.Status(t.Context(), "stream/`S`/create")
	if err != nil || status.Message != "Stream created" {
		t.Errorf("status %+v, %v", status, err)
	}
}

func TestInsertsStreamIntoAStream(t *testing.T) {
	_, c := start(t, "", nil)
	execute(t, c, "CREATE STREAM s (id INT KEY, Name STRING, price DECIMAL(5, 2), `low` BIGINT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=2);"+
		"CREATE TABLE t (id INT PRIMARY KEY) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1);")
	in, err := c.InsertStream(t.Context(), "s", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if err := in.Insert(map[string]any{"ID": i, "name": "n", "PRICE": "1.5", "`low`": 7}); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	rows, err := c.Query(t.Context(), client.Request{SQL: "SELECT id, name, price, `low` FROM s;"})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for row, ok := rows.Next(); ok; row, ok = rows.Next() {
		n++
		if got := join(row.Values[1:]); got != `"n",1.50,7` {
			t.Fatalf("row %s", got)
		}
	}
	if n != 100 || rows.Err() != nil {
		t.Errorf("%d rows, %v; want 100", n, rows.Err())
	}
	for target, want := range map[string]string{"missing": "Cannot insert values into an unknown stream/table: `MISSING`", "`s`": "unknown stream/table: `s`",
		"t": "Cannot insert into a table"} {
		_, err := c.InsertStream(t.Context(), target, nil)
		refused(t, err, api.CodeBadStatement, want)
	}
}

func join(values []json.RawMessage) string {
	var out []string
	for _, v := range values {
		out = append(out, string(v))
	}
	return strings.Join(out, ",")
}

// TestRestartFromTheDataDirectory: sources, queries, types and state are what they were, and queries go on.
func TestRestartFromTheDataDirectory(t *testing.T) {
	dir, bootstrap := t.TempDir(), apache.Servers(t, nil)
	s, c := startOn(t, bootstrap, dir, nil)
	execute(t, c, "CREATE TYPE money AS DECIMAL(9, 2);"+
		"CREATE STREAM sales (id INT KEY, item STRING, price money) WITH (KAFKA_TOPIC='sales', VALUE_FORMAT='JSON', PARTITIONS=2);"+
		"CREATE TABLE totals AS SELECT item, SUM(price) AS total FROM sales GROUP BY item;"+
		"CREATE STREAM gone (id INT KEY) WITH (KAFKA_TOPIC='gone', VALUE_FORMAT='JSON', PARTITIONS=1); DROP STREAM gone;"+
		"INSERT INTO sales (id, item, price) VALUES (1, 'pen', 1.50);")
	total := func(c *client.Client) string {
		rows, err := c.Query(t.Context(), client.Request{SQL: "SELECT total FROM totals WHERE item = 'pen';"})
		if err != nil {
			return err.Error()
		}
		defer rows.Close()
		row, ok := rows.Next()
		if !ok {
			return "no row"
		}
		return join(row.Values)
	}
	eventually(t, "the first sale is counted", func() bool { return total(c) == "1.50" })
	s.Close()

	begin := time.Now()
	_, c = startOn(t, bootstrap, dir, nil)
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("the restart took %v", took)
	}
	eventually(t, "the state is there again", func() bool { return total(c) == "1.50" })
	if streams := execute(t, c, "SHOW STREAMS;")[0].(*api.StreamsList).Streams; len(streams) != 1 || streams[0].Name != "SALES" {
		t.Errorf("streams %+v", streams)
	}
	if list := execute(t, c, "SHOW TYPES;")[0].(*api.TypeList).Types; len(list) != 1 {
		t.Errorf("types %+v", list)
	}
	execute(t, c, "INSERT INTO sales (id, item, price) VALUES (2, 'pen', 2);")
	eventually(t, "the second sale is counted", func() bool { return total(c) == "3.50" })
}

// TestBadInputIsRefusedAtOnce: whatever the text, a clear error within a bounded time.
func TestBadInputIsRefusedAtOnce(t *testing.T) {
	_, c := start(t, "", nil)
	execute(t, c, "CREATE STREAM s (id INT KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);")
	tests := map[string]string{
		"unterminated string":  "CREATE STREAM x AS SELECT 'abc FROM s;",
		"nested parentheses":   "CREATE STREAM x AS SELECT " + strings.Repeat("(", 10_000) + "1" + strings.Repeat(")", 10_000) + " FROM s;",
		"a statement of 1 MB":  "CREATE STREAM x AS SELECT " + strings.Repeat("v + ", 250_000) + "v AS w FROM s;",
		"10,001 statements":    strings.Repeat("SHOW STREAMS;\n", 10_001),
		"no SQL":               "\x00\xff\u2028",
		"unknown statement":    "SELEKT 1;",
		"unknown column":       "CREATE STREAM x AS SELECT w FROM s;",
		"wrong types":          "CREATE STREAM x AS SELECT v + 'a' AS w FROM s WHERE v = 'b';",
		"unknown function":     "CREATE STREAM x AS SELECT NOTHING(v) FROM s;",
		"no end":               "CREATE STREAM x AS SELECT v FROM s",
		"half of a statement":  "CREATE STREAM",
		"a quote and no quote": "CREATE STREAM `x AS SELECT v FROM s;",
	}
	for name, sql := range tests {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			_, err := c.Execute(t.Context(), client.Request{SQL: sql})
			var e *client.Error
			if !errors.As(err, &e) || e.Message == "" || e.Code.HTTPStatus() != 400 {
				t.Fatalf("error %v, want a refusal", err)
			}
			// A fraction of a second, on a machine with nothing else to do; what grows with the square of the text takes minutes.
			if took := time.Since(begin); took > 15*time.Second {
				t.Errorf("it took %v", took)
			}
			if len(e.Message) > 10_000 {
				t.Errorf("the message has %d bytes", len(e.Message))
			}
		})
	}
}
