package cluster

import (
	"cmp"
	"slices"
)

// shares divides n things among the eligible members by their capacity, each the share below or above what it is due. The
// shares above go to those who wish for them most: where wish says how much a member has already, fewest things move.
func (p *problem) shares(n int, wish []int) []int {
	var sum int64
	for m, ok := range p.eligible {
		if ok {
			sum += int64(p.members[m].Capacity)
		}
	}
	share := make([]int, len(p.members))
	rest := make([]int64, len(p.members))
	left := n
	var candidates []int
	for m, ok := range p.eligible {
		if !ok {
			continue
		}
		due := int64(n) * int64(p.members[m].Capacity)
		share[m], rest[m] = int(due/sum), due%sum
		left -= share[m]
		if rest[m] > 0 {
			candidates = append(candidates, m)
		}
	}
	slices.SortStableFunc(candidates, func(a, b int) int {
		return cmp.Or(
			-cmp.Compare(min(wish[a]-share[a], 1), min(wish[b]-share[b], 1)),
			-cmp.Compare(rest[a], rest[b]),
			-cmp.Compare(wish[a]-share[a], wish[b]-share[b]),
		)
	})
	for _, m := range candidates[:left] {
		share[m]++
	}
	return share
}

// pin leaves the tasks that ineligible members own with them and returns the others that are, or are not, stateful.
func (p *problem) pin(stateful bool) (free []int) {
	for t, task := range p.tasks {
		switch m := p.prev[t]; {
		case task.Stateful != stateful:
		case m != nobody && !p.eligible[m]:
			p.target[t], p.active[t] = m, m
		default:
			free = append(free, t)
		}
	}
	return free
}

// owned counts what each member owns now of some tasks.
func (p *problem) owned(tasks []int) []int {
	n := make([]int, len(p.members))
	for _, t := range tasks {
		if m := p.prev[t]; m != nobody {
			n[m]++
		}
	}
	return n
}

// placeStateless keeps what owners have up to their shares of all tasks, and gives the rest to those with room.
func (p *problem) placeStateless() {
	free := p.pin(false)
	load := make([]int, len(p.members))
	all := len(free)
	for t, task := range p.tasks {
		if m := p.target[t]; task.Stateful && m != nobody && p.eligible[m] {
			load[m]++
			all++
		}
	}
	wish := p.owned(free)
	for m := range wish {
		wish[m] += load[m]
	}
	share := p.shares(all, wish)
	var rest []int
	for _, t := range free {
		if m := p.prev[t]; m != nobody && load[m] < share[m] {
			p.settle(t, m, load)
		} else {
			rest = append(rest, t)
		}
	}
	for _, t := range rest {
		best := nobody
		for i := range p.members {
			// Beginning with another member for each partition number spreads stages alike.
			m := (i + int(p.tasks[t].Partition)) % len(p.members)
			if p.eligible[m] && (best == nobody || load[m]-share[m] < load[best]-share[best]) {
				best = m
			}
		}
		p.settle(t, best, load)
	}
}

func (p *problem) settle(t, m int, load []int) {
	p.target[t], p.active[t] = m, m
	load[m]++
}
