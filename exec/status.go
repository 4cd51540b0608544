package exec

import (
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
	State     QueryState
	// Inputs are the task's input partitions.
	Inputs []InputStatus
	// RestoredRows counts the rows of a restore under way or of the last one; RestoreTotal what it has to read.
	RestoredRows, RestoreTotal int64
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
	// Accounting of the records read from this partition since the query was created.
	Accounting task.Accounting
}

// QueryStatus is what this server knows of a query. It is a copy.
type QueryStatus struct {
	ID    string
	State QueryState
	// Errors are the last errors that stopped the query, oldest first.
	Errors []QueryError
	Tasks  []TaskStatus
	// Total sums the accounting over the inputs that are not internal topics.
	Total task.Accounting
	// RecordErrors are the last record errors, oldest first.
	RecordErrors []RecordError
	// Commits and Aborts count transactions since the server started.
	Commits, Aborts int64
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
	// changed is closed at the next update; nil while nobody waits.
	changed chan struct{}
}

func (b *statusBoard) update(change func(*QueryStatus)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.s)
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
	c.Tasks = make([]TaskStatus, len(b.s.Tasks))
	for i, t := range b.s.Tasks {
		t.Inputs = append([]InputStatus(nil), t.Inputs...)
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
