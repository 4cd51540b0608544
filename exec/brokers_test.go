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
	w, x, id := counting(t, brokers)
	const step = 500
	w.produce("e", 0, step, keyed)
	w.eventually("it counts", func() bool { return read(id, x) > 0 })
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
	s, _ := x.Status(id)
	for _, e := range s.Errors {
		t.Logf("error on the way: %+v", e)
	}
}

// counting starts a running count on a cluster.
func counting(t *testing.T, brokers *apache.Cluster) (w *world, x *exec.Executor, id string) {
	t.Helper()
	cluster, err := kafka.Connect(t.Context(), kafka.Config{BootstrapServers: brokers.BootstrapServers()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	w = &world{t: t, cluster: cluster, catalog: catalog.Empty(), plans: planned{}}
	plan := w.sql(events + "CREATE TABLE c WITH (PARTITIONS=6) AS SELECT g, COUNT(*) AS n FROM e GROUP BY g;")
	x = w.executor("a", state.NewMemFS())
	if err := x.Start(exec.QuerySpec{Plan: plan, Properties: everyUpdate()}); err != nil {
		t.Fatal(err)
	}
	return w, x, plan.QueryID
}

// The only broker is restarted: the query goes on by itself. (It is stopped, not killed: see apache.Cluster.Kill.)
func TestBrokerIsRestarted(t *testing.T) {
	if !apache.Wanted(t) {
		t.Skip("SKIPPED: needs Apache Kafka; set " + apache.Variable + "=apache")
	}
	brokers := apache.Start(t, apache.Options{})
	w, x, id := counting(t, brokers)
	const step = 500
	for i := range 2 {
		w.produce("e", step*i, step, keyed)
		w.eventually("it counts", func() bool { return read(id, x) > int64(step*i) })
		if err := brokers.Stop(0); err != nil {
			t.Fatal(err)
		}
		if err := brokers.Restart(0); err != nil {
			t.Fatal(err)
		}
		if err := brokers.Await(t.Context()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		w.eventually("everything is counted", func() bool { return sum(counts(t, w.records("C"), "N")) == int64(step*(i+1)) })
		t.Logf("all counted %v after the broker is back", time.Since(began).Round(10*time.Millisecond))
	}
}
