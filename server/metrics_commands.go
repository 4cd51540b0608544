package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ksqlgo/ksqlgo/server/commandlog"
	"github.com/ksqlgo/ksqlgo/server/engine"
)

// commandCollector turns the command log's status into metrics, read when they are asked for.
type commandCollector struct {
	engine  *engine.Engine
	topic   *commandlog.KafkaTopic
	state   *prometheus.Desc
	applied *prometheus.Desc
	end     *prometheus.Desc
	written *prometheus.Desc
	lost    *prometheus.Desc
}

func newCommandCollector(e *engine.Engine, t *commandlog.KafkaTopic) *commandCollector {
	return &commandCollector{
		engine: e, topic: t,
		state:   prometheus.NewDesc("ksqlgo_command_log_state", "1 for the state the command log is in.", []string{"state"}, nil),
		applied: prometheus.NewDesc("ksqlgo_command_log_applied_offset", "Offset after the last command in force on this server.", nil, nil),
		end:     prometheus.NewDesc("ksqlgo_command_log_end_offset", "End of the command topic when last heard of.", nil, nil),
		written: prometheus.NewDesc("ksqlgo_command_log_written_total", "Commands written by this server since it started.", nil, nil),
		lost: prometheus.NewDesc("ksqlgo_command_log_lost_attempts_total",
			"Attempts to write a command that another server's writing made void; they are made again.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *commandCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.state, c.applied, c.end, c.written, c.lost} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *commandCollector) Collect(out chan<- prometheus.Metric) {
	status := c.engine.CommandLog()
	for _, s := range []commandlog.State{commandlog.Replaying, commandlog.Running, commandlog.Degraded, commandlog.Corrupted, commandlog.Terminated} {
		is := 0.0
		if s == status.State {
			is = 1
		}
		out <- prometheus.MustNewConstMetric(c.state, prometheus.GaugeValue, is, string(s))
	}
	written, lost := c.topic.WriteStats()
	out <- prometheus.MustNewConstMetric(c.applied, prometheus.GaugeValue, float64(status.Applied))
	out <- prometheus.MustNewConstMetric(c.end, prometheus.GaugeValue, float64(status.End))
	out <- prometheus.MustNewConstMetric(c.written, prometheus.CounterValue, float64(written))
	out <- prometheus.MustNewConstMetric(c.lost, prometheus.CounterValue, float64(lost))
}
