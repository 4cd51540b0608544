package server

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/peers"
)

// collector turns what executor and peers tell into metrics, read when they are asked for. docs/operations.md lists them.
// Labels are queries, tasks, partitions and servers that there are: their number is bounded by those.
type collector struct {
	sources metricSources

	records, written, errors, commits, aborts, rebalances   *prometheus.Desc
	lag, lagTime, bytes, state                              *prometheus.Desc
	taskState, restored, restoreTotal, standby, standbyTime *prometheus.Desc
	peerUp, peerSilent, draining, ready                     *prometheus.Desc
}

// metricSources is where metrics come from. The functions are safe for concurrent use.
type metricSources struct {
	statuses  func() []exec.QueryStatus
	draining  func() bool
	servers   func() []peers.Host
	readiness func() api.Readiness
	commits   *commitTimes
}

func newCollector(sources metricSources) *collector {
	query, task, partition, server := []string{"query"}, []string{"query", "task"}, []string{"query", "topic", "partition"}, []string{"node", "host"}
	desc := func(name, help string, labels []string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &collector{
		sources: sources,
		records: desc("ksqlgo_query_records_total",
			"Records read from the query's sources by the tasks on this server, by what became of them; fate=read is the sum of the others.", []string{"query", "fate"}),
		written:      desc("ksqlgo_query_records_written_total", "Records written, internal topics included.", query),
		errors:       desc("ksqlgo_query_record_errors_total", "Errors in records, one for each column or record that failed.", query),
		commits:      desc("ksqlgo_query_commits_total", "Committed intervals since the server started.", query),
		aborts:       desc("ksqlgo_query_aborts_total", "Aborted intervals since the server started.", query),
		rebalances:   desc("ksqlgo_query_rebalances_total", "Assignments of tasks since the server started.", query),
		lag:          desc("ksqlgo_query_lag_records", "Records known to be in an input partition and not processed.", partition),
		lagTime:      desc("ksqlgo_query_lag_seconds", "How long ago everything in an input partition had been processed; absent while unknown.", partition),
		bytes:        desc("ksqlgo_query_state_bytes", "Size of the query's state on disk.", query),
		state:        desc("ksqlgo_query_state", "1 for the state the query is in.", []string{"query", "state"}),
		taskState:    desc("ksqlgo_task_state", "1 for the state a task of this server is in, standbys included.", []string{"query", "task", "state"}),
		restored:     desc("ksqlgo_task_restored_rows", "Rows read from the changelogs in the restore under way, or in the last one.", task),
		restoreTotal: desc("ksqlgo_task_restore_rows", "Rows to be read from the changelogs in that restore, about.", task),
		standby:      desc("ksqlgo_standby_lag_records", "Records of its changelogs that a standby on this server is behind.", task),
		standbyTime:  desc("ksqlgo_standby_lag_seconds", "How long ago the state of a standby on this server was complete; absent before that.", task),
		peerUp:       desc("ksqlgo_peer_up", "1 for another server of the service that answers, 0 for one that does not.", server),
		peerSilent:   desc("ksqlgo_peer_silent_seconds", "How long ago another server answered last; absent before that.", server),
		draining:     desc("ksqlgo_draining", "1 while this server gives its tasks away, or has done so.", nil),
		ready:        desc("ksqlgo_ready", "1 when this server has taken up its work, as /healthcheck tells.", nil),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.records, c.written, c.errors, c.commits, c.aborts, c.rebalances, c.lag, c.lagTime, c.bytes, c.state, c.taskState, c.restored,
		c.restoreTotal, c.standby, c.standbyTime, c.peerUp, c.peerSilent, c.draining, c.ready,
	} {
		out <- d
	}
	c.sources.commits.Describe(out)
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	live := map[string]bool{}
	statuses := c.sources.statuses()
	for i := range statuses {
		live[statuses[i].ID] = true
		c.query(out, &statuses[i])
	}
	c.sources.commits.forget(live)
	c.sources.commits.Collect(out)
	c.peers(out)
	gauge(out, c.draining, oneIf(c.sources.draining()))
	gauge(out, c.ready, oneIf(c.sources.readiness().Ready))
}

func (c *collector) query(out chan<- prometheus.Metric, s *exec.QueryStatus) {
	counter := func(d *prometheus.Desc, v int64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), append([]string{s.ID}, labels...)...)
	}
	a := s.Total
	for fate, n := range map[string]int64{"read": a.Read, "emitted": a.Emitted, "filtered": a.Filtered, "merged": a.Merged,
		"late": a.Late, "null_key": a.NullKey, "error": a.Errors} {
		counter(c.records, n, fate)
	}
	counter(c.written, a.Outputs)
	counter(c.errors, a.RecordErrors)
	counter(c.commits, s.Commits)
	counter(c.aborts, s.Aborts)
	counter(c.rebalances, s.Rebalances)
	gauge(out, c.bytes, float64(s.StateBytes), s.ID)
	gauge(out, c.state, 1, s.ID, string(s.State))
	now := time.Now()
	for i := range s.Tasks {
		c.task(out, s.ID, &s.Tasks[i], now)
	}
}

func (c *collector) task(out chan<- prometheus.Metric, query string, t *exec.TaskStatus, now time.Time) {
	name := fmt.Sprintf("%d_%d", t.Stage, t.Partition)
	gauge(out, c.taskState, 1, query, name, string(t.State))
	if t.State == exec.TaskStandby {
		gauge(out, c.standby, float64(t.Lag()), query, name)
		if lag := t.LagTime(now); lag >= 0 {
			gauge(out, c.standbyTime, lag.Seconds(), query, name)
		}
		return
	}
	if len(t.Stores) > 0 {
		gauge(out, c.restored, float64(t.RestoredRows), query, name)
		gauge(out, c.restoreTotal, float64(t.RestoreTotal), query, name)
	}
	for i := range t.Inputs {
		in := &t.Inputs[i]
		partition := fmt.Sprint(in.Partition)
		gauge(out, c.lag, float64(in.Lag()), query, in.Topic, partition)
		if lag := in.LagTime(now); lag >= 0 {
			gauge(out, c.lagTime, lag.Seconds(), query, in.Topic, partition)
		}
	}
}

func (c *collector) peers(out chan<- prometheus.Metric) {
	hosts := c.sources.servers()
	for i := range hosts {
		h := &hosts[i]
		if h.Self {
			continue
		}
		name := h.Endpoint
		if h.Status != nil && h.Status.Host != "" {
			name = h.Status.Host
		}
		gauge(out, c.peerUp, oneIf(h.Alive), h.ID, name)
		if !h.LastSeen.IsZero() {
			gauge(out, c.peerSilent, max(time.Since(h.LastSeen), 0).Seconds(), h.ID, name)
		}
	}
}

func gauge(out chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
