package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Positions to start reading from, besides a record's offset.
const (
	// AtStart is the first offset of the partition.
	AtStart int64 = -2
	// AtEnd is the offset after its last committed record.
	AtEnd int64 = -1
)

// ReaderConfig says how a Reader reads.
type ReaderConfig struct {
	// Name becomes part of the client id.
	Name string
	// Uncommitted also shows records of open and aborted transactions.
	Uncommitted bool
}

// Reader reads partitions directly, without a group: for restore, PRINT, push
// queries and the command topic. Poll has one caller; the other methods may be
// called at any time.
type Reader struct {
	client  *kgo.Client
	admin   *Admin
	fetcher *fetcher
	inbox   *inbox
}

// NewReader opens a reader of no partitions yet. Close it when done.
func (c *Cluster) NewReader(cfg ReaderConfig) (*Reader, error) {
	client, err := c.newClient(cfg.Name, kgo.BrokerMaxReadBytes(maxReadBytes))
	if err != nil {
		return nil, err
	}
	f := newFetcher(client, c.cfg.Logger, !cfg.Uncommitted)
	return &Reader{client: client, admin: c.admin, fetcher: f, inbox: newInbox(f)}, nil
}

// maxReadBytes is the largest response a client takes; a fetch may exceed its
// limits by one large record.
const maxReadBytes = 1 << 30

// Start reads the partitions from the offsets ([AtStart] and [AtEnd] are
// resolved first), in addition to the others; a partition read already is read
// from there instead.
func (r *Reader) Start(ctx context.Context, offsets map[TopicPartition]int64) error {
	resolved, err := r.resolve(ctx, offsets)
	if err != nil {
		return err
	}
	r.fetcher.start(resolved)
	return nil
}

func (r *Reader) resolve(ctx context.Context, offsets map[TopicPartition]int64) (map[TopicPartition]int64, error) {
	topics := map[int64][]string{}
	seen := map[TopicPartition]bool{}
	for tp, offset := range offsets {
		if key := (TopicPartition{tp.Topic, int32(offset)}); offset < 0 && !seen[key] {
			seen[key] = true
			topics[offset] = append(topics[offset], tp.Topic)
		}
	}
	if len(topics) == 0 {
		return offsets, nil
	}
	known := map[int64]map[TopicPartition]int64{}
	for at, names := range topics {
		list := r.admin.StartOffsets
		switch at {
		case AtStart:
		case AtEnd:
			list = r.admin.CommittedEndOffsets
		default:
			return nil, &Error{Kind: OutOfRange, Op: "starting to read", Err: fmt.Errorf("offset %d", at)}
		}
		var err error
		if known[at], err = list(ctx, names...); err != nil {
			return nil, err
		}
	}
	resolved := make(map[TopicPartition]int64, len(offsets))
	for tp, offset := range offsets {
		if offset < 0 {
			found, ok := known[offset][tp]
			if !ok {
				return nil, &Error{Kind: TopicGone, Op: "starting to read", Topic: tp.Topic, Partition: tp.Partition,
					Err: fmt.Errorf("there is no such partition")}
			}
			offset = found
		}
		resolved[tp] = offset
	}
	return resolved, nil
}

// Remove stops reading partitions; batches of them that are under way are
// dropped.
func (r *Reader) Remove(partitions ...TopicPartition) { r.fetcher.remove(partitions...) }

// Pause stops delivering partitions, keeping their positions.
func (r *Reader) Pause(partitions ...TopicPartition) { r.fetcher.pause(true, partitions...) }

// Resume continues what Pause stopped.
func (r *Reader) Resume(partitions ...TopicPartition) { r.fetcher.pause(false, partitions...) }

// Poll waits up to wait for batches and returns them; none when the time is
// up or Wake was called. The slice is valid until the next Poll, each batch
// until its Release. The error is ctx's, of kind Canceled.
func (r *Reader) Poll(ctx context.Context, wait time.Duration) ([]*Batch, error) {
	_, batches, err := r.inbox.poll(ctx, wait)
	return batches, err
}

// StableEnd tells where the committed records of a partition ended at some moment after at: what a fetch said that was sent
// then. ok is false before the first answer.
func (r *Reader) StableEnd(tp TopicPartition) (offset int64, at time.Time, ok bool) {
	return r.fetcher.stableEnd(tp)
}

// Wake makes a waiting Poll return, or the next one not wait.
func (r *Reader) Wake() { r.inbox.wakeUp() }

// Close ends the reader. Batches not yet released stay valid.
func (r *Reader) Close() {
	r.fetcher.close()
	r.client.Close()
}

// ReadRange gives fn every batch of committed records of a partition from one
// offset until the position reaches another, in order; fn must not keep the
// batch, which is released after it. An error of fn ends the reading and is
// returned. It is the restore of a changelog up to its barrier, and the replay
// of the command topic: to stop after a record at offset o, pass o+1.
func (c *Cluster) ReadRange(ctx context.Context, tp TopicPartition, from, to int64, fn func(*Batch) error) error {
	if from >= to {
		return nil
	}
	r, err := c.NewReader(ReaderConfig{Name: "range"})
	if err != nil {
		return err
	}
	defer r.Close()
	if err := r.Start(ctx, map[TopicPartition]int64{tp: from}); err != nil {
		return err
	}
	return r.ReadTo(ctx, map[TopicPartition]int64{tp: to}, fn)
}

// ReadTo gives fn every batch until the position of each partition in ends
// reaches its end, then stops reading those partitions. The partitions must
// have been started.
func (r *Reader) ReadTo(ctx context.Context, ends map[TopicPartition]int64, fn func(*Batch) error) error {
	left := make(map[TopicPartition]int64, len(ends))
	for tp, end := range ends {
		left[tp] = end
	}
	for len(left) > 0 {
		batches, err := r.Poll(ctx, time.Second)
		if err != nil {
			return err
		}
		for _, b := range batches {
			end, wanted := left[b.TopicPartition]
			if err == nil && wanted {
				if err = b.Err; err == nil {
					err = fn(b)
				}
				if b.Next >= end {
					delete(left, b.TopicPartition)
					r.Remove(b.TopicPartition)
				}
			}
			b.Release()
		}
		if err != nil {
			return err
		}
	}
	return nil
}
