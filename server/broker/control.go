package broker

import (
	"math"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// installControls hooks the requests whose handling in kfake needs help. The
// hooks run within kfake's one request loop, just before the request is
// handled; all but those for a full disk leave the request to kfake.
func (b *Broker) installControls() {
	b.observe(kmsg.CreateTopics, func(r kmsg.Request) {
		keepCompactedTopics(r.(*kmsg.CreateTopicsRequest))
	})
	b.observe(kmsg.Fetch, func(r kmsg.Request) {
		r.(*kmsg.FetchRequest).MaxBytes = math.MaxInt32
	})
	b.observeSessions()
	if b.journal == nil {
		return
	}
	b.hook(kmsg.Produce, func(r kmsg.Request) kmsg.Response {
		return b.room.refuseProduce(r.(*kmsg.ProduceRequest))
	})
	b.hook(kmsg.EndTxn, func(r kmsg.Request) kmsg.Response {
		req := r.(*kmsg.EndTxnRequest)
		if refusal := b.room.refuseEnd(req); refusal != nil {
			return refusal
		}
		b.journal.begin(req)
		return nil
	})
	for _, key := range []kmsg.Key{
		kmsg.OffsetCommit, kmsg.OffsetDelete, kmsg.JoinGroup, kmsg.SyncGroup, kmsg.LeaveGroup,
		kmsg.DeleteGroups, kmsg.DeleteTopics, kmsg.ConsumerGroupHeartbeat,
	} {
		b.observe(key, func(kmsg.Request) { b.journal.settle() })
	}
}

// hookRenewal is after how many requests a hook is installed anew: kfake keeps
// the last request of every connection a hook has seen, dead ones too.
const hookRenewal = 4096

// hook calls fn for every request of one kind; its answer, if it has one, goes
// to the client, and the request is not handled.
func (b *Broker) hook(key kmsg.Key, fn func(kmsg.Request) kmsg.Response) {
	seen := 0
	b.cluster.ControlKey(int16(key), func(r kmsg.Request) (kmsg.Response, error, bool) {
		answer := fn(r)
		if seen++; seen == hookRenewal {
			b.cluster.DropControl()
			b.hook(key, fn)
		} else {
			b.cluster.KeepControl()
		}
		return answer, nil, answer != nil
	})
}

// observe calls fn for every request of one kind and leaves the request to
// kfake.
func (b *Broker) observe(key kmsg.Key, fn func(kmsg.Request)) {
	b.hook(key, func(r kmsg.Request) kmsg.Response {
		fn(r)
		return nil
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
