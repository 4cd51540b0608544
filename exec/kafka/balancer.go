package kafka

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Balancer divides a group's partitions among its members. It runs on the
// member that leads the group, and must be deterministic.
type Balancer interface {
	// Name is the protocol's name; members of one group share it.
	Name() string
	// Balance returns what each member gets, in the members' order. partitions
	// has the count of every topic subscribed. A partition that moves is first
	// taken from its old owner and then, in a second rebalance, given to the
	// new one; Balance need not care.
	Balance(members []BalancerMember, partitions map[string]int32) []MemberAssignment
	// JoinData is what this member tells the leader. It is called at each join,
	// from the group's goroutine; where it differs from the last time, a call
	// of Rejoin brings a rebalance about.
	JoinData() []byte
	// Assigned takes what the leader told this member, before the events that
	// follow from it. It is called at the end of each rebalance, also of one
	// that moves no partition, and after the restart of a static member, from
	// the group's goroutine.
	Assigned(userData []byte)
}

// MemberAssignment is what a member gets.
type MemberAssignment struct {
	Partitions map[string][]int32
	// UserData is passed to the member's Assigned.
	UserData []byte
}

// BalancerMember is a member of the group as it joined.
type BalancerMember struct {
	// ID orders members: the instance id, or the member id of a dynamic one.
	ID string
	// Topics are what the member subscribed to.
	Topics []string
	// Owned are the partitions the member holds, as of Generation; claims of
	// an older generation than another member's are void.
	Owned      map[string][]int32
	Generation int32
	// UserData is the member's JoinData.
	UserData []byte
}

// TaskBalancer assigns tasks: partition number p of all topics goes to one
// member, so that co-partitioned topics meet. Members keep what they have as
// far as the counts stay even, within one.
type TaskBalancer struct{}

// Name implements Balancer.
func (TaskBalancer) Name() string { return "ksqlgo-1" }

// JoinData implements Balancer: there is none.
func (TaskBalancer) JoinData() []byte { return nil }

// Assigned implements Balancer: there is nothing to take.
func (TaskBalancer) Assigned([]byte) {}

// Balance implements Balancer.
func (TaskBalancer) Balance(members []BalancerMember, partitions map[string]int32) []MemberAssignment {
	plan := make([]MemberAssignment, len(members))
	if len(members) == 0 {
		return plan
	}
	var tasks int32
	for _, n := range partitions {
		tasks = max(tasks, n)
	}
	owners := assignTasks(taskClaims(members, tasks), len(members))
	for i := range plan {
		plan[i].Partitions = make(map[string][]int32)
		for topic, n := range partitions {
			if !slices.Contains(members[i].Topics, topic) {
				continue
			}
			for p := range n {
				if owners[p] == i {
					plan[i].Partitions[topic] = append(plan[i].Partitions[topic], p)
				}
			}
		}
	}
	return plan
}

const noOwner = -1

// taskClaims finds the present owner of each task: the member that claims any
// of its partitions at the highest generation, the first one on a tie.
func taskClaims(members []BalancerMember, tasks int32) []int {
	owners := make([]int, tasks)
	generations := make([]int32, tasks)
	for p := range owners {
		owners[p] = noOwner
	}
	for i, m := range members {
		for _, list := range m.Owned {
			for _, p := range list {
				if p < tasks && (owners[p] == noOwner || m.Generation > generations[p]) {
					owners[p], generations[p] = i, m.Generation
				}
			}
		}
	}
	return owners
}

// assignTasks evens out the owners: each member keeps its lowest tasks up to
// its share, the rest goes to whoever has the fewest.
func assignTasks(claims []int, members int) []int {
	floor, extra := len(claims)/members, len(claims)%members
	owned := make([]int, members)
	for _, m := range claims {
		if m != noOwner {
			owned[m]++
		}
	}
	// Shares of one more go to those who own most already.
	order := make([]int, members)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(owned[b], owned[a]) })
	share := make([]int, members)
	for i, m := range order {
		share[m] = floor
		if i < extra {
			share[m]++
		}
	}
	owners := make([]int, len(claims))
	got := make([]int, members)
	for p, m := range claims {
		owners[p] = noOwner
		if m != noOwner && got[m] < share[m] {
			owners[p] = m
			got[m]++
		}
	}
	next := 0
	for p := range owners {
		if owners[p] != noOwner {
			continue
		}
		for got[next] >= share[next] {
			next++
		}
		owners[p] = next
		got[next]++
	}
	return owners
}

// balancerAdapter is a Balancer as franz-go wants it: the consumer protocol's
// metadata, cooperative.
type balancerAdapter struct{ Balancer }

// ProtocolName implements kgo.GroupBalancer.
func (a balancerAdapter) ProtocolName() string { return a.Name() }

// IsCooperative implements kgo.GroupBalancer.
func (balancerAdapter) IsCooperative() bool { return true }

// JoinGroupMetadata implements kgo.GroupBalancer.
func (a balancerAdapter) JoinGroupMetadata(topics []string, owned map[string][]int32, generation int32) []byte {
	meta := kmsg.NewConsumerMemberMetadata()
	meta.Version = 3
	meta.Topics = topics
	meta.Generation = generation
	meta.UserData = a.JoinData()
	names := make([]string, 0, len(owned))
	for topic := range owned {
		names = append(names, topic)
	}
	slices.Sort(names)
	for _, topic := range names {
		o := kmsg.NewConsumerMemberMetadataOwnedPartition()
		o.Topic, o.Partitions = topic, owned[topic]
		meta.OwnedPartitions = append(meta.OwnedPartitions, o)
	}
	return meta.AppendTo(nil)
}

// ParseSyncAssignment implements kgo.GroupBalancer.
func (a balancerAdapter) ParseSyncAssignment(assignment []byte) (map[string][]int32, error) {
	var m kmsg.ConsumerMemberAssignment
	if err := m.ReadFrom(assignment); err != nil {
		return nil, fmt.Errorf("reading the assignment: %w", err)
	}
	a.Assigned(m.UserData)
	partitions := make(map[string][]int32, len(m.Topics))
	for _, t := range m.Topics {
		partitions[t.Topic] = t.Partitions
	}
	return partitions, nil
}

// MemberBalancer implements kgo.GroupBalancer.
func (a balancerAdapter) MemberBalancer(members []kmsg.JoinGroupResponseMember) (kgo.GroupMemberBalancer, map[string]struct{}, error) {
	b, err := kgo.NewConsumerBalancer(a, members)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the members' metadata: %w", err)
	}
	return b, b.MemberTopics(), nil
}

// Balance implements kgo.ConsumerBalancerBalance.
func (a balancerAdapter) Balance(b *kgo.ConsumerBalancer, partitions map[string]int32) kgo.IntoSyncAssignment {
	var members []BalancerMember
	b.EachMember(func(m *kmsg.JoinGroupResponseMember, meta *kmsg.ConsumerMemberMetadata) {
		member := BalancerMember{ID: m.MemberID, Topics: meta.Topics, Generation: meta.Generation, UserData: meta.UserData,
			Owned: make(map[string][]int32)}
		if m.InstanceID != nil {
			member.ID = *m.InstanceID
		}
		for _, o := range meta.OwnedPartitions {
			member.Owned[o.Topic] = o.Partitions
		}
		members = append(members, member)
	})
	plan := syncPlan{b.NewPlan(), make(map[string][]byte)}
	for i, assigned := range a.Balancer.Balance(members, partitions) {
		m, _ := b.MemberAt(i)
		for topic, list := range assigned.Partitions {
			plan.AddPartitions(m, topic, list)
		}
		plan.userData[m.MemberID] = assigned.UserData
	}
	plan.AdjustCooperative(b)
	return plan
}

// syncPlan is a plan with user data.
type syncPlan struct {
	*kgo.BalancePlan
	userData map[string][]byte // by member id
}

// IntoSyncAssignment implements kgo.IntoSyncAssignment.
func (p syncPlan) IntoSyncAssignment() []kmsg.SyncGroupRequestGroupAssignment {
	list := p.BalancePlan.IntoSyncAssignment()
	for i := range list {
		var m kmsg.ConsumerMemberAssignment
		if err := m.ReadFrom(list[i].MemberAssignment); err != nil {
			panic(err) // written a moment ago
		}
		m.UserData = p.userData[list[i].MemberID]
		list[i].MemberAssignment = m.AppendTo(nil)
	}
	return list
}
