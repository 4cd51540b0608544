package cluster

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"reflect"
	"testing"
	"time"
)

func someSubscription() Subscription {
	return Subscription{
		Version: version, MinVersion: oldest, NodeID: "node-1", Incarnation: 7, Endpoint: "http://10.0.0.1:8088", Zone: "x",
		Tags: map[string]string{"rack": "3", "disk": "fast"}, PlanHash: 1 << 63, CommandOffset: 12, Capacity: 4, Joins: 2,
		Positions: []TaskPosition{
			{TaskID{1, 0}, 5, 0, true}, {TaskID{0, 3}, 1 << 40, 90 * time.Second, false}, {TaskID{1, 3}, 0, time.Millisecond, true},
		},
	}
}

func someAssignment() *Assignment {
	return &Assignment{
		Version: version, Err: &AssignmentError{PlansDiffer, "servers differ"}, PlanHash: 9,
		Standby: []TaskID{{0, 1}, {1, 1}}, Warmup: []TaskID{{0, 2}}, Moving: true,
		Hosts:    []Host{{"a", "http://a:1", "x"}, {"b", "http://b:1", ""}},
		Owners:   map[TaskID]int{{0, 0}: 0, {0, 1}: 1, {1, 0}: 1},
		Standbys: map[TaskID][]int{{0, 0}: {1}, {0, 1}: {0, 1}},
	}
}

func TestSubscriptionRoundTrip(t *testing.T) {
	for _, want := range []Subscription{someSubscription(), {Version: version, MinVersion: oldest}} {
		have, err := DecodeSubscription(want.Encode())
		if err != nil || !reflect.DeepEqual(have, want) {
			t.Errorf("have %+v, %v\nwant %+v", have, err, want)
		}
	}
}

func TestAssignmentRoundTrip(t *testing.T) {
	empty := &Assignment{Version: version, Owners: map[TaskID]int{}, Standbys: map[TaskID][]int{}}
	for _, want := range []*Assignment{someAssignment(), empty} {
		have, err := DecodeAssignment(want.Encode())
		if err != nil || !reflect.DeepEqual(have, want) {
			t.Errorf("have %+v, %v\nwant %+v", have, err, want)
		}
	}
	a := someAssignment()
	if h, ok := a.Owner(TaskID{1, 0}); !ok || h.NodeID != "b" {
		t.Errorf("owner %v, %v", h, ok)
	}
	if _, ok := a.Owner(TaskID{9, 9}); ok {
		t.Error("a task that is not there has an owner")
	}
	if list := a.StandbysOf(TaskID{0, 1}); len(list) != 2 || list[0].NodeID != "a" {
		t.Errorf("standbys %v", list)
	}
}

// later is a frame as a later version writes it: with fields this code does not know, before and behind those it does.
func later(b []byte, writer, needed byte) []byte {
	w := newFrame(writer, needed)
	w.field(1000, []byte("something new"))
	w.buf = append(w.buf, b[headerBytes:len(b)-checksumBytes]...)
	w.number(1001, 1)
	return w.seal()
}

func TestLaterVersions(t *testing.T) {
	s, err := DecodeSubscription(later(someSubscription().Encode(), version+1, oldest))
	if err != nil || s.NodeID != "node-1" || s.Version != version+1 || len(s.Positions) != 3 {
		t.Errorf("%+v, %v", s, err)
	}
	a, err := DecodeAssignment(later(someAssignment().Encode(), version+1, oldest))
	if err != nil || len(a.Owners) != 3 {
		t.Errorf("%+v, %v", a, err)
	}
	var needs *VersionError
	if _, err := DecodeSubscription(later(nothing(), version+2, version+1)); !errors.As(err, &needs) || needs.Needed != version+1 {
		t.Errorf("error %v", err)
	}
	if _, err := DecodeAssignment(later(nothing(), version+2, version+1)); !errors.As(err, &needs) {
		t.Errorf("error %v", err)
	}
}

// nothing is a frame with nothing in it.
func nothing() []byte { return newFrame(version, oldest).seal() }

// Whatever a single byte is changed to, it is found.
func TestDamage(t *testing.T) {
	for _, b := range [][]byte{someSubscription().Encode(), someAssignment().Encode()} {
		for i := range b {
			bad := bytes.Clone(b)
			bad[i] ^= 0x41
			if _, err := DecodeSubscription(bad); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("byte %d: %v", i, err)
			}
			if _, err := DecodeAssignment(b[:i]); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("cut at %d: %v", i, err)
			}
		}
	}
}

// An assignment that names a host it does not list is refused.
func TestUnknownHosts(t *testing.T) {
	a := someAssignment()
	a.Hosts = a.Hosts[:1]
	if _, err := DecodeAssignment(a.Encode()); !errors.Is(err, ErrCorrupt) {
		t.Errorf("error %v", err)
	}
}

// Too many positions do not make a subscription too long: the most outdated are left out.
func TestPositionsAreBounded(t *testing.T) {
	s := someSubscription()
	s.Positions = nil
	for i := range int32(5000) {
		s.Positions = append(s.Positions, TaskPosition{TaskID{1, i}, 1 << 40, time.Duration(i) * time.Second, true})
	}
	b := s.Encode()
	have, err := DecodeSubscription(b)
	if err != nil || len(b) > maxPositionBytes+1000 || len(have.Positions) < 500 {
		t.Fatalf("%d bytes, %d positions, %v", len(b), len(have.Positions), err)
	}
	for i, p := range have.Positions {
		if p.Partition != int32(i) {
			t.Fatalf("position %d is of task %s", i, p.TaskID)
		}
	}
}

// What is in Kafka's record of a group must fit its limit with 50 members and 1,000 tasks, even when every member has state
// of every task.
func TestSizes(t *testing.T) {
	const servers, recordLimit = 50, 1_048_588
	topology := Topology{PlanHash: 1 << 60, Stages: []Stage{{ID: 0, Partitions: 500, Stateful: true}, {ID: 1, Partitions: 500, Stateful: true}}}
	var members []Member
	total := 0
	for i := range servers {
		s := Subscription{Version: version, MinVersion: oldest, NodeID: fmt.Sprintf("%08d-aaaa-bbbb-cccc-0123456789ab", i), PlanHash: 1 << 60,
			Endpoint: fmt.Sprintf("https://ksqlgo-%d.ksqlgo.production.svc:8443", i), Zone: fmt.Sprintf("europe-west1-%d", i%3), Capacity: 8}
		for _, task := range topology.Tasks() {
			s.Positions = append(s.Positions, TaskPosition{task.TaskID, 3_000_000_000 + int64(i), time.Duration(i) * time.Hour, true})
		}
		b := s.Encode()
		total += len(b)
		var err error
		if s, err = DecodeSubscription(b); err != nil {
			t.Fatal(err)
		}
		members = append(members, Member{Subscription: s})
	}
	plan := Assign(topology, members, DefaultOptions())
	whole := plan.assignment(topology.PlanHash, members)
	whole.Version = version
	for _, m := range plan.Members {
		whole.Standby, whole.Warmup = m.Standby, m.Warmup
		b := whole.Encode()
		// The partitions owned, in the member's metadata and in its assignment, and the topics' names.
		total += len(b) + 2*(4*len(m.Active)+200)
	}
	t.Logf("%d bytes of %d", total, recordLimit)
	if total > recordLimit*9/10 {
		t.Errorf("the group's record has %d bytes; Kafka takes %d", total, recordLimit)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(someSubscription().Encode())
	f.Add(someAssignment().Encode())
	f.Add(nothing())
	f.Fuzz(func(t *testing.T, b []byte) {
		// With its checksum set right what is random gets past it.
		if len(b) >= headerBytes+checksumBytes {
			b = bytes.Clone(b)
			body := b[:len(b)-checksumBytes]
			body[0], body[1] = version, oldest
			binary.LittleEndian.PutUint32(b[len(body):], crc32.Checksum(body, castagnoli))
		}
		if s, err := DecodeSubscription(b); err == nil {
			again, err := DecodeSubscription(s.Encode())
			if err != nil || again.NodeID != s.NodeID || len(again.Positions) != len(s.Positions) {
				t.Errorf("%+v: %v: %+v", s, err, again)
			}
		}
		if a, err := DecodeAssignment(b); err == nil {
			again, err := DecodeAssignment(a.Encode())
			if err != nil || !reflect.DeepEqual(again.Owners, a.Owners) {
				t.Errorf("%+v: %v: %+v", a, err, again)
			}
		}
	})
}
