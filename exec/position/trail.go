package position

import (
	"context"
	"maps"
	"sync"
	"time"
)

// Trails remembers how far stages had read when the topics they write had which ends. From that it says which positions of
// a query's sources an answer contains that was given by a stage behind repartition topics. It is safe for concurrent use.
type Trails struct {
	offsets Offsets

	mu     sync.Mutex
	stages map[stageKey]*trail
}

// stageKey names a stage; by its output too, since there are two of the left table of a foreign-key join.
type stageKey struct {
	query  string
	id     int
	output string
}

// trail is what is known of one stage: facts, oldest first, that stay true.
type trail struct {
	mu    sync.Mutex
	taken time.Time
	facts []fact
}

// fact says that all a stage has made of what lies below read is below ends of the topic it writes.
type fact struct{ read, ends Vector }

// factEvery is how old the newest fact of a stage may be before another is looked up, and maxFacts how many are kept: when
// there are more, every second goes, so that they reach back further for answers of a stage that lags.
const (
	factEvery = 100 * time.Millisecond
	maxFacts  = 32
)

// NewTrails makes trails without facts.
func NewTrails(o Offsets) *Trails { return &Trails{offsets: o, stages: map[stageKey]*trail{}} }

// Note looks up how far the stages are that write the repartition topics which lead to a stage of a query, unless it has
// been done a moment ago. Facts of queries that are not in the graph any more are forgotten.
func (t *Trails) Note(ctx context.Context, g *Graph, query string, stageID int) error {
	s := g.stage(query, stageID)
	if s == nil {
		return nil
	}
	for _, w := range g.inner(s) {
		if err := t.note(ctx, g, w); err != nil {
			return err
		}
	}
	return nil
}

// inner lists the stages of the same query whose output leads to s, nearest first.
func (g *Graph) inner(s *stage) []*stage {
	var out []*stage
	for _, topic := range s.inputs {
		if w := g.innerWriter(s, topic); w != nil {
			out = append(append(out, w), g.inner(w)...)
		}
	}
	return out
}

// innerWriter is the stage of the same query that writes an internal input.
func (g *Graph) innerWriter(s *stage, topic string) *stage {
	if !s.internal[topic] {
		return nil
	}
	for _, w := range g.writers[topic] {
		if w.query == s.query && w.id != s.id {
			return w
		}
	}
	return nil
}

func (t *Trails) note(ctx context.Context, g *Graph, w *stage) error {
	tr := t.trail(g, w)
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if now := time.Now(); now.Sub(tr.taken) < factEvery {
		return nil
	}
	all := Vector{}
	for _, topic := range w.inputs {
		for p := range w.partitions {
			all.Set(topic, p, 0)
		}
	}
	// The order is what makes it a fact: the ends are those of later.
	read, err := t.offsets.Committed(ctx, w.query, all)
	if err != nil {
		return err
	}
	ends, err := t.offsets.Ends(ctx, w.output)
	if err != nil {
		return err
	}
	tr.taken = time.Now()
	if n := len(tr.facts); n > 0 && maps.EqualFunc(tr.facts[n-1].read, read, maps.Equal[map[int32]int64]) {
		return nil // A query that stands still; its old ends say more than the new ones do.
	}
	tr.facts = append(tr.facts, fact{read, ends})
	if len(tr.facts) > maxFacts {
		tr.facts = thin(tr.facts)
	}
	return nil
}

// thin drops every second fact, never the newest.
func thin(facts []fact) []fact {
	kept := facts[:0]
	for i, f := range facts {
		if (len(facts)-i)%2 == 1 {
			kept = append(kept, f)
		}
	}
	clear(facts[len(kept):])
	return kept
}

func (t *Trails) trail(g *Graph, w *stage) *trail {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := stageKey{w.query, w.id, w.output}
	tr := t.stages[key]
	if tr == nil {
		for k := range t.stages {
			if g.stage(k.query, k.id) == nil {
				delete(t.stages, k)
			}
		}
		tr = &trail{}
		t.stages[key] = tr
	}
	return tr
}

// Sources says which positions of the sources of a query an answer contains that a stage of it has given from state at the
// positions at of its inputs. What is not known is not in it. Positions of internal topics are not in it either.
func (t *Trails) Sources(g *Graph, query string, stageID int, at Vector) Vector {
	out := Vector{}
	if s := g.stage(query, stageID); s != nil {
		t.sources(g, s, at, out)
	}
	return out
}

func (t *Trails) sources(g *Graph, s *stage, at, out Vector) {
	for _, topic := range s.inputs {
		if s.through[topic] {
			continue
		}
		if !s.internal[topic] {
			out.Raise(at.Of(topic))
			continue
		}
		if w := g.innerWriter(s, topic); w != nil {
			if read, ok := t.trail(g, w).contained(topic, at[topic]); ok {
				t.sources(g, w, read, out)
			}
		}
	}
}

// contained is the furthest that the stage had read when what it had written was all below at, as far as the partitions in
// at go.
func (tr *trail) contained(topic string, at map[int32]int64) (Vector, bool) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for i := len(tr.facts) - 1; i >= 0; i-- {
		if f := &tr.facts[i]; below(f.ends[topic], at) {
			return f.read, true
		}
	}
	return nil, false
}

// below says whether ends are reached in every partition of at.
func below(ends, at map[int32]int64) bool {
	for p, have := range at {
		if end, ok := ends[p]; !ok || have < end {
			return false
		}
	}
	return len(at) > 0
}
