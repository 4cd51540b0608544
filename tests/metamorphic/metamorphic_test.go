// Package metamorphic runs the same statements on the same records in many ways: with other partitions, other portions
// between commits, with and without the record cache, in another order of tasks, with intervals that are lost and state
// that is restored from its changelogs. The final rows must be the same.
package metamorphic

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	formats "github.com/ksqlgo/ksqlgo/catalog/formats/builtin"
	functions "github.com/ksqlgo/ksqlgo/catalog/functions/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/exec/sim"
	"github.com/ksqlgo/ksqlgo/server/sqltest"
)

// script is statements with the number of partitions left open ({P}, and {Q} for another one), and what is fed to them.
type script struct {
	name       string
	statements string
	feed       func(*rand.Rand) []feed
	// tables and streams are the sink topics to compare: the last row of each key, or all rows as a bag.
	tables, streams []string
}

type feed struct {
	topic, key, value string
	at                int64
}

func orders(rnd *rand.Rand, topic string, n int) []feed {
	out := make([]feed, n)
	for i := range out {
		out[i] = feed{
			topic: topic, key: fmt.Sprintf("o%d", i), at: int64(i*700 + rnd.IntN(2000)),
			value: fmt.Sprintf(`{"CUSTOMER":"c%d","ITEM":"i%d","AMOUNT":%d}`, rnd.IntN(7), rnd.IntN(5), rnd.IntN(100)),
		}
	}
	return out
}

func customers(rnd *rand.Rand, topic string, n int) []feed {
	out := make([]feed, n)
	for i := range out {
		out[i] = feed{
			topic: topic, key: fmt.Sprintf("c%d", rnd.IntN(9)), at: int64(rnd.IntN(10)),
			value: fmt.Sprintf(`{"CITY":"city%d","POINTS":%d}`, rnd.IntN(4), rnd.IntN(50)),
		}
		if rnd.IntN(8) == 0 {
			out[i].value = ""
		}
	}
	return out
}

const ordersStream = `CREATE STREAM ORDERS (ID STRING KEY, CUSTOMER STRING, ITEM STRING, AMOUNT BIGINT)
  WITH (KAFKA_TOPIC='orders', PARTITIONS={P}, FORMAT_KAFKA);`

const customersTable = `CREATE TABLE CUSTOMERS (ID STRING PRIMARY KEY, CITY STRING, POINTS BIGINT)
  WITH (KAFKA_TOPIC='customers', PARTITIONS={P}, FORMAT_KAFKA);`

var scripts = []script{
	{
		name: "repartitioned count and sum",
		statements: ordersStream + `CREATE TABLE TOTALS AS SELECT CUSTOMER, COUNT(*) AS N, SUM(AMOUNT) AS TOTAL, MAX(ITEM) AS LAST
  FROM ORDERS WHERE AMOUNT > 10 GROUP BY CUSTOMER;`,
		feed:   func(r *rand.Rand) []feed { return orders(r, "orders", 120) },
		tables: []string{"TOTALS"},
	},
	{
		name: "windows",
		statements: ordersStream + `CREATE TABLE PER_ITEM AS SELECT ITEM, COUNT(*) AS N, SUM(AMOUNT) AS TOTAL
  FROM ORDERS WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY ITEM;
CREATE TABLE HOPS AS SELECT ITEM, MIN(AMOUNT) AS LEAST FROM ORDERS WINDOW HOPPING (SIZE 10 SECONDS, ADVANCE BY 4 SECONDS) GROUP BY ITEM;
CREATE TABLE SESSIONS AS SELECT CUSTOMER, COUNT(*) AS N, SUM(AMOUNT) AS TOTAL FROM ORDERS WINDOW SESSION (3 SECONDS) GROUP BY CUSTOMER;`,
		feed:   func(r *rand.Rand) []feed { return orders(r, "orders", 120) },
		tables: []string{"PER_ITEM", "HOPS", "SESSIONS"},
	},
	{
		name: "stream-table join after a repartition",
		statements: ordersStream + customersTable + `CREATE STREAM ENRICHED AS
  SELECT O.CUSTOMER AS CUSTOMER, O.ITEM, O.AMOUNT, C.CITY FROM ORDERS O LEFT JOIN CUSTOMERS C ON O.CUSTOMER = C.ID;`,
		feed: func(r *rand.Rand) []feed {
			return append(customers(r, "customers", 40), orders(r, "orders", 80)...)
		},
		streams: []string{"ENRICHED"},
	},
	{
		name: "aggregation over a table, with HAVING",
		statements: customersTable + `CREATE TABLE CITIES AS SELECT CITY, COUNT(*) AS N, SUM(POINTS) AS POINTS FROM CUSTOMERS GROUP BY CITY;
CREATE TABLE LARGE AS SELECT CITY, COUNT(*) AS N FROM CUSTOMERS GROUP BY CITY HAVING COUNT(*) > 1;`,
		feed:   func(r *rand.Rand) []feed { return customers(r, "customers", 100) },
		tables: []string{"CITIES", "LARGE"},
	},
	{
		name: "table-table joins",
		statements: customersTable + `CREATE TABLE LIMITS (ID STRING PRIMARY KEY, MOST BIGINT) WITH (KAFKA_TOPIC='limits', PARTITIONS={P}, FORMAT_KAFKA);
CREATE TABLE BOTH AS SELECT C.ID AS ID, C.CITY, L.MOST FROM CUSTOMERS C JOIN LIMITS L ON C.ID = L.ID;
CREATE TABLE ANY_SIDE AS SELECT ROWKEY AS ID, C.CITY, L.MOST FROM CUSTOMERS C FULL OUTER JOIN LIMITS L ON C.ID = L.ID;`,
		feed: func(r *rand.Rand) []feed {
			out := customers(r, "customers", 60)
			for range 60 {
				f := feed{topic: "limits", key: fmt.Sprintf("c%d", r.IntN(9)), value: fmt.Sprintf(`{"MOST":%d}`, r.IntN(9))}
				if r.IntN(6) == 0 {
					f.value = ""
				}
				out = append(out, f)
			}
			return out
		},
		tables: []string{"BOTH", "ANY_SIDE"},
	},
	{
		name: "stream-stream join",
		statements: ordersStream + `CREATE STREAM PAYMENTS (ID STRING KEY, PAID BIGINT) WITH (KAFKA_TOPIC='payments', PARTITIONS={P}, FORMAT_KAFKA);
CREATE STREAM SETTLED AS SELECT O.ID AS ID, O.AMOUNT, P.PAID FROM ORDERS O JOIN PAYMENTS P WITHIN 1 HOUR GRACE PERIOD 1 DAY ON O.ID = P.ID;`,
		feed: func(r *rand.Rand) []feed {
			out := orders(r, "orders", 60)
			for range 60 {
				out = append(out, feed{
					topic: "payments", key: fmt.Sprintf("o%d", r.IntN(60)), value: fmt.Sprintf(`{"PAID":%d}`, r.IntN(99)), at: int64(r.IntN(60_000)),
				})
			}
			return out
		},
		streams: []string{"SETTLED"},
	},
}

var (
	allFunctions = functions.Registry()
	allFormats   = formats.Registry(schemas.None{})
)

func TestEveryWayGivesTheSameRows(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 4
	}
	for i := range scripts {
		s := &scripts[i]
		t.Run(s.name, func(t *testing.T) {
			for seed := range uint64(rounds) {
				records := s.feed(rand.New(rand.NewPCG(seed, 1)))
				want := s.run(t, records, 1, 0, sim.Schedule{})
				if len(want) == 0 {
					t.Fatal("the script gives no rows")
				}
				rnd := rand.New(rand.NewPCG(seed, 2))
				partitions, cache := 1+rnd.IntN(5), int64(rnd.IntN(2))<<20
				got := s.run(t, records, partitions, cache, sim.Schedule{
					Rand: rnd, MaxBatch: 1 + rnd.IntN(20), Kill: 0.15, Wipe: 0.4,
				})
				if !slices.Equal(got, want) {
					t.Fatalf("seed %d, %d partitions, cache %d:\n%s", seed, partitions, cache, difference(want, got))
				}
			}
		})
	}
}

// difference shows the rows that only one side has.
func difference(want, got []string) string {
	var b strings.Builder
	for _, row := range want {
		if !slices.Contains(got, row) {
			fmt.Fprintln(&b, "missing:", row)
		}
	}
	for _, row := range got {
		if !slices.Contains(want, row) {
			fmt.Fprintln(&b, "too many:", row)
		}
	}
	if b.Len() == 0 {
		fmt.Fprintf(&b, "%d rows, want %d, some more than once", len(got), len(want))
	}
	return b.String()
}

// run gives the final rows, sorted.
func (s *script) run(t *testing.T, records []feed, partitions int, cache int64, sched sim.Schedule) []string {
	t.Helper()
	w := sqltest.New(sqltest.Config{
		Functions: allFunctions, Formats: allFormats, CacheBytes: cache, ServiceID: "test_",
		Properties: map[string]string{"auto.offset.reset": "earliest"},
	})
	defer func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}()
	sql := strings.NewReplacer("{P}", fmt.Sprint(partitions), "{Q}", fmt.Sprint(1+(partitions+1)%4), "FORMAT_KAFKA", "KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON'").Replace(s.statements)
	// The records are there before the queries start, so that tables are loaded before streams move.
	text := strings.SplitAfter(sql, ";")
	for _, st := range text {
		if strings.TrimSpace(st) == "" || strings.Contains(st, "AS SELECT") || strings.Contains(st, "AS\n") {
			continue
		}
		execute(t, w, st)
	}
	for _, f := range records {
		r := sim.Record{Key: []byte(f.key), Timestamp: f.at, Partition: -1}
		if f.value != "" {
			r.Value = []byte(f.value)
		}
		w.Sim().Produce(f.topic, r)
	}
	for _, st := range text {
		if strings.Contains(st, "AS SELECT") || strings.Contains(st, "AS\n") {
			execute(t, w, st)
		}
	}
	if err := w.Sim().RunWith(sched); err != nil {
		t.Fatal(err)
	}
	for _, q := range w.Sim().Queries() {
		if a := q.Accounting(); !a.Closed() {
			t.Errorf("query %s: the accounting is open: %+v", q.ID(), a)
		}
		for _, e := range q.Errors() {
			if !strings.Contains(e.Reason, "null") {
				t.Errorf("query %s: %+v", q.ID(), e)
			}
		}
	}
	return s.rows(w)
}

func execute(t *testing.T, w *sqltest.World, statement string) {
	t.Helper()
	if err := w.Execute(statement); err != nil {
		t.Fatalf("%s\n%v", statement, err)
	}
}

func (s *script) rows(w *sqltest.World) []string {
	var out []string
	for _, name := range s.streams {
		topic, _ := w.Sim().Topic(name)
		for _, r := range topic.Records() {
			out = append(out, fmt.Sprintf("%s %q %s @%d", name, r.Key, r.Value, r.Timestamp))
		}
	}
	for _, name := range s.tables {
		topic, _ := w.Sim().Topic(name)
		last := map[string]sim.Record{}
		for _, r := range topic.Records() {
			last[string(r.Key)] = r
		}
		for key, r := range last {
			if r.Value != nil {
				out = append(out, fmt.Sprintf("%s %q %s", name, key, r.Value))
			}
		}
	}
	slices.Sort(out)
	return out
}
