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
	// Balance returns the partitions of each member, in the members' order.
	// partitions has the count of every topic subscribed. A partition that
	// moves is first taken from its old owner and then, in a second rebalance,
	// given to the new one; Balance need not care.
	Balance(members []BalancerMember, partitions map[string]int32) []map[string][]int32
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
}

// TaskBalancer assigns tasks: partition number p of all topics goes to one
// member, so that co-partitioned topics meet. Members keep what they have as
// far as the counts stay even, within one.
type TaskBalancer struct{}

// Name implements Balancer.
func (TaskBalancer) Name() string { return "ksqlgo-1" }

// Balance implements Balancer.
func (TaskBalancer) Balance(members []BalancerMember, partitions map[string]int32) []map[string][]int32 {
	plan := make([]map[string][]int32, len(members))
	if len(members) == 0 {
		return plan
	}
	var tasks int32
	for _, n := range partitions {
		tasks = max(tasks, n)
	}
	owners := assignTasks(taskClaims(members, tasks), len(members))
	for i := range plan {
		plan[i] = make(map[string][]int32)
		for topic, n := range partitions {
			if !slices.Contains(members[i].Topics, topic) {
				continue
			}
			for p := range n {
				if owners[p] == i {
					plan[i][topic] = append(plan[i][topic], p)
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
func (balancerAdapter) JoinGroupMetadata(topics []string, owned map[string][]int32, generation int32) []byte {
	meta := kmsg.NewConsumerMemberMetadata()
	meta.Version = 3
	meta.Topics = topics
	meta.Generation = generation
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
func (balancerAdapter) ParseSyncAssignment(assignment []byte) (map[string][]int32, error) {
	return kgo.ParseConsumerSyncAssignment(assignment)
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
		member := BalancerMember{ID: m.MemberID, Topics: meta.Topics, Generation: meta.Generation, Owned: make(map[string][]int32)}
		if m.InstanceID != nil {
			member.ID = *m.InstanceID
		}
		for _, o := range meta.OwnedPartitions {
			member.Owned[o.Topic] = o.Partitions
		}
		members = append(members, member)
	})
	plan := b.NewPlan()
	for i, topics := range a.Balancer.Balance(members, partitions) {
		m, _ := b.MemberAt(i)
		for topic, list := range topics {
			plan.AddPartitions(m, topic, list)
		}
	}
	plan.AdjustCooperative(b)
	return plan
}
