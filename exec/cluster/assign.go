package cluster

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Options are the rules of an assignment.
type Options struct {
	// Standbys is how many a stateful task has where there are members enough (num.standby.replicas).
	Standbys int
	// Warmups bounds how many tasks warm up at once, over all members; 0 means two a member (max.warmup.replicas).
	Warmups int
	// A member is caught up, and can take a task over at once, when it saw its state to be complete no longer than
	// AcceptableAge ago, or when no more than AcceptableRecords are missing (acceptable.recovery.lag).
	AcceptableAge     time.Duration
	AcceptableRecords int64
}

// DefaultOptions are one standby, and state of the last 2 s or up to 10,000 records behind: what is restored in 20 ms.
func DefaultOptions() Options {
	return Options{Standbys: 1, AcceptableAge: 2 * time.Second, AcceptableRecords: 10_000}
}

// Member is a member of the group as the leader sees it.
type Member struct {
	Subscription
	// Claims are the tasks it owns, as of Generation of the group.
	Claims     []TaskID
	Generation int32
}

// Plan says who does what.
type Plan struct {
	// Members are in the order of the members given to Assign.
	Members []MemberPlan
	// Err is told to all members; nil when all is as usual.
	Err *AssignmentError
}

// MemberPlan is what one member does, each list in the order of [TaskID.Compare].
type MemberPlan struct {
	// Active are the tasks the member shall own.
	Active []TaskID
	// Standby are the tasks whose state it keeps up to date. A task that has to be taken from its owner first is among both:
	// the member follows until it gets it.
	Standby []TaskID
	// Warmup are the tasks whose state the member builds up in order to take them over, as owner or as standby; when it has
	// caught up it asks for a rebalance. They are not among Standby.
	Warmup []TaskID
}

// nobody is the index of no member.
const nobody = -1

// unknownLag is the lag of a member without state, in records.
const unknownLag = math.MaxInt64

// lag is how far a member's state of a task is behind.
type lag struct {
	// ready members can take the task over at once; following ones keep the state up to date.
	ready, following bool
	records          int64
}

// compare puts the better first. Those that are ready are alike, or the choice would change with every record.
func (l lag) compare(o lag) int {
	switch {
	case l.ready && o.ready:
		return compareBool(o.following, l.following)
	case l.ready || o.ready:
		return compareBool(o.ready, l.ready)
	}
	return cmp.Compare(l.records, o.records)
}

// compareBool puts false first.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// problem is an assignment being made. Members and tasks are named by their index.
type problem struct {
	o Options
	// tasks in the order of TaskID.Compare.
	tasks []Task
	index map[TaskID]int
	// members in the order of their node ids.
	members []Member
	// eligible members run the leader's plan; they alone are given anything new.
	eligible []bool
	// prev owns a task now, or nobody.
	prev []int
	// lags by task and member; nil for stateless tasks.
	lags [][]lag

	// target is who shall own a task in the end, active who owns it now, warming who prepares to be the target.
	target, active, warming []int
	// standby and standbyWarming by task.
	standby, standbyWarming [][]int
	warmupsLeft             int
}

// Assign divides tasks among members. The result depends on nothing but the arguments, and not on the order of either list.
//
// Every task has one owner. Shares are even within one, by Capacity, of the stateful tasks and of all. Owners keep their
// tasks as far as the shares allow; members that drain have no share. A stateful task moves only to a member that is caught up; until then its owner keeps it
// and the one it shall go to warms up. When nobody owns it, a member that is caught up takes it, whatever its share, or else
// the one nearest to that.
func Assign(topology Topology, members []Member, o Options) Plan {
	plan := Plan{Members: make([]MemberPlan, len(members))}
	if len(members) == 0 {
		return plan
	}
	p, order := solve(topology, members, o)
	plan.Err = p.disagreement()
	for t, task := range p.tasks {
		if m := p.active[t]; m != nobody {
			a := &plan.Members[order[m]]
			a.Active = append(a.Active, task.TaskID)
			if task.Stateful && p.prev[t] != m && p.prev[t] != nobody {
				a.Standby = append(a.Standby, task.TaskID)
			}
		}
		for _, m := range p.standby[t] {
			s := &plan.Members[order[m]]
			s.Standby = append(s.Standby, task.TaskID)
		}
		warming := p.standbyWarming[t]
		if m := p.warming[t]; m != nobody {
			warming = append(warming, m)
		}
		for _, m := range warming {
			w := &plan.Members[order[m]]
			w.Warmup = append(w.Warmup, task.TaskID)
		}
	}
	return plan
}

// solve makes an assignment. order has the index in members of each member of the problem.
func solve(topology Topology, members []Member, o Options) (p *problem, order []int) {
	order = make([]int, len(members))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(members[a].NodeID, members[b].NodeID), cmp.Compare(members[a].Incarnation, members[b].Incarnation))
	})
	p = newProblem(topology, members, order, o)
	p.placeStateful()
	p.placeStateless()
	p.placeStandbys()
	return p, order
}

func newProblem(topology Topology, members []Member, order []int, o Options) *problem {
	p := &problem{o: o, tasks: topology.Tasks(), index: map[TaskID]int{}, warmupsLeft: o.Warmups}
	if p.warmupsLeft <= 0 {
		p.warmupsLeft = 2 * len(members)
	}
	for t, task := range p.tasks {
		p.index[task.TaskID] = t
	}
	anybody := false
	stays := slices.ContainsFunc(members, func(m Member) bool { return !m.Draining && m.PlanHash == topology.PlanHash })
	for _, i := range order {
		m := members[i]
		m.Draining = m.Draining && stays
		switch {
		case m.Draining:
			m.Capacity = 0
		case m.Capacity == 0:
			m.Capacity = 1
		}
		p.members = append(p.members, m)
		same := m.PlanHash == topology.PlanHash
		p.eligible = append(p.eligible, same)
		anybody = anybody || same
	}
	if !anybody {
		// The leader's own plan is nobody's: nothing can be better than to treat all alike.
		for m := range p.eligible {
			p.eligible[m] = true
		}
	}
	n := len(p.tasks)
	p.prev, p.target, p.active, p.warming = filled(n), filled(n), filled(n), filled(n)
	p.standby, p.standbyWarming = make([][]int, n), make([][]int, n)
	p.readClaims()
	p.readLags()
	return p
}

func filled(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = nobody
	}
	return list
}

// readClaims finds the present owners: the member that claims a task at the highest generation, the first one on a tie.
func (p *problem) readClaims() {
	for m := range p.members {
		for _, id := range p.members[m].Claims {
			t, ok := p.index[id]
			if ok && (p.prev[t] == nobody || p.members[m].Generation > p.members[p.prev[t]].Generation) {
				p.prev[t] = m
			}
		}
	}
}

// readLags finds how far behind everybody is. The end of a task's changelogs is the highest position anybody has.
func (p *problem) readLags() {
	p.lags = make([][]lag, len(p.tasks))
	ends := make([]int64, len(p.tasks))
	for t, task := range p.tasks {
		if !task.Stateful {
			continue
		}
		p.lags[t] = make([]lag, len(p.members))
		for m := range p.members {
			p.lags[t][m].records = unknownLag
		}
	}
	for m := range p.members {
		for _, pos := range p.members[m].Positions {
			if t, ok := p.index[pos.TaskID]; ok {
				ends[t] = max(ends[t], pos.Position)
			}
		}
	}
	for m := range p.members {
		for _, pos := range p.members[m].Positions {
			t, ok := p.index[pos.TaskID]
			if !ok || p.lags[t] == nil {
				continue
			}
			behind := ends[t] - pos.Position
			p.lags[t][m] = lag{pos.Age <= p.o.AcceptableAge || behind <= p.o.AcceptableRecords, pos.Following, behind}
		}
	}
	for t, m := range p.prev {
		if m != nobody && p.lags[t] != nil {
			p.lags[t][m] = lag{ready: true, following: true}
		}
	}
}

const versionsDiffer = "servers of this service id have versions of ksqlgo that cannot work together: upgrade the oldest"

// disagreement says whether the members can work together as usual.
func (p *problem) disagreement() *AssignmentError {
	newest, oldest := math.MaxInt, 0
	for _, m := range p.members {
		if m.Version == 0 {
			continue
		}
		newest, oldest = min(newest, m.Version), max(oldest, m.MinVersion)
	}
	if oldest > newest {
		return &AssignmentError{VersionsDiffer, versionsDiffer}
	}
	if slices.Contains(p.eligible, false) {
		return &AssignmentError{PlansDiffer, "servers have not all applied the same statements yet"}
	}
	return nil
}
