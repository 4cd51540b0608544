package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

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
// ctx should bound the whole commit by the transaction timeout; when it ends
// during the last step the outcome is Unknown.
func (p *Producer) CommitTransaction(ctx context.Context, member Member, offsets []OffsetCommit) error {
	if p.txnID == "" {
		return &Error{Kind: Other, Op: "committing the transaction", Err: errors.New("the producer is not transactional")}
	}
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
	return p.endTransaction(ctx)
}

// endTransaction commits. The next transaction has another epoch, and counts
// its sequence numbers from 0.
func (p *Producer) endTransaction(ctx context.Context) error {
	const op = "committing the transaction"
	req := kmsg.NewPtrEndTxnRequest()
	req.TransactionalID = p.txnID
	req.ProducerID, req.ProducerEpoch = p.identity.id, p.identity.epoch
	req.Commit = true
	for {
		resp, err := req.RequestWith(ctx, p.client)
		if err == nil {
			err = kerr.ErrorForCode(resp.ErrorCode)
		}
		switch {
		case err == nil:
			if resp.ProducerID < 0 {
				return &Error{Kind: Unknown, Op: op, Err: errors.New("the broker did not answer with the next epoch")}
			}
			p.identity = producerIdentity{resp.ProducerID, resp.ProducerEpoch}
			p.begun = false
			p.eachTarget(func(t *target) { t.sequence = 0 })
			return nil
		case errors.Is(err, kerr.ConcurrentTransactions), errors.Is(err, kerr.CoordinatorLoadInProgress):
			if !pause(ctx, sendBackoff) {
				return &Error{Kind: Unknown, Op: op, Err: errors.Join(ctx.Err(), err)}
			}
		case errors.Is(err, kerr.TransactionAbortable):
			return &Error{Kind: Aborted, Op: op, Err: err}
		default:
			// A retry whose first attempt was applied may be refused, too.
			return &Error{Kind: Unknown, Op: op, Err: err}
		}
	}
}

// pause waits, and reports false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// AbortTransaction drops what was produced since the last commit: nothing of
// it will be seen. It is the way back from every error of Flush and
// CommitTransaction, after which it also decides an Unknown outcome: once it
// returned nil, the group's committed offsets tell which it was. After another
// error than Fenced it may be called again; after Fenced the producer must be
// closed, and a new one takes the id over.
func (p *Producer) AbortTransaction(ctx context.Context) error {
	p.sender.reset()
	if !p.begun && p.txnID != "" {
		p.reset(p.identity)
		return nil
	}
	// A new epoch aborts what is open and fences what may still be on its way.
	// Without transactions, a new id starts the sequence numbers anew.
	identity := p.identity
	if p.txnID == "" {
		identity = producerIdentity{-1, -1}
	}
	identity, err := initProducer(ctx, p.client, p.txnID, p.cfg.TransactionTimeout, identity)
	if err != nil {
		return err
	}
	p.reset(identity)
	return nil
}

// initProducer asks for a producer id and epoch; with the present ones it
// bumps the epoch, which aborts an open transaction.
func initProducer(ctx context.Context, client *kgo.Client, txnID string, timeout time.Duration, present producerIdentity) (producerIdentity, error) {
	const op = "taking over the producer id"
	req := kmsg.NewPtrInitProducerIDRequest()
	if txnID != "" {
		req.TransactionalID = &txnID
	}
	req.TransactionTimeoutMillis = int32(timeout.Milliseconds())
	req.ProducerID, req.ProducerEpoch = present.id, present.epoch
	var again backoff
	for until := time.Now().Add(patience); ; {
		resp, err := req.RequestWith(ctx, client)
		if err == nil {
			err = kerr.ErrorForCode(resp.ErrorCode)
		}
		switch {
		case err == nil:
			return producerIdentity{resp.ProducerID, resp.ProducerEpoch}, nil
		case errors.Is(err, kerr.ConcurrentTransactions), kerr.IsRetriable(err), classify(err) == Retriable && time.Now().Before(until):
			if !pause(ctx, again.next()) {
				return present, newError(op, errors.Join(ctx.Err(), err))
			}
		default:
			return present, newError(op, err)
		}
	}
}

// requireTransactionVersion2 refuses brokers before Kafka 4.0: without it a
// delayed request of one transaction can end up in the next (KIP-890).
func requireTransactionVersion2(ctx context.Context, client *kgo.Client) error {
	const op = "opening a transactional producer"
	var resp *kmsg.ApiVersionsResponse
	err := retrying(ctx, op, func() (err error) {
		resp, err = kmsg.NewPtrApiVersionsRequest().RequestWith(ctx, client)
		return err
	})
	if err != nil {
		return err
	}
	for _, f := range resp.FinalizedFeatures {
		if f.Name == "transaction.version" && f.MaxVersionLevel >= 2 {
			return nil
		}
	}
	return &Error{Kind: Denied, Op: op, Err: fmt.Errorf(
		"the brokers do not have transaction.version 2 (Kafka 4.0 and later): upgrade them, or set processing.guarantee to at_least_once")}
}

// commitOffsets adds the offsets to the open transaction (KIP-447).
func (p *Producer) commitOffsets(ctx context.Context, member Member, offsets []OffsetCommit) error {
	const op = "committing offsets in the transaction"
	topics := make([]string, 0, 4)
	for i := range offsets {
		if t := offsets[i].Topic; !slices.Contains(topics, t) {
			topics = append(topics, t)
		}
	}
	ids, err := cachedTopicIDs(ctx, p.client, topics)
	if err != nil {
		return &Error{Kind: abortKind(err), Op: op, Err: err}
	}
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID = p.txnID
	req.Group = member.Group
	req.ProducerID, req.ProducerEpoch = p.identity.id, p.identity.epoch
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
	for began := time.Now(); ; {
		req.MemberID, req.Generation, req.InstanceID = member.MemberID, member.Generation, member.instance()
		if member.MemberID == "" {
			req.Generation = -1
		}
		resp, err := req.RequestWith(ctx, p.client)
		if err != nil {
			return &Error{Kind: abortKind(err), Op: op, Err: err}
		}
		topic, partition, err := firstOffsetError(resp)
		if err == nil {
			return nil
		}
		again := errors.Is(err, kerr.ConcurrentTransactions) || errors.Is(err, kerr.CoordinatorLoadInProgress) || learning(err, began)
		if now, ok := member.again(err); ok {
			member, again = now, true
		}
		if !again || !pause(ctx, sendBackoff) {
			return &Error{Kind: abortKind(err), Op: op, Topic: topic, Partition: partition, Err: err}
		}
	}
}

func firstOffsetError(resp *kmsg.TxnOffsetCommitResponse) (string, int32, error) {
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return t.Topic, p.Partition, err
			}
		}
	}
	return "", 0, nil
}

// abortKind is the kind of an error that makes the transaction abort.
func abortKind(err error) ErrorKind {
	switch kind := classify(err); {
	case errors.Is(err, kerr.InvalidProducerEpoch), errors.Is(err, kerr.InvalidProducerIDMapping):
		return Aborted
	case kind == Stale, kind == Fenced, kind == Denied, kind == TopicGone:
		return kind
	}
	return Aborted
}
