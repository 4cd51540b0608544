package exec

import (
	"cmp"
	"slices"
	"sync/atomic"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/operator"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/exec/task"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// hostedTask is a task of a persistent query with what the host keeps beside it. It implements task.Host.
type hostedTask struct {
	feeder
	s      *session
	store  *state.Task
	status QueryState
	closed bool

	// committed is the accounting as of the last commit; last is the task's own counter at that moment.
	committed, last []task.Accounting
	// streamTime is as of the last commit, for the status.
	streamTime []int64

	// checkpoint is how far each store's changelog is contained in the state on disk.
	checkpoint []int64

	// restored counts rows applied, restoreTotal what is to be read; the goroutine of a resync writes them.
	restored, restoreTotal atomic.Int64

	// topic caches the partition count of the topic written last.
	topic           string
	topicPartitions int32
}

func newHostedTask(s *session, stage *physical.Stage, partition int32) (*hostedTask, error) {
	n := len(stage.Inputs)
	t := &hostedTask{
		s: s, status: Restoring,
		feeder: newFeeder(stage, partition, queueLimit(s.plan), func(tp kafka.TopicPartition, paused bool) {
			if paused {
				s.consumer.Pause(tp)
			} else {
				s.consumer.Resume(tp)
			}
		}),
		committed: make([]task.Accounting, n), last: make([]task.Accounting, n), streamTime: make([]int64, n),
		checkpoint: make([]int64, len(stage.Stores)),
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
	if len(t.stage.Stores) > 0 {
		ids := make([]state.StoreID, len(t.stage.Stores))
		for i, st := range t.stage.Stores {
			ids[i] = state.StoreID(st.ID)
		}
		var err error
		if t.store, err = t.s.db.NewTask(t.partition, ids, state.TaskOptions{}); err != nil {
			return err
		}
	}
	var err error
	t.task, err = task.New(task.Config{
		Plan: t.s.plan, Stage: t.stage, Partition: t.partition, State: t.store,
		Functions: t.s.x.cfg.Functions, Formats: t.s.x.cfg.Formats, Env: t.s.q.env,
		CacheBytes: t.s.settings.cacheBytes, Host: t,
	})
	return err
}

// wipe empties the task's stores and builds the task anew, since nobody may hold the stores meanwhile.
func (t *hostedTask) wipe() error {
	var ids []state.StoreID
	var topics []string
	for _, st := range t.stage.Stores {
		ids = append(ids, state.StoreID(st.ID))
		topics = append(topics, st.Changelog)
	}
	t.close()
	if err := t.s.db.Wipe(t.partition, ids, topics); err != nil {
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
	if t.store != nil {
		t.store.Close()
		t.store = nil
	}
}

// setStatus changes what the task is doing.
func (t *hostedTask) setStatus(s QueryState) {
	t.status = s
	t.active = s == Running
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
