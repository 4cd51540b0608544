package commandlog_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
	"github.com/ksqlgo/ksqlgo/tests/apache"
)

// node is a server with a client of it.
type node struct {
	*server.Server
	client *client.Client
}

func start(t *testing.T, brokers []string, dir string) *node {
	t.Helper()
	s, err := server.Start(t.Context(), server.Config{BootstrapServers: brokers, ServiceID: "storm_", Listener: "http://127.0.0.1:0", DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	c, err := client.New(client.Config{URL: s.URL()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return &node{s, c}
}

func (n *node) execute(t *testing.T, sql string) (api.Entities, error) {
	return n.client.Execute(t.Context(), client.Request{SQL: sql})
}

// state is the catalog as clients see it.
func (n *node) state(t *testing.T) string {
	t.Helper()
	entities, err := n.execute(t, "SHOW STREAMS; SHOW TYPES; SHOW QUERIES;")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range entities[0].(*api.StreamsList).Streams {
		out = append(out, s.Name)
	}
	for name, schema := range entities[1].(*api.TypeList).Types {
		out = append(out, "type "+name+" "+schema.Type)
	}
	for _, q := range entities[2].(*api.Queries).Queries {
		out = append(out, "query "+q.ID)
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// Four servers take 50 and more statements each at once. Each makes and drops streams and types of its own, and all of them
// race for the same names, of which one may win each time. None is lost, none wins twice, and all servers, and one that joins
// later, have the same catalog in the end.
func TestStormOfStatements(t *testing.T) {
	t.Parallel()
	brokers, dir := apache.Bootstrap(t), t.TempDir()
	const servers, rounds = 4, 11
	var nodes []*node
	for i := range servers {
		nodes = append(nodes, start(t, brokers, fmt.Sprint(dir, "/", i)))
	}
	if _, err := nodes[0].execute(t, "CREATE STREAM source (v STRING) WITH (KAFKA_TOPIC='source', VALUE_FORMAT='JSON', PARTITIONS=1);"); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	winners := map[string]int{}
	statements := 0
	began := time.Now()
	var wg sync.WaitGroup
	for i, n := range nodes {
		wg.Go(func() {
			for r := range rounds {
				for _, sql := range []string{
					fmt.Sprintf("CREATE STREAM own_%d_%d (v STRING) WITH (KAFKA_TOPIC='source', VALUE_FORMAT='JSON');", i, r),
					fmt.Sprintf("CREATE TYPE t_%d_%d AS STRUCT<a INT>;", i, r),
					fmt.Sprintf("CREATE STREAM passing_%d_%d (v STRING) WITH (KAFKA_TOPIC='source', VALUE_FORMAT='JSON');", i, r),
					fmt.Sprintf("DROP STREAM passing_%d_%d;", i, r),
				} {
					if err := retrying(func() error { _, err := n.execute(t, sql); return err }); err != nil {
						t.Errorf("server %d: %s: %v", i, sql, err)
					}
				}
				shared := fmt.Sprintf("CREATE STREAM shared_%d (v%d STRING) WITH (KAFKA_TOPIC='source', VALUE_FORMAT='JSON');", r, i)
				err := retrying(func() error { _, err := n.execute(t, shared); return err })
				mu.Lock()
				statements += 5
				switch {
				case err == nil:
					winners[fmt.Sprint("SHARED_", r)]++
				case !strings.Contains(err.Error(), "already exists"):
					t.Errorf("server %d: %s: %v", i, shared, err)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	for r := range rounds {
		if n := winners[fmt.Sprint("SHARED_", r)]; n != 1 {
			t.Errorf("%d servers were told that they made SHARED_%d", n, r)
		}
	}
	// A statement is validated after all those before it were applied: then this server has them all.
	if _, err := nodes[0].execute(t, "CREATE TYPE last AS STRUCT<a INT>;"); err != nil {
		t.Fatal(err)
	}
	want := nodes[0].state(t)
	if n := strings.Count(want, "OWN_") + strings.Count(want, "type T_"); n != 2*servers*rounds || strings.Contains(want, "PASSING") {
		t.Errorf("%d of %d are there, and of those that were dropped: %v", n, 2*servers*rounds, strings.Contains(want, "PASSING"))
	}
	late := start(t, brokers, fmt.Sprint(dir, "/late"))
	for i, n := range append(nodes, late) {
		eventually(t, fmt.Sprintf("server %d has the catalog of server 0", i), func() bool { return n.state(t) == want })
	}
	t.Logf("%d statements at %d servers in %v", statements, servers, took.Round(time.Millisecond))
}

// eventually polls until done.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		if time.Now().After(deadline) {
			t.Fatal("it never happens: " + what)
		}
		<-tick.C
	}
}

// retrying does again what the servers ask to be done again, as clients do.
func retrying(try func() error) error {
	for {
		err := try()
		var answer *client.Error
		if !errors.As(err, &answer) || answer.Code.HTTPStatus() != http.StatusServiceUnavailable {
			return err
		}
	}
}
