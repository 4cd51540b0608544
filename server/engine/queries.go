package engine

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/properties"
	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/planner/explain"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/peers"
	"github.com/ksqlgo/ksqlgo/server/peers/details"
)

// listQueries answers SHOW QUERIES: persistent queries on all servers, and the push queries of this server.
func (e *Engine) listQueries(ctx context.Context, st statement, extended bool) api.Entity {
	snapshot := e.Catalog()
	if extended {
		out := &api.QueryDescriptionList{Base: base(st.Text)}
		reports := e.cfg.Cluster.Ask(ctx)
		for _, q := range snapshot.Queries() {
			out.QueryDescriptions = append(out.QueryDescriptions, e.queryDescription(snapshot, q, reports))
		}
		return out
	}
	hosts := e.cfg.Cluster.Snapshot()
	out := &api.Queries{Base: base(st.Text), Queries: runningQueries(snapshot, hosts, snapshot.Queries())}
	if len(out.Queries) > 0 {
		out.Warnings = silenceWarnings(hosts, time.Now())
	}
	for _, p := range e.pushQueries() {
		out.Queries = append(out.Queries, api.RunningQuery{QueryString: p.sql, ID: p.id, StatusCount: api.Map[int]{api.QueryRunning: 1},
			QueryType: api.QueryPush, State: api.QueryRunning})
	}
	return out
}

func runningQuery(s *catalog.Snapshot, hosts []peers.Host, q *catalog.Query) api.RunningQuery {
	r := api.RunningQuery{QueryString: q.SQL, ID: q.ID, QueryType: api.QueryPersistent, Sinks: sinks(q)}
	r.StatusCount, r.State = statusCount(heard(hosts, q.ID))
	if sink, ok := s.Source(q.Sink); ok {
		r.SinkKafkaTopics = api.List[string]{sink.Topic}
	}
	return r
}

// sinks names what a query writes: one source, or none.
func sinks(q *catalog.Query) api.List[string] {
	if q.Sink == "" {
		return nil
	}
	return api.List[string]{q.Sink}
}

func runningQueries(s *catalog.Snapshot, hosts []peers.Host, list []*catalog.Query) []api.RunningQuery {
	var out []api.RunningQuery
	for _, q := range list {
		out = append(out, runningQuery(s, hosts, q))
	}
	return out
}

// queryDescription is what EXPLAIN of a running query shows.
func (e *Engine) queryDescription(s *catalog.Snapshot, q *catalog.Query, reports []details.Report) api.QueryDescription {
	hosts := told(reports, q.ID)
	_, state := statusCount(hosts)
	group := exec.GroupName(e.cfg.ServiceID, q.ID)
	d := api.QueryDescription{
		ID: q.ID, StatementText: q.SQL, Sources: q.Sources, Sinks: sinks(q), KsqlHostQueryStatus: api.Map[string]{},
		QueryType: api.QueryPersistent, State: &state, ConsumerGroupID: &group, UnresponsiveHosts: silent(hosts, time.Now()),
	}
	if result, ok := s.Source(q.Result()); ok {
		d.Fields = fieldInfos(&result.Schema)
		d.WindowType = windowType(result.Window)
	}
	plan, ok := e.plan(q.ID)
	if ok {
		d.ExecutionPlan, d.Topology = explain.Text(plan), explain.Tree(plan)
	}
	if c, ok := e.log.Live(q.ID); ok {
		d.OverriddenProperties = api.Properties{}
		for name, value := range c.Properties {
			if e.cfg.Properties[name] != value {
				d.OverriddenProperties[name] = properties.Show(name, value)
			}
		}
	}
	d.Tasks = taskRows(plan, hosts)
	for i := range hosts {
		if hosts[i].state != "" {
			d.KsqlHostQueryStatus[hostName(hosts[i].server)] = hosts[i].state
		}
		addTold(&d, &hosts[i])
	}
	slices.SortStableFunc(d.TasksMetadata, func(a, b api.TaskMetadata) int { return strings.Compare(a.TaskID, b.TaskID) })
	slices.SortStableFunc(d.QueryErrors, func(a, b api.QueryErrorInfo) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
	return d
}

// addTold adds what one server told of the query: its errors and how far its tasks are.
func addTold(d *api.QueryDescription, h *hostQuery) {
	if h.full == nil {
		return
	}
	for _, x := range h.full.Errors {
		d.QueryErrors = append(d.QueryErrors, api.QueryErrorInfo{Timestamp: x.At.UnixMilli(), ErrorMessage: x.Message, Type: string(x.Class),
			Host: hostName(h.server)})
	}
	for i := range h.full.Tasks {
		if h.full.Tasks[i].State != exec.TaskStandby {
			d.TasksMetadata = append(d.TasksMetadata, taskMetadata(&h.full.Tasks[i]))
		}
	}
}
