package cluster

import (
	"cmp"
	"slices"
)

// placeStateful finds the target of every stateful task, then who owns it until the target is ready.
func (p *problem) placeStateful() {
	free := p.pin(true)
	share := p.shares(len(free), p.owned(free), nil)
	p.target = p.targets(free, share)
	load := make([]int, len(p.members))
	for _, t := range free {
		if m := p.target[t]; p.lags[t][m].ready {
			p.active[t] = m
			load[m]++
		}
	}
	for _, t := range free {
		if p.active[t] == nobody {
			m := p.interim(t, load)
			p.active[t] = m
			load[m]++
			if m != p.target[t] {
				p.warm(t)
			}
		}
	}
}

// move is a task that could go to a member.
type move struct {
	task, to int
	lag      lag
	// unowned tasks have no owner to stay with.
	unowned bool
	// turn is how far the member is from the one whose turn it is for this partition number.
	turn int
}

func (p *problem) turn(t, m int) int {
	n := len(p.members)
	return (m - int(p.tasks[t].Partition)%n + n) % n
}

// targets keeps what owners have as far as their shares allow and moves the rest, best moves first: to members that are
// ready, then to those least behind.
func (p *problem) targets(free, share []int) []int {
	target := slices.Clone(p.target)
	over, room := p.owned(free), slices.Clone(share)
	for m := range over {
		kept := min(over[m], share[m])
		over[m] -= kept
		room[m] -= kept
	}
	var moves []move
	for _, t := range free {
		prev := p.prev[t]
		if prev != nobody && over[prev] == 0 {
			continue
		}
		for m := range p.members {
			if room[m] > 0 {
				moves = append(moves, move{t, m, p.lags[t][m], prev == nobody, p.turn(t, m)})
			}
		}
	}
	slices.SortFunc(moves, func(a, b move) int {
		return cmp.Or(a.lag.compare(b.lag), compareBool(b.unowned, a.unowned), cmp.Compare(a.task, b.task), cmp.Compare(a.turn, b.turn))
	})
	for _, v := range moves {
		prev := p.prev[v.task]
		if target[v.task] != nobody || room[v.to] == 0 || prev != nobody && over[prev] == 0 {
			continue
		}
		target[v.task] = v.to
		room[v.to]--
		if prev != nobody {
			over[prev]--
		}
	}
	for _, t := range free {
		if target[t] == nobody {
			target[t] = p.prev[t]
		}
	}
	return target
}

// interim is who owns a task while its target is not ready: the owner; or another that is ready; or, with nobody ready,
// whoever needs clearly less than the target to be so.
func (p *problem) interim(t int, load []int) int {
	if m := p.prev[t]; m != nobody {
		return m
	}
	target := p.target[t]
	best := target
	for m := range p.members {
		if p.eligible[m] && cmp.Or(p.lags[t][m].compare(p.lags[t][best]), cmp.Compare(load[m], load[best])) < 0 {
			best = m
		}
	}
	have, want := p.lags[t][best], p.lags[t][target]
	if have.ready || have.records != unknownLag && want.records-have.records > p.o.AcceptableRecords {
		return best
	}
	return target
}

// warm lets the target of a task build up its state, if there may be one more that does.
func (p *problem) warm(t int) {
	if p.warmupsLeft > 0 {
		p.warmupsLeft--
		p.warming[t] = p.target[t]
	}
}
