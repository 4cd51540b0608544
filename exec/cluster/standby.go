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
	for m, ok := range p.eligible {
		if ok && !p.members[m].Draining {
			eligible++
		}
	}
	each := min(p.o.Standbys, eligible-1)
	if each <= 0 {
		return
	}
	s := &standbys{problem: p, each: each, chosen: make([][]int, len(p.tasks))}
	wish, able := make([]int, len(p.members)), make([]int, len(p.members))
	for t, task := range p.tasks {
		if !task.Stateful || p.active[t] == nobody {
			continue
		}
		s.wanting = append(s.wanting, t)
		for m := range p.members {
			if p.mayStandBy(t, m) {
				able[m]++
				if l := p.lags[t][m]; l.ready && l.following {
					wish[m]++
				}
			}
		}
	}
	s.room = p.shares(each*len(s.wanting), wish, able)
	for _, near := range []bool{false, true} {
		for _, ready := range []bool{true, false} {
			s.fillShares(near, ready)
			s.fill(near, ready)
		}
	}
	s.evenOut()
	for _, t := range s.wanting {
		s.keepReady(t)
	}
}

// mayStandBy says whether a member can stand by for a task at all.
func (p *problem) mayStandBy(t, m int) bool {
	return p.eligible[m] && !p.members[m].Draining && m != p.active[t] && m != p.warming[t]
}

// sameZone says whether a member stands where the owner of the task does.
func (p *problem) sameZone(t, m int) bool {
	zone := p.members[p.active[t]].Zone
	return zone != "" && zone == p.members[m].Zone
}

// standbys are being chosen.
type standbys struct {
	*problem
	// wanting are the tasks that want standbys, each so many.
	wanting []int
	each    int
	// room is how many more a member is due, negative when it has too many.
	room   []int
	chosen [][]int
}

func (s *standbys) missing(t int) bool { return len(s.chosen[t]) < s.each }

func (s *standbys) take(t, m int) {
	s.chosen[t] = append(s.chosen[t], m)
	s.room[m]--
}

// fits says whether a member may become one more standby of a task; near ones stand in the owner's zone.
func (s *standbys) fits(t, m int, near bool) bool {
	return s.mayStandBy(t, m) && s.sameZone(t, m) == near && !slices.Contains(s.chosen[t], m)
}

// fillShares gives tasks what they miss, as far as the members' shares go, best pairs first.
func (s *standbys) fillShares(near, ready bool) {
	var pairs []move
	for _, t := range s.wanting {
		for m := range s.members {
			if s.missing(t) && s.room[m] > 0 && s.fits(t, m, near) && (s.lags[t][m].ready || !ready) {
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

// fill gives tasks what they still miss whatever the shares, from those with most room left.
func (s *standbys) fill(near, ready bool) {
	for _, t := range s.wanting {
		for s.missing(t) {
			best := nobody
			for m := range s.members {
				if s.fits(t, m, near) && (s.lags[t][m].ready || !ready) && (best == nobody || s.compare(t, m, best) < 0) {
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

func (s *standbys) compare(t, a, b int) int {
	return cmp.Or(-cmp.Compare(s.room[a], s.room[b]), s.lags[t][a].compare(s.lags[t][b]), cmp.Compare(s.turn(t, a), s.turn(t, b)))
}

// evenOut lets members that have too many give some up to those that have room, at best to those that are ready, or on their
// way.
func (s *standbys) evenOut() {
	for _, willing := range []func(lag) bool{
		func(l lag) bool { return l.ready },
		func(l lag) bool { return l.ready || l.following },
		func(lag) bool { return true },
	} {
		for m := range s.members {
			for s.room[m] < 0 && s.giveUp(m, willing) {
			}
		}
	}
}

// giveUp moves one task of a member to another, which may have to give one up in turn, until one has room. The chain is as
// short as can be.
func (s *standbys) giveUp(first int, willing func(lag) bool) bool {
	// from says who gives which task up to a member.
	type step struct{ task, from int }
	from := map[int]step{first: {nobody, nobody}}
	queue := []int{first}
	for len(queue) > 0 {
		giver := queue[0]
		queue = queue[1:]
		for _, t := range s.wanting {
			if !slices.Contains(s.chosen[t], giver) {
				continue
			}
			for m := range s.members {
				if _, seen := from[m]; seen || !s.succeeds(t, m, giver) || !willing(s.lags[t][m]) {
					continue
				}
				from[m] = step{t, giver}
				if s.room[m] <= 0 {
					queue = append(queue, m)
					continue
				}
				s.room[m]--
				s.room[first]++
				for m != first {
					by := from[m]
					s.chosen[by.task][slices.Index(s.chosen[by.task], by.from)] = m
					m = by.from
				}
				return true
			}
		}
	}
	return false
}

// succeeds says whether a member may stand by for a task in place of another: not in the owner's zone if that one is not.
func (s *standbys) succeeds(t, m, old int) bool {
	return s.fits(t, m, false) || s.sameZone(t, old) && s.fits(t, m, true)
}

// keepReady settles a task's standbys. One that is not ready warms up while somebody who is ready stands by in its place.
func (s *standbys) keepReady(t int) {
	var holders []int
	for m := range s.members {
		if s.mayStandBy(t, m) && s.lags[t][m].ready && !slices.Contains(s.chosen[t], m) {
			holders = append(holders, m)
		}
	}
	slices.SortStableFunc(holders, func(a, b int) int {
		return cmp.Or(compareBool(s.sameZone(t, a), s.sameZone(t, b)), s.lags[t][a].compare(s.lags[t][b]))
	})
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
