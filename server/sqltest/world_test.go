package sqltest

import (
	"encoding/json"
	"strings"
	"testing"

	formats "github.com/ksqlgo/ksqlgo/catalog/formats/builtin"
	functions "github.com/ksqlgo/ksqlgo/catalog/functions/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/exec/sim"
)

// newWorld makes a world that is closed with the test.
func newWorld(t *testing.T) *World {
	t.Helper()
	w := New(Config{
		Functions: functions.Registry(), Formats: formats.Registry(schemas.None{}), ServiceID: "test",
		Properties: map[string]string{"auto.offset.reset": "earliest"},
	})
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func TestWorldRunsAChainOfQueries(t *testing.T) {
	w := newWorld(t)
	err := w.Execute(`
		CREATE STREAM S (ID STRING KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
		CREATE STREAM BIG AS SELECT * FROM S WHERE V > 1;
		CREATE TABLE N AS SELECT V, COUNT(*) AS N FROM BIG GROUP BY V;
		INSERT INTO S (ID, V, ROWTIME) VALUES ('a', 2, 7);
		CREATE STREAM GONE AS SELECT * FROM S;
		DROP STREAM GONE;`)
	if err != nil {
		t.Fatal(err)
	}
	at := int64(9)
	in, err := w.Produce(Record{Topic: "s", Key: json.RawMessage(`"b"`), Value: json.RawMessage(`{"V":2}`), Timestamp: &at})
	if err != nil {
		t.Fatal(err)
	}
	stored, _ := w.Sim().Topic("s")
	if err := w.Feed([]Input{{Topic: "s", Record: stored.Records()[0]}, in}); err != nil {
		t.Fatal(err)
	}
	first := int64(7)
	want := []Record{
		{Key: json.RawMessage(`2`), Value: json.RawMessage(`{"N":1}`), Timestamp: &first},
		{Key: json.RawMessage(`2`), Value: json.RawMessage(`{"N":2}`), Timestamp: &at},
	}
	topic, _ := w.Sim().Topic("N")
	if err := w.CompareTopic("N", want, topic.Records()); err != nil {
		t.Error(err)
	}
	if err := w.CompareTopic("N", want[:1], topic.Records()); err == nil {
		t.Error("a record too many was not noticed")
	}
	if got := strings.Join(w.InternalTopics(), " "); !strings.Contains(got, "repartition") || !strings.Contains(got, "changelog") {
		t.Errorf("internal topics: %s", got)
	}
	if len(w.Sim().Queries()) != 2 {
		t.Errorf("%d queries run", len(w.Sim().Queries()))
	}
	if err := w.Execute("DROP STREAM NOWHERE;"); err == nil {
		t.Error("a source that is not there was dropped")
	}
}

func TestWindowedKeys(t *testing.T) {
	w := New(Config{Functions: functions.Registry(), Formats: formats.Registry(schemas.None{})})
	defer func() { _ = w.Close() }()
	if err := w.Execute(`CREATE STREAM S (ID STRING KEY, V INT)
		WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1, WINDOW_TYPE='SESSION');`); err != nil {
		t.Fatal(err)
	}
	r := Record{Topic: "s", Key: json.RawMessage(`"b"`), Value: json.RawMessage(`{"V":2}`), Window: &Window{Start: 1, End: 5, Session: true}}
	in, err := w.Produce(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.CompareTopic("s", []Record{r}, []sim.Record{in.Record}); err != nil {
		t.Error(err)
	}
	r.Window = &Window{Start: 1, End: 6, Session: true}
	if err := w.CompareTopic("s", []Record{r}, []sim.Record{in.Record}); err == nil {
		t.Error("another window was not noticed")
	}
}

// A query that is replaced reads what was there before with the old plan, and goes on with its rows.
func TestReplacedQuery(t *testing.T) {
	w := newWorld(t)
	err := w.Execute(`
		CREATE STREAM S (ID STRING KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
		CREATE TABLE N AS SELECT ID, COUNT(*) AS N FROM S GROUP BY ID;
		INSERT INTO S (ID, V, ROWTIME) VALUES ('a', 1, 7);
		CREATE OR REPLACE TABLE N AS SELECT ID, COUNT(*) AS N, COUNT(*) * 10 AS TENFOLD FROM S WHERE V > 1 GROUP BY ID;
		INSERT INTO S (ID, V, ROWTIME) VALUES ('a', 1, 8);
		INSERT INTO S (ID, V, ROWTIME) VALUES ('a', 2, 9);
		ALTER STREAM S ADD COLUMN MORE STRING;`)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Sim().Run(); err != nil {
		t.Fatal(err)
	}
	before, after := int64(7), int64(9)
	topic, _ := w.Sim().Topic("N")
	want := []Record{
		{Key: json.RawMessage(`"a"`), Value: json.RawMessage(`{"N":1}`), Timestamp: &before},
		{Key: json.RawMessage(`"a"`), Value: json.RawMessage(`{"N":2,"TENFOLD":20}`), Timestamp: &after},
	}
	if err := w.CompareTopic("N", want, topic.Records()); err != nil {
		t.Error(err)
	}
}

// A source table runs a query of its own, whose rows outlive the disk and which ends with the table. A stream over the same
// topic stays the one the topic belongs to.
func TestSourceTable(t *testing.T) {
	w := newWorld(t)
	err := w.Execute(`
		CREATE SOURCE TABLE T (ID STRING PRIMARY KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=2);
		CREATE STREAM S (ID STRING KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
		INSERT INTO S (ID, V) VALUES ('a', 1);
		INSERT INTO S (ID, V) VALUES ('b', 2);
		INSERT INTO S (ID, V) VALUES ('a', 3);`)
	if err != nil {
		t.Fatal(err)
	}
	q, ok := w.Sim().Query("CST_T_0")
	if !ok {
		t.Fatal("the table has no query")
	}
	if src, _ := w.SourceOf("s"); src.Name != "S" {
		t.Errorf("the topic belongs to %s", src.Name)
	}
	rows := func() (n int) {
		t.Helper()
		s, err := q.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		list, err := s.Range(1, []int32{0, 1}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer list.Close()
		for list.Next() {
			n++
		}
		return n
	}
	if err := w.Sim().Run(); err != nil {
		t.Fatal(err)
	}
	if n, a := rows(), q.Accounting(); n != 2 || a.Read != 3 || a.Merged != 3 {
		t.Errorf("%d rows are kept, and the accounting is %+v", n, a)
	}
	if err := q.Wipe(); err != nil {
		t.Fatal(err)
	}
	if err := w.Sim().Run(); err != nil {
		t.Fatal(err)
	}
	if n, a := rows(), q.Accounting(); n != 2 || a.Read != 0 {
		t.Errorf("after the loss of the disk %d rows are kept, and %d records were read again", n, a.Read)
	}
	if got := w.InternalTopics(); len(got) != 1 || !strings.HasSuffix(got[0], "CST_T_0-KsqlTopic-Reduce-changelog") {
		t.Errorf("internal topics %v", got)
	}
	if err := w.Execute("DROP TABLE T;"); err != nil {
		t.Fatal(err)
	}
	if n := len(w.Sim().Queries()); n != 0 {
		t.Errorf("%d queries run after the table was dropped", n)
	}
}
