package e2e

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"log/slog"

	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/tests/apache"
	"github.com/ksqlgo/ksqlgo/tests/topics"
)

// TestBadInput feeds records that cannot be read among good ones. Each of them is accounted for and told with topic,
// partition, offset and reason; the query goes on and the good ones come through.
func TestBadInput(t *testing.T) {
	ctx := within(t, 60*time.Second)
	log := newJournal()
	w := start(ctx, t, server.Config{Logger: slog.New(log), BootstrapServers: apache.Servers(t, apache.LargeRecords())})
	w.execute(ctx, t, `
		CREATE STREAM readings (sensor VARCHAR KEY, reading INT, place STRUCT<lat DOUBLE>)
			WITH (KAFKA_TOPIC = 'readings', VALUE_FORMAT = 'JSON', PARTITIONS = 1);
		CREATE TABLE sensors AS SELECT sensor, COUNT(*) AS n, SUM(reading) AS total FROM readings GROUP BY sensor EMIT CHANGES;
		CREATE STREAM copy AS SELECT sensor, reading * 2 AS twice, place->lat AS lat FROM readings EMIT CHANGES;`)

	deep := []byte(`{"reading":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`)
	huge := append([]byte(`{"reading":1,"note":"`), bytes.Repeat([]byte("x"), 50<<20)...) // And no end.
	bad := []struct {
		name  string
		value []byte
	}{
		{"broken JSON", []byte(`{"reading":`)},
		{"no JSON", []byte("\xff\xfe\x00")},
		{"text for a number", []byte(`{"reading":"many"}`)},
		{"out of range", []byte(`{"reading":99999999999}`)},
		{"far out of range", []byte(`{"reading":1e999}`)},
		{"an array at the top", []byte(`[1,2,3]`)},
		{"deep", deep},
		{"huge", huge},
		// Columns that no query reads are not looked at: the table does not mind this one.
		{"a number for a struct", []byte(`{"reading":1,"place":7}`)},
	}
	good := func(n int) *kgo.Record {
		return &kgo.Record{Topic: "readings", Key: []byte("s1"), Value: fmt.Appendf(nil, `{"reading":%d,"place":{"lat":1.5}}`, n)}
	}
	list := []*kgo.Record{good(1)}
	for _, b := range bad {
		list = append(list, &kgo.Record{Topic: "readings", Key: []byte("s1"), Value: b.value}, good(1))
	}
	list = append(list, &kgo.Record{Topic: "readings", Value: []byte(`{"reading":1}`)}) // A null key.
	for _, r := range list {
		if err := topics.Write(ctx, w.kafka(), r); err != nil {
			t.Fatal(err)
		}
	}
	w.caughtUp(ctx, t)

	told := map[string]map[int64]string{}
	for len(log.records) > 0 {
		e := <-log.records
		source := e["logger"].String()
		if e["topic"].String() != "readings" || e["partition"].Int64() != 0 || e["reason"].String() == "" {
			t.Errorf("record error %v", e)
		}
		if told[source] == nil {
			told[source] = map[int64]string{}
		}
		told[source][e["offset"].Int64()] = e["reason"].String()
	}
	if len(told) != 2 {
		t.Errorf("errors told by %d queries, want 2: %v", len(told), told)
	}
	for source, reasons := range told {
		for i, b := range bad {
			offset := int64(1 + 2*i)
			if whole := strings.Contains(source, "COPY"); reasons[offset] == "" && (whole || i < len(bad)-1) {
				t.Errorf("%s: nothing is told of %s at offset %d", source, b.name, offset)
			}
			t.Logf("%s: %s: %.160s", source, b.name, reasons[offset])
		}
	}
	failed := int64(len(bad))
	for source, want := range map[string]map[string]int64{
		"sensors": {"records-read": int64(len(list)), "records-failed": failed - 1, "records-null-key": 1},
		"copy":    {"records-read": int64(len(list)), "records-failed": failed, "records-emitting": failed + 2},
	} {
		d, err := w.describe(ctx, source)
		if err != nil {
			t.Fatal(err)
		}
		have := statistics(d)
		for name, n := range want {
			if have[name] != n {
				t.Errorf("%s: %s is %d, want %d (%v)", source, name, have[name], n, have)
			}
		}
	}
	w.expect(ctx, t, "SELECT sensor, n, total FROM sensors;", true, []string{fmt.Sprintf(`"s1" | %d | %d`, failed+2, failed+2)})
}

// TestLargeValue passes a good value of 20 MB through a query.
func TestLargeValue(t *testing.T) {
	ctx := within(t, 60*time.Second)
	w := start(ctx, t, server.Config{BootstrapServers: apache.Servers(t, apache.LargeRecords())})
	w.execute(ctx, t, `
		CREATE STREAM documents (id VARCHAR KEY, body VARCHAR) WITH (KAFKA_TOPIC = 'documents', VALUE_FORMAT = 'JSON', PARTITIONS = 2);
		CREATE TABLE sizes AS SELECT id, MAX(LEN(body)) AS length, COUNT(*) AS n FROM documents GROUP BY id EMIT CHANGES;
		CREATE STREAM passed AS SELECT * FROM documents EMIT CHANGES;`)
	const size = 20 << 20
	value := append([]byte(`{"body":"`), bytes.Repeat([]byte("x"), size)...)
	value = append(value, `"}`...)
	for _, v := range [][]byte{[]byte(`{"body":"small"}`), value, []byte(`{"body":"small"}`)} {
		if err := topics.Write(ctx, w.kafka(), &kgo.Record{Topic: "documents", Key: []byte("a"), Value: v}); err != nil {
			t.Fatal(err)
		}
	}
	w.expect(ctx, t, "SELECT id, length, n FROM sizes;", true, []string{fmt.Sprintf(`"a" | %d | 3`, size)})
	var sizes []int
	w.caughtUp(ctx, t)
	if err := topics.Read(ctx, w.kafka(), "PASSED", func(r *kgo.Record) { sizes = append(sizes, len(r.Value)) }); err != nil {
		t.Fatal(err)
	}
	if len(sizes) != 3 || sizes[1] < size {
		t.Errorf("values of %v bytes came through", sizes)
	}
}
