package exec

import (
	"slices"
	"sync"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/task"
)

// QueryState is the state of a persistent query on this server, as its tasks report it.
type QueryState string

// The states of a query.
const (
	// Starting: topics are verified, the group is being joined.
	Starting QueryState = "STARTING"
	// Restoring: state is being brought to the last commit.
	Restoring QueryState = "RESTORING"
	Running   QueryState = "RUNNING"
	Paused    QueryState = "PAUSED"
	// Failed: the query stopped with an error and will be tried again.
	Failed QueryState = "ERROR"
)

// TaskState is what a task on this server is doing, as the task itself reports it.
type TaskState string

// The states of a task. A task is created when the group assigns it, restores, and runs until the group takes it away. What
// goes wrong with a commit suspends it until it is known what was committed; then it restores again.
const (
	// TaskCreated: it is being found out what was committed last.
	TaskCreated TaskState = "CREATED"
	// TaskRestoring: state is being brought to the last commit.
	TaskRestoring TaskState = "RESTORING"
	TaskRunning   TaskState = "RUNNING"
	// TaskSuspended: the open interval was dropped, and it is being found out what was committed last.
	TaskSuspended TaskState = "SUSPENDED"
	// TaskStandby: the task runs elsewhere, its state is kept up to date here.
	TaskStandby TaskState = "STANDBY"
	// TaskError: the query has failed on this server and will be tried again.
	TaskError TaskState = "ERROR"
)

// ErrorClass says whose fault a query's error is, in ksqlDB's words.
type ErrorClass string

// The classes of errors.
const (
	UserError    ErrorClass = "USER"
	SystemError  ErrorClass = "SYSTEM"
	UnknownError ErrorClass = "UNKNOWN"
)

// QueryError is an error that stopped a query.
type QueryError struct {
	At      time.Time
	Message string
	Class   ErrorClass
}

// TaskStatus is one task of a query on this server.
type TaskStatus struct {
	Stage     int
	Partition int32
	State     TaskState
	// Inputs are the task's input partitions; a standby has none.
	Inputs []InputStatus
	// RestoredRows counts the rows of a restore under way or of the last one, or those a standby has applied; RestoreTotal
	// about what there is to read.
	RestoredRows, RestoreTotal int64
	// Stores are the changelogs of a stateful task.
	Stores []StoreStatus
	// Warmup says that a standby is to take the task over when it has caught up.
	Warmup bool
	// CaughtUp is when the state of a standby was last seen to be complete; zero before that. It is this server's clock.
	CaughtUp time.Time
}

// StoreStatus is how far the state of one store contains its changelog.
type StoreStatus struct {
	Store, Changelog string
	// Position is the next offset to be applied, or for an owner the one after its last commit; End is the end of the
	// committed changelog when it was last seen.
	Position, End int64
}

// Lag is how many records of its changelogs the state of a task is behind.
func (t *TaskStatus) Lag() int64 {
	var n int64
	for _, s := range t.Stores {
		n += max(s.End-s.Position, 0)
	}
	return n
}

// InputStatus is how far one input partition is processed.
type InputStatus struct {
	kafka.TopicPartition
	// Source is the stream or table, empty for an internal topic.
	Source string
	// Committed is the next offset to read as of the last commit; End the partition's end when it was last seen.
	Committed, End int64
	// StreamTime is the largest timestamp seen, milliseconds; 0 before the first record.
	StreamTime int64
	// Reached is the moment, by this server's clock, as of which everything in the partition is processed and committed; zero
	// before this server has seen one. LagTime makes a lag of it.
	Reached time.Time
	// Accounting of the records read from this partition since the query was created.
	Accounting task.Accounting
}

// QueryStatus is what this server knows of a query. It is a copy.
type QueryStatus struct {
	ID    string
	State QueryState
	// Errors are the last errors that stopped the query, oldest first.
	Errors []QueryError
	// Tasks are those this server owns, and behind them those it stands by for.
	Tasks []TaskStatus
	// Total sums the accounting over the inputs that are not internal topics.
	Total task.Accounting
	// RecordErrors are the last record errors, oldest first.
	RecordErrors []RecordError
	// Commits and Aborts count transactions since the server started, Rebalances the assignments of tasks it was told.
	Commits, Aborts, Rebalances int64
	// StateBytes is the size of the state on disk.
	StateBytes int64
}

// RecordError is an error in one record, as it is kept for people.
type RecordError struct {
	At time.Time
	task.RecordError
}

// keptRecordErrors and keptErrors bound what is kept of each query.
const (
	keptRecordErrors = 1000
	keptErrors       = 10
)

// statusBoard is where a query's goroutine writes its status and others read it.
type statusBoard struct {
	mu sync.Mutex
	s  QueryStatus
	// standbys are the tasks that are followed.
	standbys []TaskStatus
	// changed is closed at the next update; nil while nobody waits.
	changed chan struct{}
}

func (b *statusBoard) update(change func(*QueryStatus)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.s)
	b.signalLocked()
}

// follow notes how far the followed tasks are.
func (b *statusBoard) follow(standbys []TaskStatus) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.standbys = standbys
	b.signalLocked()
}

// signalLocked wakes those who wait for a change. b.mu is held.
func (b *statusBoard) signalLocked() {
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

// changedLocked is closed at the next update. b.mu is held.
func (b *statusBoard) changedLocked() <-chan struct{} {
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return b.changed
}

// read copies the status.
func (b *statusBoard) read() QueryStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.s
	c.Errors = append([]QueryError(nil), b.s.Errors...)
	c.RecordErrors = append([]RecordError(nil), b.s.RecordErrors...)
	all := slices.Concat(b.s.Tasks, b.standbys)
	c.Tasks = make([]TaskStatus, len(all))
	for i, t := range all {
		t.Inputs = append([]InputStatus(nil), t.Inputs...)
		t.Stores = append([]StoreStatus(nil), t.Stores...)
		c.Tasks[i] = t
	}
	return c
}

// keep appends to a bounded list, dropping the oldest.
func keep[T any](list []T, limit int, more ...T) []T {
	list = append(list, more...)
	if n := len(list) - limit; n > 0 {
		list = append(list[:0], list[n:]...)
	}
	return list
}
