package cluster

import (
	"fmt"
	"testing"
	"time"
)

// large is 50 members and 1,000 tasks with one standby each, one member of which has just died.
func large() (Topology, []Member) {
	topology := Topology{PlanHash: 1, Stages: []Stage{{ID: 0, Partitions: 500, Stateful: true}, {ID: 1, Partitions: 500, Stateful: true}}}
	var members []Member
	for i := range 50 {
		members = append(members, Member{Subscription: Subscription{NodeID: fmt.Sprintf("%03d", i), PlanHash: 1}, Generation: 1})
	}
	for range 2 {
		plan := Assign(topology, members, DefaultOptions())
		for i := range members {
			m := &members[i]
			m.Claims, m.Positions = plan.Members[i].Active, nil
			for _, t := range append(plan.Members[i].Active, plan.Members[i].Standby...) {
				m.Positions = append(m.Positions, TaskPosition{t, 1 << 30, time.Second, true})
			}
		}
	}
	return topology, members[1:]
}

func BenchmarkAssign(b *testing.B) {
	topology, members := large()
	b.ReportAllocs()
	for b.Loop() {
		Assign(topology, members, DefaultOptions())
	}
}

func BenchmarkDecodeAssignment(b *testing.B) {
	topology, members := large()
	whole := Assign(topology, members, DefaultOptions()).assignment(1, members)
	data := whole.Encode()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := DecodeAssignment(data); err != nil {
			b.Fatal(err)
		}
	}
}
