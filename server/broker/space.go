package broker

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// kfake answers a commit with success though a marker could not be written.
// So writing is refused while there is still room: records first, then the
// ends of transactions, which need little. Of a small disk it is a share.
const (
	roomForRecords = 64 << 20
	roomForCommits = 8 << 20

	shareForRecords = 16  // a 16th
	shareForCommits = 128 // a 128th
	// roomAge is how long a look at the disk counts.
	roomAge = 100 * time.Millisecond
)

// diskRoom knows how much room is left on the disk of the data directory.
type diskRoom struct {
	// free returns the bytes left, and those the disk has in all.
	free func() (left, total uint64, err error)

	left   atomic.Uint64
	total  atomic.Uint64
	looked atomic.Int64 // nanoseconds since 1970
}

// below reports whether less is left than n bytes or, if that is smaller, than
// a share of the disk. A disk that does not tell counts as having room.
func (r *diskRoom) below(n, share uint64) bool {
	now := time.Now().UnixNano()
	if now-r.looked.Load() > int64(roomAge) {
		r.looked.Store(now)
		left, total, err := r.free()
		if err != nil {
			left, total = n, n
		}
		r.left.Store(left)
		r.total.Store(total)
	}
	return r.left.Load() < min(n, r.total.Load()/share)
}

// refuseProduce answers a produce request with a disk error, which clients
// retry. nil when there is room.
func (r *diskRoom) refuseProduce(req *kmsg.ProduceRequest) kmsg.Response {
	if !r.below(roomForRecords, shareForRecords) {
		return nil
	}
	why := fmt.Sprintf("the disk of the embedded broker is full: %d bytes left of %d", r.left.Load(), r.total.Load())
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range req.Topics {
		rt := kmsg.NewProduceResponseTopic()
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			rp := kmsg.NewProduceResponseTopicPartition()
			rp.Partition, rp.ErrorCode, rp.ErrorMessage = p.Partition, kerr.KafkaStorageError.Code, &why
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

// refuseEnd answers the end of a transaction with an error that leaves it
// open. nil when there is room.
func (r *diskRoom) refuseEnd(req *kmsg.EndTxnRequest) kmsg.Response {
	if !r.below(roomForCommits, shareForCommits) {
		return nil
	}
	resp := req.ResponseKind().(*kmsg.EndTxnResponse)
	resp.ErrorCode = kerr.CoordinatorNotAvailable.Code
	return resp
}
