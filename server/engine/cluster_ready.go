package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/cluster"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/commandlog"
	"github.com/ksqlgo/ksqlgo/server/peers"
)

// logTimeout is how long it is waited for that what is in the command log has been applied here.
const logTimeout = time.Second

// unready lists what is still to come before everything in the cluster is as it should be.
func (e *Engine) unready(ctx context.Context, hosts []peers.Host, queries []*catalog.Query, rows []api.ClusterQuery) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	if err := e.log.CatchUp(ctx); err != nil {
		say("The command log has not been applied to its end on %s: %v.", e.cfg.Host, err)
	}
	applied := int64(0)
	for i := range hosts {
		if s := hosts[i].Status; s != nil {
			applied = max(applied, s.Applied)
		}
	}
	for i := range hosts {
		switch h := &hosts[i]; {
		case !h.Alive:
			say("The server %s does not answer%s.", hostName(h), because(h.Reason))
		case h.Status != nil && h.Status.Applied < applied:
			say("The server %s has applied the command log up to %d, others up to %d.", hostName(h), h.Status.Applied, applied)
		}
	}
	for i, q := range queries {
		if q.Paused {
			continue
		}
		for j := range hosts {
			if said, ok := hosts[j].Status.Query(q.ID); ok && hosts[j].Alive && said.State == exec.Failed {
				say("The query %s has failed on %s; EXPLAIN %s shows why.", q.ID, hostName(&hosts[j]), q.ID)
			}
		}
		for j := range rows[i].Tasks {
			if t := taskUnready(q.ID, &rows[i].Tasks[j]); t != "" {
				out = append(out, t)
			}
		}
		out = append(out, e.standbysUnready(hosts, q.ID)...)
	}
	return out
}

// taskUnready says what a task that should run is doing instead, "" if it runs.
func taskUnready(query string, t *api.TaskInfo) string {
	switch t.State {
	case api.TaskRunning, api.TaskError, api.TaskUnresponsive:
		// Failed queries and silent servers are told of by themselves.
		return ""
	case api.TaskUnassigned:
		return fmt.Sprintf("The task %s of %s is on no server.", t.TaskID, query)
	case api.TaskRestoring:
		return fmt.Sprintf("The task %s of %s is restoring on %s: %d of about %d rows.", t.TaskID, query, t.Host, t.RestoredRows, t.RestoreTotal)
	default:
		return fmt.Sprintf("The task %s of %s is %s on %s.", t.TaskID, query, t.State, t.Host)
	}
}

// standbysUnready lists the standbys that should be and are not complete.
func (e *Engine) standbysUnready(hosts []peers.Host, query string) []string {
	a, ok := e.cfg.Runtime.Assignment(query)
	if !ok {
		return nil
	}
	var out []string
	for i := range hosts {
		h := &hosts[i]
		if !h.Alive {
			continue
		}
		for id := range a.Standbys {
			if !standsBy(a, id, h.ID) {
				continue
			}
			t, ok := h.Status.Task(query, int(id.Stage), id.Partition)
			switch {
			case !ok:
				out = append(out, fmt.Sprintf("The server %s does not stand by for the task %s of %s yet.", hostName(h), id, query))
			case t.State == exec.TaskStandby && (t.LagTime < 0 || t.LagTime > cluster.DefaultOptions().AcceptableAge):
				out = append(out, fmt.Sprintf("The standby of the task %s of %s on %s is %d records behind.", id, query, hostName(h), t.Lag()))
			}
		}
	}
	slices.Sort(out)
	return out
}

func standsBy(a *cluster.Assignment, id cluster.TaskID, node string) bool {
	for _, h := range a.StandbysOf(id) {
		if h.NodeID == node {
			return true
		}
	}
	return false
}

// Readiness tells whether this server has taken up its work. A query in error does not count: waiting would not mend it.
func (e *Engine) Readiness() api.Readiness {
	r := api.Readiness{}
	if !e.ready.Load() {
		r.NotReady = append(r.NotReady, "The command log is being replayed.")
		return r
	}
	if log := e.log.Status(); log.State != commandlog.Running {
		r.NotReady = append(r.NotReady, fmt.Sprintf("The command log is %s: %s", log.State, log.Reason))
	}
	hosts := e.cfg.Cluster.Snapshot()
	for i := range hosts {
		h := &hosts[i]
		if !h.Self || h.Status == nil {
			continue
		}
		for j := range h.Status.Queries {
			r.NotReady = append(r.NotReady, queryUnready(h, &h.Status.Queries[j])...)
		}
	}
	r.Ready = len(r.NotReady) == 0
	return r
}

// queryUnready lists what is still to come of a query on this server.
func queryUnready(h *peers.Host, q *peers.Query) []string {
	var out []string
	switch q.State {
	case exec.Paused, exec.Failed:
		return nil
	case exec.Starting:
		return []string{fmt.Sprintf("The query %s is starting.", q.ID)}
	case exec.Running, exec.Restoring:
	}
	waits := 0
	for i := range q.Tasks {
		t := &q.Tasks[i]
		k := taskKey{t.Stage, t.Partition}
		if t.State == exec.TaskStandby {
			if t.LagTime < 0 {
				out = append(out, fmt.Sprintf("The standby of the task %s of %s has not caught up yet: %d records are left.", k, q.ID, t.Lag()))
			}
			continue
		}
		row := ownerRow(&hostQuery{server: h, state: api.QueryRunning}, &hostTask{TaskSummary: t.TaskSummary}, k)
		if text := taskUnready(q.ID, &row); text != "" {
			waits++
			out = append(out, text)
		}
	}
	if q.State == exec.Restoring && waits == 0 {
		out = append(out, fmt.Sprintf("The query %s is waiting for its tasks.", q.ID))
	}
	return out
}

// Drain gives all tasks of this server to others and returns when that is done; progress is called whenever there is some. It
// goes on when ctx ends first. EndDrain ends it.
func (e *Engine) Drain(ctx context.Context, progress func(api.DrainProgress)) error {
	err := e.cfg.Runtime.Drain(ctx, func(p exec.DrainProgress) {
		progress(api.DrainProgress{Tasks: p.Tasks, Queries: p.Queries, Done: p.Tasks == 0})
	})
	if errors.Is(err, exec.ErrLastServer) {
		return api.NewError(api.CodeBadRequest, "The server is not drained: no other server of the service %s could take its tasks.\n"+
			"Hint: Start another server with this service id first; to stop the only one, stop it without a drain, which loses nothing.",
			e.cfg.ServiceID)
	}
	return err
}

// EndDrain lets this server have tasks again.
func (e *Engine) EndDrain() { e.cfg.Runtime.SetDraining(false) }
