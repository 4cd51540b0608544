package exec

import (
	"cmp"
	"slices"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/operator"
	"github.com/ksqlgo/ksqlgo/exec/task"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// hostedTask is a task of a persistent query with what the host keeps beside it. It implements task.Host.
type hostedTask struct {
	feeder
	s      *session
	local  *localState
	status TaskState
	closed bool

	// committed is the accounting as of the last commit; last is the task's own counter at that moment.
	committed, last []task.Accounting
	// adopted says that the task goes on ahead of the committed offsets, which are to follow (see adoptLocal).
	adopted bool
	// committedPosition is position as of the last commit.
	committedPosition []int64
	// streamTime is as of the last commit, for the status.
	streamTime []int64

	// topic caches the partition count of the topic written last.
	topic           string
	topicPartitions int32
}

func newHostedTask(s *session, stage *physical.Stage, partition int32) (*hostedTask, error) {
	n := len(stage.Inputs)
	t := &hostedTask{
		s: s, status: TaskCreated, local: newLocalState(s.db, stage, partition),
		feeder: newFeeder(stage, partition, queueLimit(s.plan), func(tp kafka.TopicPartition, paused bool) {
			if paused {
				s.consumer.Pause(tp)
			} else {
				s.consumer.Resume(tp)
			}
		}),
		committed: make([]task.Accounting, n), last: make([]task.Accounting, n), streamTime: make([]int64, n),
		committedPosition: make([]int64, n),
	}
	if err := t.open(); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

// open takes the task's stores into use and builds its operators.
func (t *hostedTask) open() error {
	t.closed = false
	err := t.local.open()
	if err != nil {
		return err
	}
	t.task, err = task.New(task.Config{
		Plan: t.s.plan, Stage: t.stage, Partition: t.partition, State: t.local.store,
		Functions: t.s.x.cfg.Functions, Formats: t.s.x.cfg.Formats, Env: t.s.q.env,
		CacheBytes: t.s.settings.cacheBytes, Host: t,
	})
	return err
}

// wipe empties the task's stores and builds the task anew, since nobody may hold the stores meanwhile.
func (t *hostedTask) wipe() error {
	t.close()
	if err := t.local.wipe(); err != nil {
		return err
	}
	return t.open()
}

func sortTasks(list []*hostedTask) {
	slices.SortFunc(list, func(a, b *hostedTask) int {
		return cmp.Or(cmp.Compare(a.stage.ID, b.stage.ID), cmp.Compare(a.partition, b.partition))
	})
}

func (t *hostedTask) close() {
	t.closed = true
	t.dropQueues()
	t.local.close()
}

// setStatus changes what the task is doing.
func (t *hostedTask) setStatus(s TaskState) {
	t.status = s
	t.active = s == TaskRunning
}

// Output implements task.Host: the record leaves inside the open transaction.
func (t *hostedTask) Output(o *operator.Output) error {
	p := o.Partition
	if p < 0 {
		if o.Topic != t.topic {
			t.topic, t.topicPartitions = o.Topic, t.s.topics.partitions(o.Topic)
		}
		if o.Key != nil {
			p = kafka.PartitionForKey(o.PartitionKey(), t.topicPartitions)
		} else {
			p = t.partition % t.topicPartitions
		}
	}
	t.s.producer.Produce(o.Topic, p, o.Key, o.Value, o.Timestamp, o.Headers)
	return nil
}

// Row implements task.Host. A persistent query has no subscriber.
func (t *hostedTask) Row(*operator.Row) error { return nil }

// RecordError implements task.Host: the error is kept with the interval.
func (t *hostedTask) RecordError(e *operator.RecordError) {
	t.s.newErrors.add(RecordError{At: t.s.x.cfg.Now(), RecordError: *e})
}
