package kafka

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ProducerConfig describes the producer of one process for one query.
type ProducerConfig struct {
	// Name becomes part of the client id, as "<query>-p".
	Name string
	// TransactionalID makes the producer transactional (exactly once); empty
	// for at least once. The cluster's suffix is appended.
	TransactionalID string
	// TransactionTimeout is how long a transaction of a dead process stays
	// open; 0 means 10 s. Not more than the group's session timeout.
	TransactionTimeout time.Duration
	// Linger is how long a batch waits to be filled; 0 means 5 ms. Flush does
	// not wait for it.
	Linger time.Duration
	// MaxBufferedBytes bounds what is produced and not yet acknowledged;
	// Produce blocks beyond it. 0 means 32 MiB.
	MaxBufferedBytes int
	// BatchBytes bounds a batch; 0 means 512 KiB. A larger record makes a batch
	// of its own.
	BatchBytes int32
}

// Producer writes what a query emits. One goroutine at a time calls it.
//
// A transactional producer begins a transaction at the first Produce; it ends
// with CommitTransaction or AbortTransaction. The first error of any record is
// kept until then and returned by Flush and CommitTransaction: a transaction
// commits all of its records or none.
type Producer struct {
	cfg     ProducerConfig
	client  *kgo.Client
	txnID   string
	begun   bool
	records sync.Pool
	targets map[string][]*target // by topic, then partition

	mu       sync.Mutex // guards what the acknowledgements write
	firstErr error
}

// target is one partition written to. Its context is attached to records, to
// find the target again when they are acknowledged.
type target struct {
	ctx context.Context
	// next is the offset after the last acknowledged record; 0 before the first.
	next int64
}

type targetKey struct{}

// NewProducer opens a producer. A transactional one takes the id over at once:
// the transaction a dead or fenced predecessor left open is aborted, and that
// predecessor can commit no more. Other producers of the id are fenced.
func (c *Cluster) NewProducer(ctx context.Context, cfg ProducerConfig) (*Producer, error) {
	if cfg.TransactionTimeout == 0 {
		cfg.TransactionTimeout = 10 * time.Second
	}
	if cfg.Linger == 0 {
		cfg.Linger = 5 * time.Millisecond
	}
	if cfg.MaxBufferedBytes == 0 {
		cfg.MaxBufferedBytes = 32 << 20
	}
	if cfg.BatchBytes == 0 {
		cfg.BatchBytes = 512 << 10
	}
	p := &Producer{cfg: cfg, targets: make(map[string][]*target)}
	opts := []kgo.Opt{
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(cfg.Linger),
		kgo.MaxBufferedBytes(cfg.MaxBufferedBytes),
		kgo.MaxBufferedRecords(1 << 30),
		kgo.ProducerBatchMaxBytes(cfg.BatchBytes),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
	}
	if cfg.TransactionalID != "" {
		p.txnID = cfg.TransactionalID + c.cfg.TransactionalIDSuffix
		opts = append(opts, kgo.TransactionalID(p.txnID), kgo.TransactionTimeout(cfg.TransactionTimeout))
	}
	var err error
	if p.client, err = c.newClient(cfg.Name, opts...); err != nil {
		return nil, err
	}
	if _, _, err = p.client.ProducerID(ctx); err != nil {
		p.client.Close()
		return nil, newError("taking over the transactional id", err)
	}
	return p, nil
}

// Produce writes a record; it copies key, value and headers' values before it
// returns. A nil key or value is null. timestamp is in milliseconds since
// 1970. It blocks while MaxBufferedBytes are not yet acknowledged. Errors come
// back from Flush or CommitTransaction.
func (p *Producer) Produce(topic string, partition int32, key, value []byte, timestamp int64, headers []Header) {
	if p.txnID != "" && !p.begun {
		if err := p.client.BeginTransaction(); err != nil {
			p.fail(err)
			return
		}
		p.begun = true
	}
	r, _ := p.records.Get().(*kgo.Record)
	if r == nil {
		r = new(kgo.Record)
	}
	fill(r, key, value, headers)
	r.Topic, r.Partition = topic, partition
	r.Timestamp = time.UnixMilli(timestamp)
	r.Context = p.target(topic, partition).ctx
	p.client.Produce(r.Context, r, p.acknowledged)
}

// fill copies key and value into one buffer that stays with the record.
func fill(r *kgo.Record, key, value []byte, headers []Header) {
	buf := r.Value
	if buf == nil {
		buf = r.Key
	}
	buf = append(append(buf[:0], value...), key...)
	*r = kgo.Record{}
	if value != nil {
		r.Value = buf[:len(value)]
	}
	if key != nil {
		r.Key = buf[len(value):]
	}
	for _, h := range headers {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.Key, Value: append([]byte(nil), h.Value...)})
	}
}

func (p *Producer) target(topic string, partition int32) *target {
	list := p.targets[topic]
	if int(partition) < len(list) && list[partition] != nil {
		return list[partition]
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for int(partition) >= len(list) {
		list = append(list, nil)
	}
	t := new(target)
	t.ctx = context.WithValue(context.Background(), targetKey{}, t)
	list[partition] = t
	p.targets[topic] = list
	return t
}

// acknowledged is the promise of every record.
func (p *Producer) acknowledged(r *kgo.Record, err error) {
	p.mu.Lock()
	if err != nil {
		if p.firstErr == nil {
			p.firstErr = produceError(r.Topic, r.Partition, err)
		}
	} else {
		r.Context.Value(targetKey{}).(*target).next = r.Offset + 1
	}
	p.mu.Unlock()
	p.records.Put(r)
}

func (p *Producer) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.firstErr == nil {
		p.firstErr = err
	}
}

// produceError keeps the kinds that concern the topic or the record and makes
// all others Aborted.
func produceError(topic string, partition int32, err error) error {
	kind := classify(err)
	switch kind {
	case TooLarge, Denied, TopicGone, Fenced, Closed:
	default:
		kind = Aborted
	}
	return &Error{Kind: kind, Op: "producing", Topic: topic, Partition: partition, Err: err}
}

// NextOffset is the offset after the last acknowledged record of a partition,
// 0 when none was written: after Flush or CommitTransaction, the checkpoint of
// a changelog (transaction markers may lie between it and the next record).
func (p *Producer) NextOffset(topic string, partition int32) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if list := p.targets[topic]; int(partition) < len(list) && list[partition] != nil {
		return list[partition].next
	}
	return 0
}

// InTransaction reports whether something was produced since the last commit
// or abort.
func (p *Producer) InTransaction() bool { return p.begun }

// Flush waits until all records are acknowledged and returns the first error
// of any record since the last commit, abort or failed flush. For a
// transactional producer that means: abort. For an idempotent one: some
// records are not written, and nothing says which; drop the interval and
// resynchronise. Kinds: Aborted, Fenced, TooLarge, Denied, TopicGone, Canceled.
func (p *Producer) Flush(ctx context.Context) error {
	if err := p.client.Flush(ctx); err != nil {
		return newError("flushing", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.firstErr
	if p.txnID == "" {
		p.firstErr = nil
	}
	return err
}

// Close drops what is not acknowledged and, without ending it, an open
// transaction: the next producer of the id or the transaction timeout aborts it.
func (p *Producer) Close() { p.client.Close() }

// abortBuffered drops what is buffered and clears the error.
func (p *Producer) abortBuffered(ctx context.Context) error {
	err := p.client.AbortBufferedRecords(ctx)
	p.mu.Lock()
	p.firstErr = nil
	p.mu.Unlock()
	return err
}

// isFatal reports errors after which the client cannot be used again.
func isFatal(err error) bool {
	return errors.Is(err, kerr.ProducerFenced) || errors.Is(err, kerr.InvalidProducerEpoch) ||
		errors.Is(err, kerr.InvalidTxnState) || errors.Is(err, kerr.TransactionalIDAuthorizationFailed)
}
