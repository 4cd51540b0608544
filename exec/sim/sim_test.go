package sim_test

import (
	"fmt"
	"testing"

	formats "github.com/ksqlgo/ksqlgo/catalog/formats/builtin"
	functions "github.com/ksqlgo/ksqlgo/catalog/functions/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/exec/sim"
	"github.com/ksqlgo/ksqlgo/server/sqltest"
)

// TestKeysGoWhereKafkaPutsThem uses hashes that Kafka's own tests state.
func TestKeysGoWhereKafkaPutsThem(t *testing.T) {
	s := sim.New(sim.Options{})
	defer func() { _ = s.Close() }()
	const partitions = 1000
	s.CreateTopic("t", partitions)
	for key, hash := range map[string]int32{
		"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
		"a-little-bit-longer-string": -1486304829, "abc": 479470107,
	} {
		r := s.Produce("t", sim.Record{Key: []byte(key), Partition: -1})
		if want := (hash & 0x7fffffff) % partitions; r.Partition != want {
			t.Errorf("%s is in partition %d, want %d", key, r.Partition, want)
		}
	}
	first, second := s.Produce("t", sim.Record{Partition: -1}), s.Produce("t", sim.Record{Partition: -1})
	if first.Partition == second.Partition {
		t.Error("records without a key do not go round")
	}
}

// TestCrashes loses an interval, and then the disk: what is committed stays, what is not is done again.
func TestCrashes(t *testing.T) {
	w := sqltest.New(sqltest.Config{
		Functions: functions.Registry(), Formats: formats.Registry(schemas.None{}), CacheBytes: 1 << 20,
		Properties: map[string]string{"auto.offset.reset": "earliest"},
	})
	defer func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := w.Execute(`CREATE STREAM S (ID STRING KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=2);
		CREATE TABLE N AS SELECT V, COUNT(*) AS N FROM S GROUP BY V;`); err != nil {
		t.Fatal(err)
	}
	q := w.Sim().Queries()[0]
	total := 0
	for round, crash := range []func() error{q.Kill, q.Wipe, q.Kill, q.Wipe} {
		for i := range 10 {
			w.Sim().Produce("s", sim.Record{Key: fmt.Append(nil, i), Value: []byte(`{"V":7}`), Partition: -1})
			total++
		}
		if err := w.Sim().Run(); err != nil {
			t.Fatal(err)
		}
		if err := crash(); err != nil {
			t.Fatal(err)
		}
		topic, _ := w.Sim().Topic("N")
		records := topic.Records()
		want := fmt.Sprintf(`{"N":%d}`, total)
		if got := string(records[len(records)-1].Value); got != want {
			t.Errorf("round %d: %s, want %s", round, got, want)
		}
	}
	if len(q.Errors()) != 0 {
		t.Errorf("%+v", q.Errors())
	}
}
