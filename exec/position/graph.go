package position

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// Graph says which stages of which persistent queries read and write which topics. It is immutable.
type Graph struct {
	stages           []*stage
	readers, writers map[string][]*stage
}

// stage is a stage of a query as far as its topics go.
type stage struct {
	query      string
	id         int
	partitions int32
	// inputs are the topics read; internal those of them that an earlier stage of the query writes.
	inputs   []string
	internal map[string]bool
	// through are inputs of which what the stage writes contains no more than has come back by way of an internal input: the
	// left table of a foreign-key join.
	through map[string]bool
	// output is the topic written.
	output string
}

// NewGraph builds the graph of the plans of persistent queries. The stage with the left table of a foreign-key join writes
// what comes back to it, so it is two here: one sends the subscriptions, and one reads the left table and the answers.
func NewGraph(plans []*physical.Plan) *Graph {
	g := &Graph{readers: map[string][]*stage{}, writers: map[string][]*stage{}}
	for _, plan := range plans {
		for _, st := range plan.Stages {
			if join := st.ForeignKeyJoin(); join != nil {
				send, receive := newStage(plan, st), newStage(plan, st)
				send.inputs, send.internal, send.output = leftTopics(st, join), map[string]bool{}, join.Topic
				for _, topic := range send.inputs {
					send.internal[topic], receive.through[topic] = receive.internal[topic], true
				}
				// The stage is found by its number as what gives the rows.
				g.add(receive)
				g.add(send)
				continue
			}
			g.add(newStage(plan, st))
		}
	}
	return g
}

// newStage is a stage with all its inputs and the output of its root.
func newStage(plan *physical.Plan, st *physical.Stage) *stage {
	s := &stage{query: plan.QueryID, id: st.ID, partitions: int32(st.Partitions), internal: map[string]bool{}, through: map[string]bool{}}
	for _, in := range st.Inputs {
		s.inputs = append(s.inputs, in.Topic)
		s.internal[in.Topic] = in.Repartition
	}
	switch root := st.Root.(type) {
	case *physical.Repartition:
		s.output = root.Topic
	case *physical.ForeignKeyAnswer:
		s.output = root.Topic
	case *physical.Sink:
		s.output = root.Topic
	default:
		// The rows of a push query and of a source table go to no topic.
	}
	return s
}

// leftTopics are the inputs of the stage that the left table of a foreign-key join is read from.
func leftTopics(st *physical.Stage, join *physical.ForeignKeyJoin) []string {
	var out []string
	var visit func(physical.Node)
	visit = func(n physical.Node) {
		if src, ok := n.(*physical.Source); ok {
			out = append(out, st.Inputs[src.Input].Topic)
		}
		for _, c := range n.Children() {
			visit(c)
		}
	}
	visit(join.L)
	return out
}

func (g *Graph) add(s *stage) {
	for _, topic := range s.inputs {
		g.readers[topic] = append(g.readers[topic], s)
	}
	if s.output != "" {
		g.writers[s.output] = append(g.writers[s.output], s)
	}
	g.stages = append(g.stages, s)
}

// Contained leaves of the positions of a stage's inputs those that its rows contain: of the left table of a foreign-key join
// they contain what has come back, which [Trails.Sources] tells.
func (g *Graph) Contained(query string, stageID int, at Vector) Vector {
	s := g.stage(query, stageID)
	if s == nil || len(s.through) == 0 {
		return at
	}
	out := Vector{}
	for topic, partitions := range at {
		if !s.through[topic] {
			out[topic] = partitions
		}
	}
	return out
}

// Knows says whether a query reads or writes the topic.
func (g *Graph) Knows(topic string) bool {
	return len(g.readers[topic]) > 0 || len(g.writers[topic]) > 0
}

// Partitions is how many partitions a topic has that a query reads; false if none does.
func (g *Graph) Partitions(topic string) (n int32, ok bool) {
	for _, s := range g.readers[topic] {
		return s.partitions, true
	}
	return 0, false
}

// Inputs lists the topics that a stage of a query reads; nil if there is no such stage.
func (g *Graph) Inputs(query string, stageID int) []string {
	if s := g.stage(query, stageID); s != nil {
		return s.inputs
	}
	return nil
}

func (g *Graph) stage(query string, id int) *stage {
	for _, s := range g.stages {
		if s.query == query && s.id == id {
			return s
		}
	}
	return nil
}

// Feeds says whether records of a topic reach any of the others, or it is one of them.
func (g *Graph) Feeds(topic string, topics []string) bool {
	if slices.Contains(topics, topic) {
		return true
	}
	return slices.ContainsFunc(topics, g.downstream(Vector{topic: {0: 1}}).reachTopic)
}

// reach is a set of stages and the topics they write.
type reach struct {
	stages map[*stage]bool
	topics map[string]bool
}

func (r reach) reachTopic(topic string) bool { return r.topics[topic] }

// downstream is what the records that want asks for go through.
func (g *Graph) downstream(want Vector) reach {
	r := reach{map[*stage]bool{}, map[string]bool{}}
	var next []string
	for topic, partitions := range want {
		if !(Vector{topic: partitions}).IsEmpty() {
			next = append(next, topic)
		}
	}
	for len(next) > 0 {
		topic := next[0]
		next = next[1:]
		for _, s := range g.readers[topic] {
			if r.stages[s] {
				continue
			}
			r.stages[s] = true
			if s.output != "" && !r.topics[s.output] {
				r.topics[s.output] = true
				next = append(next, s.output)
			}
		}
	}
	return r
}

// between lists the stages that lead from the records that want asks for to the topics, each behind those that write what
// it reads.
func (g *Graph) between(want Vector, topics []string) ([]*stage, error) {
	down := g.downstream(want)
	found := map[*stage]bool{}
	next := slices.Clone(topics)
	for len(next) > 0 {
		topic := next[0]
		next = next[1:]
		for _, w := range g.writers[topic] {
			if down.stages[w] && !found[w] {
				found[w] = true
				next = append(next, w.inputs...)
			}
		}
	}
	var order []*stage
	placed := map[*stage]bool{}
	for len(order) < len(found) {
		before := len(order)
		for _, s := range g.stages { // In the order of the plans, so that the answer is always the same.
			if found[s] && !placed[s] && !g.waits(s, found, placed) {
				placed[s] = true
				order = append(order, s)
			}
		}
		if len(order) == before {
			return nil, circle(found, placed)
		}
	}
	return order, nil
}

// waits says whether any writer of the stage's inputs is found and not yet placed.
func (g *Graph) waits(s *stage, found, placed map[*stage]bool) bool {
	for _, topic := range s.inputs {
		for _, w := range g.writers[topic] {
			if found[w] && !placed[w] {
				return true
			}
		}
	}
	return false
}

// circle is the error for queries that feed each other: their work on a record never ends, so it cannot be waited for.
func circle(found, placed map[*stage]bool) error {
	names := map[string]bool{}
	for s := range found {
		if !placed[s] {
			names[s.query] = true
		}
	}
	list := make([]string, 0, len(names))
	for n := range names {
		list = append(list, n)
	}
	slices.Sort(list)
	return fmt.Errorf("the queries %s write what they read from each other, so that their work on a record never ends", strings.Join(list, ", "))
}
