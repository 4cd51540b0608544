package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
	"github.com/ksqlgo/ksqlgo/tests/apache"
	"github.com/ksqlgo/ksqlgo/tests/topics"
)

// servers starts several servers of one service on a Kafka of their own (see apache.Bootstrap).
func servers(ctx context.Context, t *testing.T, n int, properties map[string]string) []*world {
	t.Helper()
	kafka := apache.Bootstrap(t)
	list := make([]*world, n)
	for i := range list {
		list[i] = start(ctx, t, server.Config{BootstrapServers: kafka, Properties: properties})
	}
	return list
}

// census is a table in six partitions with a key in most of them, and a windowed one.
const census = `
	CREATE STREAM people (city VARCHAR KEY, age INT, paid DECIMAL(12, 3), tags ARRAY<VARCHAR>)
		WITH (KAFKA_TOPIC = 'people', VALUE_FORMAT = 'JSON', PARTITIONS = 6);
	CREATE TABLE cities AS SELECT city, COUNT(*) AS n, SUM(paid) AS paid, LATEST_BY_OFFSET(tags) AS tags FROM people GROUP BY city EMIT CHANGES;
	CREATE TABLE decades AS SELECT city, COUNT(*) AS n FROM people WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY city EMIT CHANGES;`

// inhabitants are n records of each of the cities.
func inhabitants(cities, n int) []*kgo.Record {
	var list []*kgo.Record
	for i := range n {
		for c := range cities {
			list = append(list, &kgo.Record{Topic: "people", Key: fmt.Appendf(nil, "city%02d", c), Timestamp: time.UnixMilli(int64(i) * 7000),
				Value: fmt.Appendf(nil, `{"age":%d,"paid":%d.125,"tags":["a","b%d",null]}`, i, i, i)})
		}
	}
	return list
}

const cityCount = 30

// questions are pull queries over keys, ranges, windows and whole tables, and what they answer.
func questions(n int) map[string][]string {
	out := map[string][]string{}
	total, tags := 0, fmt.Sprintf(`["a","b%d",null]`, n-1)
	for i := range n {
		total += i*1000 + 125
	}
	row := func(c int) string {
		return fmt.Sprintf(`"city%02d" | %d | %d.%03d | %s`, c, n, total/1000, total%1000, tags)
	}
	var all, some []string
	for c := range cityCount {
		all = append(all, row(c))
		out[fmt.Sprintf("SELECT * FROM cities WHERE city = 'city%02d';", c)] = []string{row(c)}
		if c >= 3 && c < 12 {
			some = append(some, row(c))
		}
	}
	out["SELECT * FROM cities;"] = all
	out["SELECT * FROM cities WHERE city >= 'city03' AND city < 'city12';"] = some
	out["SELECT * FROM cities WHERE city IN ('city01', 'city02', 'nowhere', 'city25');"] = []string{row(1), row(2), row(25)}
	out["SELECT * FROM cities WHERE n < 0;"] = nil
	windows := map[int]int{}
	for i := range n {
		windows[i*7/10]++
	}
	for w, count := range windows {
		for c := range cityCount {
			const sql = "SELECT city, WINDOWSTART, n FROM decades;"
			out[sql] = append(out[sql], fmt.Sprintf(`"city%02d" | %d | %d`, c, w*10_000, count))
		}
		sql := fmt.Sprintf("SELECT city, n FROM decades WHERE city = 'city07' AND WINDOWSTART = %d;", w*10_000)
		out[sql] = []string{fmt.Sprintf(`"city07" | %d`, count)}
	}
	return out
}

// spread waits until each of the servers owns some task of the query that makes a table, and all of its tasks run.
func spread(ctx context.Context, t *testing.T, list []*world, table string, tasks int) {
	t.Helper()
	eventually(ctx, t, func() error {
		running, servers := 0, 0
		for _, h := range list[0].Peers().Snapshot() {
			own := 0
			if h.Alive && h.Status != nil {
				for _, q := range h.Status.Queries {
					for _, task := range q.Tasks {
						if strings.HasPrefix(q.ID, "CTAS_"+table) && task.State == exec.TaskRunning {
							own++
						}
					}
				}
			}
			if running += own; own > 0 {
				servers++
			}
		}
		if running != tasks || servers != len(list) {
			return fmt.Errorf("%d tasks of %s run on %d servers, want %d on %d", running, table, servers, tasks, len(list))
		}
		return nil
	})
}

// TestAnyServerAnswers asks every server everything: each gives the whole answer, wherever the rows are.
func TestAnyServerAnswers(t *testing.T) {
	t.Parallel()
	ctx := within(t, 120*time.Second)
	list := servers(ctx, t, 3, nil)
	list[0].execute(ctx, t, census)
	const n = 5
	if err := topics.Write(ctx, list[0].kafka(), inhabitants(cityCount, n)...); err != nil {
		t.Fatal(err)
	}
	spread(ctx, t, list, "CITIES", 6)
	want := questions(n)
	for sql, rows := range want {
		for _, w := range list {
			w.expect(ctx, t, sql, false, rows)
		}
	}
	// A limit holds over all servers together.
	for _, w := range list {
		rows, err := w.ask(ctx, "SELECT * FROM cities LIMIT 17;")
		if err != nil || len(rows) != 17 {
			t.Errorf("LIMIT 17: %d rows, %v", len(rows), err)
		}
	}
	// A server that is to answer alone has not all of it, and says so.
	_, err := list[0].client.Query(ctx, client.Request{SQL: "SELECT * FROM cities;", RequestProperties: api.Properties{api.RequestPullSkipForwarding: true}})
	if err == nil {
		t.Error("a part of the table was given as the whole")
	} else {
		t.Log(err)
	}
}

// TestAnswersWhileServersGo asks one server again and again while another one stops and its tasks move: every answer is whole,
// or an error that names the partitions and the hosts.
func TestAnswersWhileServersGo(t *testing.T) {
	t.Parallel()
	ctx := within(t, 180*time.Second)
	list := servers(ctx, t, 3, map[string]string{"session.timeout.ms": "6000"})
	list[0].execute(ctx, t, census)
	const n = 5
	if err := topics.Write(ctx, list[0].kafka(), inhabitants(cityCount, n)...); err != nil {
		t.Fatal(err)
	}
	spread(ctx, t, list, "CITIES", 6)
	all := questions(n)
	asked := []string{"SELECT * FROM cities;", "SELECT * FROM cities WHERE city >= 'city03' AND city < 'city12';", "SELECT * FROM cities WHERE city = 'city07';"}
	for _, sql := range asked {
		list[0].expect(ctx, t, sql, false, all[sql])
	}
	stop, stopped := make(chan struct{}), sync.WaitGroup{}
	var mu sync.Mutex
	whole, failed := 0, map[string]int{}
	for _, w := range list[:2] {
		for _, sql := range asked {
			want := slices.Sorted(slices.Values(all[sql]))
			stopped.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					rows, err := w.ask(ctx, sql)
					slices.Sort(rows)
					mu.Lock()
					switch {
					case err != nil:
						failed[err.Error()]++
					case slices.Equal(rows, want):
						whole++
					default:
						t.Errorf("a wrong answer to %s\n%s", sql, difference(rows, want))
					}
					mu.Unlock()
				}
			})
		}
	}
	began := time.Now()
	list[2].Close()
	t.Logf("closed after %s", time.Since(began))
	eventually(ctx, t, func() error {
		for _, w := range list[:2] {
			for _, sql := range asked {
				if _, err := w.ask(ctx, sql); err != nil {
					return err
				}
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if whole < 200 {
			return errors.New("too few answers yet")
		}
		return nil
	})
	t.Logf("all answered after %s", time.Since(began))
	close(stop)
	stopped.Wait()
	t.Logf("%d whole answers; errors: %v", whole, failed)
}
