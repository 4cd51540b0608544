package exec

import (
	"context"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/cluster"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// topology is what the assignment needs to know of a plan.
func topology(plan *physical.Plan, hash uint64) cluster.Topology {
	t := cluster.Topology{PlanHash: hash}
	for _, s := range plan.Stages {
		st := cluster.Stage{ID: int32(s.ID), Partitions: int32(s.Partitions), Stateful: hasChangelog(s)}
		for _, in := range s.Inputs {
			st.Topics = append(st.Topics, in.Topic)
		}
		t.Stages = append(t.Stages, st)
	}
	return t
}

// hasChangelog says whether the stage has state that another server can follow.
func hasChangelog(s *physical.Stage) bool {
	for _, st := range s.Stores {
		if st.Changelog != "" {
			return true
		}
	}
	return false
}

// membership is this server's part in the group of a query.
type membership struct {
	topology cluster.Topology
	// applied is the assignment that was carried out last.
	applied *cluster.Assignment
	// asked is when a rebalance was last asked for under it.
	asked time.Time
	// drains says that the group was last asked for a rebalance by a server that drains.
	drains bool
}

// newBalancer makes this server's part in the assignment of the query's tasks.
func (s *session) newBalancer() (*cluster.Balancer, error) {
	hash, err := s.q.planHash()
	if err != nil {
		return nil, err
	}
	s.group.topology = topology(s.plan, hash)
	o := cluster.DefaultOptions()
	o.Standbys = s.settings.standbys
	if s.settings.acceptableLag > 0 {
		o.AcceptableRecords = s.settings.acceptableLag
	}
	return cluster.NewBalancer(cluster.BalancerConfig{
		Topology: s.group.topology, Options: o, Local: s.subscription, Assigned: s.assignedByLeader,
	}), nil
}

// subscription is what this server tells the group of itself and of the state it has. It is called by the group's goroutine.
func (s *session) subscription() cluster.Subscription {
	cfg := &s.x.cfg
	out := cluster.Subscription{NodeID: cfg.NodeID, Incarnation: cfg.Incarnation, Endpoint: cfg.Endpoint, Zone: cfg.Zone, Draining: s.x.draining.Load()}
	now := time.Now()
	known := map[taskID]bool{}
	status := s.q.status.read()
	for i := range status.Tasks {
		t := &status.Tasks[i]
		if len(t.Stores) == 0 {
			continue
		}
		p := cluster.TaskPosition{TaskID: taskID{Stage: int32(t.Stage), Partition: t.Partition}, Following: true}
		for _, st := range t.Stores {
			p.Position += st.Position
		}
		if t.State == TaskStandby {
			p.Age = never
			if !t.CaughtUp.IsZero() {
				p.Age = now.Sub(t.CaughtUp)
			}
		}
		known[p.TaskID] = true
		out.Positions = append(out.Positions, p)
	}
	return s.appendIdle(out, known)
}

// never is the age of state that was not yet seen to be complete.
const never = 1000 * time.Hour

// appendIdle adds the state on disk of tasks that are neither owned nor followed here.
func (s *session) appendIdle(out cluster.Subscription, known map[taskID]bool) cluster.Subscription {
	checkpoints := s.db.AllCheckpoints()
	now := s.x.cfg.Now()
	for _, st := range s.plan.Stages {
		if !hasChangelog(st) {
			continue
		}
		for partition := range int32(st.Partitions) {
			p := cluster.TaskPosition{TaskID: taskID{Stage: int32(st.ID), Partition: partition}}
			if known[p.TaskID] {
				continue
			}
			complete := true
			for _, store := range st.Stores {
				if store.Changelog == "" {
					continue
				}
				c, ok := checkpoints[store.Changelog][partition]
				complete = complete && ok
				p.Position += c.Offset
				p.Age = max(p.Age, now.Sub(time.UnixMilli(c.WallClock)))
			}
			if complete {
				out.Positions = append(out.Positions, p)
			}
		}
	}
	return out
}

// assignedByLeader takes what the group's leader says. It is called by the group's goroutine.
func (s *session) assignedByLeader(a *cluster.Assignment, err error) {
	switch {
	case err != nil:
		s.x.cfg.Logger.Error("the assignment of tasks cannot be read", "query", s.plan.QueryID, "error", err)
	case a != nil:
		s.x.cfg.Logger.Info("tasks were assigned", "query", s.plan.QueryID, "standby", len(a.Standby),
			"warmUp", len(a.Warmup), "servers", len(a.Hosts))
		s.q.setAssignment(a)
		s.q.status.update(func(q *QueryStatus) { q.Rebalances++ })
		s.q.wake()
	}
}

// askAgainAfter is how long warm-ups wait for a rebalance that was asked for.
const askAgainAfter = time.Minute

// applyAssignment follows what the leader wants followed, and asks for a rebalance when something it said is no longer so:
// a warm-up has caught up, or this server was known under another address before it was restarted.
func (s *session) applyAssignment(ctx context.Context) error {
	a := s.q.lastAssignment()
	if a == nil {
		return nil
	}
	if a != s.group.applied {
		s.group.applied, s.group.asked = a, time.Time{}
		if a.Moving {
			// Tasks rest until every member has joined again. Whoever has none to give up would hear of it with a heartbeat only.
			s.consumer.Rejoin()
		}
		if err := s.followAssigned(ctx); err != nil {
			return err
		}
		s.publish()
		if err := s.refused(a.Err); err != nil {
			return err
		}
	}
	if drains := s.x.draining.Load(); drains != s.group.drains {
		s.group.drains = drains
		s.consumer.Rejoin()
	}
	if (s.isMisnamed(a) || s.hasWarmedUp(a)) && time.Since(s.group.asked) > askAgainAfter {
		s.group.asked = time.Now()
		s.consumer.Rejoin()
	}
	return nil
}

// refused is why the leader assigns nothing, nil when it does; while servers learn of a new plan one after the other they go on
// with what they have.
func (s *session) refused(err *cluster.AssignmentError) error {
	switch {
	case err == nil:
		return nil
	case err.Code == cluster.PlansDiffer:
		s.x.cfg.Logger.Warn("tasks are not assigned as usual", "query", s.plan.QueryID, "reason", err.Text)
		return nil
	}
	return err
}

// followAssigned follows the standbys and warm-ups of the assignment, but those tasks that this server still owns.
func (s *session) followAssigned(ctx context.Context) error {
	wanted := map[taskID]bool{}
	if a := s.group.applied; a != nil {
		for _, id := range a.Standby {
			wanted[id] = false
		}
		for _, id := range a.Warmup {
			wanted[id] = true
		}
	}
	for id := range s.tasks {
		delete(wanted, id)
	}
	if s.follower == nil {
		if len(wanted) == 0 {
			return nil
		}
		var err error
		// It lives as long as the session, which closes it: a query being stopped commits first.
		if s.follower, err = newFollower(context.WithoutCancel(ctx), s); err != nil {
			return err
		}
	}
	s.follower.follow(wanted)
	return nil
}

// isMisnamed says whether others know this server under another address, zone or plan: a static member that comes back gets
// the assignment that was made for its former self.
func (s *session) isMisnamed(a *cluster.Assignment) bool {
	if a.Err == nil && a.PlanHash != s.group.topology.PlanHash {
		return true
	}
	for _, h := range a.Hosts {
		if h.NodeID == s.x.cfg.NodeID {
			return h.Endpoint != s.x.cfg.Endpoint || h.Zone != s.x.cfg.Zone
		}
	}
	return false
}

// hasWarmedUp says whether a task this server warms up for is ready to be taken over.
func (s *session) hasWarmedUp(a *cluster.Assignment) bool {
	if len(a.Warmup) == 0 {
		return false
	}
	o := cluster.DefaultOptions()
	status := s.q.status.read()
	for i := range status.Tasks {
		t := &status.Tasks[i]
		if t.State == TaskStandby && t.Warmup && !t.CaughtUp.IsZero() && time.Since(t.CaughtUp) <= o.AcceptableAge {
			return true
		}
	}
	return false
}

// wake makes the running session look around.
func (q *query) wake() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.consumer != nil {
		q.consumer.Wake()
	}
}

// setAssignment notes what the leader told.
func (q *query) setAssignment(a *cluster.Assignment) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.assignment = a
}

// lastAssignment is what the leader told last, nil before that.
func (q *query) lastAssignment() *cluster.Assignment {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.assignment
}

// Assignment is who owns and who stands by for the tasks of a query, as the leader of its group last told; false before
// that. It is shared and must not be changed.
func (x *Executor) Assignment(queryID string) (*cluster.Assignment, bool) {
	q, err := x.query(queryID)
	if err != nil {
		return nil, false
	}
	a := q.lastAssignment()
	return a, a != nil
}
