package exec_test

import (
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/tests/apache"
)

// Brokers are killed one after the other while a count runs; each is back before the next one dies. Nothing is lost or
// counted twice.
func TestBrokersDie(t *testing.T) {
	if !apache.Wanted(t) || testing.Short() {
		t.Skip("SKIPPED: needs three brokers of Apache Kafka; set " + apache.Variable + "=apache")
	}
	brokers := apache.Start(t, apache.Options{Brokers: 3})
	cluster, err := kafka.Connect(t.Context(), kafka.Config{BootstrapServers: brokers.BootstrapServers()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	w := &world{t: t, cluster: cluster, catalog: catalog.Empty()}
	plan := w.sql(events + "CREATE TABLE c WITH (PARTITIONS=6) AS SELECT g, COUNT(*) AS n FROM e GROUP BY g;")
	x := w.executor("a", state.NewMemFS())
	if err := x.Start(exec.QuerySpec{Plan: plan, Properties: everyUpdate()}); err != nil {
		t.Fatal(err)
	}
	const step = 500
	w.produce("e", 0, step, keyed)
	w.eventually("it counts", func() bool { return read(plan.QueryID, x) > 0 })
	for i := range 3 {
		brokers.Kill(i)
		began := time.Now()
		w.produce("e", step*(i+1), step, keyed)
		w.eventually("it counts while a broker is down", func() bool { return sum(counts(t, w.records("C"), "N")) == int64(step*(i+2)) })
		t.Logf("broker %d down: all counted after %v", i+1, time.Since(began).Round(10*time.Millisecond))
		if err := brokers.Restart(i); err != nil {
			t.Fatal(err)
		}
		if err := brokers.Await(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s, _ := x.Status(plan.QueryID)
	for _, e := range s.Errors {
		t.Logf("error on the way: %+v", e)
	}
}
