package position_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/position"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// TestAwaitSimulated lets queries of random shapes work on random records, with transactions the steps of which become
// visible one by one as on a cluster. Whatever they still make of the wanted records after Await has returned, nothing of it
// may lie behind the positions that Await gave.
func TestAwaitSimulated(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			if missed := newWorld(seed).run(t, false); missed != "" {
				t.Errorf("seed %d: %s", seed, missed)
			}
		})
	}
}

// TestAwaitSimulatedControl: with the ends that readers of committed records see, some answers miss something. The check
// above has teeth.
func TestAwaitSimulatedControl(t *testing.T) {
	t.Parallel()
	missed := 0
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			if newWorld(seed).run(t, true) != "" {
				missed++
			}
		})
	}
	t.Logf("stable ends missed something in %d of 200 runs", missed)
	if missed == 0 {
		t.Error("stable ends were good enough in all runs: the simulation does not show what it is for")
	}
}

// cell is a record: whether it comes of the wanted ones, and the transaction it was written in.
type cell struct {
	tainted bool
	txn     *txn
}

type txn struct{ decided bool }

// simWorld belongs to the goroutines of one bubble, which sleep between steps and never run side by side in one.
type simWorld struct {
	rand      *rand.Rand
	plans     []*physical.Plan
	topics    map[string]*[2][]cell
	committed map[string]position.Vector
	stable    bool
	turn      chan struct{}
}

// newWorld makes queries that read one or two of the topics before them, some with a repartition.
func newWorld(seed uint64) *simWorld {
	w := &simWorld{rand: rand.New(rand.NewPCG(seed, 1)), topics: map[string]*[2][]cell{}, committed: map[string]position.Vector{}, turn: make(chan struct{}, 1)}
	names := []string{"s0", "s1"}
	for i := range 2 + w.rand.IntN(4) {
		in := names[w.rand.IntN(len(names))]
		if other := names[w.rand.IntN(len(names))]; other != in && w.rand.IntN(2) == 0 {
			in += " " + other
		}
		out := fmt.Sprintf("t%d", i)
		if i > 0 && w.rand.IntN(4) == 0 {
			out = fmt.Sprintf("t%d", i-1) // A second writer.
			if in == out || len(in) > 2 && (in[:2] == out || in[3:] == out) {
				continue
			}
		} else {
			names = append(names, out)
		}
		stages := []string{in + " > " + out}
		if w.rand.IntN(2) == 0 {
			stages = []string{fmt.Sprintf("%s > ~r%d", in, i), fmt.Sprintf("~r%d > %s", i, out)}
		}
		w.plans = append(w.plans, plan(fmt.Sprintf("q%d", i), stages...))
	}
	for _, p := range w.plans {
		w.committed[p.QueryID] = position.Vector{}
		for _, st := range p.Stages {
			for _, in := range st.Inputs {
				w.topic(in.Topic)
			}
			w.topic(output(st))
		}
	}
	w.topic("s0")
	w.topic("s1")
	return w
}

func output(st *physical.Stage) string {
	if r, ok := st.Root.(*physical.Repartition); ok {
		return r.Topic
	}
	return st.Root.(*physical.Sink).Topic
}

func (w *simWorld) topic(name string) *[2][]cell {
	if w.topics[name] == nil {
		w.topics[name] = &[2][]cell{}
	}
	return w.topics[name]
}

// locked runs a step of the world.
func (w *simWorld) locked(step func()) {
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	step()
}

func (w *simWorld) pause(ms int) {
	var d time.Duration
	w.locked(func() { d = time.Duration(1+w.rand.IntN(ms)) * time.Millisecond })
	time.Sleep(d)
}

// run gives what Await missed, "" if nothing.
func (w *simWorld) run(t *testing.T, stable bool) string {
	w.stable = stable
	stop := make(chan struct{})
	var workers sync.WaitGroup
	defer workers.Wait()
	defer close(stop)
	for _, p := range w.plans {
		for _, st := range p.Stages {
			workers.Go(func() { w.work(p.QueryID, st, stop) })
		}
	}
	want := position.Vector{}
	wanted := make(chan struct{})
	workers.Go(func() {
		for i := range 60 {
			if i == 25 {
				close(wanted)
			}
			w.pause(6)
			w.locked(func() {
				name, p := fmt.Sprintf("s%d", w.rand.IntN(2)), w.rand.IntN(2)
				part := &w.topics[name][p]
				tainted := i >= 20 && i < 25
				*part = append(*part, cell{tainted: tainted})
				if tainted {
					want.Set(name, int32(p), int64(len(*part)))
				}
			})
		}
	})
	<-wanted
	last := w.plans[len(w.plans)-1]
	g := position.NewGraph(w.plans)
	topics := g.Inputs(last.QueryID, last.Stages[len(last.Stages)-1].ID)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	at, err := g.Await(ctx, w, topics, want)
	if err != nil {
		return err.Error()
	}
	time.Sleep(3 * time.Second) // All has been worked off.
	missed := ""
	w.locked(func() { missed = w.missed(topics, at) })
	return missed
}

// missed finds a record made of the wanted ones that is not below the positions.
func (w *simWorld) missed(topics []string, at position.Vector) string {
	for _, topic := range topics {
		for p, cells := range w.topics[topic] {
			for offset, c := range cells {
				if have, _ := at.Get(topic, int32(p)); c.tainted && int64(offset) >= have {
					return fmt.Sprintf("%s-%d has a record at %d; the answer contains what is below %d", topic, p, offset, have)
				}
			}
		}
	}
	return ""
}

// work runs a stage: transactions that read what is decided, write, commit positions, and are seen to be decided last.
func (w *simWorld) work(query string, st *physical.Stage, stop <-chan struct{}) {
	read := position.Vector{}
	for {
		select {
		case <-stop:
			return
		default:
		}
		w.pause(20)
		open := &txn{}
		moved := false
		w.locked(func() {
			for _, in := range st.Inputs {
				for p := range int32(2) {
					at, _ := read.Get(in.Topic, p)
					for ; at < w.end(in.Topic, p, true) && w.rand.IntN(32) > 0; at++ {
						moved = true
						for range 1 + w.rand.IntN(4)/3 {
							to := &w.topics[output(st)][w.rand.IntN(2)]
							*to = append(*to, cell{w.topics[in.Topic][p][at].tainted, open})
						}
					}
					read.Set(in.Topic, p, at)
				}
			}
		})
		if !moved {
			continue
		}
		w.pause(10)
		w.locked(func() { w.committed[query].Raise(read.Clone()) })
		w.pause(10)
		w.locked(func() { open.decided = true })
	}
}

// end is that of a partition, as readers of committed records see it or as it is.
func (w *simWorld) end(topic string, p int32, stable bool) int64 {
	cells := w.topics[topic][p]
	for i := range cells {
		if stable && cells[i].txn != nil && !cells[i].txn.decided {
			return int64(i)
		}
	}
	return int64(len(cells))
}

func (w *simWorld) Committed(_ context.Context, query string, of position.Vector) (out position.Vector, err error) {
	w.pause(2)
	out = position.Vector{}
	w.locked(func() {
		for topic, partitions := range of {
			for p := range partitions {
				if at, ok := w.committed[query].Get(topic, p); ok {
					out.Set(topic, p, at)
				}
			}
		}
	})
	return out, nil
}

func (w *simWorld) Ends(_ context.Context, topics ...string) (out position.Vector, err error) {
	w.pause(2)
	out = position.Vector{}
	w.locked(func() {
		for _, t := range topics {
			for p := range int32(2) {
				out.Set(t, p, w.end(t, p, w.stable))
			}
		}
	})
	return out, nil
}
