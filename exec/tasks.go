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
	State     TaskState
	// Inputs are the committed position and the end of each input of the stage, in its order, for an owner. Stores are the same
	// of the changelogs of the stage's stores that have one.
	Inputs, Stores []Progress
	// RestoredRows of about RestoreTotal rows have been read in the restore under way, or in the last one.
	RestoredRows, RestoreTotal int64
	// Warmup says that a standby is to take the task over when it has caught up.
	Warmup bool
	// CaughtUp is when the state of a standby was last seen to be complete; zero before that.
	CaughtUp time.Time
	// LagTime is TaskStatus.LagTime in steps of lagStep, UnknownLag when it is not known.
	LagTime time.Duration
}

// lagStep keeps a summary the same for a moment.
const lagStep = 100 * time.Millisecond

// Progress is how far a partition has been read: the next offset, and the end when it was last seen.
type Progress struct{ Position, End int64 }

// Tasks tells of the tasks of all queries on this server, standbys included, in no order.
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
	out := QueryTasks{ID: s.ID, State: s.State, Tasks: make([]TaskSummary, 0, len(s.Tasks)+len(q.status.standbys))}
	now := time.Now()
	for _, list := range [][]TaskStatus{s.Tasks, q.status.standbys} {
		for i := range list {
			out.Tasks = append(out.Tasks, summary(&list[i], now))
		}
	}
	return out
}

func summary(t *TaskStatus, now time.Time) TaskSummary {
	out := TaskSummary{Stage: t.Stage, Partition: t.Partition, State: t.State, RestoredRows: t.RestoredRows,
		RestoreTotal: t.RestoreTotal, Warmup: t.Warmup, CaughtUp: t.CaughtUp, LagTime: t.LagTime(now)}
	if out.LagTime > 0 {
		out.LagTime = out.LagTime.Truncate(lagStep)
	}
	for i := range t.Inputs {
		out.Inputs = append(out.Inputs, Progress{t.Inputs[i].Committed, t.Inputs[i].End})
	}
	for i := range t.Stores {
		out.Stores = append(out.Stores, Progress{t.Stores[i].Position, t.Stores[i].End})
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
	hash, err = q.planHash()
	return q.plan, hash, err
}

// planHash tells the plan from other plans of the same query.
func (q *query) planHash() (uint64, error) {
	q.hashOnce.Do(func() {
		var encoded []byte
		if encoded, q.hashErr = physical.Encode(q.plan); q.hashErr == nil {
			sum := fnv.New64a()
			_, _ = sum.Write(encoded)
			q.hash = binary.BigEndian.Uint64(sum.Sum(nil))
		}
	})
	return q.hash, q.hashErr
}
