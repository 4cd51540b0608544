package engine

import (
	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/planner/explain"
	"github.com/ksqlgo/ksqlgo/server/api"
)

// listQueries answers SHOW QUERIES: persistent queries and the push queries of this server.
func (e *Engine) listQueries(st statement, extended bool) api.Entity {
	snapshot := e.Catalog()
	if extended {
		out := &api.QueryDescriptionList{Base: base(st.Text)}
		for _, q := range snapshot.Queries() {
			out.QueryDescriptions = append(out.QueryDescriptions, e.queryDescription(snapshot, q))
		}
		return out
	}
	out := &api.Queries{Base: base(st.Text)}
	for _, q := range snapshot.Queries() {
		out.Queries = append(out.Queries, e.runningQuery(snapshot, q))
	}
	for _, p := range e.pushQueries() {
		out.Queries = append(out.Queries, api.RunningQuery{QueryString: p.sql, ID: p.id, StatusCount: api.Map[int]{api.QueryRunning: 1},
			QueryType: api.QueryPush, State: api.QueryRunning})
	}
	return out
}

// queryState is a query's state as ksqlDB names states. It comes from what the tasks report, not from what was commanded.
func (e *Engine) queryState(q *catalog.Query) (string, exec.QueryStatus) {
	status, ok := e.cfg.Runtime.Status(q.ID)
	switch {
	case !ok:
		return api.QueryError, status
	case status.State == exec.Failed:
		return api.QueryError, status
	case status.State == exec.Paused:
		return api.QueryPaused, status
	}
	return api.QueryRunning, status
}

func (e *Engine) runningQuery(s *catalog.Snapshot, q *catalog.Query) api.RunningQuery {
	state, _ := e.queryState(q)
	r := api.RunningQuery{QueryString: q.SQL, ID: q.ID, StatusCount: api.Map[int]{state: 1}, QueryType: api.QueryPersistent, State: state,
		Sinks: api.List[string]{q.Sink}}
	if sink, ok := s.Source(q.Sink); ok {
		r.SinkKafkaTopics = api.List[string]{sink.Topic}
	}
	return r
}

func (e *Engine) runningQueries(s *catalog.Snapshot, list []*catalog.Query) []api.RunningQuery {
	var out []api.RunningQuery
	for _, q := range list {
		out = append(out, e.runningQuery(s, q))
	}
	return out
}

// queryDescription is what EXPLAIN of a running query shows.
func (e *Engine) queryDescription(s *catalog.Snapshot, q *catalog.Query) api.QueryDescription {
	state, status := e.queryState(q)
	group := exec.GroupName(e.cfg.ServiceID, q.ID)
	d := api.QueryDescription{
		ID: q.ID, StatementText: q.SQL, Sources: q.Sources, Sinks: api.List[string]{q.Sink},
		KsqlHostQueryStatus: api.Map[string]{e.cfg.Host: state}, QueryType: api.QueryPersistent, State: &state, ConsumerGroupID: &group,
	}
	if sink, ok := s.Source(q.Sink); ok {
		d.Fields = fieldInfos(&sink.Schema)
		d.WindowType = windowType(sink.Window)
	}
	if plan, ok := e.plan(q.ID); ok {
		d.ExecutionPlan, d.Topology = explain.Text(plan), explain.Tree(plan)
	}
	if c, ok := e.log.Live(q.ID); ok {
		d.OverriddenProperties = api.Properties{}
		for name, value := range c.Properties {
			if e.cfg.Properties[name] != value {
				d.OverriddenProperties[name] = value
			}
		}
	}
	for _, x := range status.Errors {
		d.QueryErrors = append(d.QueryErrors, api.QueryErrorInfo{Timestamp: x.At.UnixMilli(), ErrorMessage: x.Message, Type: string(x.Class)})
	}
	for _, t := range status.Tasks {
		d.TasksMetadata = append(d.TasksMetadata, taskMetadata(t))
	}
	return d
}
