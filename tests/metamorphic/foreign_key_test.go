package metamorphic

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/exec/sim"
	"github.com/ksqlgo/ksqlgo/server/sqltest"
)

// foreignKeys joins orders with the customers that they name. The tables have different numbers of partitions.
var foreignKeys = script{
	name: "foreign-key joins",
	statements: `CREATE TABLE ORDERS (ID STRING PRIMARY KEY, CUSTOMER STRING, AMOUNT BIGINT) WITH (KAFKA_TOPIC='orders', PARTITIONS={P}, FORMAT_KAFKA);
CREATE TABLE CUSTOMERS (ID STRING PRIMARY KEY, CITY STRING, POINTS BIGINT) WITH (KAFKA_TOPIC='customers', PARTITIONS={Q}, FORMAT_KAFKA);
CREATE TABLE LIMITS (ID STRING PRIMARY KEY, MOST BIGINT) WITH (KAFKA_TOPIC='limits', PARTITIONS={P}, FORMAT_KAFKA);
CREATE TABLE MATCHED AS SELECT O.ID AS ID, O.AMOUNT, C.CITY FROM ORDERS O JOIN CUSTOMERS C ON O.CUSTOMER = C.ID;
CREATE TABLE ALL_ORDERS AS SELECT O.ID AS ID, O.AMOUNT, C.CITY FROM ORDERS O LEFT JOIN CUSTOMERS C ON C.ID = O.CUSTOMER;
CREATE TABLE LOWER AS SELECT O.ID AS ID, O.AMOUNT, C.CITY FROM ORDERS O JOIN CUSTOMERS C ON LCASE(O.CUSTOMER) = C.ID;
CREATE TABLE RICH AS SELECT O.ID AS ID, O.AMOUNT, C.CITY FROM ORDERS O LEFT JOIN CUSTOMERS C ON O.CUSTOMER = C.ID WHERE C.POINTS > 20;
CREATE TABLE PER_CITY AS SELECT C.CITY AS CITY, COUNT(*) AS N, SUM(O.AMOUNT) AS TOTAL FROM ORDERS O JOIN CUSTOMERS C ON O.CUSTOMER = C.ID GROUP BY C.CITY;
CREATE TABLE LIMITED AS SELECT O.ID AS ID, C.CITY, L.MOST FROM ORDERS O JOIN CUSTOMERS C ON O.CUSTOMER = C.ID LEFT JOIN LIMITS L ON O.ID = L.ID;`,
	feed:   orderChanges,
	tables: []string{"MATCHED", "ALL_ORDERS", "LOWER", "RICH", "PER_CITY", "LIMITED"},
}

// orderChanges are changes of few rows with few values, so that rows come back to what they were.
func orderChanges(r *rand.Rand) []feed {
	var out []feed
	for i := range 200 {
		f := feed{at: int64(i*100 + r.IntN(300))}
		switch r.IntN(5) {
		case 0, 1, 2:
			f.topic, f.key = "orders", fmt.Sprintf("o%d", r.IntN(8))
			customer := fmt.Sprintf(`"%s%d"`, []string{"c", "c", "c", "C"}[r.IntN(4)], r.IntN(4))
			if r.IntN(6) == 0 {
				customer = "null"
			}
			f.value = fmt.Sprintf(`{"CUSTOMER":%s,"AMOUNT":%d}`, customer, r.IntN(2))
		case 3:
			f.topic, f.key = "customers", fmt.Sprintf("c%d", r.IntN(4))
			f.value = fmt.Sprintf(`{"CITY":"city%d","POINTS":%d}`, r.IntN(2), r.IntN(40))
		case 4:
			f.topic, f.key, f.value = "limits", fmt.Sprintf("o%d", r.IntN(8)), fmt.Sprintf(`{"MOST":%d}`, r.IntN(3))
		}
		if r.IntN(5) == 0 {
			f.value = ""
		}
		out = append(out, f)
	}
	return out
}

type orderRow struct {
	Customer *string `json:"CUSTOMER"`
	Amount   int64   `json:"AMOUNT"`
}

type customerRow struct {
	City   string `json:"CITY"`
	Points int64  `json:"POINTS"`
}

// last is the last row of each key of a topic.
func last[T any](t *testing.T, records []feed, topic string) map[string]T {
	t.Helper()
	out := map[string]T{}
	for _, f := range records {
		if f.topic != topic {
			continue
		}
		delete(out, f.key)
		if f.value != "" {
			var row T
			if err := json.Unmarshal([]byte(f.value), &row); err != nil {
				t.Fatal(err)
			}
			out[f.key] = row
		}
	}
	return out
}

// foreignKeyModel computes the rows of all tables from the last rows of the sources.
func foreignKeyModel(t *testing.T, records []feed) []string {
	t.Helper()
	orders, customers := last[orderRow](t, records, "orders"), last[customerRow](t, records, "customers")
	limits := last[struct {
		Most int64 `json:"MOST"`
	}](t, records, "limits")
	var out []string
	add := func(table, key, value string, args ...any) {
		out = append(out, fmt.Sprintf("%s %q %s", table, key, fmt.Sprintf(value, args...)))
	}
	type sum struct{ n, total int64 }
	cities := map[string]sum{}
	for id, o := range orders {
		var c customerRow
		found := false
		if o.Customer != nil {
			c, found = customers[*o.Customer]
			lower := "c" + (*o.Customer)[1:]
			if c, ok := customers[lower]; ok {
				add("LOWER", id, `{"AMOUNT":%d,"CITY":%q}`, o.Amount, c.City)
			}
		}
		if !found {
			add("ALL_ORDERS", id, `{"AMOUNT":%d,"CITY":null}`, o.Amount)
			continue
		}
		add("ALL_ORDERS", id, `{"AMOUNT":%d,"CITY":%q}`, o.Amount, c.City)
		add("MATCHED", id, `{"AMOUNT":%d,"CITY":%q}`, o.Amount, c.City)
		if c.Points > 20 {
			add("RICH", id, `{"AMOUNT":%d,"CITY":%q}`, o.Amount, c.City)
		}
		most := "null"
		if l, ok := limits[id]; ok {
			most = fmt.Sprint(l.Most)
		}
		add("LIMITED", id, `{"CITY":%q,"MOST":%s}`, c.City, most)
		cities[c.City] = sum{cities[c.City].n + 1, cities[c.City].total + o.Amount}
	}
	for city, s := range cities {
		add("PER_CITY", city, `{"N":%d,"TOTAL":%d}`, s.n, s.total)
	}
	slices.Sort(out)
	return out
}

// TestForeignKeyJoins compares the final rows with those of the model, whatever the order in which the stages work, the
// portions, lost intervals and lost disks.
func TestForeignKeyJoins(t *testing.T) {
	rounds := 24
	if testing.Short() {
		rounds = 10
	}
	for seed := range uint64(rounds) {
		records := orderChanges(rand.New(rand.NewPCG(seed, 3)))
		want := foreignKeyModel(t, records)
		rnd := rand.New(rand.NewPCG(seed, 4))
		partitions, cache, sched := 1, int64(0), sim.Schedule{}
		if seed > 0 {
			partitions, cache = 1+rnd.IntN(5), int64(rnd.IntN(2))<<20
			sched = sim.Schedule{Rand: rnd, MaxBatch: 1 + rnd.IntN(20), Kill: 0.1 * float64(rnd.IntN(3)), Wipe: 0.4}
		}
		got := foreignKeys.run(t, records, partitions, cache, sched)
		// An aggregate whose groups have all gone stands at zero, as in ksqlDB.
		got = slices.DeleteFunc(got, func(row string) bool { return len(row) > 8 && row[:8] == "PER_CITY" && emptyGroup(row) })
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d, %d partitions, cache %d:\n%s", seed, partitions, cache, difference(want, got))
		}
	}
}

func emptyGroup(row string) bool {
	var city string
	var n, total int64
	_, err := fmt.Sscanf(row, `PER_CITY %q {"N":%d,"TOTAL":%d}`, &city, &n, &total)
	return err == nil && n == 0
}

// TestForeignKeyUpdates feeds one change after the other ("l o1 c1 @5": order o1 of customer c1 at 5; - deletes, null is no
// foreign key) and compares what each brings.
func TestForeignKeyUpdates(t *testing.T) {
	for _, c := range []struct{ name, kind, script string }{
		{"inner", "JOIN", `
			l o1 c1 @1
			r c1 x @2 -> o1 x @2
			l o1 c1 @5 -> o1 x @5
			l o2 c1 @3 -> o2 x @3
			r c1 y @4 -> o1 y @5; o2 y @4
			l o2 c2 @6 -> o2 - @6
			l o2 c2 @7 -> o2 - @7
			r c2 z @6 -> o2 z @7
			l o2 c1 @8 -> o2 y @8
			r c2 - @9
			l o2 null @10 -> o2 - @10
			l o2 null @11
			l o2 - @12
			l o3 null @12
			l o3 c1 @13 -> o3 y @13
			r c1 - @14 -> o1 - @14; o3 - @14
			r c1 - @15
			l o1 - @16 -> o1 - @16
			l o1 - @17
			r c1 w @18 -> o3 w @18`},
		{"left", "LEFT JOIN", `
			l o1 c1 @1 -> o1 null @1
			r c1 x @2 -> o1 x @2
			l o2 null @3 -> o2 null @3
			l o2 c1 @4 -> o2 x @4
			l o2 c2 @5 -> o2 null @5
			r c1 - @6 -> o1 null @6
			l o2 null @7 -> o2 null @7
			r c2 y @8
			l o2 - @9 -> o2 - @9
			l o1 - @10 -> o1 - @10
			r c1 z @11`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := sqltest.New(sqltest.Config{Functions: allFunctions, Formats: allFormats, ServiceID: "test_"})
			defer func() {
				if err := w.Close(); err != nil {
					t.Error(err)
				}
			}()
			execute(t, w, `CREATE TABLE L (ID STRING PRIMARY KEY, FK STRING) WITH (KAFKA_TOPIC='l', PARTITIONS=3, VALUE_FORMAT='JSON');
CREATE TABLE R (ID STRING PRIMARY KEY, V STRING) WITH (KAFKA_TOPIC='r', PARTITIONS=2, VALUE_FORMAT='JSON');
CREATE TABLE J AS SELECT L.ID AS ID, R.V AS V FROM L `+c.kind+` R ON L.FK = R.ID;`)
			q, out := w.Sim().Queries()[0], 0
			for _, line := range strings.Split(strings.TrimSpace(c.script), "\n") {
				in, want, _ := strings.Cut(strings.TrimSpace(line), "->")
				var topic, key, value string
				r := sim.Record{Partition: -1}
				if _, err := fmt.Sscanf(in, "%s %s %s @%d", &topic, &key, &value, &r.Timestamp); err != nil {
					t.Fatalf("%q: %v", line, err)
				}
				r.Key = []byte(key)
				if column := map[string]string{"l": "FK", "r": "V"}[topic]; value == "null" {
					r.Value = []byte(`{}`)
				} else if value != "-" {
					r.Value = fmt.Appendf(nil, `{%q:%q}`, column, value)
				}
				if err := q.Feed(topic, w.Sim().Produce(topic, r)); err != nil {
					t.Fatal(err)
				}
				got := updates(w, &out)
				if got != strings.TrimSpace(want) {
					t.Errorf("%s\ngot  %s", line, got)
				}
			}
			if a := q.Accounting(); !a.Closed() || a.Errors > 0 {
				t.Errorf("the accounting: %+v", a)
			}
		})
	}
}

// updates are the records of J from the n-th on, sorted since they come from several partitions.
func updates(w *sqltest.World, n *int) string {
	topic, _ := w.Sim().Topic("J")
	var list []string
	for _, r := range topic.Records()[*n:] {
		value := "-"
		if r.Value != nil {
			value = strings.NewReplacer(`{"V":`, "", "}", "", `"`, "").Replace(string(r.Value))
		}
		list = append(list, fmt.Sprintf("%s %s @%d", r.Key, value, r.Timestamp))
		*n++
	}
	slices.Sort(list)
	return strings.Join(list, "; ")
}
