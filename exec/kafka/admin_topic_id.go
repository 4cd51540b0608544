package kafka

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// String gives the id in hexadecimal.
func (id TopicID) String() string { return hex.EncodeToString(id[:]) }

// ParseTopicID reads what String gives.
func ParseTopicID(text string) (TopicID, error) {
	var id TopicID
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(id) {
		return id, fmt.Errorf("kafka: %q is not a topic id", text)
	}
	copy(id[:], b)
	return id, nil
}

// DeleteTopicByID deletes one incarnation of a topic; name is what it was
// called. When it is gone, or another topic has its name by now, that is no
// error.
func (a *Admin) DeleteTopicByID(ctx context.Context, name string, id TopicID) error {
	const op = "deleting a topic"
	req := kmsg.NewPtrDeleteTopicsRequest()
	rt := kmsg.NewDeleteTopicsRequestTopic()
	rt.TopicID = id
	req.Topics = append(req.Topics, rt)
	req.TimeoutMillis = 15_000
	var resp *kmsg.DeleteTopicsResponse
	err := retrying(ctx, op, func() (err error) {
		if resp, err = req.RequestWith(ctx, a.client); err != nil {
			return err
		}
		for _, t := range resp.Topics {
			if err := kerr.ErrorForCode(t.ErrorCode); !errors.Is(err, kerr.UnknownTopicID) && !errors.Is(err, kerr.UnknownTopicOrPartition) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return topicError(op, name, -1, err)
	}
	settle(ctx, a.client, []string{name}, func(m topicMetadata) bool { return m.err != nil || m.id != id })
	return nil
}
