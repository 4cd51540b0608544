package exec

import (
	"context"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/exec/task"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// feeder holds what was fetched for one task and hands it over in the right order.
type feeder struct {
	stage     *physical.Stage
	partition int32
	task      *task.Task
	// chooser orders the inputs of a task with several; nil for one.
	chooser *task.Chooser
	// active feeders may be fed; others are being restored.
	active bool
	// setPaused stops or continues the fetching of a partition whose queue is full or empty again.
	setPaused func(tp kafka.TopicPartition, paused bool)

	// queues holds fetched batches by input; at is the next record of the first batch of each.
	queues [][]*kafka.Batch
	at     []int
	// queued is how many bytes each queue holds; limit how many it may hold before its partition is no longer fetched.
	queued []int
	limit  int
	paused []bool
	// position is the next offset to process of each input; end the partition's end when last seen.
	position, end []int64
	// fresh says that end was looked up after everything at hand had been fetched.
	fresh []bool
	heads []task.Head
	// moved says that positions differ from the committed ones.
	moved bool
}

func newFeeder(stage *physical.Stage, partition int32, limit int, setPaused func(kafka.TopicPartition, bool)) feeder {
	n := len(stage.Inputs)
	return feeder{
		stage: stage, partition: partition, limit: limit, setPaused: setPaused,
		queues: make([][]*kafka.Batch, n), at: make([]int, n), queued: make([]int, n), paused: make([]bool, n),
		position: make([]int64, n), end: make([]int64, n), fresh: make([]bool, n), heads: make([]task.Head, n),
	}
}

// dropQueues gives back what was fetched and not processed.
func (f *feeder) dropQueues() {
	for i := range f.queues {
		release(f.queues[i])
		f.queues[i], f.at[i], f.queued[i], f.paused[i], f.fresh[i] = nil, 0, 0, false, false
	}
}

// partitions lists the task's input partitions.
func (f *feeder) partitions() []kafka.TopicPartition {
	out := make([]kafka.TopicPartition, len(f.stage.Inputs))
	for i, in := range f.stage.Inputs {
		out[i] = kafka.TopicPartition{Topic: in.Topic, Partition: f.partition}
	}
	return out
}

// queueBytes is about how much all queues of a query hold, and minQueueBytes what each may hold however many there are.
const (
	queueBytes    = 32 << 20
	minQueueBytes = 256 << 10
)

// queueLimit is the share of one queue of the plan.
func queueLimit(plan *physical.Plan) int {
	n := 0
	for _, st := range plan.Stages {
		n += len(st.Inputs) * st.Partitions
	}
	return max(queueBytes/max(n, 1), minQueueBytes)
}

func (f *feeder) enqueue(input int, b *kafka.Batch) {
	f.end[input] = b.LastStable
	f.fresh[input] = false
	f.queues[input] = append(f.queues[input], b)
	f.queued[input] += b.Size()
	if f.queued[input] >= f.limit && !f.paused[input] {
		f.paused[input] = true
		f.setPaused(b.TopicPartition, true)
	}
}

// head is the first unprocessed record of an input, nil if there is none at hand. Batches without records left are given
// back on the way, and the position moves past them.
func (f *feeder) head(input int) *record.Message {
	for len(f.queues[input]) > 0 {
		b := f.queues[input][0]
		if f.at[input] < len(b.Records) {
			return &b.Records[f.at[input]]
		}
		if b.Next > f.position[input] {
			f.task.Skip(input, b.Next)
			f.position[input] = b.Next
			f.moved = true
		}
		tp := b.TopicPartition
		f.queued[input] -= b.Size()
		b.Release()
		f.queues[input] = append(f.queues[input][:0], f.queues[input][1:]...)
		f.at[input] = 0
		if f.paused[input] && f.queued[input] <= f.limit/4 {
			f.paused[input] = false
			f.setPaused(tp, false)
		}
	}
	return nil
}

// forever is later than any timestamp.
const forever = 1<<63 - 1

// choose asks which input goes next, and up to which time.
func (f *feeder) choose() (input int, until int64, ok bool) {
	if len(f.heads) == 1 {
		// A single input needs no order within the task, and for the order among tasks the record's own time will do.
		m := f.head(0)
		if m == nil {
			return 0, 0, false
		}
		f.heads[0].Time = m.Timestamp
		return 0, forever, true
	}
	for i := range f.heads {
		h := &f.heads[i]
		m := f.head(i)
		h.Ready = m != nil
		h.Position = f.position[i]
		if m != nil {
			h.Time = f.task.RecordTime(i, m)
		} else {
			h.Lagging = !f.fresh[i] || f.position[i] < f.end[i]
		}
	}
	return f.chooser.Next(f.heads)
}

// feedSlice is how many records of one task are processed before another is looked at.
const feedSlice = 1024

// feed processes a slice of the records that choose names.
func (f *feeder) feed() error {
	input, until, ok := f.choose()
	if !ok {
		return nil
	}
	for done := 0; done < feedSlice && f.head(input) != nil; {
		b := f.queues[input][0]
		from := f.at[input]
		to := min(len(b.Records), from+feedSlice-done)
		if until != forever {
			n := from
			for n < to && f.task.RecordTime(input, &b.Records[n]) <= until {
				n++
			}
			if n == from {
				return nil
			}
			to = n
		}
		f.moved = true
		if err := f.task.Step(input, b.Records[from:to]); err != nil {
			return err
		}
		f.at[input] = to
		f.position[input] = b.Records[to-1].Offset + 1
		done += to - from
	}
	return nil
}

// oldest picks the feeder with the oldest next record, nil when none is ready.
//
// Records of different partitions meet again behind a repartition topic, and there a partition that had run far ahead
// would make the others' records late; so among the tasks of a query, too, the oldest goes first.
func oldest[F interface{ base() *feeder }](list []F) *feeder {
	var best *feeder
	var bestTime int64
	for _, x := range list {
		f := x.base()
		if !f.active {
			continue
		}
		input, _, ok := f.choose()
		if !ok {
			continue
		}
		if at := f.heads[input].Time; best == nil || at < bestTime {
			best, bestTime = f, at
		}
	}
	return best
}

func (f *feeder) base() *feeder { return f }

// refreshEnds looks up the ends of inputs that hold others back, so that a task does not wait for records that are not
// there: an input with nothing at hand is waited for only if the broker has records of it (KIP-695).
func refreshEnds[F interface{ base() *feeder }](ctx context.Context, admin *kafka.Admin, list []F) error {
	var topics []string
	for _, x := range list {
		if f := x.base(); len(f.queues) > 1 && f.active {
			topics = f.appendUnknown(topics)
		}
	}
	if len(topics) == 0 {
		return nil
	}
	ends, err := admin.CommittedEndOffsets(ctx, distinct(topics)...)
	if err != nil {
		return err
	}
	for _, x := range list {
		f := x.base()
		for i, in := range f.stage.Inputs {
			if end, ok := ends[kafka.TopicPartition{Topic: in.Topic, Partition: f.partition}]; ok {
				f.end[i], f.fresh[i] = end, true
			}
		}
	}
	return nil
}

// appendUnknown appends the topics of inputs with nothing at hand whose end is not known, if another input is ready.
func (f *feeder) appendUnknown(topics []string) []string {
	ready := false
	for i := range f.queues {
		ready = ready || f.head(i) != nil
	}
	if !ready {
		return topics
	}
	for i, in := range f.stage.Inputs {
		if f.head(i) == nil && !f.fresh[i] {
			topics = append(topics, in.Topic)
		}
	}
	return topics
}
