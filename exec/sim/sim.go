// Package sim runs plans without Kafka and without a clock: topics are lists in memory, state is a real database on a
// file system in memory, and an interval becomes durable as one step. It is what query tests, the conformance suites and
// simulations of faults run on.
package sim

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// Options says what a simulation runs with.
type Options struct {
	Functions *functions.Registry
	Formats   *formats.Registry
	// Env of all functions; nil gives a clock that stands at 0 and random numbers that repeat.
	Env *functions.Env
	// CacheBytes is the record cache of each task; 0 emits every update.
	CacheBytes int64
}

// Sim is a simulated cluster: topics, and the queries that run on them. It belongs to one goroutine.
type Sim struct {
	opts    Options
	fs      state.FS
	pool    *state.Pool
	topics  map[string]*Topic
	order   []string
	queries []*Query
}

// New makes an empty cluster. Close it after use.
func New(o Options) *Sim {
	if o.Env == nil {
		o.Env = stillEnv()
	}
	return &Sim{
		opts: o, fs: state.NewMemFS(), topics: map[string]*Topic{},
		pool: state.NewPool(state.PoolOptions{CacheBytes: 8 << 20, OpenFiles: 64}),
	}
}

// stillEnv is a world in which nothing moves.
func stillEnv() *functions.Env {
	seed := uint64(0)
	return &functions.Env{
		NowMs: func() int64 { return 0 },
		Random: func() uint64 {
			// SplitMix64.
			seed += 0x9e3779b97f4a7c15
			z := (seed ^ seed>>30) * 0xbf58476d1ce4e5b9
			z = (z ^ z>>27) * 0x94d049bb133111eb
			return z ^ z>>31
		},
		Properties: map[string]string{},
	}
}

// Close ends all queries.
func (s *Sim) Close() error {
	var first error
	for _, q := range s.queries {
		if err := q.close(); first == nil {
			first = err
		}
	}
	s.queries = nil
	s.pool.Close()
	return first
}

// Start runs a query from its committed positions: from the start of its topics, the first time. Topics that do not exist
// are made with the partitions of the stage.
func (s *Sim) Start(plan *physical.Plan) (*Query, error) {
	return s.StartWith(plan, s.opts.Env)
}

// StartWith is Start with an environment of its own (other properties).
func (s *Sim) StartWith(plan *physical.Plan, env *functions.Env) (*Query, error) {
	for _, q := range s.queries {
		if q.plan.QueryID == plan.QueryID {
			return nil, fmt.Errorf("sim: query %s runs already", plan.QueryID)
		}
	}
	q := &Query{sim: s, plan: plan, env: env, positions: map[inputPartition]int64{}}
	s.makeTopics(plan)
	if err := q.open(); err != nil {
		return nil, err
	}
	s.queries = append(s.queries, q)
	return q, nil
}

func (s *Sim) makeTopics(plan *physical.Plan) {
	for _, stage := range plan.Stages {
		for _, in := range stage.Inputs {
			s.CreateTopic(in.Topic, stage.Partitions)
		}
		for _, w := range stage.Writes() {
			s.CreateTopic(w.Topic, w.Partitions)
		}
	}
	if plan.Sink != nil {
		s.CreateTopic(plan.Sink.Topic, plan.Stages[len(plan.Stages)-1].Partitions)
	}
}

// Query finds a running query.
func (s *Sim) Query(id string) (*Query, bool) {
	for _, q := range s.queries {
		if q.plan.QueryID == id {
			return q, true
		}
	}
	return nil, false
}

// Queries lists the running queries in the order in which they were started.
func (s *Sim) Queries() []*Query { return s.queries }

// Terminate ends a query and removes its state.
func (s *Sim) Terminate(id string) error {
	for i, q := range s.queries {
		if q.plan.QueryID == id {
			s.queries = append(s.queries[:i], s.queries[i+1:]...)
			return q.close()
		}
	}
	return fmt.Errorf("sim: no query %s", id)
}

// Run drives all queries until none has anything left to read: query after query in the order of their start, again and
// again, each record processed to the end before the next one goes in.
func (s *Sim) Run() error { return s.RunWith(Schedule{}) }

// RunWith is Run with another schedule.
func (s *Sim) RunWith(sched Schedule) error {
	for {
		moved := false
		for _, q := range s.queries {
			m, err := q.run(sched)
			if err != nil {
				return err
			}
			moved = moved || m
		}
		if !moved {
			return nil
		}
	}
}
