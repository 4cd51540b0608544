package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/server/api"
)

func (p *page) queries(queries []api.RunningQuery) {
	t := newTable("Query ID", "Query Type", "Status", "Sink Name", "Sink Kafka Topic", "Query String")
	for _, q := range queries {
		t.row(q.ID, q.QueryType, statusText(q.StatusCount), strings.Join(q.Sinks, ","),
			strings.Join(q.SinkKafkaTopics, ","), strings.Join(strings.Fields(q.QueryString), " "))
	}
	p.add(t)
	p.line("For detailed information on a Query run: EXPLAIN <Query ID>;")
}

// statusText is "RUNNING:2,ERROR:1".
func statusText(count map[string]int) string {
	parts := make([]string, 0, len(count))
	for _, status := range slices.Sorted(maps.Keys(count)) {
		parts = append(parts, fmt.Sprintf("%s:%d", status, count[status]))
	}
	return strings.Join(parts, ",")
}

// query is EXPLAIN.
func (p *page) query(q *api.QueryDescription) {
	p.labelled("ID", q.ID)
	if q.QueryType != "" {
		p.labelled("Query Type", q.QueryType)
	}
	if q.StatementText != "" {
		p.labelled("SQL", q.StatementText)
	}
	if len(q.KsqlHostQueryStatus) > 0 {
		hosts := make([]string, 0, len(q.KsqlHostQueryStatus))
		for _, host := range slices.Sorted(maps.Keys(q.KsqlHostQueryStatus)) {
			hosts = append(hosts, host+"="+q.KsqlHostQueryStatus[host])
		}
		p.labelled("Host Query Status", "{"+strings.Join(hosts, ", ")+"}")
	}
	for _, h := range q.UnresponsiveHosts {
		p.labelled("Unresponsive Host", h.Host+": "+silenceText(h.SilentMs)+reasonText(h.Reason))
	}
	p.line("")
	p.schema(q.Fields, q.WindowType, false)
	p.names("Sources that this query reads from: ", q.Sources, "source")
	p.names("Sinks that this query writes to: ", q.Sinks, "sink")
	if q.ExecutionPlan != "" {
		p.section("Execution plan", "--------------")
		p.line("%s", strings.TrimRight(q.ExecutionPlan, "\n"))
	}
	if q.Topology != "" {
		p.section("Processing topology", "-------------------")
		p.line("%s", strings.TrimRight(q.Topology, "\n"))
	}
	p.overridden(q.OverriddenProperties)
	if len(q.Tasks) > 0 {
		p.taskTable(q.Tasks)
		p.taskInputs(q.Tasks)
	} else {
		p.tasks(q.TasksMetadata)
	}
	p.queryErrors(q.QueryErrors)
}

func (p *page) names(heading string, names []string, kind string) {
	if len(names) == 0 {
		return
	}
	p.section(heading, "-----------------------------------")
	for _, name := range slices.Sorted(slices.Values(names)) {
		p.line("%s", name)
	}
	p.line("\nFor %s description please run: DESCRIBE [EXTENDED] <%s>", kind, map[string]string{"source": "SourceId", "sink": "SinkId"}[kind])
}

func (p *page) overridden(properties api.Properties) {
	if len(properties) == 0 {
		return
	}
	p.section("Overridden Properties", "---------------------")
	values := properties.Strings()
	t := newTable("Property", "Value")
	for _, name := range slices.Sorted(maps.Keys(values)) {
		t.row(name, values[name])
	}
	p.add(t)
}

func (p *page) tasks(tasks []api.TaskMetadata) {
	if len(tasks) == 0 {
		return
	}
	p.section("Tasks", "-----")
	t := newTable("Task", "Topic", "Partition", "End Offset", "Committed Offset", "Lag")
	for _, task := range tasks {
		for _, o := range task.TopicOffsets {
			t.row(task.TaskID, o.TopicPartition.Topic, fmt.Sprint(o.TopicPartition.Partition),
				fmt.Sprint(o.EndOffset), fmt.Sprint(o.CommittedOffset), fmt.Sprint(o.EndOffset-o.CommittedOffset))
		}
	}
	p.add(t)
}

func (p *page) queryErrors(errors []api.QueryErrorInfo) {
	for _, e := range errors {
		p.line("")
		p.labelled("Error Date", timeText(e.Timestamp))
		if e.Host != "" {
			p.labelled("Error Host", e.Host)
		}
		p.labelled("Error Details", e.ErrorMessage)
		p.labelled("Error Type", e.Type)
	}
}
