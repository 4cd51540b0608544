package kafka

import (
	"context"

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
	return answer, nil
}
