package peers

import (
	"encoding/binary"
	"fmt"
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
}

// Query is a query on one server.
type Query struct {
	ID    string
	State exec.QueryState
	Tasks []Task
}

// Task is a task, or a standby of one, on one server.
type Task struct {
	Stage     int
	Partition int32
	// State is Running or Restoring for an owner; standbys have a state of their own.
	State exec.QueryState
	// Lag is how many records are still to be read: of the inputs by an owner, of the changelogs by one that restores or
	// stands by. LagTime is the same as time, 0 where it is not known.
	Lag     int64
	LagTime time.Duration
	// RestoredRows of about RestoreTotal rows have been read in the restore under way, or in the last one.
	RestoredRows, RestoreTotal int64
}

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
			task = binary.AppendVarint(task, t.Lag)
			task = binary.AppendVarint(task, int64(t.LagTime))
			task = binary.AppendVarint(task, t.RestoredRows)
			task = binary.AppendVarint(task, t.RestoreTotal)
			query = wire.AppendBytes(query, task)
		}
		b = wire.AppendBytes(b, query)
	}
	return b
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
					q.Tasks = append(q.Tasks, Task{Stage: int(r.Int32()), Partition: r.Int32(), State: exec.QueryState(r.String()),
						Lag: r.Varint(), LagTime: time.Duration(r.Varint()), RestoredRows: r.Varint(), RestoreTotal: r.Varint()})
				})
			}
			s.Queries = append(s.Queries, q)
		})
	}
	return s, r.Err()
}
