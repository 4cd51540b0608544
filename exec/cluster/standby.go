package cluster

import (
	"cmp"
	"slices"
)

// placeStandbys finds who stands by for each stateful task: other members than the one that is active or warms up, in
// another zone than the active one where there is one, those that are ready first, evenly. Where the one chosen has to
// catch up first, the one that stands by now goes on until then.
func (p *problem) placeStandbys() {
	eligible := 0
	for _, ok := range p.eligible {
		if ok {
			eligible++
		}
	}
	each := min(p.o.Standbys, eligible-1)
	if each <= 0 {
		return
	}
	var tasks []int
	ready := make([]int, len(p.members))
	for t, task := range p.tasks {
		if !task.Stateful || p.active[t] == nobody {
			continue
		}
		tasks = append(tasks, t)
		for m := range p.members {
			if p.mayStandBy(t, m) && p.lags[t][m].ready {
				ready[m]++
			}
		}
	}
	s := &standbys{problem: p, each: each, room: p.shares(each*len(tasks), ready)}
	s.chosen = make([][]int, len(p.tasks))
	s.choose(tasks)
	for _, t := range tasks {
		s.replaceReady(t)
	}
}

// mayStandBy says whether a member can stand by for a task at all.
func (p *problem) mayStandBy(t, m int) bool {
	return p.eligible[m] && m != p.active[t] && m != p.warming[t]
}

// sameZone says whether a member stands where the owner of the task does.
func (p *problem) sameZone(t, m int) bool {
	zone := p.members[p.active[t]].Zone
	return zone != "" && zone == p.members[m].Zone
}

// standbys are being chosen.
type standbys struct {
	*problem
	each   int
	room   []int
	chosen [][]int
}

// missing says whether a task wants one more standby.
func (s *standbys) missing(t int) bool { return len(s.chosen[t]) < s.each }

func (s *standbys) take(t, m int) {
	s.chosen[t] = append(s.chosen[t], m)
	s.room[m]--
}

// choose gives each task its standbys: within the shares in another zone; by exchange with another task; in another zone
// whatever the shares; and then the same in the zone of the owner.
func (s *standbys) choose(tasks []int) {
	for _, near := range []bool{false, true} {
		s.chooseWithin(tasks, near)
		for _, t := range tasks {
			for s.missing(t) && s.exchange(t, tasks, near) {
			}
		}
		for _, t := range tasks {
			for s.missing(t) {
				best := nobody
				for m := range s.members {
					if s.fits(t, m, near) && (best == nobody || s.compare(t, m, best) < 0) {
						best = m
					}
				}
				if best == nobody {
					break
				}
				s.take(t, best)
			}
		}
	}
}

// fits says whether a member may become one more standby of a task.
func (s *standbys) fits(t, m int, near bool) bool {
	return s.mayStandBy(t, m) && s.sameZone(t, m) == near && !slices.Contains(s.chosen[t], m)
}

// compare prefers members of a task: with most room left, then least behind, then by turn.
func (s *standbys) compare(t, a, b int) int {
	return cmp.Or(-cmp.Compare(s.room[a], s.room[b]), s.lags[t][a].compare(s.lags[t][b]), cmp.Compare(s.turn(t, a), s.turn(t, b)))
}

// chooseWithin fills the shares, best pairs first.
func (s *standbys) chooseWithin(tasks []int, near bool) {
	var pairs []move
	for _, t := range tasks {
		for m := range s.members {
			if s.missing(t) && s.room[m] > 0 && s.fits(t, m, near) {
				pairs = append(pairs, move{task: t, to: m, lag: s.lags[t][m], turn: s.turn(t, m)})
			}
		}
	}
	slices.SortFunc(pairs, func(a, b move) int {
		return cmp.Or(a.lag.compare(b.lag), cmp.Compare(a.task, b.task), cmp.Compare(a.turn, b.turn))
	})
	for _, v := range pairs {
		if s.missing(v.task) && s.room[v.to] > 0 {
			s.take(v.task, v.to)
		}
	}
}

// exchange finds a standby for a task which no member with room may serve: a member gives one of its tasks up to a member
// with room. It is the exchange after which fewest of the two have to be built up.
func (s *standbys) exchange(t int, tasks []int, near bool) bool {
	type swap struct{ task, slot, free, cost int }
	best := swap{cost: 3}
	unready := func(t, m int) int {
		if s.lags[t][m].ready {
			return 0
		}
		return 1
	}
	for free := range s.members {
		if s.room[free] <= 0 {
			continue
		}
		for _, u := range tasks {
			if u == t || !s.fits(u, free, false) {
				continue
			}
			for i, m := range s.chosen[u] {
				if cost := unready(u, free) + unready(t, m); cost < best.cost && s.fits(t, m, near) {
					best = swap{u, i, free, cost}
				}
			}
		}
	}
	if best.cost == 3 {
		return false
	}
	slot := &s.chosen[best.task][best.slot]
	s.chosen[t] = append(s.chosen[t], *slot)
	*slot = best.free
	s.room[best.free]--
	return true
}

// replaceReady settles a task's standbys. One that is not ready warms up while somebody who is ready stands by in its place.
func (s *standbys) replaceReady(t int) {
	var holders []int
	for m := range s.members {
		if s.mayStandBy(t, m) && s.lags[t][m].ready && !slices.Contains(s.chosen[t], m) {
			holders = append(holders, m)
		}
	}
	slices.SortStableFunc(holders, func(a, b int) int { return compareBool(s.sameZone(t, a), s.sameZone(t, b)) })
	for _, m := range s.chosen[t] {
		if s.lags[t][m].ready || len(holders) == 0 {
			s.standby[t] = append(s.standby[t], m)
			continue
		}
		s.standby[t] = append(s.standby[t], holders[0])
		holders = holders[1:]
		if s.warmupsLeft > 0 {
			s.warmupsLeft--
			s.standbyWarming[t] = append(s.standbyWarming[t], m)
		}
	}
}
