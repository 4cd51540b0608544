package commandlog

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// history writes n commands to the topic, each in a batch of its own as servers do: streams and queries are made, and two
// thirds of them dropped again. It returns the numbers of sources and queries that are left.
func history(t testing.TB, cluster *kafka.Cluster, n int) (sources, queries int) {
	t.Helper()
	open(t, cluster, serverOptions{}).stop() // Creates the topic.
	p, err := cluster.NewProducer(t.Context(), kafka.ProducerConfig{Name: "history", TransactionalID: TopicName("test_"),
		TransactionTimeout: 2 * time.Minute, BatchBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var columns []types.Column
	for i := range 20 {
		columns = append(columns, types.Column{Name: fmt.Sprintf("COLUMN_%d", i), Type: types.StringType})
	}
	// A plan of a join with an aggregate has about this size.
	plan, err := json.Marshal(map[string]any{"stages": strings.Split(strings.Repeat("a column of a plan,", 250), ",")})
	if err != nil {
		t.Fatal(err)
	}
	put := func(id ID, c *Command) {
		key, value, err := encodeRecord(id, c)
		if err != nil {
			t.Fatal(err)
		}
		p.Produce(TopicName("test_"), 0, key, value, 0, nil)
	}
	for i := 0; i < n; i += 3 {
		name := fmt.Sprintf("SOURCE_%d", i)
		c := source(name)
		c.Source.Schema.Value = columns
		put(idOf(name), c)
		q := &catalog.Query{ID: fmt.Sprintf("CSAS_SINK_%d", i), Kind: catalog.CreateAsQuery, Sink: fmt.Sprintf("SINK_%d", i), Sources: []string{name}}
		sink := source(q.Sink)
		sink.Source.CreatedBy = q.ID
		sink.Source.Schema.Value = columns
		put(idOf(q.Sink), &Command{Action: StartQuery, Statement: "CREATE STREAM AS …", Query: q, Source: sink.Source, Plan: plan})
		sources, queries = sources+2, queries+1
		switch i % 9 {
		case 0:
			put(ID{"stream", q.Sink, "drop"}, &Command{Action: DropSource, Name: q.Sink})
			sources, queries = sources-1, queries-1
		case 3:
			put(ID{"terminate", q.ID, "execute"}, &Command{Action: TerminateQuery, Name: q.ID})
			queries--
		case 6:
			put(ID{"pause", q.ID, "execute"}, &Command{Action: PauseQuery, Name: q.ID})
		}
	}
	if err := p.CommitTransaction(t.Context(), kafka.Member{}, nil); err != nil {
		t.Fatal(err)
	}
	return sources, queries
}

// A server that joins late has 10,000 commands replayed in seconds, with and without a backup to write and to compare.
// The bounds are far from what an idle machine takes (see BenchmarkReplay): they are there for what is quadratic.
func TestReplayOfALongHistory(t *testing.T) {
	t.Parallel()
	cluster, dir := connect(t), t.TempDir()
	sources, queries := history(t, cluster, 10_000)
	for _, with := range []struct {
		name   string
		backup *BackupConfig
	}{{"no backup", nil}, {"a backup to write", backupIn(dir)}, {"a backup to compare", backupIn(dir)}} {
		began := time.Now()
		s := open(t, cluster, serverOptions{backup: with.backup})
		took := time.Since(began)
		if n, m := len(s.Snapshot().Sources()), len(s.Snapshot().Queries()); n != sources || m != queries {
			t.Errorf("%s: %d sources and %d queries, want %d and %d", with.name, n, m, sources, queries)
		}
		if took > 30*time.Second {
			t.Errorf("%s: 10,000 commands were replayed in %v", with.name, took)
		}
		t.Logf("%s: %v", with.name, took.Round(time.Millisecond))
		s.stop()
	}
}

// BenchmarkReplay replays 10,000 and 20,000 commands, of 3.5 kB on average.
func BenchmarkReplay(b *testing.B) {
	for _, n := range []int{10_000, 20_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			cluster := connect(b)
			history(b, cluster, n)
			for b.Loop() {
				open(b, cluster, serverOptions{}).stop()
			}
		})
	}
}
