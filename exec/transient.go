package exec

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/operator"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/exec/task"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// SubscribeSpec is a push query to run.
type SubscribeSpec struct {
	// Plan ends in an Emit.
	Plan       *physical.Plan
	Properties map[string]string
	// Bounded queries end when everything has been read that was there at the start (pull queries over streams); they
	// start at the earliest record.
	Bounded bool
}

// Subscribe runs a push query for one client, in this process alone: it reads all partitions itself, repartitions in
// memory, and keeps its state in memory.
func (x *Executor) Subscribe(ctx context.Context, spec SubscribeSpec) (*Subscription, error) {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	t := &transient{
		x: x, spec: spec, settings: parseSettings(spec.Properties),
		sub:     newSubscription(spec.Plan.QueryID, cancel),
		byInput: map[kafka.TopicPartition]transientInput{},
	}
	if err := t.open(ctx); err != nil {
		t.close()
		cancel()
		return nil, err
	}
	go t.run(run)
	return t.sub, nil
}

// transient is a running push query. It belongs to one goroutine.
type transient struct {
	x        *Executor
	spec     SubscribeSpec
	settings settings
	sub      *Subscription
	reader   *kafka.Reader
	db       *state.DB
	tasks    []*transientTask
	byInput  map[kafka.TopicPartition]transientInput
	// ends are where a bounded query stops.
	ends map[kafka.TopicPartition]int64
	// rows are those of the step under way.
	rows   []SubscriberRow
	errors errorRing
	limit  int64
	sent   int64
}

type transientInput struct {
	task  *transientTask
	input int
}

// transientTask is a task of a push query. It implements task.Host.
type transientTask struct {
	feeder
	t     *transient
	store *state.Task
}

func (t *transient) open(ctx context.Context) error {
	plan := t.spec.Plan
	if plan.Output == nil {
		return errors.New("exec: not the plan of a push query")
	}
	t.limit = plan.Output.Limit
	specs, err := task.StoreSpecs(plan)
	if err != nil {
		return err
	}
	t.db, err = state.Open(state.Options{Dir: "transient", FS: state.NewMemFS(), Pool: t.x.cfg.Pool,
		Stores: specs, Logger: t.x.cfg.Logger, MemTableBytes: 4 << 20})
	if err != nil {
		return err
	}
	if t.reader, err = t.x.cfg.Kafka.NewReader(kafka.ReaderConfig{Name: plan.QueryID}); err != nil {
		return err
	}
	env := t.x.functionEnv(t.spec.Properties)
	for _, st := range plan.Stages {
		for p := range int32(st.Partitions) {
			if err := t.addTask(st, p, env); err != nil {
				return err
			}
		}
	}
	return t.startReading(ctx)
}

func (t *transient) addTask(stage *physical.Stage, partition int32, env *functions.Env) error {
	x := &transientTask{t: t}
	x.feeder = newFeeder(stage, partition, queueLimit(t.spec.Plan), func(tp kafka.TopicPartition, paused bool) {
		switch {
		case t.isInternal(tp.Topic):
		case paused:
			t.reader.Pause(tp)
		default:
			t.reader.Resume(tp)
		}
	})
	x.active = true
	t.tasks = append(t.tasks, x)
	var err error
	if len(stage.Stores) > 0 {
		ids := make([]state.StoreID, len(stage.Stores))
		for i, s := range stage.Stores {
			ids[i] = state.StoreID(s.ID)
		}
		if x.store, err = t.db.NewTask(partition, ids, state.TaskOptions{}); err != nil {
			return err
		}
	}
	x.task, err = task.New(task.Config{Plan: t.spec.Plan, Stage: stage, Partition: partition, State: x.store,
		Functions: t.x.cfg.Functions, Formats: t.x.cfg.Formats, Env: env, CacheBytes: t.settings.cacheBytes, Host: x})
	for i, in := range stage.Inputs {
		t.byInput[kafka.TopicPartition{Topic: in.Topic, Partition: partition}] = transientInput{x, i}
	}
	return err
}

func (t *transient) isInternal(topic string) bool {
	for _, s := range t.spec.Plan.Stages {
		for _, w := range s.Writes() {
			if w.Topic == topic {
				return true
			}
		}
	}
	return false
}

// startReading finds where to start and what is there now.
func (t *transient) startReading(ctx context.Context) error {
	names, err := inputTopics(t.spec.Plan)
	if err != nil {
		return err
	}
	outside := names[:0]
	for _, n := range names {
		if !t.isInternal(n) {
			outside = append(outside, n)
		}
	}
	admin := t.x.cfg.Kafka.Admin()
	starts, err := admin.StartOffsets(ctx, outside...)
	if err != nil {
		return err
	}
	ends, err := admin.CommittedEndOffsets(ctx, outside...)
	if err != nil {
		return err
	}
	from := map[kafka.TopicPartition]int64{}
	for tp, ref := range t.byInput {
		in := ref.task.stage.Inputs[ref.input]
		if in.Repartition {
			continue
		}
		if _, ok := starts[tp]; !ok {
			return fmt.Errorf("topic %s has no partition %d any more", tp.Topic, tp.Partition)
		}
		at := starts[tp]
		if !t.spec.Bounded && t.settings.startAtEnd(in) {
			at = ends[tp]
		}
		from[tp] = at
		ref.task.position[ref.input] = at
	}
	if t.spec.Bounded {
		t.ends = ends
	}
	for _, x := range t.tasks {
		if len(x.stage.Inputs) == 1 {
			continue
		}
		list := make([]int64, len(x.stage.Inputs))
		for i, in := range x.stage.Inputs {
			list[i] = ends[kafka.TopicPartition{Topic: in.Topic, Partition: x.partition}]
		}
		x.chooser = task.NewChooser(x.stage, list)
	}
	return t.reader.Start(ctx, from)
}

func (t *transient) close() {
	if t.reader != nil {
		t.reader.Close()
	}
	for _, x := range t.tasks {
		x.dropQueues()
		if x.store != nil {
			x.store.Close()
		}
	}
	if t.db != nil {
		_ = t.db.Close()
	}
}

func (t *transient) run(ctx context.Context) {
	var err error
	defer close(t.sub.done)
	defer t.close()
	defer func() {
		if p := recover(); p != nil {
			t.x.cfg.Logger.Error("panic in a push query", "query", t.sub.ID, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("internal error: %v", p)
		}
		if ctx.Err() != nil {
			err = nil
		}
		t.sub.end(err, t.limit > 0 && t.sent >= t.limit)
	}()
	err = t.loop(ctx)
}

// loop reads and processes until the limit, the end of a bounded query, an error, or ctx's end.
func (t *transient) loop(ctx context.Context) error {
	for {
		if t.limit > 0 && t.sent >= t.limit || t.finished() {
			return nil
		}
		batches, err := t.reader.Poll(ctx, time.Second)
		if err != nil {
			return err
		}
		for i, b := range batches {
			ref, ok := t.byInput[b.TopicPartition]
			if b.Err != nil {
				release(batches[i:])
				return b.Err
			}
			if !ok {
				b.Release()
				continue
			}
			ref.task.enqueue(ref.input, b)
		}
		if err := t.process(ctx); err != nil {
			return err
		}
	}
}

// finished says whether a bounded query has read everything there was.
func (t *transient) finished() bool {
	if t.ends == nil {
		return false
	}
	for tp, end := range t.ends {
		if ref, ok := t.byInput[tp]; ok && ref.task.position[ref.input] < end {
			return false
		}
	}
	for _, x := range t.tasks {
		for i := range x.queues {
			if x.head(i) != nil {
				return false
			}
		}
	}
	return true
}

// process feeds all tasks until nothing is left, closes the interval, and hands its rows over.
func (t *transient) process(ctx context.Context) error {
	for {
		if err := t.refreshEnds(ctx); err != nil {
			return err
		}
		moved := false
		for {
			f := oldest(t.tasks)
			if f == nil {
				break
			}
			moved = true
			if err := f.feed(); err != nil {
				return err
			}
			if len(t.rows) >= queueRows {
				if err := t.handOver(ctx); err != nil {
					return err
				}
			}
			if t.limit > 0 && t.sent >= t.limit {
				return nil
			}
		}
		// Flushing may send records to the next stage.
		if err := t.flush(); err != nil {
			return err
		}
		if err := t.handOver(ctx); err != nil {
			return err
		}
		if !moved || t.limit > 0 && t.sent >= t.limit {
			return nil
		}
	}
}

// refreshEnds looks up the ends of inputs others wait for. What is repartitioned in memory has nothing on the broker: its
// end is where it is.
func (t *transient) refreshEnds(ctx context.Context) error {
	for _, x := range t.tasks {
		for i, in := range x.stage.Inputs {
			if in.Repartition && x.head(i) == nil {
				x.end[i], x.fresh[i] = x.position[i], true
			}
		}
	}
	return refreshEnds(ctx, t.x.cfg.Kafka.Admin(), t.tasks)
}

// flush closes the interval of all tasks.
func (t *transient) flush() error {
	var c state.Commit
	for _, x := range t.tasks {
		if !x.moved {
			continue
		}
		x.moved = false
		if err := x.task.Flush(); err != nil {
			return err
		}
		if x.store != nil {
			if err := x.store.Changes(func(state.Change) error { return nil }); err != nil {
				return err
			}
			c.Tasks = append(c.Tasks, x.store)
		}
	}
	if len(c.Tasks) == 0 {
		return nil
	}
	return t.db.Commit(c)
}

// handOver gives the rows to the subscriber, no more than the limit.
func (t *transient) handOver(ctx context.Context) error {
	if t.limit > 0 && t.sent+int64(len(t.rows)) > t.limit {
		t.rows = t.rows[:t.limit-t.sent]
	}
	t.sent += int64(len(t.rows))
	err := t.sub.put(ctx, t.rows)
	clear(t.rows)
	t.rows = t.rows[:0]
	if list, all := t.errors.take(); all > 0 {
		t.x.logRecordErrors(t.sub.ID, list, all)
	}
	return err
}

// Output implements task.Host: a record for the next stage goes straight into its queue.
func (x *transientTask) Output(o *operator.Output) error {
	p := o.Partition
	if p < 0 {
		n := x.t.partitions(o.Topic)
		if n == 0 {
			return fmt.Errorf("exec: push query writes to unknown topic %s", o.Topic)
		}
		p = x.partition % n
		if o.Key != nil {
			p = kafka.PartitionForKey(o.PartitionKey(), n)
		}
	}
	tp := kafka.TopicPartition{Topic: o.Topic, Partition: p}
	to, ok := x.t.byInput[tp]
	if !ok {
		return fmt.Errorf("exec: nobody reads %s-%d", o.Topic, p)
	}
	to.task.receive(to.input, tp, o)
	return nil
}

func (t *transient) partitions(topic string) int32 {
	for _, s := range t.spec.Plan.Stages {
		for _, in := range s.Inputs {
			if in.Topic == topic {
				return int32(s.Partitions)
			}
		}
	}
	return 0
}

// receive appends a record to an input's queue, as a copy.
func (x *transientTask) receive(input int, tp kafka.TopicPartition, o *operator.Output) {
	q := x.queues[input]
	if len(q) == 0 || len(q[len(q)-1].Records) >= feedSlice {
		x.queues[input] = append(q, &kafka.Batch{TopicPartition: tp})
		q = x.queues[input]
	}
	b := q[len(q)-1]
	offset := x.position[input]
	if n := len(b.Records); n > 0 {
		offset = b.Records[n-1].Offset + 1
	} else if len(q) > 1 {
		offset = q[len(q)-2].Next
	}
	m := record.Message{Timestamp: o.Timestamp, Offset: offset, Headers: o.Headers}
	if o.Key != nil {
		m.Key = append([]byte{}, o.Key...)
	}
	if o.Value != nil {
		m.Value = append([]byte{}, o.Value...)
	}
	before := b.Size()
	b.Records = append(b.Records, m)
	x.queued[input] += b.Size() - before
	b.Next = offset + 1
}

// Row implements task.Host.
func (x *transientTask) Row(r *operator.Row) error {
	out := x.t.spec.Plan.Output
	row := SubscriberRow{Values: make([]any, len(out.Columns)), Tombstone: r.Tombstone}
	for i, c := range out.Columns {
		row.Values[i] = r.Row.Boxed(r.Layout.Locs[i], c.Type)
	}
	x.t.rows = append(x.t.rows, row)
	return nil
}

// RecordError implements task.Host.
func (x *transientTask) RecordError(e *operator.RecordError) {
	x.t.errors.add(RecordError{At: x.t.x.cfg.Now(), RecordError: *e})
}
