package cluster

import (
	"errors"
	"reflect"
	"testing"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// told is what one member is told.
type told struct {
	assignment *Assignment
	err        error
	calls      int
}

// balancer is the balancer of a member named id, and what it is told.
func balancer(id string, topology Topology, positions ...TaskPosition) (*Balancer, *told) {
	var got told
	b := NewBalancer(BalancerConfig{Topology: topology, Options: DefaultOptions(),
		Local: func() Subscription {
			return Subscription{NodeID: id, Endpoint: "http://" + id, Positions: positions}
		},
		Assigned: func(a *Assignment, err error) { got.assignment, got.err, got.calls = a, err, got.calls+1 },
	})
	return b, &got
}

func twoStages() Topology {
	return Topology{PlanHash: 7, Stages: []Stage{
		{ID: 0, Topics: []string{"left", "right"}, Partitions: 3}, {ID: 1, Topics: []string{"again"}, Partitions: 4, Stateful: true},
	}}
}

var twoStagesPartitions = map[string]int32{"left": 3, "right": 3, "again": 4}

func TestBalance(t *testing.T) {
	a, toldA := balancer("a", twoStages())
	b, toldB := balancer("b", twoStages())
	topics := []string{"left", "right", "again"}
	out := a.Balance([]kafka.BalancerMember{
		{ID: "m-b", Topics: topics, UserData: b.JoinData()}, {ID: "m-a", Topics: topics, UserData: a.JoinData()},
	}, twoStagesPartitions)
	seen := 0
	for i, m := range out {
		if !reflect.DeepEqual(m.Partitions["left"], m.Partitions["right"]) {
			t.Errorf("member %d: the topics of a stage do not meet: %v", i, m.Partitions)
		}
		seen += len(m.Partitions["left"]) + len(m.Partitions["again"])
	}
	if seen != 7 {
		t.Errorf("%d of 7 tasks", seen)
	}
	b.Assigned(out[0].UserData)
	a.Assigned(out[1].UserData)
	if toldA.err != nil || toldB.err != nil {
		t.Fatal(toldA.err, toldB.err)
	}
	for p := range int32(4) {
		task := TaskID{1, p}
		owner, ok := toldA.assignment.Owner(task)
		standbys := toldB.assignment.StandbysOf(task)
		if !ok || owner.Endpoint != "http://"+owner.NodeID || len(standbys) != 1 || standbys[0] == owner {
			t.Errorf("task %s: owner %v, %v, standbys %v", task, owner, ok, standbys)
		}
	}
	if len(toldA.assignment.Standby) != 2 || len(toldB.assignment.Standby) != 2 {
		t.Errorf("standbys %v and %v", toldA.assignment.Standby, toldB.assignment.Standby)
	}
}

// While a task is still to be given up all members are told that another rebalance is due, and not any more afterwards.
func TestMovingIsTold(t *testing.T) {
	a, told := balancer("a", Topology{Stages: []Stage{{Topics: []string{"in"}, Partitions: 4}}})
	b, _ := balancer("b", Topology{Stages: []Stage{{Topics: []string{"in"}, Partitions: 4}}})
	for _, c := range []struct {
		a, b []int32
		want bool
	}{
		{[]int32{0, 1, 2, 3}, nil, true},
		{[]int32{0, 1}, nil, false},
		{[]int32{0, 1}, []int32{2, 3}, false},
		{[]int32{0}, []int32{1, 2, 3}, true},
	} {
		member := func(id string, owned []int32, from *Balancer) kafka.BalancerMember {
			return kafka.BalancerMember{ID: id, Topics: []string{"in"}, Owned: map[string][]int32{"in": owned}, Generation: 2, UserData: from.JoinData()}
		}
		out := a.Balance([]kafka.BalancerMember{member("a", c.a, a), member("b", c.b, b)}, map[string]int32{"in": 4})
		a.Assigned(out[0].UserData)
		if told.err != nil || told.assignment.Moving != c.want {
			t.Errorf("a has %v, b has %v: moving %v, %v", c.a, c.b, told.assignment.Moving, told.err)
		}
	}
}

// Each join says something new, or the broker would not rebalance for it.
func TestJoinsDiffer(t *testing.T) {
	a, _ := balancer("a", twoStages())
	if reflect.DeepEqual(a.JoinData(), a.JoinData()) {
		t.Error("twice the same")
	}
}

// Claims are of partitions; the stage that reads the topic tells which task they are.
func TestClaimsOfPartitions(t *testing.T) {
	a, _ := balancer("a", twoStages())
	owned := map[string][]int32{"left": {2}, "right": {2, 1}, "again": {0}, "gone": {0}}
	m, err := a.member(kafka.BalancerMember{ID: "x", Owned: owned, Generation: 3, UserData: a.JoinData()})
	want := []TaskID{{1, 0}, {0, 1}, {0, 2}}
	if err != nil || m.NodeID != "a" || m.Generation != 3 || !reflect.DeepEqual(m.Claims, want) {
		t.Errorf("%+v, %v", m, err)
	}
}

// A topic with other partitions than planned stops the query everywhere, with the reason.
func TestPartitionsChanged(t *testing.T) {
	a, got := balancer("a", twoStages())
	for _, partitions := range []map[string]int32{{"left": 3, "right": 5, "again": 4}, {"left": 3, "again": 4}} {
		out := a.Balance([]kafka.BalancerMember{{ID: "a", Topics: []string{"left", "right", "again"}, UserData: a.JoinData()}}, partitions)
		a.Assigned(out[0].UserData)
		if len(out[0].Partitions) != 0 || got.assignment.Err == nil || got.assignment.Err.Code != PartitionsChanged {
			t.Errorf("partitions %v: %v, %+v", partitions, out[0].Partitions, got.assignment)
		}
	}
}

// Members of other versions, and ones that cannot be understood, are given tasks; what they are told they can read.
func TestMixedVersions(t *testing.T) {
	a, got := balancer("a", twoStages())
	topics := []string{"left", "right", "again"}
	for _, c := range []struct {
		name string
		data []byte
		told bool
		code ErrorCode
	}{
		{"later", later(Subscription{NodeID: "b", PlanHash: 7}.Encode(), version+1, oldest), true, 0},
		{"too late", later(Subscription{NodeID: "b", PlanHash: 7}.Encode(), version+2, version+1), false, VersionsDiffer},
		{"silent", nil, false, 0},
		{"damaged", []byte("something else altogether"), false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := a.Balance([]kafka.BalancerMember{
				{ID: "b", Topics: topics, UserData: c.data}, {ID: "a", Topics: topics, UserData: a.JoinData()},
			}, twoStagesPartitions)
			if n := len(out[0].Partitions["left"]) + len(out[0].Partitions["again"]); n < 3 {
				t.Errorf("it gets %d tasks", n)
			}
			if (out[0].UserData != nil) != c.told {
				t.Errorf("it is told %q", out[0].UserData)
			}
			a.Assigned(out[1].UserData)
			var code ErrorCode
			if e := got.assignment.Err; e != nil {
				code = e.Code
			}
			if got.assignment.Version != version || code != c.code {
				t.Errorf("version %d, error %v", got.assignment.Version, got.assignment.Err)
			}
		})
	}
}

func TestAssignedPassesErrorsOn(t *testing.T) {
	a, got := balancer("a", twoStages())
	if a.Assigned([]byte("nonsense")); !errors.Is(got.err, ErrCorrupt) {
		t.Errorf("error %v", got.err)
	}
	if a.Assigned(nil); got.err != nil || got.assignment != nil || got.calls != 2 {
		t.Errorf("%+v", got)
	}
}
