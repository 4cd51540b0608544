package kafka

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// NoOffset is the Offset of a partition for which a group has committed none.
const NoOffset int64 = -1

// GroupOffset is a position committed by a group.
type GroupOffset struct {
	// Offset is the next offset to read; NoOffset when none is committed.
	Offset int64
	// LeaderEpoch is that of the record before Offset, -1 when unknown.
	LeaderEpoch int32
	// Metadata is what the committer stored beside it.
	Metadata string
}

// OffsetCommit is a position to commit.
type OffsetCommit struct {
	TopicPartition
	GroupOffset
}

// Member identifies one member of a group at one generation; commits made
// under it are refused once the group has moved on.
type Member struct {
	Group string
	// MemberID is empty before the first join; commits then go unfenced, which
	// Kafka allows only while the group has no members.
	MemberID   string
	Generation int32
	// InstanceID is empty for dynamic members.
	InstanceID string

	// consumer is whose membership it is; nil for one made by hand.
	consumer *GroupConsumer
}

// again returns the member as it is now, after a commit under it was refused: ok says that another try may succeed. A rebalance
// refuses commits of the generation before as soon as all have joined, and those of the new one until its leader has divided
// the partitions. What the member owned is its own all the while, until it acknowledges that it was revoked.
func (m Member) again(refused error) (now Member, ok bool) {
	if m.consumer == nil || !errors.Is(refused, kerr.IllegalGeneration) && !errors.Is(refused, kerr.RebalanceInProgress) {
		return m, false
	}
	now = m.consumer.Member()
	return now, now.MemberID == m.MemberID && !m.consumer.events.over()
}

func (m Member) instance() *string {
	if m.InstanceID == "" {
		return nil
	}
	return &m.InstanceID
}

// StableOffsets returns the offsets a group has committed for the partitions,
// each partition present in the answer. Offsets that belong to a transaction
// still open are waited for, until ctx ends: the answer never precedes a
// transaction that later commits. It is the first step of taking over a task.
func (c *Cluster) StableOffsets(ctx context.Context, group string, partitions []TopicPartition) (map[TopicPartition]GroupOffset, error) {
	const op = "reading a group's committed offsets"
	var again backoff
	began := time.Now()
	for {
		offsets, err := c.stableOffsets(ctx, group, partitions)
		if err == nil {
			return offsets, nil
		}
		if errors.Is(err, kerr.GroupIDNotFound) {
			return noOffsets(partitions), nil
		}
		if !errors.Is(err, kerr.UnstableOffsetCommit) && KindOf(newError(op, err)) != Retriable && !learning(err, began) {
			return nil, newError(op, err)
		}
		select {
		case <-ctx.Done():
			return nil, newError(op, errors.Join(ctx.Err(), err))
		case <-time.After(again.next()):
		}
	}
}

// learning says whether a coordinator that does not know a topic may only have been started just now.
func learning(err error, since time.Time) bool {
	return KindOf(newError("", err)) == TopicGone && time.Since(since) < topicGoneAfter
}

func (c *Cluster) stableOffsets(ctx context.Context, group string, partitions []TopicPartition) (map[TopicPartition]GroupOffset, error) {
	ids, err := c.topicIDs(ctx, partitions)
	if err != nil {
		return nil, err
	}
	names := make(map[TopicID]string, len(ids))
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group = group
	req.RequireStable = true
	rg := kmsg.NewOffsetFetchRequestGroup()
	rg.Group = group
	rg.MemberEpoch = -1
	for topic, parts := range byTopic(partitions) {
		names[ids[topic]] = topic
		rt := kmsg.NewOffsetFetchRequestTopic()
		rt.Topic, rt.Partitions = topic, parts
		req.Topics = append(req.Topics, rt)
		rgt := kmsg.NewOffsetFetchRequestGroupTopic()
		rgt.Topic, rgt.TopicID, rgt.Partitions = topic, ids[topic], parts
		rg.Topics = append(rg.Topics, rgt)
	}
	req.Groups = append(req.Groups, rg)
	resp, err := req.RequestWith(ctx, c.client)
	if err != nil {
		return nil, err
	}
	answer := noOffsets(partitions)
	add := func(topic string, partition int32, offset int64, epoch int32, metadata *string, code int16) error {
		if err := kerr.ErrorForCode(code); err != nil {
			return topicError("reading a committed offset", topic, partition, err)
		}
		o := GroupOffset{Offset: offset, LeaderEpoch: epoch}
		if metadata != nil {
			o.Metadata = *metadata
		}
		answer[TopicPartition{topic, partition}] = o
		return nil
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return nil, err
	}
	for _, g := range resp.Groups {
		if err := kerr.ErrorForCode(g.ErrorCode); err != nil {
			return nil, err
		}
		for _, t := range g.Topics {
			topic := t.Topic
			if topic == "" {
				topic = names[t.TopicID]
			}
			for _, p := range t.Partitions {
				if err := add(topic, p.Partition, p.Offset, p.LeaderEpoch, p.Metadata, p.ErrorCode); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := add(t.Topic, p.Partition, p.Offset, p.LeaderEpoch, p.Metadata, p.ErrorCode); err != nil {
				return nil, err
			}
		}
	}
	return answer, nil
}

// noOffsets is the answer for a group that has committed nothing.
func noOffsets(partitions []TopicPartition) map[TopicPartition]GroupOffset {
	answer := make(map[TopicPartition]GroupOffset, len(partitions))
	for _, tp := range partitions {
		answer[tp] = GroupOffset{Offset: NoOffset, LeaderEpoch: -1}
	}
	return answer
}

// topicIDs looks up the ids of the partitions' topics, from the client's
// metadata where that is fresh.
func (c *Cluster) topicIDs(ctx context.Context, partitions []TopicPartition) (map[string]TopicID, error) {
	topics := make([]string, 0, len(partitions))
	for _, tp := range partitions {
		if !slices.Contains(topics, tp.Topic) {
			topics = append(topics, tp.Topic)
		}
	}
	return cachedTopicIDs(ctx, c.client, topics)
}

// topicIDAge is how old cached metadata may be to take topic ids from.
const topicIDAge = 30 * time.Second

func cachedTopicIDs(ctx context.Context, client *kgo.Client, topics []string) (map[string]TopicID, error) {
	req := kmsg.NewPtrMetadataRequest()
	for _, t := range topics {
		rt := kmsg.NewMetadataRequestTopic()
		rt.Topic = kmsg.StringPtr(t)
		req.Topics = append(req.Topics, rt)
	}
	resp, err := client.RequestCachedMetadata(ctx, req, topicIDAge)
	if err != nil {
		return nil, err
	}
	ids := make(map[string]TopicID, len(topics))
	for _, t := range resp.Topics {
		if t.Topic == nil {
			continue
		}
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return nil, topicError("looking up a topic", *t.Topic, -1, err)
		}
		ids[*t.Topic] = t.TopicID
	}
	return ids, nil
}

func byTopic(partitions []TopicPartition) map[string][]int32 {
	m := make(map[string][]int32)
	for _, tp := range partitions {
		m[tp.Topic] = append(m[tp.Topic], tp.Partition)
	}
	return m
}

// CommitOffsets commits positions outside a transaction, fenced by the member
// and its generation. It is for at least once, and for intervals that produced
// nothing. Kinds: Stale (the group moved on), Retriable, Canceled.
func (c *Cluster) CommitOffsets(ctx context.Context, member Member, offsets []OffsetCommit) error {
	if len(offsets) == 0 {
		return nil
	}
	return commitOffsets(ctx, c.client, member, offsets)
}

func commitOffsets(ctx context.Context, client *kgo.Client, member Member, offsets []OffsetCommit) error {
	const op = "committing offsets"
	topics := make([]string, 0, 4)
	for i := range offsets {
		if t := offsets[i].Topic; !slices.Contains(topics, t) {
			topics = append(topics, t)
		}
	}
	ids, err := cachedTopicIDs(ctx, client, topics)
	if err != nil {
		return newError(op, err)
	}
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group = member.Group
	for _, topic := range topics {
		rt := kmsg.NewOffsetCommitRequestTopic()
		rt.Topic, rt.TopicID = topic, ids[topic]
		for i := range offsets {
			o := &offsets[i]
			if o.Topic != topic {
				continue
			}
			rp := kmsg.NewOffsetCommitRequestTopicPartition()
			rp.Partition, rp.Offset, rp.LeaderEpoch = o.Partition, o.Offset, o.LeaderEpoch
			rp.Metadata = &o.Metadata
			rt.Partitions = append(rt.Partitions, rp)
		}
		req.Topics = append(req.Topics, rt)
	}
	for began := time.Now(); ; {
		req.MemberID, req.Generation, req.InstanceID = member.MemberID, member.Generation, member.instance()
		if member.MemberID == "" {
			req.Generation = -1
		}
		resp, err := req.RequestWith(ctx, client)
		if err != nil {
			return newError(op, err)
		}
		if err = firstCommitError(op, resp); err == nil {
			return nil
		}
		now, again := member.again(err)
		if !again && !learning(err, began) || !pause(ctx, sendBackoff) {
			return err
		}
		member = now
	}
}

// firstCommitError is the error of the first partition that was not committed.
func firstCommitError(op string, resp *kmsg.OffsetCommitResponse) error {
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return topicError(op, t.Topic, p.Partition, err)
			}
		}
	}
	return nil
}
