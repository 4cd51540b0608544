package server

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/peers"
)

// fakeSources are a server with one task that runs, one that restores and a standby, and two other servers.
func fakeSources(now time.Time) metricSources {
	input := func(p int32, committed, end int64, reached time.Time) []exec.InputStatus {
		return []exec.InputStatus{{TopicPartition: kafka.TopicPartition{Topic: "t", Partition: p}, Committed: committed, End: end, Reached: reached}}
	}
	status := exec.QueryStatus{ID: "Q", State: exec.Restoring, Commits: 5, Aborts: 1, Rebalances: 2, Tasks: []exec.TaskStatus{
		{Partition: 0, State: exec.TaskRunning, Inputs: input(0, 4, 9, now.Add(-time.Hour)), Stores: []exec.StoreStatus{{Store: "S"}}},
		{Partition: 1, State: exec.TaskRestoring, RestoredRows: 3, RestoreTotal: 10, Inputs: input(1, 0, 0, time.Time{}), Stores: []exec.StoreStatus{{Store: "S"}}},
		{Partition: 2, State: exec.TaskStandby, Stores: []exec.StoreStatus{{Store: "S", Position: 5, End: 7}}},
	}}
	status.Total.Read = 42
	return metricSources{
		statuses: func() []exec.QueryStatus { return []exec.QueryStatus{status} },
		draining: func() bool { return true },
		servers: func() []peers.Host {
			return []peers.Host{{Node: peers.Node{ID: "self"}, Self: true, Alive: true},
				{Node: peers.Node{ID: "up", Endpoint: "u:9"}, Alive: true, LastSeen: now, Status: &peers.Status{Host: "u:8088"}},
				{Node: peers.Node{ID: "never", Endpoint: "n:9"}}}
		},
		readiness: func() api.Readiness { return api.Readiness{NotReady: []string{"x"}} },
		commits:   newCommitTimes(),
	}
}

// scrape reads the metrics as Prometheus does: a line each.
func scrape(t *testing.T, c prometheus.Collector) []string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return slices.DeleteFunc(strings.Split(w.Body.String(), "\n"), func(line string) bool { return line == "" || line[0] == '#' })
}

// named are the lines of one metric.
func named(lines []string, name string) []string {
	var out []string
	for _, line := range lines {
		if n := strings.IndexAny(line, "{ "); line[:n] == name {
			out = append(out, line)
		}
	}
	return out
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	lines := scrape(t, newCollector(fakeSources(time.Now())))
	tests := map[string][]string{
		"ksqlgo_draining":               {`ksqlgo_draining 1`},
		"ksqlgo_ready":                  {`ksqlgo_ready 0`},
		"ksqlgo_peer_up":                {`ksqlgo_peer_up{host="n:9",node="never"} 0`, `ksqlgo_peer_up{host="u:8088",node="up"} 1`},
		"ksqlgo_query_state":            {`ksqlgo_query_state{query="Q",state="RESTORING"} 1`},
		"ksqlgo_query_lag_records":      {`ksqlgo_query_lag_records{partition="0",query="Q",topic="t"} 5`, `ksqlgo_query_lag_records{partition="1",query="Q",topic="t"} 0`},
		"ksqlgo_query_commits_total":    {`ksqlgo_query_commits_total{query="Q"} 5`},
		"ksqlgo_query_aborts_total":     {`ksqlgo_query_aborts_total{query="Q"} 1`},
		"ksqlgo_query_rebalances_total": {`ksqlgo_query_rebalances_total{query="Q"} 2`},
		"ksqlgo_task_restored_rows":     {`ksqlgo_task_restored_rows{query="Q",task="0_0"} 0`, `ksqlgo_task_restored_rows{query="Q",task="0_1"} 3`},
		"ksqlgo_task_restore_rows":      {`ksqlgo_task_restore_rows{query="Q",task="0_0"} 0`, `ksqlgo_task_restore_rows{query="Q",task="0_1"} 10`},
		"ksqlgo_standby_lag_records":    {`ksqlgo_standby_lag_records{query="Q",task="0_2"} 2`},
		"ksqlgo_standby_lag_seconds":    nil, // it was never complete
		"ksqlgo_task_state":             {`ksqlgo_task_state{query="Q",state="RESTORING",task="0_1"} 1`, `ksqlgo_task_state{query="Q",state="RUNNING",task="0_0"} 1`, `ksqlgo_task_state{query="Q",state="STANDBY",task="0_2"} 1`},
	}
	for name, want := range tests {
		if have := named(lines, name); !slices.Equal(have, want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(have, "\n"), strings.Join(want, "\n"))
		}
	}
	// One partition was an hour behind, the other is not known; one server was never heard.
	if have := named(lines, "ksqlgo_query_lag_seconds"); len(have) != 1 || !strings.HasPrefix(have[0], `ksqlgo_query_lag_seconds{partition="0",query="Q",topic="t"} 3600`) {
		t.Errorf("lags in time %v", have)
	}
	if have := named(lines, "ksqlgo_peer_silent_seconds"); len(have) != 1 {
		t.Errorf("silences %v", have)
	}
}

// TestCommitTimes counts commits, and forgets a query that is gone.
func TestCommitTimes(t *testing.T) {
	t.Parallel()
	s := fakeSources(time.Now())
	s.commits.observe("Q", 20*time.Millisecond, 120*time.Millisecond)
	s.commits.observe("GONE", 20*time.Millisecond, 120*time.Millisecond)
	c := newCollector(s)
	scrape(t, c)
	s.commits.observe("Q", time.Second, time.Second)
	lines := scrape(t, c)
	for name, want := range map[string]string{
		"ksqlgo_query_commit_duration_seconds_count": `ksqlgo_query_commit_duration_seconds_count{query="Q"} 2`,
		"ksqlgo_query_commit_duration_seconds_sum":   `ksqlgo_query_commit_duration_seconds_sum{query="Q"} 1.02`,
		"ksqlgo_query_commit_interval_seconds_sum":   `ksqlgo_query_commit_interval_seconds_sum{query="Q"} 1.12`,
	} {
		if have := named(lines, name); !slices.Equal(have, []string{want}) {
			t.Errorf("%v, want %s", have, want)
		}
	}
}

// TestMetricsAreDocumented holds the names against docs/operations.md, both ways.
func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(ksqlgo_[a-z_]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		documented[m[1]] = true
	}
	var names []string
	descs := make(chan *prometheus.Desc, 100)
	newCollector(fakeSources(time.Now())).Describe(descs)
	newCommandCollector(nil, nil).Describe(descs)
	close(descs)
	for d := range descs {
		name := regexp.MustCompile(`fqName: "([^"]+)"`).FindStringSubmatch(d.String())[1]
		if names = append(names, name); !documented[name] {
			t.Errorf("docs/operations.md does not list %s", name)
		}
	}
	for name := range documented {
		if !slices.Contains(names, name) {
			t.Errorf("docs/operations.md lists %s, which there is none of", name)
		}
	}
}
