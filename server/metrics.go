package server

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ksqlgo/ksqlgo/exec"
)

// collector turns the executor's statuses into metrics, read when they are asked for.
type collector struct {
	executor *exec.Executor
	records  *prometheus.Desc
	written  *prometheus.Desc
	errors   *prometheus.Desc
	commits  *prometheus.Desc
	aborts   *prometheus.Desc
	lag      *prometheus.Desc
	bytes    *prometheus.Desc
	state    *prometheus.Desc
}

func newCollector(x *exec.Executor) *collector {
	query := []string{"query"}
	return &collector{
		executor: x,
		records: prometheus.NewDesc("ksqlgo_query_records_total",
			"Records read from the query's sources, by what became of them; fate=read is the sum of the others.", []string{"query", "fate"}, nil),
		written: prometheus.NewDesc("ksqlgo_query_records_written_total", "Records written, internal topics included.", query, nil),
		errors:  prometheus.NewDesc("ksqlgo_query_record_errors_total", "Errors in records, one for each column or record that failed.", query, nil),
		commits: prometheus.NewDesc("ksqlgo_query_commits_total", "Committed intervals since the server started.", query, nil),
		aborts:  prometheus.NewDesc("ksqlgo_query_aborts_total", "Aborted intervals since the server started.", query, nil),
		lag: prometheus.NewDesc("ksqlgo_query_lag_records", "Records known to be in an input partition and not processed.",
			[]string{"query", "topic", "partition"}, nil),
		bytes: prometheus.NewDesc("ksqlgo_query_state_bytes", "Size of the query's state on disk.", query, nil),
		state: prometheus.NewDesc("ksqlgo_query_state", "1 for the state the query is in.", []string{"query", "state"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.records, c.written, c.errors, c.commits, c.aborts, c.lag, c.bytes, c.state} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	for _, s := range c.executor.Statuses() {
		counter := func(d *prometheus.Desc, v int64, labels ...string) {
			out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), append([]string{s.ID}, labels...)...)
		}
		gauge := func(d *prometheus.Desc, v float64, labels ...string) {
			out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{s.ID}, labels...)...)
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
		gauge(c.bytes, float64(s.StateBytes))
		gauge(c.state, 1, string(s.State))
		for _, t := range s.Tasks {
			for _, in := range t.Inputs {
				gauge(c.lag, float64(in.End-in.Committed), in.Topic, fmt.Sprint(in.Partition))
			}
		}
	}
}
