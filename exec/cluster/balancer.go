package cluster

import (
	"errors"
	"slices"
	"sync/atomic"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// BalancerConfig is what a balancer of one query on one server is made of.
type BalancerConfig struct {
	Topology Topology
	Options  Options
	// Local describes this server and its state of the query as of now; it is called at each join, from the group's goroutine.
	// Versions, PlanHash and Joins are filled in.
	Local func() Subscription
	// Assigned takes what the leader says, before the partitions of that rebalance are assigned or revoked; it is called from
	// the group's goroutine. With an error nothing could be read of it: the server is to leave what it has as it is, and with
	// a *VersionError to be upgraded. A leader that says nothing, which is one that has another balancer, gives nil.
	Assigned func(*Assignment, error)
}

// Balancer assigns tasks within Kafka's consumer protocol. It implements kafka.Balancer, and belongs to one group consumer.
type Balancer struct {
	cfg   BalancerConfig
	joins atomic.Uint64
}

// NewBalancer makes a balancer.
func NewBalancer(cfg BalancerConfig) *Balancer { return &Balancer{cfg: cfg} }

var _ kafka.Balancer = (*Balancer)(nil)

// Name implements kafka.Balancer.
func (*Balancer) Name() string { return "ksqlgo-1" }

// JoinData implements kafka.Balancer.
func (b *Balancer) JoinData() []byte {
	s := b.cfg.Local()
	s.PlanHash = b.cfg.Topology.PlanHash
	s.Joins = b.joins.Add(1)
	return s.Encode()
}

// Assigned implements kafka.Balancer.
func (b *Balancer) Assigned(userData []byte) {
	if len(userData) == 0 {
		b.cfg.Assigned(nil, nil)
		return
	}
	b.cfg.Assigned(DecodeAssignment(userData))
}

// Balance implements kafka.Balancer.
func (b *Balancer) Balance(members []kafka.BalancerMember, partitions map[string]int32) []kafka.MemberAssignment {
	t := b.cfg.Topology
	list := make([]Member, len(members))
	agreed, unreadable := version, false
	for i, m := range members {
		var err error
		list[i], err = b.member(m)
		if list[i].Version > 0 {
			agreed = min(agreed, list[i].Version)
		}
		var later *VersionError
		unreadable = unreadable || errors.As(err, &later)
	}
	out := make([]kafka.MemberAssignment, len(members))
	var plan Plan
	if err := t.check(partitions); err != nil {
		plan = Plan{Members: make([]MemberPlan, len(members)), Err: err}
	} else {
		plan = Assign(t, list, b.cfg.Options)
		if unreadable {
			plan.Err = &AssignmentError{VersionsDiffer, versionsDiffer}
		}
	}
	whole := plan.assignment(t.PlanHash, list)
	whole.Version, whole.Moving = agreed, plan.moves(list)
	topics := make(map[int32][]string, len(t.Stages))
	for _, s := range t.Stages {
		topics[s.ID] = s.Topics
	}
	for i, m := range plan.Members {
		out[i].Partitions = make(map[string][]int32)
		for _, task := range m.Active {
			for _, topic := range topics[task.Stage] {
				// A member that does not subscribe to a topic has another plan, and keeps what it has of it by its claim.
				if slices.Contains(members[i].Topics, topic) {
					out[i].Partitions[topic] = append(out[i].Partitions[topic], task.Partition)
				}
			}
		}
		if list[i].Version > 0 {
			whole.Standby, whole.Warmup = m.Standby, m.Warmup
			out[i].UserData = whole.Encode()
		}
	}
	return out
}

// member reads what a member says. One that says nothing, or nothing that can be read, has version 0: it gets tasks and is
// told nothing.
func (b *Balancer) member(m kafka.BalancerMember) (Member, error) {
	s, err := DecodeSubscription(m.UserData)
	if err != nil {
		s = Subscription{PlanHash: b.cfg.Topology.PlanHash}
	}
	if s.NodeID == "" {
		s.NodeID = m.ID
	}
	out := Member{Subscription: s, Generation: m.Generation}
	claimed := map[TaskID]bool{}
	for _, stage := range b.cfg.Topology.Stages {
		for _, topic := range stage.Topics {
			for _, p := range m.Owned[topic] {
				claimed[TaskID{stage.ID, p}] = true
			}
		}
	}
	out.Claims = sortedTasks(claimed)
	return out, err
}

// moves says whether a task goes to a member while another one still holds it.
func (p Plan) moves(members []Member) bool {
	owners := map[TaskID]int{}
	for i, m := range p.Members {
		for _, t := range m.Active {
			owners[t] = i
		}
	}
	for i, m := range members {
		for _, t := range m.Claims {
			if owner, ok := owners[t]; ok && owner != i && !slices.Contains(members[owner].Claims, t) {
				return true
			}
		}
	}
	return false
}

// assignment is the picture that all members share.
func (p Plan) assignment(planHash uint64, members []Member) Assignment {
	a := Assignment{Err: p.Err, PlanHash: planHash, Owners: map[TaskID]int{}, Standbys: map[TaskID][]int{}}
	for i, m := range members {
		a.Hosts = append(a.Hosts, Host{m.NodeID, m.Endpoint, m.Zone})
		for _, t := range p.Members[i].Active {
			a.Owners[t] = i
		}
	}
	for i := range members {
		for _, t := range p.Members[i].Standby {
			if a.Owners[t] != i {
				a.Standbys[t] = append(a.Standbys[t], i)
			}
		}
	}
	return a
}
