package exec

import (
	"encoding/binary"
	"hash/fnv"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/cluster"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// QueryTasks is what other servers are told of a query here: less than QueryStatus, and cheap enough for many times a second.
type QueryTasks struct {
	ID    string
	State QueryState
	Tasks []TaskSummary
}

// TaskSummary is a TaskStatus in short.
type TaskSummary struct {
	Stage     int
	Partition int32
	State     QueryState
	// Lag is how many records are still to be read, LagTime the same as time, 0 where it is not known.
	Lag     int64
	LagTime time.Duration
	// RestoredRows of about RestoreTotal rows have been read in the restore under way, or in the last one.
	RestoredRows, RestoreTotal int64
}

// Tasks tells of the tasks of all queries on this server, in no order.
func (x *Executor) Tasks() []QueryTasks {
	all := x.all()
	out := make([]QueryTasks, 0, len(all))
	for _, q := range all {
		out = append(out, q.tasks())
	}
	return out
}

func (q *query) tasks() QueryTasks {
	q.status.mu.Lock()
	defer q.status.mu.Unlock()
	s := &q.status.s
	out := QueryTasks{ID: s.ID, State: s.State, Tasks: make([]TaskSummary, 0, len(s.Tasks))}
	for i := range s.Tasks {
		out.Tasks = append(out.Tasks, summary(&s.Tasks[i]))
	}
	return out
}

func summary(t *TaskStatus) TaskSummary {
	out := TaskSummary{Stage: t.Stage, Partition: t.Partition, State: t.State, RestoredRows: t.RestoredRows, RestoreTotal: t.RestoreTotal}
	switch t.State {
	case Restoring:
		out.Lag = max(t.RestoreTotal-t.RestoredRows, 0)
	default:
		for i := range t.Inputs {
			out.Lag += max(t.Inputs[i].End-t.Inputs[i].Committed, 0)
		}
	}
	return out
}

// Hosts lists the servers that the assignments of the queries name, with repetitions.
func (x *Executor) Hosts() []cluster.Host {
	var out []cluster.Host
	for _, q := range x.all() {
		q.mu.Lock()
		if q.assignment != nil {
			out = append(out, q.assignment.Hosts...)
		}
		q.mu.Unlock()
	}
	return out
}

// Plan is the plan of a query that runs here, and a number that tells it from other plans of the same query. It must not be
// changed.
func (x *Executor) Plan(queryID string) (plan *physical.Plan, hash uint64, err error) {
	q, err := x.query(queryID)
	if err != nil {
		return nil, 0, err
	}
	q.hashOnce.Do(func() {
		var encoded []byte
		if encoded, q.hashErr = physical.Encode(q.plan); q.hashErr == nil {
			sum := fnv.New64a()
			_, _ = sum.Write(encoded)
			q.hash = binary.BigEndian.Uint64(sum.Sum(nil))
		}
	})
	return q.plan, q.hash, q.hashErr
}
