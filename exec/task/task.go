// Package task runs one stage of a plan over one partition number of all its inputs: it builds the operators from the
// plan and is the state machine that hosts feed with records. It has no clock, network, disk or goroutine of its own.
package task

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/exec/operator"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// Output, Row, RecordError and Accounting are the effects of a task; their contracts are in exec/operator.
type (
	Output      = operator.Output
	Row         = operator.Row
	RecordError = operator.RecordError
	Accounting  = operator.Accounting
)

// Host carries out a task's effects, in the order in which they come; see [Task] for when they become durable.
type Host = operator.Effects

// Config is everything a task needs. All of it but State and Host may be shared between tasks.
type Config struct {
	Plan  *physical.Plan
	Stage *physical.Stage
	// Partition is the partition number of all inputs, stores and changelogs of the task.
	Partition int32
	// State is the task's view of the query's state database, opened with [StoreSpecs]; nil if the stage has no stores.
	State     *state.Task
	Functions *functions.Registry
	Formats   *formats.Registry
	// Env is what functions may ask of the world, and the properties in force.
	Env *functions.Env
	// CacheBytes (cache.max.bytes.buffering) above 0 lets aggregates emit only the latest update of a key in an interval;
	// with 0 every update is emitted.
	CacheBytes int64
	Host       Host
}

// Task is one stage over one partition number: a single-threaded, deterministic state machine. The same records in the
// same order, cut by Flush at the same places, give the same effects byte for byte.
//
// # The exactly-once protocol
//
// The time between two commits is an interval. Within it [Task.Step] and [Task.Flush] call the host's [Host.Output] (into
// the open transaction), [Host.Row] and [Host.RecordError], and write into the overlay of Config.State. For all tasks of
// one query in one process, which share a producer and a state database, the host makes an interval durable so:
//
//  1. Bring every task to a record boundary: no call of Step is under way.
//  2. Flush every task. Caches emit now; afterwards the overlay and the positions are complete.
//  3. Produce the changelog entries: [state.Task.Changes], to the changelog topic of each store, partition of the task.
//  4. Flush the producer. Any failure so far: abort.
//  5. If anything was produced, add to the transaction the positions ([Task.Positions]) of every task that moved, with
//     member id and generation, and with [Task.StreamTimes] as metadata; then end the transaction. If nothing was
//     produced, commit the positions without a transaction. Unknown outcome: abort.
//  6. One state batch: overlays of all tasks, changelog checkpoints, positions and stream times ([state.DB.Commit]). From
//     here on pull queries see the interval.
//  7. Hand the rows of the interval to subscribers; only now may a rebalance take partitions away.
//
// To abort: abort the transaction, drop the overlays ([state.DB.Abort]) and the interval's rows, call [Task.Abort] on
// every task of the query, bring the state to the last commit (from the changelog up to a barrier), then
// [Task.Resume] with the stream times that belong to it, and feed on from the committed positions.
//
// Between start and first Step the state must be restored, and Resume called if stream times are known. A task that has
// returned an error must be aborted before it is used again.
type Task struct {
	cfg  Config
	ctx  *operator.Context
	in   []input
	tree *tree
}

// input is one input of the stage.
type input struct {
	spec    *physical.Input
	readers []operator.Reader
	acc     operator.Accounting
	// time is the stream time of the partition, noTime before the first record.
	time int64
	// next is the offset after the last record processed, -1 before the first.
	next  int64
	epoch int32
}

const noTime = -1 << 63

// New builds the operators of the stage. It fails if the plan asks for a function, format or store that is not there.
func New(cfg Config) (*Task, error) {
	t := &Task{cfg: cfg, in: make([]input, len(cfg.Stage.Inputs))}
	for i, spec := range cfg.Stage.Inputs {
		t.in[i] = input{spec: spec, time: noTime, next: -1, epoch: -1}
	}
	t.ctx = operator.NewContext(operator.Config{
		Stage: cfg.Stage, Output: cfg.Plan.Output, Partition: cfg.Partition, State: cfg.State, Functions: cfg.Functions,
		Formats: cfg.Formats, Env: cfg.Env, CacheBytes: cfg.CacheBytes, Effects: cfg.Host,
	})
	tree, err := build(t.ctx, cfg.Stage)
	if err != nil {
		return nil, fmt.Errorf("task: stage %d of %s: %w", cfg.Stage.ID, cfg.Plan.QueryID, err)
	}
	t.tree = tree
	for _, r := range tree.readers {
		t.in[r.Input()].readers = append(t.in[r.Input()].readers, r)
	}
	return t, nil
}

// Step processes the records of one input (index in Stage.Inputs) in order. Any cut of a partition's records into
// batches is the same. Records and their bytes are not kept. An error is a failure of state or host, not of a record:
// the interval must be aborted.
func (t *Task) Step(inputIndex int, batch []record.Message) error {
	in := &t.in[inputIndex]
	for i := range batch {
		m := &batch[i]
		t.ctx.Begin(&in.acc, in.spec.Topic, m)
		for _, r := range in.readers {
			if err := r.Read(m); err != nil {
				return fmt.Errorf("task: %s-%d at offset %d: %w", in.spec.Topic, t.cfg.Partition, m.Offset, err)
			}
		}
		for _, e := range t.tree.enders {
			if err := e.EndRecord(); err != nil {
				return fmt.Errorf("task: %s-%d at offset %d: %w", in.spec.Topic, t.cfg.Partition, m.Offset, err)
			}
		}
		if err := t.ctx.Stopped(); err != nil {
			return fmt.Errorf("task: %s-%d at offset %d: %w", in.spec.Topic, t.cfg.Partition, m.Offset, err)
		}
		if at, ok := t.ctx.End(); ok && at > in.time {
			in.time = at
		}
		in.next, in.epoch = m.Offset+1, m.LeaderEpoch
	}
	return nil
}

// Skip moves the position of an input past offsets that hold no records (markers, aborted transactions).
func (t *Task) Skip(inputIndex int, next int64) {
	if in := &t.in[inputIndex]; next > in.next {
		in.next = next
	}
}

// Flush closes the interval: caches emit what changed, and all state of the interval is in the overlay.
func (t *Task) Flush() error {
	if err := t.tree.flush(); err != nil {
		return err
	}
	return t.ctx.Stopped()
}

// Abort forgets everything operators hold in memory of the open interval. The overlay must have been dropped; [Resume]
// follows before the next Step.
func (t *Task) Abort() {
	t.tree.abort()
	for i := range t.in {
		t.in[i].time, t.in[i].next, t.in[i].epoch = noTime, -1, -1
	}
}

// RecordTime is the timestamp by which a record of an input is ordered against the other inputs': the extracted one if
// the source names a timestamp column, else the record's. Nothing changes by it.
func (t *Task) RecordTime(inputIndex int, m *record.Message) int64 {
	for _, r := range t.in[inputIndex].readers {
		return r.Time(m)
	}
	return m.Timestamp
}

// Positions appends the next offset of every input from which records were read or skipped since New or Abort.
func (t *Task) Positions(dst []state.Position) []state.Position {
	for i := range t.in {
		if in := &t.in[i]; in.next >= 0 {
			dst = append(dst, state.Position{
				Topic: in.spec.Topic, Partition: t.cfg.Partition, Offset: in.next, LeaderEpoch: in.epoch,
			})
		}
	}
	return dst
}

// StreamTimes appends the stream times of inputs and operators: what must be stored with the positions.
func (t *Task) StreamTimes(dst []state.StreamTime) []state.StreamTime {
	for i := range t.in {
		if in := &t.in[i]; in.time != noTime {
			dst = append(dst, state.StreamTime{Partition: t.cfg.Partition, Name: t.inputTimeName(in.spec), Time: in.time})
		}
	}
	for _, c := range t.ctx.Clocks() {
		if at, ok := c.Now(); ok {
			dst = append(dst, state.StreamTime{Partition: t.cfg.Partition, Name: t.operatorTimeName(c.Name()), Time: at})
		}
	}
	return dst
}

// Resume sets the stream times; those of other partitions and unknown names are ignored.
func (t *Task) Resume(times []state.StreamTime) {
	for _, st := range times {
		if st.Partition != t.cfg.Partition {
			continue
		}
		for i := range t.in {
			if t.inputTimeName(t.in[i].spec) == st.Name {
				t.in[i].time = st.Time
			}
		}
		for _, c := range t.ctx.Clocks() {
			if t.operatorTimeName(c.Name()) == st.Name {
				c.Set(st.Time)
			}
		}
	}
}

// Names of stream times are unique within the query and partition.
func (t *Task) inputTimeName(in *physical.Input) string {
	return fmt.Sprintf("stage/%d/input/%s", t.cfg.Stage.ID, in.Topic)
}

func (t *Task) operatorTimeName(name string) string {
	return fmt.Sprintf("stage/%d/operator/%s", t.cfg.Stage.ID, name)
}

// StreamTime is the largest timestamp of the records of one input, Unix milliseconds; negative before the first one.
func (t *Task) StreamTime(inputIndex int) int64 { return t.in[inputIndex].time }

// Accounting tells what became of the records of one input since New.
func (t *Task) Accounting(inputIndex int) Accounting { return t.in[inputIndex].acc }
