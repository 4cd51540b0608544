package exec

import (
	"encoding/binary"
	"hash/fnv"

	"github.com/ksqlgo/ksqlgo/exec/cluster"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// topology is what the assignment needs to know of a plan. hash tells plans of the same query apart.
func topology(plan *physical.Plan, encoded []byte) cluster.Topology {
	sum := fnv.New64a()
	_, _ = sum.Write(encoded)
	t := cluster.Topology{PlanHash: binary.BigEndian.Uint64(sum.Sum(nil))}
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

// newBalancer makes this server's part in the assignment of the query's tasks.
func (s *session) newBalancer() (*cluster.Balancer, error) {
	encoded, err := physical.Encode(s.plan)
	if err != nil {
		return nil, err
	}
	return cluster.NewBalancer(cluster.BalancerConfig{
		Topology: topology(s.plan, encoded),
		Options:  cluster.Options{AcceptableAge: cluster.DefaultOptions().AcceptableAge, AcceptableRecords: cluster.DefaultOptions().AcceptableRecords},
		Local:    s.subscription,
		Assigned: s.assignedByLeader,
	}), nil
}

// subscription is what this server tells the group of itself.
func (s *session) subscription() cluster.Subscription {
	cfg := &s.x.cfg
	return cluster.Subscription{NodeID: cfg.NodeID, Incarnation: cfg.Incarnation, Endpoint: cfg.Endpoint, Zone: cfg.Zone}
}

// assignedByLeader takes what the group's leader says.
func (s *session) assignedByLeader(a *cluster.Assignment, err error) {
	switch {
	case err != nil:
		s.x.cfg.Logger.Error("the assignment of tasks cannot be read", "query", s.plan.QueryID, "error", err)
	case a != nil:
		s.q.mu.Lock()
		s.q.assignment = a
		s.q.mu.Unlock()
	}
}

// Assignment is who owns and who stands by for the tasks of a query, as the leader of its group last told; false before
// that. It is shared and must not be changed.
func (x *Executor) Assignment(queryID string) (*cluster.Assignment, bool) {
	q, err := x.query(queryID)
	if err != nil {
		return nil, false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.assignment, q.assignment != nil
}
