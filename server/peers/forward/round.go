package forward

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/cluster"
	"github.com/ksqlgo/ksqlgo/exec/position"
	"github.com/ksqlgo/ksqlgo/server/peers"
)

// round asks for each partition that is left the servers that may have it, one after the other; different servers at once.
func (g *gathering) round(ctx context.Context) error {
	g.tried = map[int32][]attempt{}
	candidates := g.candidates()
	next := map[int32]int{}
	for {
		groups := map[target][]int32{}
		for _, p := range g.left {
			if list := candidates[p]; next[p] < len(list) {
				t := target{node: list[next[p]], noWait: next[p]+1 < len(list)}
				groups[t] = append(groups[t], p)
				next[p]++
			}
		}
		if len(groups) == 0 {
			return nil
		}
		var failed error
		for _, a := range g.askAll(ctx, groups) {
			// All are taken, also after an error, so that close finds them.
			if err := g.take(a, candidates); err != nil && failed == nil {
				failed = err
			}
		}
		if failed != nil {
			return failed
		}
		if g.stale != nil || ctx.Err() != nil {
			return nil
		}
	}
}

// target is a server to ask. noWait lets it refuse what it is restoring, since there is another one to ask.
type target struct {
	node   string
	noWait bool
}

// asked is what became of asking one server.
type asked struct {
	target
	partitions []int32
	header     *header
	// Of another server, or of this one.
	part *part
	rows *exec.PullRows
	err  error
}

// askAll asks several servers at once.
func (g *gathering) askAll(ctx context.Context, groups map[target][]int32) []asked {
	self := g.r.cfg.Peers.Self().ID
	out := make([]asked, 0, len(groups))
	results := make(chan asked, len(groups))
	waiting := 0
	var here []target
	for t, partitions := range groups {
		switch {
		case t.node == self:
			here = append(here, t)
		case len(groups) == 1:
			out = append(out, g.askPeer(ctx, t, partitions))
		default:
			waiting++
			go func() { results <- g.askPeer(ctx, t, partitions) }()
		}
	}
	for _, t := range here {
		out = append(out, g.askSelf(ctx, t, groups[t]))
	}
	for range waiting {
		out = append(out, <-results)
	}
	return out
}

func (g *gathering) request(t target, partitions []int32) *request {
	return &request{query: g.plan.QueryID, hash: g.hash, plan: g.encoded, partitions: partitions, standbyLag: g.o.StandbyLag,
		noWait: t.noWait, atLeast: g.o.AtLeast, wait: g.o.Wait}
}

func (g *gathering) askPeer(ctx context.Context, t target, partitions []int32) asked {
	a := asked{target: t, partitions: partitions}
	if a.part, a.err = g.r.ask(ctx, t.node, g.request(t, partitions)); a.err == nil {
		a.header = &a.part.header
	}
	return a
}

func (g *gathering) askSelf(ctx context.Context, t target, partitions []int32) asked {
	a := asked{target: t, partitions: partitions, header: &header{refused: map[int32]exec.Refusal{}}}
	prepared := g.prepared
	if prepared == nil {
		if prepared, a.err = g.r.cfg.Executor.PreparePull(g.plan); a.err != nil {
			return a
		}
	}
	g.prepared = prepared
	a.rows, _, a.err = read(ctx, prepared, g.request(t, partitions), a.header)
	if a.rows != nil {
		g.prepared = nil
	}
	return a
}

// take takes over an answer, or notes why there is none.
func (g *gathering) take(a asked, candidates map[int32][]string) error {
	if a.part != nil {
		g.parts = append(g.parts, a.part)
	}
	if a.rows != nil {
		g.local = append(g.local, a.rows)
	}
	var refused map[int32]exec.Refusal
	switch {
	case errors.Is(a.err, context.Canceled):
		return a.err
	case a.err != nil:
		refused = failedParts(a.partitions, a.err)
	case a.header.stale:
		g.noteStale(a)
		refused = a.header.refused
	default:
		refused = a.header.refused
		g.left = slices.DeleteFunc(g.left, func(p int32) bool { return slices.Contains(a.header.answered, p) })
	}
	for p, why := range refused {
		g.tried[p] = append(g.tried[p], attempt{a.node, why.Reason})
		if why.Owner != "" && !slices.Contains(candidates[p], why.Owner) {
			candidates[p] = append(candidates[p], why.Owner)
		}
	}
	return nil
}

// noteStale notes positions that do not suffice. From the owner that is final: it has waited for them. A standby is one of
// several.
func (g *gathering) noteStale(a asked) {
	assignment, _ := g.r.cfg.Executor.Assignment(g.plan.QueryID)
	for _, p := range a.header.answered {
		owner, ok := cluster.Host{}, false
		if assignment != nil {
			owner, ok = assignment.Owner(g.task(p))
		}
		if ok && owner.NodeID != a.node && g.o.StandbyLag >= 0 {
			g.tried[p] = append(g.tried[p], attempt{a.node, "does not contain the positions asked for yet"})
			continue
		}
		if g.stale == nil {
			g.stale = position.Vector{}
		}
		g.stale.Raise(a.header.positions)
	}
}

func (g *gathering) task(p int32) cluster.TaskID {
	return cluster.TaskID{Stage: int32(g.stage), Partition: p}
}

// candidates lists for each partition the servers to ask, in order: the owner, servers that say they run the task,
// this one, standbys by lag, and at last the owner that does not answer beats.
func (g *gathering) candidates() map[int32][]string {
	self := g.r.cfg.Peers.Self().ID
	a, _ := g.r.cfg.Executor.Assignment(g.plan.QueryID)
	var alive []peers.Host
	for _, h := range g.r.cfg.Peers.Others() {
		if h.Alive {
			alive = append(alive, h)
		}
	}
	out := map[int32][]string{}
	for _, p := range g.left {
		out[p] = g.candidatesOf(p, self, a, alive)
	}
	return out
}

func (g *gathering) candidatesOf(p int32, self string, a *cluster.Assignment, alive []peers.Host) []string {
	var list []string
	add := func(node string) {
		if !slices.Contains(list, node) {
			list = append(list, node)
		}
	}
	isAlive := func(node string) bool {
		return node == self || slices.ContainsFunc(alive, func(h peers.Host) bool { return h.ID == node })
	}
	owner := ""
	if a != nil {
		if h, ok := a.Owner(g.task(p)); ok {
			owner = h.NodeID
		}
	}
	if owner != "" && isAlive(owner) {
		add(owner)
	}
	for _, h := range alive {
		if t, ok := h.Status.Task(g.plan.QueryID, g.stage, p); ok && t.State == exec.TaskRunning {
			add(h.ID)
		}
	}
	add(self)
	if g.o.StandbyLag >= 0 {
		for _, node := range g.standbys(p, alive) {
			add(node)
		}
	}
	if owner != "" {
		add(owner)
	} else {
		for _, h := range alive {
			if _, ok := h.Status.Query(g.plan.QueryID); ok {
				add(h.ID)
			}
		}
	}
	return list
}

// standbys lists the servers that stand by for a partition and are not too far behind, the nearest first. How far that is
// comes from what all servers have seen of the changelogs' ends, since a standby may be cut off from the brokers.
func (g *gathering) standbys(p int32, alive []peers.Host) []string {
	type standby struct {
		node string
		lag  int64
	}
	var list []standby
	ends := g.ends(p)
	for _, h := range alive {
		t, ok := h.Status.Task(g.plan.QueryID, g.stage, p)
		if !ok || t.State != exec.TaskStandby || t.Behind < 0 {
			continue
		}
		s := standby{node: h.ID}
		for i, at := range t.Stores {
			end := at.End
			if i < len(ends) {
				end = max(end, ends[i])
			}
			s.lag += max(end-at.Position, 0)
		}
		if s.lag <= g.o.StandbyLag {
			list = append(list, s)
		}
	}
	slices.SortStableFunc(list, func(a, b standby) int { return cmp.Compare(a.lag, b.lag) })
	out := make([]string, 0, len(list))
	for _, s := range list {
		out = append(out, s.node)
	}
	return out
}

// ends are the greatest ends of a partition's changelogs that any other server has told of, also one that is down now.
func (g *gathering) ends(p int32) []int64 {
	var ends []int64
	for _, h := range g.r.cfg.Peers.Others() {
		t, ok := h.Status.Task(g.plan.QueryID, g.stage, p)
		if !ok {
			continue
		}
		for i, at := range t.Stores {
			if i == len(ends) {
				ends = append(ends, 0)
			}
			ends[i] = max(ends[i], at.End)
		}
	}
	return ends
}

// writePartitions writes who was asked for each partition, in ksqlDB's words.
func writePartitions(b *strings.Builder, partitions map[int32][]Scanned) {
	for _, p := range slices.Sorted(maps.Keys(partitions)) {
		list := make([]string, 0, len(partitions[p]))
		for _, s := range partitions[p] {
			list = append(list, s.Host+": "+s.Reason)
		}
		fmt.Fprintf(b, " [Partition %d failed to find valid host. Hosts scanned: [%s]]", p, strings.Join(list, ", "))
	}
}
