package kafka

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// StartOffsets returns the first offset of every partition of the topics.
func (a *Admin) StartOffsets(ctx context.Context, topics ...string) (map[TopicPartition]int64, error) {
	return a.listOffsets(ctx, "listing start offsets", topics, a.kadm.ListStartOffsets)
}

// EndOffsets returns the offset after the last record of every partition of
// the topics, open transactions included.
func (a *Admin) EndOffsets(ctx context.Context, topics ...string) (map[TopicPartition]int64, error) {
	return a.listOffsets(ctx, "listing end offsets", topics, a.kadm.ListEndOffsets)
}

// CommittedEndOffsets returns the end of every partition of the topics as a
// reader of committed records sees it: the first offset of the oldest open
// transaction, or the end.
func (a *Admin) CommittedEndOffsets(ctx context.Context, topics ...string) (map[TopicPartition]int64, error) {
	return a.listOffsets(ctx, "listing committed end offsets", topics, a.kadm.ListCommittedOffsets)
}

// OffsetsAt returns the first offset of every partition whose record has the
// time or a later one; the end where there is none.
func (a *Admin) OffsetsAt(ctx context.Context, at time.Time, topics ...string) (map[TopicPartition]int64, error) {
	return a.listOffsets(ctx, "listing offsets by time", topics, func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
		return a.kadm.ListOffsetsAfterMilli(ctx, at.UnixMilli(), topics...)
	})
}

// listOffsets lists until all partitions have answered: their leaders may
// move, and what is cached may be from before a topic was created.
func (a *Admin) listOffsets(ctx context.Context, op string, topics []string,
	list func(context.Context, ...string) (kadm.ListedOffsets, error),
) (map[TopicPartition]int64, error) {
	if len(topics) == 0 {
		return map[TopicPartition]int64{}, nil
	}
	for refreshed := false; ; {
		var listed kadm.ListedOffsets
		err := retrying(ctx, op, func() (err error) {
			listed, err = list(ctx, topics...)
			return err
		})
		if err != nil {
			return nil, err
		}
		offsets, err := listedOffsets(op, topics, listed)
		switch kind := KindOf(err); {
		case kind == TopicGone && !refreshed:
			refreshed = true
			if err := a.refresh(ctx, topics...); err != nil {
				return nil, newError(op, err)
			}
		case kind != Retriable || !pause(ctx, fetchBackoff):
			return offsets, err
		}
	}
}

func listedOffsets(op string, topics []string, listed kadm.ListedOffsets) (map[TopicPartition]int64, error) {
	answer := make(map[TopicPartition]int64)
	var first error
	listed.Each(func(o kadm.ListedOffset) {
		if o.Err != nil && (first == nil || KindOf(first) == Retriable) {
			first = topicError(op, o.Topic, o.Partition, o.Err)
		}
		answer[TopicPartition{o.Topic, o.Partition}] = o.Offset
	})
	for _, t := range topics {
		if _, ok := listed[t]; !ok && first == nil {
			first = topicError(op, t, -1, kerr.UnknownTopicOrPartition)
		}
	}
	if first != nil {
		return nil, first
	}
	return answer, nil
}

// GroupInfo describes a consumer group.
type GroupInfo struct {
	Name string
	// State is Kafka's word: Empty, Stable, PreparingRebalance, Dead.
	State   string
	Members []GroupMember
}

// GroupMember is one member of a described group.
type GroupMember struct {
	MemberID, InstanceID, ClientID, ClientHost string
}

// Group describes a consumer group; the state is "Dead" when there is none.
func (a *Admin) Group(ctx context.Context, group string) (GroupInfo, error) {
	const op = "describing a group"
	described, err := a.kadm.DescribeGroups(ctx, group)
	if err != nil {
		return GroupInfo{}, newError(op, err)
	}
	d, err := described.On(group, nil)
	switch {
	case errors.Is(err, kerr.GroupIDNotFound), errors.Is(d.Err, kerr.GroupIDNotFound):
		return GroupInfo{Name: group, State: "Dead"}, nil
	case err != nil:
		return GroupInfo{}, newError(op, err)
	}
	info := GroupInfo{Name: group, State: d.State}
	for _, m := range d.Members {
		member := GroupMember{MemberID: m.MemberID, ClientID: m.ClientID, ClientHost: m.ClientHost}
		if m.InstanceID != nil {
			member.InstanceID = *m.InstanceID
		}
		info.Members = append(info.Members, member)
	}
	return info, nil
}

// Groups lists the consumer groups whose names begin with a prefix.
func (a *Admin) Groups(ctx context.Context, prefix string) ([]string, error) {
	const op = "listing groups"
	var list kadm.ListedGroups
	err := retrying(ctx, op, func() (err error) {
		list, err = a.kadm.ListGroups(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, name := range list.Groups() {
		if strings.HasPrefix(name, prefix) {
			out = append(out, name)
		}
	}
	return out, nil
}

// DeleteGroup deletes a group without members and its offsets; a group that
// does not exist is no error. With members left the error is of kind InUse.
func (a *Admin) DeleteGroup(ctx context.Context, group string) error {
	_, err := a.kadm.DeleteGroup(ctx, group)
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil
	}
	return newError("deleting a group", err)
}

// LeaveGroup removes a static member from its group, so that its partitions
// move at once instead of after the session timeout.
func (a *Admin) LeaveGroup(ctx context.Context, group, instanceID string) error {
	left, err := a.kadm.LeaveGroup(ctx, kadm.LeaveGroup(group).InstanceIDs(instanceID))
	if err == nil {
		err = left.Error()
	}
	if errors.Is(err, kerr.UnknownMemberID) {
		return nil
	}
	return newError("leaving a group", err)
}
