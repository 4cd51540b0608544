package server

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// commitTimes counts how long commits take, and how long the intervals are that they close. It is safe for concurrent use.
type commitTimes struct {
	took, interval *prometheus.HistogramVec

	mu      sync.Mutex
	queries map[string]bool
}

func newCommitTimes() *commitTimes {
	histogram := func(name, help string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help,
			Buckets: []float64{.005, .01, .025, .05, .1, .15, .25, .5, 1, 2.5, 5, 10}}, []string{"query"})
	}
	return &commitTimes{
		queries: map[string]bool{},
		took:    histogram("ksqlgo_query_commit_duration_seconds", "How long commits took, from the flush of the tasks until the transaction was decided."),
		interval: histogram("ksqlgo_query_commit_interval_seconds",
			"How long committed intervals were, from their first record until the commit: how late results are at most."),
	}
}

// observe takes in one commit of a query; it is exec.Config.Committed.
func (c *commitTimes) observe(query string, took, interval time.Duration) {
	c.mu.Lock()
	c.queries[query] = true
	c.mu.Unlock()
	c.took.WithLabelValues(query).Observe(took.Seconds())
	c.interval.WithLabelValues(query).Observe(interval.Seconds())
}

// forget drops the queries that are not live.
func (c *commitTimes) forget(live map[string]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for query := range c.queries {
		if !live[query] {
			c.took.DeleteLabelValues(query)
			c.interval.DeleteLabelValues(query)
			delete(c.queries, query)
		}
	}
}

// Describe implements prometheus.Collector.
func (c *commitTimes) Describe(out chan<- *prometheus.Desc) {
	c.took.Describe(out)
	c.interval.Describe(out)
}

// Collect implements prometheus.Collector.
func (c *commitTimes) Collect(out chan<- prometheus.Metric) {
	c.took.Collect(out)
	c.interval.Collect(out)
}
