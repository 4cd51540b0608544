package broker

import (
	"math"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// installControls hooks the requests whose handling in kfake needs help. The
// hooks run within kfake's one request loop, just before the request is
// handled; none of them answers a request itself.
func (b *Broker) installControls() {
	b.observe(kmsg.CreateTopics, func(r kmsg.Request) {
		keepCompactedTopics(r.(*kmsg.CreateTopicsRequest))
	})
	b.observe(kmsg.Fetch, func(r kmsg.Request) {
		r.(*kmsg.FetchRequest).MaxBytes = math.MaxInt32
	})
	if b.journal == nil {
		return
	}
	b.observe(kmsg.EndTxn, func(r kmsg.Request) { b.journal.begin(r.(*kmsg.EndTxnRequest)) })
	for _, key := range []kmsg.Key{
		kmsg.OffsetCommit, kmsg.OffsetDelete, kmsg.JoinGroup, kmsg.SyncGroup, kmsg.LeaveGroup,
		kmsg.DeleteGroups, kmsg.DeleteTopics, kmsg.ConsumerGroupHeartbeat,
	} {
		b.observe(key, func(kmsg.Request) { b.journal.settle() })
	}
}

// observeRenewal is after how many requests a hook is installed anew: kfake
// keeps the last request of every connection a hook has seen, dead ones too.
const observeRenewal = 4096

// observe calls fn for every request of one kind and leaves the request to
// kfake.
func (b *Broker) observe(key kmsg.Key, fn func(kmsg.Request)) {
	seen := 0
	b.cluster.ControlKey(int16(key), func(r kmsg.Request) (kmsg.Response, error, bool) {
		fn(r)
		if seen++; seen == observeRenewal {
			b.cluster.DropControl()
			b.observe(key, fn)
		}
		return nil, nil, false
	})
}

// keepCompactedTopics adds retention.ms=-1 to topics that are to be compacted
// only; Kafka keeps those for ever, kfake for seven days.
func keepCompactedTopics(req *kmsg.CreateTopicsRequest) {
	for i := range req.Topics {
		topic := &req.Topics[i]
		compact, retention := false, false
		for _, c := range topic.Configs {
			switch c.Name {
			case "cleanup.policy":
				compact = c.Value != nil && compactOnly(*c.Value)
			case "retention.ms":
				retention = true
			}
		}
		if compact && !retention {
			c := kmsg.NewCreateTopicsRequestTopicConfig()
			c.Name = "retention.ms"
			c.Value = kmsg.StringPtr("-1")
			topic.Configs = append(topic.Configs, c)
		}
	}
}
