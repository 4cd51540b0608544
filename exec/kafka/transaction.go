package kafka

import (
	"context"
	"errors"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// CommitTransaction ends an interval: it flushes, commits the offsets within
// the transaction under the member's generation, and commits the transaction.
// An interval that produced nothing commits its offsets without one.
//
// offsets has the next offset of every task that produced or moved; a
// transaction that wrote for a task and left its offset out would be wrong.
//
// After nil everything is committed: write the state batch. After any error
// call AbortTransaction, drop the interval's state, and resynchronise. Kinds:
// Unknown when it may have been committed all the same; for every other kind
// nothing was: Aborted, Stale (the group moved on), Fenced, Canceled,
// Retriable, and TooLarge, Denied, TopicGone, which will come again.
//
// ctx should bound the whole commit by the transaction timeout, not cancel it.
func (p *Producer) CommitTransaction(ctx context.Context, member Member, offsets []OffsetCommit) error {
	if !p.begun {
		if len(offsets) == 0 {
			return nil
		}
		return commitOffsets(ctx, p.client, member, offsets)
	}
	if err := p.Flush(ctx); err != nil {
		return err
	}
	if len(offsets) > 0 {
		if err := p.commitOffsets(ctx, member, offsets); err != nil {
			return err
		}
	}
	if err := p.client.EndTransaction(ctx, kgo.TryCommit); err != nil {
		return endError(err)
	}
	p.begun = false
	return nil
}

// endError tells the errors of a commit after which nothing can have been
// committed from those that leave it open.
func endError(err error) error {
	const op = "committing the transaction"
	switch {
	case errors.Is(err, kerr.OperationNotAttempted), errors.Is(err, kerr.TransactionAbortable):
		return &Error{Kind: Aborted, Op: op, Err: err}
	case errors.Is(err, kerr.ProducerFenced), errors.Is(err, kerr.InvalidProducerEpoch):
		// A retry whose first attempt was applied is answered like this too.
		return &Error{Kind: Unknown, Op: op, Err: err}
	}
	return &Error{Kind: Unknown, Op: op, Err: err}
}

// commitOffsets adds the offsets to the open transaction (KIP-447). The
// producer epoch is asked for now: with transaction version 2 it changes with
// every transaction.
func (p *Producer) commitOffsets(ctx context.Context, member Member, offsets []OffsetCommit) error {
	const op = "committing offsets in the transaction"
	id, epoch, err := p.client.ProducerID(ctx)
	if err != nil {
		return &Error{Kind: Aborted, Op: op, Err: err}
	}
	topics := make([]string, 0, 4)
	for i := range offsets {
		if t := offsets[i].Topic; !slices.Contains(topics, t) {
			topics = append(topics, t)
		}
	}
	ids, err := cachedTopicIDs(ctx, p.client, topics)
	if err != nil {
		return &Error{Kind: Aborted, Op: op, Err: err}
	}
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID = p.txnID
	req.Group = member.Group
	req.ProducerID = id
	req.ProducerEpoch = epoch
	req.MemberID = member.MemberID
	req.Generation = member.Generation
	req.InstanceID = member.instance()
	for _, topic := range topics {
		rt := kmsg.NewTxnOffsetCommitRequestTopic()
		rt.Topic, rt.TopicID = topic, ids[topic]
		for i := range offsets {
			o := &offsets[i]
			if o.Topic != topic {
				continue
			}
			rp := kmsg.NewTxnOffsetCommitRequestTopicPartition()
			rp.Partition, rp.Offset, rp.LeaderEpoch = o.Partition, o.Offset, o.LeaderEpoch
			rp.Metadata = &o.Metadata
			rt.Partitions = append(rt.Partitions, rp)
		}
		req.Topics = append(req.Topics, rt)
	}
	resp, err := req.RequestWith(ctx, p.client)
	if err != nil {
		return &Error{Kind: Aborted, Op: op, Err: err}
	}
	for _, t := range resp.Topics {
		for _, rp := range t.Partitions {
			if err := kerr.ErrorForCode(rp.ErrorCode); err != nil {
				return &Error{Kind: abortKind(err), Op: op, Topic: t.Topic, Partition: rp.Partition, Err: err}
			}
		}
	}
	return nil
}

// abortKind is the kind of an error that makes the transaction abort.
func abortKind(err error) ErrorKind {
	switch kind := classify(err); kind {
	case Stale, Fenced, Denied, TopicGone:
		return kind
	}
	return Aborted
}

// AbortTransaction drops the open transaction, if any: nothing of it will be
// seen. It is the way back from every error of Flush and CommitTransaction.
// nil: the producer may be used again. Otherwise (Fenced) it must be closed
// and a new one opened; that aborts what may still be open.
func (p *Producer) AbortTransaction(ctx context.Context) error {
	const op = "aborting the transaction"
	if err := p.abortBuffered(ctx); err != nil {
		return &Error{Kind: Fenced, Op: op, Err: err}
	}
	if !p.begun {
		return nil
	}
	p.begun = false
	if err := p.client.EndTransaction(ctx, kgo.TryAbort); err != nil {
		return &Error{Kind: Fenced, Op: op, Err: err}
	}
	return nil
}
