package cluster

import (
	"reflect"
	"slices"
)

// check asserts what must hold of every plan, whatever the members.
func (s *sim) check(members []Member, plan Plan) {
	s.t.Helper()
	p, _ := solve(s.topology, members, s.options)
	owners := map[TaskID]int{}
	for _, m := range plan.Members {
		for _, t := range m.Active {
			owners[t]++
		}
	}
	for _, task := range s.tasks {
		if owners[task.TaskID] != 1 {
			s.fatalf("%s has %d owners", task.TaskID, owners[task.TaskID])
		}
	}
	s.checkShares(p)
	s.checkMoves(p)
	s.checkReadiness(p)
	s.checkStandbys(p)
	s.checkOrder(members, plan)
	whole := plan.assignment(s.topology.PlanHash, members)
	whole.Version = version
	decoded, err := DecodeAssignment(whole.Encode())
	if err != nil || !reflect.DeepEqual(decoded.Owners, whole.Owners) || !reflect.DeepEqual(decoded.Standbys, whole.Standbys) {
		s.fatalf("the assignment is not what was sent: %v", err)
	}
}

// counts counts the tasks of each member: those with state, and all.
func (p *problem) counts(owner []int) (stateful, all []int) {
	stateful, all = make([]int, len(p.members)), make([]int, len(p.members))
	for t, task := range p.tasks {
		all[owner[t]]++
		if task.Stateful {
			stateful[owner[t]]++
		}
	}
	return stateful, all
}

// even says whether counts are as even as the capacities allow.
func (p *problem) even(counts []int) bool {
	total, capacity := 0, 0
	for m, n := range counts {
		total += n
		capacity += int(p.members[m].Capacity)
	}
	for m, n := range counts {
		due := total * int(p.members[m].Capacity)
		if n < due/capacity || n > (due+capacity-1)/capacity {
			return false
		}
	}
	return true
}

// checkShares: what shall be is even within one, of stateful tasks and of all.
func (s *sim) checkShares(p *problem) {
	s.t.Helper()
	stateful, all := p.counts(p.target)
	if !p.even(stateful) {
		s.fatalf("stateful tasks are uneven: %v", stateful)
	}
	if !p.even(all) && s.equal {
		s.fatalf("tasks are uneven: %v, stateful %v", all, stateful)
	}
}

// checkMoves: no more stateful tasks change their owner than the shares ask for.
func (s *sim) checkMoves(p *problem) {
	s.t.Helper()
	if !s.equal {
		return
	}
	owned := make([]int, len(p.members))
	total, kept := 0, 0
	for t, task := range p.tasks {
		if !task.Stateful {
			continue
		}
		total++
		if m := p.prev[t]; m != nobody {
			owned[m]++
			if p.target[t] == m {
				kept++
			}
		}
	}
	floor, extra := total/len(owned), total%len(owned)
	most := 0
	for _, n := range owned {
		most += min(n, floor)
		if n > floor && extra > 0 {
			most++
			extra--
		}
	}
	if kept != most {
		s.fatalf("%d stateful tasks stay; %d could", kept, most)
	}
}

// checkReadiness: no task leaves its owner for a member that is not ready, none without owner goes to one that is not while
// another is, and no more warm up than may.
func (s *sim) checkReadiness(p *problem) {
	s.t.Helper()
	warming := 0
	for t, task := range p.tasks {
		if p.warming[t] != nobody {
			warming++
		}
		warming += len(p.standbyWarming[t])
		if !task.Stateful {
			continue
		}
		a := p.active[t]
		if p.prev[t] != nobody && a != p.prev[t] && !p.lags[t][a].ready {
			s.fatalf("%s leaves its owner for one that is not ready", task.TaskID)
		}
		anybody := slices.ContainsFunc(p.lags[t], func(l lag) bool { return l.ready })
		if anybody && !p.lags[t][a].ready {
			s.fatalf("%s goes to a member that is not ready while another is", task.TaskID)
		}
	}
	if warming > 2*len(p.members) {
		s.fatalf("%d warm up", warming)
	}
}

// checkStandbys: as many as there can be; in another zone where there is one; ready where anybody is.
func (s *sim) checkStandbys(p *problem) {
	s.t.Helper()
	for t, task := range p.tasks {
		if !task.Stateful {
			continue
		}
		able, away, ready := 0, 0, 0
		for m := range p.members {
			if p.mayStandBy(t, m) {
				able++
				if !p.sameZone(t, m) {
					away++
				}
				if p.lags[t][m].ready {
					ready++
				}
			}
		}
		want := min(s.options.Standbys, able)
		if len(p.standby[t]) != want {
			s.fatalf("%s has %d standbys of %d", task.TaskID, len(p.standby[t]), want)
		}
		isAway := func(m int) bool { return !p.sameZone(t, m) }
		isReady := func(m int) bool { return p.lags[t][m].ready }
		both := slices.Concat(p.standby[t], p.standbyWarming[t])
		for _, m := range both {
			if !p.mayStandBy(t, m) {
				s.fatalf("%s has a standby on its owner", task.TaskID)
			}
		}
		have := 0
		for _, m := range p.standby[t] {
			if isReady(m) {
				have++
			}
		}
		if have < min(want, ready) {
			s.fatalf("%s has %d standbys that are ready; %d could be", task.TaskID, have, min(want, ready))
		}
		if want > 0 && away > 0 && p.warmupsLeft > 0 && !slices.ContainsFunc(both, isAway) {
			s.fatalf("%s has no standby in another zone, nor will have", task.TaskID)
		}
	}
}

// checkOrder: the order of the members makes no difference.
func (s *sim) checkOrder(members []Member, plan Plan) {
	s.t.Helper()
	order := s.rng.Perm(len(members))
	shuffled := make([]Member, len(members))
	for i, j := range order {
		shuffled[i] = members[j]
	}
	again := Assign(s.topology, shuffled, s.options)
	for i, j := range order {
		if !reflect.DeepEqual(again.Members[i], plan.Members[j]) {
			s.fatalf("another order, another plan: %+v and %+v", again.Members[i], plan.Members[j])
		}
	}
}

// checkSettled: once all have caught up, what is, is even.
func (s *sim) checkSettled() {
	s.t.Helper()
	var members []Member
	for _, n := range s.up() {
		members = append(members, s.member(n))
	}
	p, _ := solve(s.topology, members, s.options)
	stateful, all := p.counts(p.active)
	if !p.even(stateful) || s.equal && !p.even(all) {
		s.fatalf("at rest tasks are uneven: %v, stateful %v", all, stateful)
	}
	standbys, zones := make([]int, len(members)), map[string]bool{}
	for t := range p.tasks {
		for _, m := range p.standby[t] {
			standbys[m]++
		}
	}
	for _, m := range members {
		zones[m.Zone] = true
	}
	if s.equal && len(zones) == 1 && slices.Max(standbys)-slices.Min(standbys) > 1 {
		s.fatalf("at rest standbys are uneven: %v", standbys)
	}
}
