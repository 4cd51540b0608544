package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/planner/physical"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/peers"
	"github.com/ksqlgo/ksqlgo/server/peers/details"
)

// Cluster knows the servers of the service, this one included. Its methods are safe for concurrent use.
type Cluster interface {
	// Snapshot tells at once what the last heartbeats told.
	Snapshot() []peers.Host
	// Ask asks all servers for all they know of some queries; no ids ask for all queries.
	Ask(ctx context.Context, ids ...string) []details.Report
}

// hostQuery is one query on one server as that server tells it, at length or in short.
type hostQuery struct {
	server *peers.Host
	// state is the query's state as ksqlDB names states, "" when the server does not tell of the query.
	state string
	tasks []hostTask
	// full is what the server told when it was asked, nil when it was not or did not answer; at is when, by its own clock.
	full *exec.QueryStatus
	at   time.Time
}

// hostTask is a task, or a standby of one, on one server.
type hostTask struct {
	exec.TaskSummary
	lag    int64
	inputs []exec.InputStatus
}

// hostName is where the public API of a server is, or what else it is known by.
func hostName(h *peers.Host) string {
	if h.Status != nil && h.Status.Host != "" {
		return h.Status.Host
	}
	return cmp.Or(h.Endpoint, h.ID)
}

// stateOf names a query's state on a server that answers as ksqlDB does: it knows no others.
func stateOf(s exec.QueryState) string {
	switch s {
	case exec.Failed:
		return api.QueryError
	case exec.Paused:
		return api.QueryPaused
	default:
		return api.QueryRunning
	}
}

// heard is a query on the servers as heartbeats told it.
func heard(hosts []peers.Host, id string) []hostQuery {
	out := make([]hostQuery, 0, len(hosts))
	for i := range hosts {
		out = append(out, heardOf(&hosts[i], id))
	}
	return out
}

func heardOf(h *peers.Host, id string) hostQuery {
	q := hostQuery{server: h}
	said, ok := h.Status.Query(id)
	switch {
	case !h.Alive:
		q.state = api.QueryUnresponsive
	case ok:
		q.state = stateOf(said.State)
	}
	if ok {
		for i := range said.Tasks {
			t := &said.Tasks[i]
			q.tasks = append(q.tasks, hostTask{TaskSummary: t.TaskSummary, lag: t.Lag()})
		}
	}
	return q
}

// told is a query on the servers as they told when they were asked; what those said last that did not answer is from the
// heartbeats.
func told(reports []details.Report, id string) []hostQuery {
	out := make([]hostQuery, 0, len(reports))
	for i := range reports {
		r := &reports[i]
		q := hostQuery{server: &r.Server, at: r.At}
		if r.Err != nil {
			q = heardOf(&r.Server, id)
			q.state = api.QueryUnresponsive
		} else if full, ok := r.Query(id); ok {
			q.full, q.state = full, stateOf(full.State)
			for j := range full.Tasks {
				t := &full.Tasks[j]
				q.tasks = append(q.tasks, hostTask{lag: t.Remaining(), inputs: t.Inputs, TaskSummary: exec.TaskSummary{
					Stage: t.Stage, Partition: t.Partition, State: t.State, RestoredRows: t.RestoredRows, RestoreTotal: t.RestoreTotal,
					Warmup: t.Warmup, LagTime: t.LagTime(r.At),
				}})
			}
		}
		out = append(out, q)
	}
	return out
}

// statusCount counts the servers by the state the query is in there, and names one for all.
func statusCount(hosts []hostQuery) (api.Map[int], string) {
	count := api.Map[int]{}
	for i := range hosts {
		if s := hosts[i].state; s != "" {
			count[s]++
		}
	}
	for _, s := range []string{api.QueryError, api.QueryRunning, api.QueryPaused, api.QueryUnresponsive} {
		if count[s] > 0 {
			return count, s
		}
	}
	return count, api.QueryUnresponsive
}

// silent lists the servers that do not answer.
func silent(hosts []hostQuery, now time.Time) []api.SilentHost {
	var out []api.SilentHost
	for i := range hosts {
		if h := &hosts[i]; h.state == api.QueryUnresponsive {
			out = append(out, api.SilentHost{Host: hostName(h.server), SilentMs: silentMs(h.server, now), Reason: h.server.Reason})
		}
	}
	return out
}

func silentMs(h *peers.Host, now time.Time) *int64 {
	if h.LastSeen.IsZero() {
		return nil
	}
	ms := max(now.Sub(h.LastSeen).Milliseconds(), 0)
	return &ms
}

// silenceWarnings says which servers do not answer.
func silenceWarnings(hosts []peers.Host, now time.Time) []api.Warning {
	var out []api.Warning
	for i := range hosts {
		if h := &hosts[i]; !h.Alive {
			out = append(out, api.Warning{Message: silence(h, now)})
		}
	}
	return out
}

// silence says since when a server does not answer, and why.
func silence(h *peers.Host, now time.Time) string {
	last := "has not answered yet"
	if ms := silentMs(h, now); ms != nil {
		last = fmt.Sprintf("does not answer; it was last heard %s ago", (time.Duration(*ms) * time.Millisecond).Round(100*time.Millisecond))
	}
	return fmt.Sprintf("The server %s %s%s.", hostName(h), last, because(h.Reason))
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// lagMs is a lag in milliseconds, nil when it is not known.
func lagMs(d time.Duration) *int64 {
	if d < 0 {
		return nil
	}
	ms := d.Milliseconds()
	return &ms
}

// taskKey names a task of a query.
type taskKey struct {
	stage     int
	partition int32
}

func (k taskKey) String() string { return fmt.Sprintf("%d_%d", k.stage, k.partition) }

func compareTaskKeys(a, b taskKey) int {
	return cmp.Or(cmp.Compare(a.stage, b.stage), cmp.Compare(a.partition, b.partition))
}

// taskRows puts together what the servers say of the tasks of a query: a row for each task and each server that says it owns
// it, and one for a task that nobody owns. What a server said that no longer answers counts only where nobody else says that
// it owns the task.
func taskRows(plan *physical.Plan, hosts []hostQuery) []api.TaskInfo {
	owners, standbys := map[taskKey][]api.TaskInfo{}, map[taskKey][]api.StandbyInfo{}
	for i := range hosts {
		h := &hosts[i]
		for j := range h.tasks {
			t := &h.tasks[j]
			k := taskKey{t.Stage, t.Partition}
			if t.State == exec.TaskStandby {
				standbys[k] = append(standbys[k], standbyRow(h, t))
			} else {
				owners[k] = append(owners[k], ownerRow(h, t, k))
			}
		}
	}
	var out []api.TaskInfo
	for _, list := range standbys {
		slices.SortFunc(list, func(a, b api.StandbyInfo) int { return cmp.Compare(a.Host, b.Host) })
	}
	for _, k := range taskKeys(plan) {
		rows := owners[k]
		if slices.ContainsFunc(rows, isAnswered) {
			rows = slices.DeleteFunc(rows, func(r api.TaskInfo) bool { return !isAnswered(r) })
		}
		if len(rows) == 0 {
			rows = []api.TaskInfo{{TaskID: k.String(), State: api.TaskUnassigned}}
		}
		for _, r := range rows {
			r.Standbys = standbys[k]
			out = append(out, r)
		}
	}
	return out
}

func isAnswered(r api.TaskInfo) bool { return r.State != api.TaskUnresponsive }

func ownerRow(h *hostQuery, t *hostTask, k taskKey) api.TaskInfo {
	r := api.TaskInfo{TaskID: k.String(), Host: hostName(h.server), State: string(t.State), Lag: t.lag, LagMs: lagMs(t.LagTime),
		RestoredRows: t.RestoredRows, RestoreTotal: t.RestoreTotal}
	switch h.state {
	case api.QueryUnresponsive:
		r.State = api.TaskUnresponsive
	case api.QueryPaused:
		r.State = api.TaskPaused
	}
	for i := range t.inputs {
		in := &t.inputs[i]
		r.Inputs = append(r.Inputs, api.TaskInput{TopicPartition: api.TopicPartition{Topic: in.Topic, Partition: int(in.Partition)},
			CommittedOffset: in.Committed, EndOffset: in.End, Lag: in.Lag(), LagMs: lagMs(in.LagTime(h.at)), StreamTime: in.StreamTime})
	}
	return r
}

func standbyRow(h *hostQuery, t *hostTask) api.StandbyInfo {
	r := api.StandbyInfo{Host: hostName(h.server), State: api.TaskStandby, Warmup: t.Warmup, Lag: t.lag, LagMs: lagMs(t.LagTime)}
	if h.state == api.QueryUnresponsive {
		r.State = api.TaskUnresponsive
	}
	return r
}

// taskKeys lists the tasks of a plan.
func taskKeys(plan *physical.Plan) []taskKey {
	var out []taskKey
	if plan == nil {
		return nil
	}
	for _, st := range plan.Stages {
		for p := range int32(st.Partitions) {
			out = append(out, taskKey{st.ID, p})
		}
	}
	slices.SortFunc(out, compareTaskKeys)
	return out
}

// Cluster tells of all servers and of what their tasks are doing.
func (e *Engine) Cluster(ctx context.Context) api.Cluster {
	hosts, now := e.cfg.Cluster.Snapshot(), time.Now()
	out := api.Cluster{ServiceID: e.cfg.ServiceID}
	for i := range hosts {
		out.Hosts = append(out.Hosts, clusterHost(&hosts[i], now))
	}
	slices.SortFunc(out.Hosts, func(a, b api.ClusterHost) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Node, b.Node))
	})
	queries := e.Catalog().Queries()
	for _, q := range queries {
		plan, _ := e.plan(q.ID)
		list := heard(hosts, q.ID)
		c := api.ClusterQuery{ID: q.ID, Tasks: taskRows(plan, list)}
		c.StatusCount, c.State = statusCount(list)
		out.Queries = append(out.Queries, c)
	}
	out.NotReady = e.unready(ctx, hosts, queries, out.Queries)
	out.Ready = len(out.NotReady) == 0
	return out
}

func clusterHost(h *peers.Host, now time.Time) api.ClusterHost {
	out := api.ClusterHost{Node: h.ID, Host: hostName(h), Endpoint: h.Endpoint, Zone: h.Zone, Self: h.Self, Alive: h.Alive,
		SilentMs: silentMs(h, now), Reason: h.Reason}
	if h.Status == nil {
		return out
	}
	out.Draining, out.Applied = h.Status.Draining, h.Status.Applied
	longest := exec.UnknownLag
	for i := range h.Status.Queries {
		for j := range h.Status.Queries[i].Tasks {
			t := &h.Status.Queries[i].Tasks[j]
			if t.State == exec.TaskStandby {
				out.Standby++
				continue
			}
			out.Active++
			longest = max(longest, t.LagTime)
			switch t.State {
			case exec.TaskRunning, exec.TaskError:
				out.MaxLag = max(out.MaxLag, t.Lag())
			default:
				out.Restoring++
				out.RestoredRows += t.RestoredRows
				out.RestoreTotal += t.RestoreTotal
			}
		}
	}
	out.MaxLagMs = lagMs(longest)
	return out
}

// ClusterStatus tells of the hosts, their stores and lags as ksqlDB does. The lag of a store is that of its changelog.
func (e *Engine) ClusterStatus() api.ClusterStatusResponse {
	hosts, now := e.cfg.Cluster.Snapshot(), time.Now()
	out := api.ClusterStatusResponse{ClusterStatus: api.Map[api.HostStatus]{}}
	for i := range hosts {
		h := &hosts[i]
		seen := h.LastSeen
		if h.Self {
			seen = now
		}
		s := api.HostStatus{HostAlive: h.Alive, ActiveStandbyPerQuery: api.Map[api.ActiveStandby]{},
			HostStoreLags: api.HostStoreLags{StateStoreLags: api.Map[api.StateStoreLags]{}}}
		if !seen.IsZero() {
			s.LastStatusUpdateMs, s.HostStoreLags.UpdateTimeMs = seen.UnixMilli(), seen.UnixMilli()
		}
		for _, q := range e.Catalog().Queries() {
			if plan, ok := e.plan(q.ID); ok {
				e.addStores(&s, plan, h, q.ID)
			}
		}
		out.ClusterStatus[hostName(h)] = s
	}
	return out
}

// addStores adds what a server holds of one query.
func (e *Engine) addStores(s *api.HostStatus, plan *physical.Plan, h *peers.Host, queryID string) {
	said, ok := h.Status.Query(queryID)
	if !ok {
		return
	}
	var held api.ActiveStandby
	for _, st := range plan.Stages {
		active, standby := false, false
		for i := range said.Tasks {
			t := &said.Tasks[i]
			if t.Stage != st.ID {
				continue
			}
			var partitions []api.TopicPartition
			for _, in := range st.Inputs {
				partitions = append(partitions, api.TopicPartition{Topic: in.Topic, Partition: int(t.Partition)})
			}
			if t.State == exec.TaskStandby {
				standby = true
				held.StandByPartitions = append(held.StandByPartitions, partitions...)
			} else {
				active = true
				held.ActivePartitions = append(held.ActivePartitions, partitions...)
			}
			e.addLags(s, queryID, st, t)
		}
		for _, store := range st.Stores {
			if active {
				held.ActiveStores = append(held.ActiveStores, store.Name)
			}
			if standby {
				held.StandByStores = append(held.StandByStores, store.Name)
			}
		}
	}
	if len(held.ActivePartitions)+len(held.StandByPartitions) > 0 {
		s.ActiveStandbyPerQuery[queryID] = held
	}
}

// addLags adds how far the changelogs of one task are contained in its stores.
func (e *Engine) addLags(s *api.HostStatus, queryID string, st *physical.Stage, t *peers.Task) {
	i := 0
	for _, store := range st.Stores {
		if store.Changelog == "" {
			continue
		}
		if i >= len(t.Stores) {
			return
		}
		p := t.Stores[i]
		i++
		name := exec.GroupName(e.cfg.ServiceID, queryID) + "#" + store.Name
		lags, ok := s.HostStoreLags.StateStoreLags[name]
		if !ok {
			lags.LagByPartition = api.Map[api.LagInfo]{}
		}
		lags.LagByPartition[fmt.Sprint(t.Partition)] = api.LagInfo{CurrentOffsetPosition: p.Position, EndOffsetPosition: p.End,
			OffsetLag: max(p.End-p.Position, 0)}
		lags.Size = len(lags.LagByPartition)
		s.HostStoreLags.StateStoreLags[name] = lags
	}
}
