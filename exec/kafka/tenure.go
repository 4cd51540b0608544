package kafka

import (
	"maps"
	"slices"
	"sync"
)

// tenure knows as which member the consumer was given its partitions.
//
// franz-go can change the member without a word: when JoinGroup says that the member is not known any more, as it does to one
// that stood still while the group went on without it, the client joins again under a new id and reports the difference
// between the old and the new assignment, as if it had owned the old one all along. In between others may have owned the
// partitions, committed, and given them back. So whatever was given to a former member counts as lost, and commits go under
// the member that was given the partitions: the coordinator refuses them when it is gone.
type tenure struct {
	mu sync.Mutex
	// member is who was given what is owned, generation the group's generation then or later; both are empty between two
	// memberships.
	member     string
	generation int32
	owned      map[TopicPartition]bool
	// kept was owned under another member and is this one's again.
	kept map[TopicPartition]bool
}

// begin notes who the member is. When it is not the one that was given the partitions it returns all of these: they are lost.
func (t *tenure) begin(member string, generation int32) (lost []TopicPartition) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.member != "" && t.member != member {
		lost = slices.SortedFunc(maps.Keys(t.owned), compareTopicPartitions)
		t.kept, t.owned = t.owned, nil
	}
	t.member, t.generation = member, generation
	return lost
}

// gain notes that the member is given partitions, and returns them with those that it keeps from a former membership.
func (t *tenure) gain(given []TopicPartition) []TopicPartition {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.owned == nil {
		t.owned = map[TopicPartition]bool{}
	}
	maps.Copy(t.owned, t.kept)
	all := slices.Collect(maps.Keys(t.kept))
	t.kept = nil
	for _, tp := range given {
		if !t.owned[tp] {
			all = append(all, tp)
		}
		t.owned[tp] = true
	}
	slices.SortFunc(all, compareTopicPartitions)
	return all
}

// give notes that partitions are given up, and returns those that the member was given as itself.
func (t *tenure) give(up []TopicPartition) (own []TopicPartition) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, tp := range up {
		if t.owned[tp] {
			own = append(own, tp)
		}
		delete(t.owned, tp)
		delete(t.kept, tp)
	}
	return own
}

// end notes that there is no membership.
func (t *tenure) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.member, t.generation, t.owned, t.kept = "", 0, nil, nil
}

// nobody is a member id that no coordinator knows.
const nobody = "not a member"

// holder is the member to commit as, given what the client calls itself now.
func (t *tenure) holder(member string, generation int32) (string, int32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.member == "" && member == "":
		// Commits of no member at all are not checked when they are transactional.
		return nobody, 0
	case t.member != "" && t.member != member:
		return t.member, t.generation
	case t.member != "":
		t.generation = generation
	}
	return member, generation
}
