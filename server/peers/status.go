package peers

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/server/peers/wire"
)

// Node is a server of the service.
type Node struct {
	// ID is the node id, which a server keeps over restarts.
	ID string
	// Incarnation tells the lives of a server apart; a later one has a greater number.
	Incarnation uint64
	// Endpoint is host:port of the internal listener, Zone where the server stands. Either may be empty.
	Endpoint, Zone string
}

// Status is what a server tells of itself.
type Status struct {
	// Host is where the server's public API is, host:port. People know servers by it.
	Host string
	// Applied is the offset after the last command that was applied.
	Applied int64
	Queries []Query
	// Draining says that it gives its tasks away, or has done so.
	Draining bool
}

// Query is a query on one server.
type Query struct {
	ID    string
	State exec.QueryState
	Tasks []Task
}

// Task is a task, or a standby of one, on one server.
type Task struct {
	exec.TaskSummary
	// Behind is for how long the state of a standby has not been complete; 0 when it is, and for owners. It takes the place of
	// CaughtUp, which is by the other server's clock and not told; negative when it never was complete.
	Behind time.Duration
}

// Lag is how many records are still to be read: of the inputs by an owner that runs, of the changelogs otherwise.
func (t *Task) Lag() int64 {
	list := t.Stores
	switch t.State {
	case exec.TaskRunning:
		list = t.Inputs
	case exec.TaskRestoring:
		return max(t.RestoreTotal-t.RestoredRows, 0)
	}
	var n int64
	for _, p := range list {
		n += max(p.End-p.Position, 0)
	}
	return n
}

// StatusOf makes the status of a server of what its executor tells. now is the clock that CaughtUp is by.
func StatusOf(host string, applied int64, queries []exec.QueryTasks, now time.Time) Status {
	s := Status{Host: host, Applied: applied, Queries: make([]Query, 0, len(queries))}
	slices.SortFunc(queries, func(a, b exec.QueryTasks) int { return strings.Compare(a.ID, b.ID) })
	for _, q := range queries {
		out := Query{ID: q.ID, State: q.State, Tasks: make([]Task, 0, len(q.Tasks))}
		for _, t := range q.Tasks {
			task := Task{TaskSummary: t}
			switch {
			case t.State != exec.TaskStandby:
			case t.CaughtUp.IsZero():
				task.Behind = -1
			case now.Sub(t.CaughtUp) > completeFor:
				task.Behind = now.Sub(t.CaughtUp).Truncate(100 * time.Millisecond)
			}
			task.CaughtUp = time.Time{}
			out.Tasks = append(out.Tasks, task)
		}
		s.Queries = append(s.Queries, out)
	}
	return s
}

// completeFor is for how long a standby counts as complete after it was seen to be: it looks several times a second.
const completeFor = 2 * time.Second

// Query finds a query; false when the server does not have it.
func (s *Status) Query(id string) (*Query, bool) {
	if s != nil {
		for i := range s.Queries {
			if s.Queries[i].ID == id {
				return &s.Queries[i], true
			}
		}
	}
	return nil, false
}

// Task finds a task of a query on the server; false when it is not there.
func (s *Status) Task(query string, stage int, partition int32) (Task, bool) {
	if q, ok := s.Query(query); ok {
		for _, t := range q.Tasks {
			if t.Stage == stage && t.Partition == partition {
				return t, true
			}
		}
	}
	return Task{}, false
}

// statusVersion is the first byte of an encoded status. Fields may be added at the end of a record without a new version.
const statusVersion = 1

// appendStatus appends the encoding of a status.
func appendStatus(b []byte, s *Status) []byte {
	b = append(b, statusVersion)
	b = wire.AppendString(b, s.Host)
	b = binary.AppendVarint(b, s.Applied)
	b = binary.AppendUvarint(b, uint64(len(s.Queries)))
	var query, task []byte
	for i := range s.Queries {
		q := &s.Queries[i]
		query = wire.AppendString(query[:0], q.ID)
		query = wire.AppendString(query, string(q.State))
		query = binary.AppendUvarint(query, uint64(len(q.Tasks)))
		for _, t := range q.Tasks {
			task = binary.AppendUvarint(task[:0], uint64(t.Stage))
			task = binary.AppendUvarint(task, uint64(t.Partition))
			task = wire.AppendString(task, string(t.State))
			task = appendProgress(appendProgress(task, t.Inputs), t.Stores)
			task = binary.AppendVarint(task, t.RestoredRows)
			task = binary.AppendVarint(task, t.RestoreTotal)
			task = wire.AppendBool(task, t.Warmup)
			task = binary.AppendVarint(task, int64(t.Behind))
			task = binary.AppendVarint(task, int64(t.LagTime))
			query = wire.AppendBytes(query, task)
		}
		b = wire.AppendBytes(b, query)
	}
	return wire.AppendBool(b, s.Draining)
}

// decodeStatus reads what appendStatus wrote.
func decodeStatus(b []byte) (*Status, error) {
	r := wire.NewReader(b)
	if v := r.Byte(); r.Err() == nil && v != statusVersion {
		return nil, fmt.Errorf("a status of version %d; this server knows version %d", v, statusVersion)
	}
	s := &Status{Host: r.String(), Applied: r.Varint()}
	for range r.Count() {
		r.Record(func(r *wire.Reader) {
			q := Query{ID: r.String(), State: exec.QueryState(r.String())}
			for range r.Count() {
				r.Record(func(r *wire.Reader) {
					t := Task{TaskSummary: exec.TaskSummary{
						Stage: int(r.Int32()), Partition: r.Int32(), State: exec.TaskState(r.String()), Inputs: readProgress(r),
						Stores: readProgress(r), RestoredRows: r.Varint(), RestoreTotal: r.Varint(), Warmup: r.Bool(),
					}, Behind: time.Duration(r.Varint())}
					t.LagTime = time.Duration(r.Varint())
					q.Tasks = append(q.Tasks, t)
				})
			}
			s.Queries = append(s.Queries, q)
		})
	}
	s.Draining = r.Bool()
	return s, r.Err()
}

func appendProgress(b []byte, list []exec.Progress) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, p := range list {
		b = binary.AppendVarint(b, p.Position)
		b = binary.AppendVarint(b, p.End-p.Position)
	}
	return b
}

func readProgress(r *wire.Reader) []exec.Progress {
	n := r.Count()
	if n == 0 {
		return nil
	}
	out := make([]exec.Progress, 0, n)
	for range n {
		at := r.Varint()
		out = append(out, exec.Progress{Position: at, End: at + r.Varint()})
	}
	return out
}
