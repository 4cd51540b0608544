package e2e

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
	"github.com/ksqlgo/ksqlgo/tests/apache"
)

// quick lets queries commit often, so that many rounds take little time.
var quick = api.Properties{"auto.offset.reset": "earliest", "commit.interval.ms": 5}

// writeIn runs statements within a session.
func (w *world) writeIn(ctx context.Context, t *testing.T, session *client.Consistency, sql string) {
	t.Helper()
	if _, err := w.client.Execute(ctx, client.Request{SQL: sql, Properties: quick, Consistency: session}); err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
}

// askIn runs a query that ends within a session.
func (w *world) askIn(ctx context.Context, session *client.Consistency, sql string, properties api.Properties) ([]string, error) {
	rows, err := w.client.QueryStream(ctx, client.Request{SQL: sql, Properties: properties, Consistency: session})
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

// TestReadYourWrites inserts and reads again and again: whatever lies between the stream and the table, the answer contains
// the row that was just written.
func TestReadYourWrites(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, setup string
		// insert takes a number, key and value; ask takes the key, and total what that key has come to.
		insert, ask string
		row         func(key string, count, total int) string
	}{
		{
			name: "its own table", setup: `CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=3);
				CREATE TABLE t AS SELECT k, COUNT(*) AS n, SUM(v) AS total FROM s GROUP BY k;`,
			insert: `INSERT INTO s (k, v) VALUES ('%s', %d);`, ask: `SELECT n, total FROM t WHERE k = '%s';`,
		},
		{
			name: "behind a repartition", setup: `CREATE STREAM s (id INT KEY, k STRING, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=3);
				CREATE TABLE t AS SELECT k, COUNT(*) AS n, SUM(v) AS total FROM s GROUP BY k;`,
			insert: `INSERT INTO s (k, v) VALUES ('%s', %d);`, ask: `SELECT n, total FROM t WHERE k = '%s';`,
		},
		{
			name: "behind another query", setup: `CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=2);
				CREATE STREAM m AS SELECT k, v FROM s WHERE v >= 0;
				CREATE TABLE t AS SELECT k, COUNT(*) AS n, SUM(v) AS total FROM m GROUP BY k;`,
			insert: `INSERT INTO s (k, v) VALUES ('%s', %d);`, ask: `SELECT n, total FROM t WHERE k = '%s';`,
		},
		{
			name: "behind queries and repartitions, at least once", setup: `SET 'processing.guarantee'='at_least_once';
				CREATE STREAM s (id INT KEY, k STRING, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=2);
				CREATE STREAM m AS SELECT k, v FROM s PARTITION BY k;
				CREATE STREAM x AS SELECT k, k + '' AS k2, v FROM m;
				CREATE TABLE t AS SELECT k2, COUNT(*) AS n, SUM(v) AS total FROM x GROUP BY k2;`,
			insert: `INSERT INTO s (k, v) VALUES ('%s', %d);`, ask: `SELECT n, total FROM t WHERE k2 = '%s';`,
		},
		{
			name: "a whole table behind a table", setup: `CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=2);
				CREATE TABLE t0 AS SELECT k, COUNT(*) AS n, SUM(v) AS total FROM s GROUP BY k;
				CREATE TABLE t AS SELECT k, n, total FROM t0;`,
			insert: `INSERT INTO s (k, v) VALUES ('%s', %d);`, ask: `SELECT n, total FROM t WHERE k <> '' AND k LIKE '%s';`,
		},
		{
			name: "a stream that a query writes", setup: `CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=2);
				CREATE STREAM m AS SELECT k, v FROM s;`,
			insert: `INSERT INTO s (k, v) VALUES ('%s', %d);`, ask: `SELECT v FROM m WHERE k = '%s';`,
			row: func(string, int, int) string { return "" },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rounds := 200
			if testing.Short() {
				rounds = 20
			}
			ctx := within(t, 3*time.Minute)
			w := start(ctx, t, server.Config{})
			session := &client.Consistency{}
			w.writeIn(ctx, t, session, c.setup)
			counts, totals, lagged := map[string]int{}, map[string]int{}, 0
			for i := range rounds {
				key := fmt.Sprintf("key%d", rand.IntN(7))
				counts[key]++
				totals[key] += i
				w.writeIn(ctx, t, session, fmt.Sprintf(c.insert, key, i))
				ask := fmt.Sprintf(c.ask, key)
				without, _ := w.askIn(ctx, nil, ask, nil)
				have, err := w.askIn(ctx, session, ask, nil)
				if err != nil {
					t.Fatalf("round %d: %v", i, err)
				}
				if c.row != nil {
					if len(have) != counts[key] || !slices.Contains(have, fmt.Sprint(i)) {
						t.Fatalf("round %d: %q lack %d or others; wanted %d rows", i, have, i, counts[key])
					}
					continue
				}
				want := []string{fmt.Sprintf("%d | %d", counts[key], totals[key])}
				if !slices.Equal(without, want) {
					lagged++
				}
				if !slices.Equal(have, want) {
					t.Fatalf("round %d, key %s: %q; wanted %q", i, key, have, want)
				}
			}
			t.Logf("without a token %d of %d answers lagged", lagged, rounds)
		})
	}
}

// TestPositionsOfAnswers: what comes back with an answer says what it contains, and lets others ask for as much.
func TestPositionsOfAnswers(t *testing.T) {
	t.Parallel()
	ctx := within(t, time.Minute)
	w := start(ctx, t, server.Config{})
	w.writeIn(ctx, t, nil, `CREATE STREAM s (id INT KEY, k STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
		CREATE STREAM other (k STRING KEY) WITH (KAFKA_TOPIC='other', VALUE_FORMAT='JSON', PARTITIONS=1);
		CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;
		INSERT INTO s (k) VALUES ('a'); INSERT INTO s (k) VALUES ('a');`)

	// By hand: the third record is not there yet, the first two are.
	for name, token := range map[string]string{"a property": "s:0:2", "with a topic that does not matter": "other:0:9,s:0:2"} {
		if rows, err := w.askIn(ctx, nil, `SELECT n FROM t WHERE k='a';`, api.Properties{api.PropertyConsistencyToken: token}); err != nil || !slices.Equal(rows, []string{"2"}) {
			t.Errorf("%s: %q, %v", name, rows, err)
		}
	}
	began := time.Now()
	_, err := w.askIn(ctx, nil, `SELECT n FROM t WHERE k='a';`, api.Properties{api.PropertyConsistencyToken: "s:0:3", api.PropertyConsistencyTimeout: 300})
	var stale *client.Error
	if !errors.As(err, &stale) || stale.HTTPStatus != 503 || stale.Code != api.CodeStale {
		t.Fatalf("an answer from the future: %v", err)
	}
	if took := time.Since(began); took < 250*time.Millisecond || took > 3*time.Second {
		t.Errorf("it took %v; the limit was 300 ms", took)
	}
	if !strings.Contains(stale.Message, "it was to contain s:0:3, and after 300 ms query CTAS_T_") ||
		!strings.Contains(stale.Message, "has read topic s, partition 0 up to offset 2 of the 3 wanted") {
		t.Errorf("its message: %s", stale.Message)
	}
	// How far it is can be asked for.
	reader := &client.Consistency{}
	reader.Set(stale.Token)
	if rows, err := w.askIn(ctx, reader, `SELECT n FROM t WHERE k='a';`, nil); err != nil || !slices.Equal(rows, []string{"2"}) {
		t.Errorf("with the token of the error: %q, %v", rows, err)
	}

	// The token of an answer names the source behind the repartition.
	eventually(ctx, t, func() error {
		told := &client.Consistency{}
		if _, err := w.askIn(ctx, told, `SELECT n FROM t WHERE k='a';`, nil); err != nil {
			return err
		}
		return holds(told.Token(), `"s":{"0":2}`)
	})

	// A stream is read as far as its topics can be.
	_, err = w.askIn(ctx, nil, `SELECT * FROM s;`, api.Properties{api.PropertyConsistencyToken: "s:0:3", api.PropertyConsistencyTimeout: 20})
	if !errors.As(err, &stale) || !strings.Contains(stale.Message, "there is topic s, partition 0 up to offset 2 of the 3 wanted") {
		t.Errorf("a stream's answer from the future: %v", err)
	}

	for name, c := range map[string]struct{ token, message string }{
		"rubbish":             {"hello", `Invalid consistency token: "hello" is neither a consistency token nor topic:partition:offset`},
		"an unknown topic":    {"nowhere:0:1", "The consistency token names the topic nowhere, which does not exist."},
		"an unknown place":    {"s:7:1", "The consistency token names partition 7 of topic s, which has 1."},
		"a negative position": {"s:0:-1", "is negative"},
	} {
		_, err := w.askIn(ctx, nil, `SELECT n FROM t;`, api.Properties{api.PropertyConsistencyToken: c.token})
		var refused *client.Error
		if !errors.As(err, &refused) || refused.HTTPStatus != 400 || !strings.Contains(refused.Message, c.message) {
			t.Errorf("%s: %v; wanted %s", name, err, c.message)
		}
	}

	// Push queries take no notice.
	session := &client.Consistency{}
	session.Set(reader.Token())
	if rows, err := w.askIn(ctx, session, `SELECT k FROM s EMIT CHANGES LIMIT 2;`, quick); err != nil || len(rows) != 2 || session.Token() != reader.Token() {
		t.Errorf("push query: %q, %v", rows, err)
	}
}

// holds says why a token does not hold a part.
func holds(token, part string) error {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || !strings.Contains(string(b), part) {
		return fmt.Errorf("the token holds %s, %w; wanted %s", b, err, part)
	}
	return nil
}

// TestInsertsStreamToken: the token of acknowledged rows of a stream of inserts lets them be read.
func TestInsertsStreamToken(t *testing.T) {
	t.Parallel()
	ctx := within(t, time.Minute)
	w := start(ctx, t, server.Config{})
	w.writeIn(ctx, t, nil, `CREATE STREAM s (id INT KEY, k STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=4);
		CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;`)
	for round := range 20 {
		in, err := w.client.InsertStream(ctx, "s", api.Properties{api.PropertyConsistencyTokens: true})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			if err := in.Insert(map[string]any{"ID": i, "K": "a"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := in.Close(); err != nil || in.Token() == "" {
			t.Fatalf("token %q, %v", in.Token(), err)
		}
		session := &client.Consistency{}
		session.Set(in.Token())
		if rows, err := w.askIn(ctx, session, `SELECT n FROM t WHERE k='a';`, nil); err != nil || !slices.Equal(rows, []string{fmt.Sprint(10 * (round + 1))}) {
			t.Fatalf("round %d: %q, %v", round, rows, err)
		}
	}
}

// TestReadYourWritesAcrossServers: the tasks between the stream and the table are spread over two servers; the answer waits
// for those of both, whichever server is asked.
func TestReadYourWritesAcrossServers(t *testing.T) {
	t.Parallel()
	ctx := within(t, 2*time.Minute)
	cfg := server.Config{BootstrapServers: apache.Bootstrap(t)}
	worlds := []*world{start(ctx, t, cfg), start(ctx, t, cfg)}
	worlds[0].writeIn(ctx, t, nil, `CREATE STREAM s (id INT KEY, k STRING, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=4);
		CREATE STREAM m AS SELECT * FROM s WHERE v >= 0;
		CREATE TABLE t AS SELECT k, COUNT(*) AS n, SUM(v) AS total FROM m GROUP BY k;`)
	eventually(ctx, t, func() error {
		if have, err := worlds[1].ask(ctx, "SELECT k FROM t WHERE k = 'nobody';"); err != nil && strings.Contains(err.Error(), "does not exist") {
			return fmt.Errorf("%q, %w", have, err)
		}
		return nil
	})
	session := &client.Consistency{}
	counts, totals, asked := map[string]int{}, map[string]int{}, map[string]int{}
	for i := range 100 {
		key := fmt.Sprintf("key%d", rand.IntN(7))
		counts[key]++
		totals[key] += i
		worlds[i%2].writeIn(ctx, t, session, fmt.Sprintf(`INSERT INTO s (k, v) VALUES ('%s', %d);`, key, i))
		want := fmt.Sprintf("%d | %d", counts[key], totals[key])
		// A server that is asked while a task moves may refuse; what it answers is right.
		eventually(ctx, t, func() error {
			have, err := worlds[asked[key]%2].askIn(ctx, session, fmt.Sprintf(`SELECT n, total FROM t WHERE k = '%s';`, key), nil)
			if err == nil && !slices.Equal(have, []string{want}) {
				t.Fatalf("round %d, key %s: %q; wanted %s", i, key, have, want)
			}
			if err != nil {
				asked[key]++
			}
			return err
		})
	}
}
