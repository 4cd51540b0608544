package kafka

import (
	"context"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const noLeader int32 = -1

// topicMetadata is who leads a topic's partitions.
type topicMetadata struct {
	id TopicID
	// leaders by partition, noLeader where there is none at present.
	leaders []int32
	err     error
}

// leader returns the leader of a partition. The error says that there is no
// such topic or partition.
func (m topicMetadata) leader(partition int32) (int32, error) {
	switch {
	case m.err != nil:
		return noLeader, m.err
	case int(partition) >= len(m.leaders):
		return noLeader, kerr.UnknownTopicOrPartition
	}
	return m.leaders[partition], nil
}

// fetchMetadata asks a broker about topics.
func fetchMetadata(ctx context.Context, client *kgo.Client, topics []string) (map[string]topicMetadata, error) {
	req := kmsg.NewPtrMetadataRequest()
	for _, t := range topics {
		rt := kmsg.NewMetadataRequestTopic()
		rt.Topic = kmsg.StringPtr(t)
		req.Topics = append(req.Topics, rt)
	}
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return nil, err
	}
	return topicMetadataOf(resp), nil
}

// topicMetadataOf takes what is wanted from an answer.
func topicMetadataOf(resp *kmsg.MetadataResponse) map[string]topicMetadata {
	answer := make(map[string]topicMetadata, len(resp.Topics))
	for i := range resp.Topics {
		t := &resp.Topics[i]
		if t.Topic == nil {
			continue
		}
		m := topicMetadata{id: t.TopicID, err: kerr.ErrorForCode(t.ErrorCode), leaders: make([]int32, len(t.Partitions))}
		for p := range m.leaders {
			m.leaders[p] = noLeader
		}
		for _, p := range t.Partitions {
			if int(p.Partition) < len(m.leaders) && kerr.ErrorForCode(p.ErrorCode) == nil {
				m.leaders[p.Partition] = p.Leader
			}
		}
		answer[*t.Topic] = m
	}
	return answer
}

// settleWithin bounds the wait for all brokers to know of a change to a topic.
const settleWithin = 5 * time.Second

// settle waits until every broker that answers knows of a change to topics:
// the controller decides, the brokers learn of it a moment later. Whoever
// depends on it must bear that a broker still does not know: settle gives up
// after settleWithin, without an error.
func settle(ctx context.Context, client *kgo.Client, topics []string, done func(topicMetadata) bool) {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	for _, t := range topics {
		rt := kmsg.NewMetadataRequestTopic()
		rt.Topic = kmsg.StringPtr(t)
		req.Topics = append(req.Topics, rt)
	}
	for _, broker := range client.DiscoveredBrokers() {
		for {
			resp, err := req.RequestWith(ctx, broker)
			if err != nil {
				break
			}
			missing := false
			for _, m := range topicMetadataOf(resp) {
				missing = missing || !done(m)
			}
			if !missing || !pause(ctx, settlePause) {
				break
			}
		}
	}
}

const settlePause = 10 * time.Millisecond

// led reports that a topic is there and all its partitions have a leader.
func (m topicMetadata) led() bool {
	return m.err == nil && len(m.leaders) > 0 && !slices.Contains(m.leaders, noLeader)
}
