package simulation

import (
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// trace notes the requests of groups and transactions as brokers take them up, for looking into a seed.
func (c *cluster) trace() {
	keys := []kmsg.Key{kmsg.EndTxn, kmsg.TxnOffsetCommit, kmsg.InitProducerID, kmsg.OffsetFetch, kmsg.JoinGroup, kmsg.SyncGroup, kmsg.OffsetCommit,
		kmsg.LeaveGroup, kmsg.Produce}
	c.kafka.Fault(kfake.Fault{Keys: keys, TopLevel: true, Observe: true, Count: -1, When: func(r kmsg.Request) bool {
		if text := describe(r); text != "" {
			c.log.add("broker", text)
		}
		return false
	}})
}

func describe(r kmsg.Request) string {
	var b strings.Builder
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	switch r := r.(type) {
	case *kmsg.EndTxnRequest:
		fmt.Fprintf(&b, "EndTxn %s %d/%d commit=%v", r.TransactionalID, r.ProducerID, r.ProducerEpoch, r.Commit)
	case *kmsg.InitProducerIDRequest:
		fmt.Fprintf(&b, "InitProducerID %s %d/%d", text(r.TransactionalID), r.ProducerID, r.ProducerEpoch)
	case *kmsg.TxnOffsetCommitRequest:
		fmt.Fprintf(&b, "TxnOffsetCommit %s %d/%d member=%.12s generation=%d", r.TransactionalID, r.ProducerID, r.ProducerEpoch, r.MemberID, r.Generation)
		for _, t := range r.Topics {
			for _, p := range t.Partitions {
				fmt.Fprintf(&b, " %s-%d@%d", t.Topic, p.Partition, p.Offset)
			}
		}
	case *kmsg.OffsetCommitRequest:
		fmt.Fprintf(&b, "OffsetCommit %s member=%.12s generation=%d", text(r.InstanceID), r.MemberID, r.Generation)
		for _, t := range r.Topics {
			for _, p := range t.Partitions {
				fmt.Fprintf(&b, " %s-%d@%d", t.Topic, p.Partition, p.Offset)
			}
		}
	case *kmsg.OffsetFetchRequest:
		fmt.Fprintf(&b, "OffsetFetch stable=%v", r.RequireStable)
		for _, g := range r.Groups {
			for _, t := range g.Topics {
				fmt.Fprintf(&b, " %s%v", t.Topic, t.Partitions)
			}
		}
	case *kmsg.JoinGroupRequest:
		fmt.Fprintf(&b, "JoinGroup %s member=%.12s", text(r.InstanceID), r.MemberID)
	case *kmsg.SyncGroupRequest:
		fmt.Fprintf(&b, "SyncGroup %s member=%.12s generation=%d", text(r.InstanceID), r.MemberID, r.Generation)
	case *kmsg.LeaveGroupRequest:
		for _, m := range r.Members {
			fmt.Fprintf(&b, "LeaveGroup %s member=%.12s", text(m.InstanceID), m.MemberID)
		}
	case *kmsg.ProduceRequest:
		if r.TransactionID == nil {
			return ""
		}
		fmt.Fprintf(&b, "Produce %s", text(r.TransactionID))
		for _, t := range r.Topics {
			for _, p := range t.Partitions {
				fmt.Fprintf(&b, " %x-%d(%d bytes)", t.TopicID[:2], p.Partition, len(p.Records))
			}
		}
	}
	return b.String()
}
