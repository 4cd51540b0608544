package cluster

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
)

// ErrorCode says why tasks were not assigned as usual.
type ErrorCode uint8

const (
	// PartitionsChanged: a topic has another number of partitions than the query was planned with. Nothing is assigned, the
	// query is in error.
	PartitionsChanged ErrorCode = iota + 1
	// PlansDiffer: members run different plans of the query, as for a moment during DDL. Members keep what they have; those
	// with the leader's plan share the rest. Whoever changes its plan rejoins.
	PlansDiffer
	// VersionsDiffer: members have no version of the protocol in common.
	VersionsDiffer
)

// AssignmentError is why tasks were not assigned as usual.
type AssignmentError struct {
	Code ErrorCode
	Text string
}

func (e *AssignmentError) Error() string { return e.Text }

// Host is a server as others reach it.
type Host struct {
	NodeID, Endpoint, Zone string
}

// Assignment is what the leader tells a member. It is the member's to keep; its methods do not change it.
type Assignment struct {
	// Version is the version of the protocol in use.
	Version int
	// Err is nil when all is as usual.
	Err *AssignmentError
	// PlanHash is the plan of the leader.
	PlanHash uint64
	// Standby are the tasks whose changelogs this member follows. Warmup are those of them or besides them for which it is to
	// ask for a rebalance once it has caught up. Both are in order.
	Standby, Warmup []TaskID
	// Moving says that some member has yet to give up a task before its new owner can have it: another rebalance is due at once.
	Moving bool
	// Hosts are all members, and Owners and Standbys say by their index in Hosts who owns and who stands by for a task. A task
	// that is about to move is listed with its new owner.
	Hosts    []Host
	Owners   map[TaskID]int
	Standbys map[TaskID][]int
}

// Owner is the host of a task; ok is false when there is none.
func (a *Assignment) Owner(t TaskID) (h Host, ok bool) {
	i, ok := a.Owners[t]
	if !ok {
		return Host{}, false
	}
	return a.Hosts[i], true
}

// StandbysOf lists the hosts that stand by for a task.
func (a *Assignment) StandbysOf(t TaskID) []Host {
	var out []Host
	for _, i := range a.Standbys[t] {
		out = append(out, a.Hosts[i])
	}
	return out
}

// Numbers of the fields.
const (
	asgError = iota + 1
	asgPlanHash
	asgStandby
	asgWarmup
	asgHosts
	asgOwners
	asgStandbys
	asgMoving
)

// Encode writes the assignment in a version that all members understand: a.Version, or the version of this code when that
// is less.
func (a *Assignment) Encode() []byte {
	w := newFrame(byte(min(a.Version, version)), oldest)
	if a.Err != nil {
		w.field(asgError, append([]byte{byte(a.Err.Code)}, a.Err.Text...))
	}
	w.number(asgPlanHash, a.PlanHash)
	w.field(asgStandby, appendTasks(nil, a.Standby))
	w.field(asgWarmup, appendTasks(nil, a.Warmup))
	var hosts []byte
	for _, h := range a.Hosts {
		hosts = appendString(appendString(appendString(hosts, h.NodeID), h.Endpoint), h.Zone)
	}
	w.field(asgHosts, hosts)
	w.field(asgOwners, appendByStage(a.Owners, func(b []byte, owner int, ok bool) []byte {
		if !ok {
			return append(b, 0)
		}
		return binary.AppendUvarint(b, uint64(owner)+1)
	}))
	w.field(asgStandbys, appendByStage(a.Standbys, func(b []byte, list []int, _ bool) []byte {
		b = binary.AppendUvarint(b, uint64(len(list)))
		for _, i := range list {
			b = binary.AppendUvarint(b, uint64(i))
		}
		return b
	}))
	if a.Moving {
		w.number(asgMoving, 1)
	}
	return w.seal()
}

// appendByStage writes what a map has for each partition of each stage, from 0 to the last one there is: the shortest way
// where nearly all are there.
func appendByStage[V any](m map[TaskID]V, value func(b []byte, v V, ok bool) []byte) []byte {
	var b []byte
	partitions := map[int32]int32{}
	for t := range m {
		partitions[t.Stage] = max(partitions[t.Stage], t.Partition+1)
	}
	for _, stage := range slices.Sorted(maps.Keys(partitions)) {
		b = binary.AppendUvarint(b, uint64(stage))
		b = binary.AppendUvarint(b, uint64(partitions[stage]))
		for p := range partitions[stage] {
			v, ok := m[TaskID{stage, p}]
			b = value(b, v, ok)
		}
	}
	return b
}

// byStage reads what appendByStage wrote.
func (r *reader) byStage(value func(TaskID)) {
	for len(r.buf) > 0 {
		stage := r.number31()
		for p := range r.count() {
			value(TaskID{stage, int32(p)})
		}
	}
}

// sortedTasks lists the keys of a map in order.
func sortedTasks[V any](m map[TaskID]V) []TaskID {
	list := make([]TaskID, 0, len(m))
	for t := range m {
		list = append(list, t)
	}
	slices.SortFunc(list, TaskID.Compare)
	return list
}

// DecodeAssignment reads an assignment of any version that this code understands. The error is ErrCorrupt or a
// *VersionError.
func DecodeAssignment(b []byte) (*Assignment, error) {
	a := &Assignment{Owners: map[TaskID]int{}, Standbys: map[TaskID][]int{}}
	writer, err := openFrame(b, func(number uint64, r *reader) {
		switch number {
		case asgError:
			if len(r.buf) > 0 {
				a.Err = &AssignmentError{ErrorCode(r.buf[0]), string(r.buf[1:])}
			}
		case asgPlanHash:
			a.PlanHash = r.uvarint()
		case asgStandby:
			a.Standby = r.tasks()
		case asgWarmup:
			a.Warmup = r.tasks()
		case asgHosts:
			for len(r.buf) > 0 {
				a.Hosts = append(a.Hosts, Host{string(r.bytes()), string(r.bytes()), string(r.bytes())})
			}
		case asgMoving:
			a.Moving = r.uvarint() != 0
		case asgOwners:
			r.byStage(func(t TaskID) {
				if i := r.number31(); i > 0 {
					a.Owners[t] = int(i) - 1
				}
			})
		case asgStandbys:
			r.byStage(func(t TaskID) {
				for range r.count() {
					a.Standbys[t] = append(a.Standbys[t], int(r.number31()))
				}
			})
		}
	})
	if err != nil {
		return nil, err
	}
	a.Version = writer
	return a, a.checkHosts()
}

// checkHosts makes sure that every index is one of a host.
func (a *Assignment) checkHosts() error {
	wrong := func(i int) bool { return i < 0 || i >= len(a.Hosts) }
	for t, i := range a.Owners {
		if wrong(i) || slices.ContainsFunc(a.Standbys[t], wrong) {
			return fmt.Errorf("%w: task %s has no host", ErrCorrupt, t)
		}
	}
	for t, list := range a.Standbys {
		if slices.ContainsFunc(list, wrong) {
			return fmt.Errorf("%w: task %s has no host", ErrCorrupt, t)
		}
	}
	return nil
}
