package cluster

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

var (
	simSeed = flag.Uint64("seed", 0, "run the simulation of this seed only")
	simRuns = flag.Int("runs", 100, "how many simulations to run")
)

// simNode is a server that may be a member.
type simNode struct {
	id       string
	zone     string
	capacity uint32
	up       bool
	slow     bool // restores at a hundredth of the usual rate
	lives    uint64
	// claims as of generation; they end with the node's membership.
	claims     map[TaskID]bool
	generation int32
	state      map[TaskID]*simState
	follows    map[TaskID]bool // standbys and warm-ups
	warming    map[TaskID]bool
}

// simState is a node's local state of a task.
type simState struct {
	position   int64
	completeAt int64 // when it was last seen to be complete, ms
}

// sim is a group of servers under random events.
type sim struct {
	t          *testing.T
	rng        *rand.Rand
	topology   Topology
	options    Options
	tasks      []Task
	equal      bool // all capacities are
	nodes      []*simNode
	now        int64 // ms
	generation int32
	ends       map[TaskID]int64
	rate       map[TaskID]int64 // records a second
	script     []string
	// rebalances and moves are what it cost.
	rebalances, moves int
}

const restoreRate = 500_000 // records a second

func newSim(t *testing.T, seed uint64) *sim {
	s := &sim{t: t, rng: rand.New(rand.NewPCG(seed, 1)), options: DefaultOptions(), ends: map[TaskID]int64{}, rate: map[TaskID]int64{}}
	s.topology.PlanHash = 42
	for id := range 1 + s.rng.IntN(3) {
		s.topology.Stages = append(s.topology.Stages, Stage{ID: int32(id), Partitions: int32(1 + s.rng.IntN(20)), Stateful: s.rng.IntN(3) > 0,
			Topics: []string{fmt.Sprint("topic", id)}})
	}
	s.tasks = s.topology.Tasks()
	for _, task := range s.tasks {
		s.ends[task.TaskID] = s.rng.Int64N(20_000_000)
		s.rate[task.TaskID] = []int64{0, 10, 1000, 60_000}[s.rng.IntN(4)]
	}
	s.options.Standbys = []int{1, 1, 1, 0, 2}[s.rng.IntN(5)]
	zones := s.rng.IntN(4)
	s.equal = s.rng.IntN(4) > 0
	for i := range 2 + s.rng.IntN(9) {
		n := &simNode{id: fmt.Sprintf("n%02d", i), capacity: 1, state: map[TaskID]*simState{}}
		if zones > 0 {
			n.zone = fmt.Sprint("z", i%zones)
		}
		if !s.equal {
			n.capacity = uint32(1 + s.rng.IntN(4))
		}
		s.nodes = append(s.nodes, n)
	}
	return s
}

func (s *sim) fatalf(format string, args ...any) {
	s.t.Helper()
	s.t.Fatalf("%s\n%s", fmt.Sprintf(format, args...), strings.Join(s.script, "\n"))
}

func (s *sim) note(format string, args ...any) {
	s.script = append(s.script, fmt.Sprintf("%8d ms: ", s.now)+fmt.Sprintf(format, args...))
}

// up lists the members.
func (s *sim) up() []*simNode {
	var out []*simNode
	for _, n := range s.nodes {
		if n.up {
			out = append(out, n)
		}
	}
	return out
}

// member is what a node tells the group, through its encoding.
func (s *sim) member(n *simNode) Member {
	sub := Subscription{NodeID: n.id, Incarnation: n.lives, Zone: n.zone, Capacity: n.capacity, PlanHash: s.topology.PlanHash}
	for _, task := range s.tasks {
		if st, ok := n.state[task.TaskID]; ok {
			p := TaskPosition{TaskID: task.TaskID, Position: st.position, Following: n.claims[task.TaskID] || n.follows[task.TaskID]}
			if !n.claims[task.TaskID] {
				p.Age = time.Duration(s.now-st.completeAt) * time.Millisecond
			}
			sub.Positions = append(sub.Positions, p)
		}
	}
	decoded, err := DecodeSubscription(sub.Encode())
	if err != nil {
		s.fatalf("%v", err)
	}
	m := Member{Subscription: decoded, Generation: n.generation}
	for _, task := range s.tasks {
		if n.claims[task.TaskID] {
			m.Claims = append(m.Claims, task.TaskID)
		}
	}
	return m
}

// rebalance goes through the rounds of a cooperative rebalance.
func (s *sim) rebalance() {
	s.rebalances++
	for round := 1; ; round++ {
		nodes := s.up()
		if len(nodes) == 0 {
			return
		}
		s.rng.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
		var members []Member
		for _, n := range nodes {
			members = append(members, s.member(n))
		}
		plan := Assign(s.topology, members, s.options)
		s.check(members, plan)
		again := s.apply(nodes, plan)
		if !again {
			return
		}
		// The second gives what the first has taken. A third may follow where a task without owner went to whoever was ready:
		// another of that member's tasks can then be had by the target at once.
		if round == 4 {
			s.fatalf("a fifth round is needed")
		}
	}
}

// apply carries a plan out as the group does: what another member still owns is withheld, revoked, and given in the next
// round.
func (s *sim) apply(nodes []*simNode, plan Plan) (again bool) {
	s.generation++
	owner := map[TaskID]*simNode{}
	for _, n := range nodes {
		for t := range n.claims {
			if o := owner[t]; o == nil || n.generation > o.generation {
				owner[t] = n
			}
		}
	}
	for i, n := range nodes {
		claims := map[TaskID]bool{}
		for _, t := range plan.Members[i].Active {
			if o := owner[t]; o == nil || o == n { // Claims of an older generation than another's are void.
				claims[t] = true
				if o == nil {
					s.moves++
				}
			} else {
				again = true
			}
		}
		n.follows, n.warming = map[TaskID]bool{}, map[TaskID]bool{}
		for _, t := range plan.Members[i].Standby {
			n.follows[t] = true
		}
		for _, t := range plan.Members[i].Warmup {
			n.follows[t], n.warming[t] = true, true
		}
		n.claims, n.generation = claims, s.generation
	}
	for _, n := range nodes {
		for _, task := range s.tasks {
			t := task.TaskID
			if task.Stateful && (n.claims[t] || n.follows[t]) && n.state[t] == nil {
				n.state[t] = &simState{completeAt: s.now - 1_000_000}
			}
			if st := n.state[t]; st != nil && n.claims[t] {
				st.position, st.completeAt = s.ends[t], s.now // restored before it runs
			}
		}
	}
	return again
}

// pass lets time go by: owners write, followers follow. It returns true when a warm-up has caught up.
func (s *sim) pass(ms int64) (caughtUp bool) {
	s.now += ms
	owned := map[TaskID]bool{}
	for _, n := range s.up() {
		for t := range n.claims {
			owned[t] = true
		}
	}
	for t := range owned {
		s.ends[t] += s.rate[t] * ms / 1000
	}
	for _, n := range s.up() {
		budget := restoreRate * ms / 1000
		if n.slow {
			budget /= 100
		}
		for _, task := range s.tasks {
			t := task.TaskID
			st := n.state[t]
			switch {
			case st == nil:
			case n.claims[t]:
				st.position, st.completeAt = s.ends[t], s.now
			case n.follows[t]:
				step := min(s.ends[t]-st.position, budget)
				budget -= step
				st.position += step
				if st.position == s.ends[t] {
					st.completeAt = s.now
					caughtUp = caughtUp || n.warming[t]
				}
			}
		}
	}
	return caughtUp
}

// event lets something happen to the servers.
func (s *sim) event() {
	n := s.nodes[s.rng.IntN(len(s.nodes))]
	switch s.rng.IntN(10) {
	case 0, 1, 2, 3:
		if !n.up {
			n.up, n.claims, n.slow = true, nil, s.rng.IntN(5) == 0
			n.lives++
			s.note("%s joins", n.id)
		}
	case 4, 5:
		if n.up {
			n.up, n.claims, n.follows = false, nil, nil
			s.note("%s leaves", n.id)
		}
	case 6:
		if n.up {
			n.up, n.claims, n.follows = false, nil, nil
			n.state = map[TaskID]*simState{}
			s.note("%s is lost with its disk", n.id)
		}
	case 7:
		if n.up {
			// A member that was away too long: its claims are of an old generation, and others have its tasks.
			s.note("%s is away", n.id)
			claims, generation := n.claims, n.generation
			n.up = false
			s.rebalance()
			n.up, n.claims, n.generation = true, claims, generation
			s.dropStale(n)
			s.note("%s is back", n.id)
		}
	case 8:
		n.slow = !n.slow
	case 9:
		for _, task := range s.tasks {
			s.rate[task.TaskID] = []int64{0, 10, 1000, 60_000}[s.rng.IntN(4)]
		}
	}
}

// dropStale takes the claims away that others have by now, half of the time: the broker would have told the member that it
// lost them, or will let it claim them once more.
func (s *sim) dropStale(n *simNode) {
	if s.rng.IntN(2) == 0 {
		n.claims = nil
	}
}

func (s *sim) run() {
	for range 30 {
		s.event()
		s.rebalance()
		for range s.rng.IntN(20) {
			if s.pass(s.rng.Int64N(3000)) {
				s.rebalance()
			}
		}
	}
	for _, n := range s.nodes {
		n.slow = false
	}
	if len(s.up()) == 0 {
		s.nodes[0].up = true
	}
	for t := range s.rate {
		s.rate[t] = min(s.rate[t], 1000) // What a server can follow at all.
	}
	s.note("no more events")
	// A standby may move once more when everybody is ready, where zones keep the shares from being met; no owner does.
	s.settle()
	for moves, tries := s.moves, 0; !s.atRest(); tries++ {
		if tries == 3 || s.moves != moves {
			s.fatalf("it never comes to rest")
		}
		s.settle()
	}
	s.checkSettled()
}

// settle rebalances and waits until everybody has caught up.
func (s *sim) settle() {
	s.rebalance()
	for range 20_000 {
		if s.pass(250) {
			s.rebalance()
		}
		if s.settled() {
			return
		}
	}
	s.fatalf("some never catch up")
}

// atRest says whether a further rebalance would change nothing.
func (s *sim) atRest() bool {
	nodes := s.up()
	var members []Member
	for _, n := range nodes {
		members = append(members, s.member(n))
	}
	plan := Assign(s.topology, members, s.options)
	for i, n := range nodes {
		m := plan.Members[i]
		if len(m.Active) != len(n.claims) || len(m.Standby) != len(n.follows) || len(m.Warmup) > 0 {
			return false
		}
		for _, t := range m.Active {
			if !n.claims[t] {
				return false
			}
		}
		for _, t := range m.Standby {
			if !n.follows[t] {
				return false
			}
		}
	}
	return true
}

func (s *sim) settled() bool {
	for _, n := range s.up() {
		if len(n.warming) > 0 {
			return false
		}
		for t := range n.follows {
			if n.state[t].position < s.ends[t] {
				return false
			}
		}
	}
	return true
}

func TestSimulation(t *testing.T) {
	seeds := make([]uint64, *simRuns)
	for i := range seeds {
		seeds[i] = uint64(i + 1)
	}
	if *simSeed != 0 {
		seeds = []uint64{*simSeed}
	}
	rebalances, moves := 0, 0
	for _, seed := range seeds {
		ok := t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := newSim(t, seed)
			s.run()
			rebalances += s.rebalances
			moves += s.moves
		})
		if !ok {
			break
		}
	}
	t.Logf("%d simulations, %d rebalances, %d tasks given to somebody", len(seeds), rebalances, moves)
}
