package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/exec/operator"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/exec/task"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// Query is a running plan.
type Query struct {
	sim  *Sim
	plan *physical.Plan
	env  *functions.Env
	// db is nil if no stage has stores.
	db    *state.DB
	tasks []*runningTask
	// positions are the committed offsets of the query's consumer group.
	positions map[inputPartition]int64
	// times are the committed stream times.
	times []state.StreamTime

	// generation counts the disks that were lost.
	generation int

	errors []operator.RecordError
	rows   []Row
	// pending is what the open interval has produced.
	pending interval
}

// Row is a row that a push query's subscriber has been sent.
type Row struct {
	// Values are boxed, in the order of Plan.Output.Columns.
	Values    []any
	Tombstone bool
	Time      int64
}

type inputPartition struct {
	stage, input int
	partition    int32
}

type runningTask struct {
	query *Query
	stage *physical.Stage
	index int
	task  *task.Task
	state *state.Task
	part  int32
	// read is the next offset of each input.
	read    []int64
	chooser *task.Chooser
}

// interval is what is not yet durable.
type interval struct {
	outputs []pendingOutput
	changes []pendingOutput
	rows    []Row
	errors  []operator.RecordError
}

type pendingOutput struct {
	topic  string
	record Record
}

// Schedule says in which order and in which portions records are read.
type Schedule struct {
	// Rand, if set, picks at random which task reads next and how much; else the records go one at a time, stage after
	// stage, the oldest head of a task first.
	Rand *rand.Rand
	// MaxBatch bounds what goes between two commits with Rand; 0 is 1.
	MaxBatch int
	// Kill is the chance, with Rand, that an interval is lost instead of being committed, and the query restarted.
	Kill float64
	// Wipe is the chance that a restart finds no local state and restores from the changelogs.
	Wipe float64
}

// ID is the query's id.
func (q *Query) ID() string { return q.plan.QueryID }

// Plan is what the query runs.
func (q *Query) Plan() *physical.Plan { return q.plan }

// Errors lists the record errors of committed intervals.
func (q *Query) Errors() []operator.RecordError { return q.errors }

// Rows lists the rows of a push query that were sent.
func (q *Query) Rows() []Row { return q.rows }

// openTasks builds the tasks from what is committed.
func (q *Query) openTasks() error {
	for si, stage := range q.plan.Stages {
		for p := range int32(stage.Partitions) {
			t := &runningTask{query: q, stage: stage, index: si, part: p, read: make([]int64, len(stage.Inputs))}
			if q.db != nil && len(stage.Stores) > 0 {
				st, err := q.db.NewTask(p, task.StoreIDs(stage), state.TaskOptions{CacheBytes: 1 << 20})
				if err != nil {
					return err
				}
				t.state = st
			}
			var err error
			t.task, err = task.New(task.Config{
				Plan: q.plan, Stage: stage, Partition: p, State: t.state, Functions: q.sim.opts.Functions,
				Formats: q.sim.opts.Formats, Env: q.env, CacheBytes: q.sim.opts.CacheBytes, Host: &host{q},
			})
			if err != nil {
				return err
			}
			ends := make([]int64, len(stage.Inputs))
			for i := range stage.Inputs {
				t.read[i] = q.positions[inputPartition{si, i, p}]
				ends[i] = int64(len(q.sim.topics[stage.Inputs[i].Topic].partitions[p]))
			}
			t.chooser = task.NewChooser(stage, ends)
			t.task.Resume(q.times)
			q.tasks = append(q.tasks, t)
		}
	}
	return nil
}

// open brings the query up: state, then tasks.
func (q *Query) open() error {
	specs, err := task.StoreSpecs(q.plan)
	if err != nil {
		return err
	}
	for _, stage := range q.plan.Stages {
		for _, in := range stage.Inputs {
			if n := len(q.sim.topics[in.Topic].partitions); n != stage.Partitions {
				return fmt.Errorf("sim: topic %s has %d partitions, the plan wants %d", in.Topic, n, stage.Partitions)
			}
		}
	}
	if len(specs) > 0 && q.db == nil {
		q.db, err = state.Open(state.Options{
			Dir: q.stateDir(), FS: q.sim.fs, Pool: q.sim.pool, Stores: specs, MemTableBytes: 1 << 20,
		})
		if err != nil {
			return err
		}
	}
	return q.openTasks()
}

// Replace goes on with another plan, whose stores and topics must be the same, and another environment, where the last commit
// left the query.
func (q *Query) Replace(plan *physical.Plan, env *functions.Env) error {
	if err := q.close(); err != nil {
		return err
	}
	q.plan, q.env = plan, env
	return q.open()
}

// close gives tasks and state back.
func (q *Query) close() error {
	for _, t := range q.tasks {
		if t.state != nil {
			t.state.Close()
		}
	}
	q.tasks = nil
	if q.db == nil {
		return nil
	}
	err := q.db.Close()
	q.db = nil
	return err
}

// run reads everything there is; moved says whether there was anything.
func (q *Query) run(sched Schedule) (moved bool, err error) {
	if sched.Rand != nil {
		return q.runRandom(sched)
	}
	for {
		t, input := q.runnable()
		if t == nil {
			return moved, nil
		}
		moved = true
		if err := q.step(t, input, 1); err != nil {
			return moved, err
		}
		if err := q.Commit(); err != nil {
			return moved, err
		}
	}
}

// runnable finds the first task, later stages first, that has something to read, and the input it reads.
func (q *Query) runnable() (*runningTask, int) {
	for i := len(q.tasks) - 1; i >= 0; i-- {
		if input, ok := q.tasks[i].next(); ok {
			return q.tasks[i], input
		}
	}
	return nil, 0
}

// next chooses the input a task reads from.
func (t *runningTask) next() (input int, ok bool) {
	heads := make([]task.Head, len(t.read))
	for i, in := range t.stage.Inputs {
		records := t.query.sim.topics[in.Topic].partitions[t.part]
		heads[i].Position = t.read[i]
		if t.read[i] < int64(len(records)) {
			m := records[t.read[i]].Message()
			heads[i].Ready, heads[i].Time = true, t.task.RecordTime(i, &m)
		}
	}
	input, _, ok = t.chooser.Next(heads)
	return input, ok
}

// step feeds up to n records of an input to a task.
func (q *Query) step(t *runningTask, input, n int) error {
	records := q.sim.topics[t.stage.Inputs[input].Topic].partitions[t.part]
	from := t.read[input]
	to := min(from+int64(n), int64(len(records)))
	batch := make([]record.Message, 0, to-from)
	for i := from; i < to; i++ {
		batch = append(batch, records[i].Message())
	}
	t.read[input] = to
	return t.task.Step(input, batch)
}

// Feed appends nothing anywhere: it hands one record to the query as if it were read from a topic, and processes it to
// the end, repartitioning included. The query must read the topic.
func (q *Query) Feed(topic string, r Record) error {
	fed := false
	for _, t := range q.tasks {
		for i, in := range t.stage.Inputs {
			if in.Topic != topic || t.part != r.Partition {
				continue
			}
			fed = true
			if err := t.task.Step(i, []record.Message{r.Message()}); err != nil {
				return err
			}
		}
	}
	if !fed {
		return fmt.Errorf("sim: query %s does not read partition %d of %s", q.plan.QueryID, r.Partition, topic)
	}
	if err := q.Commit(); err != nil {
		return err
	}
	return q.drainInternal()
}

// drainInternal processes what lies in repartition topics.
func (q *Query) drainInternal() error {
	for {
		moved := false
		for _, t := range q.tasks {
			for i, in := range t.stage.Inputs {
				if !in.Repartition {
					continue
				}
				for t.read[i] < int64(len(q.sim.topics[in.Topic].partitions[t.part])) {
					moved = true
					if err := q.step(t, i, 1); err != nil {
						return err
					}
					if err := q.Commit(); err != nil {
						return err
					}
				}
			}
		}
		if !moved {
			return nil
		}
	}
}

// Commit closes the interval and makes it durable: outputs, changelogs, state, positions and stream times as one.
func (q *Query) Commit() error {
	var (
		states    []*state.Task
		positions []state.Position
		times     []state.StreamTime
	)
	for _, t := range q.tasks {
		if err := t.task.Flush(); err != nil {
			return err
		}
		times = t.task.StreamTimes(times)
		if t.state == nil {
			continue
		}
		states = append(states, t.state)
		positions = t.task.Positions(positions)
		if err := q.changelog(t); err != nil {
			return err
		}
	}
	if q.db != nil {
		err := q.db.Commit(state.Commit{
			Tasks: states, Positions: positions, StreamTimes: times, Checkpoints: q.checkpoints(),
		})
		if err != nil {
			return err
		}
	}
	q.times = times
	for _, t := range q.tasks {
		for i := range t.read {
			q.positions[inputPartition{t.index, i, t.part}] = t.read[i]
		}
	}
	q.publish()
	return nil
}

// publish makes the outputs of the interval visible.
func (q *Query) publish() {
	for i := range q.pending.changes {
		c := &q.pending.changes[i]
		q.sim.Produce(c.topic, c.record)
	}
	for i := range q.pending.outputs {
		o := &q.pending.outputs[i]
		q.sim.Produce(o.topic, o.record)
	}
	q.rows = append(q.rows, q.pending.rows...)
	q.errors = append(q.errors, q.pending.errors...)
	q.pending = interval{}
}

// Kill loses the open interval, as a crash would: overlays and memory are gone, and the query goes on from what is
// committed.
func (q *Query) Kill() error {
	q.pending = interval{}
	if err := q.close(); err != nil && !errors.Is(err, state.ErrClosed) {
		return err
	}
	return q.open()
}

// Accounting sums up what became of the records that the query's tasks have read since they were built.
func (q *Query) Accounting() operator.Accounting {
	var sum operator.Accounting
	for _, t := range q.tasks {
		for i := range t.read {
			a := t.task.Accounting(i)
			sum.Add(&a)
		}
	}
	return sum
}
