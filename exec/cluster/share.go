package cluster

import (
	"cmp"
	"slices"
)

// shares divides n things among the eligible members by their capacity, each the share below or above what it is due. The
// shares above go to those who wish for more than the one below: where wish says what a member has already, fewest things
// move. Nobody gets more than its limit, when there are limits; what is left then is nobody's.
func (p *problem) shares(n int, wish, limit []int) []int {
	share := make([]int, len(p.members))
	open := slices.Clone(p.eligible)
	for m := range open {
		open[m] = open[m] && !p.members[m].Draining
	}
	for n > 0 && slices.Contains(open, true) {
		got := p.divide(n, wish, open)
		full := false
		for m := range got {
			if limit != nil && open[m] && got[m] > limit[m] {
				// What others are due changes with what it cannot have.
				share[m], open[m], full = limit[m], false, true
				n -= limit[m]
			}
		}
		if !full {
			for m := range got {
				share[m] += got[m]
			}
			break
		}
	}
	return share
}

// divide divides n things among some members.
func (p *problem) divide(n int, wish []int, among []bool) []int {
	var sum int64
	for m, ok := range among {
		if ok {
			sum += int64(p.members[m].Capacity)
		}
	}
	share := make([]int, len(p.members))
	rest := make([]int64, len(p.members))
	left := n
	var candidates []int
	for m, ok := range among {
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
	// How much a member wishes makes no difference: it changes while tasks move, and the shares must not.
	slices.SortStableFunc(candidates, func(a, b int) int {
		return cmp.Or(compareBool(wish[a] <= share[a], wish[b] <= share[b]), -cmp.Compare(rest[a], rest[b]))
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
	share := p.shares(all, wish, nil)
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
			if p.eligible[m] && !p.members[m].Draining && (best == nobody || load[m]-share[m] < load[best]-share[best]) {
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
