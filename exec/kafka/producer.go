package kafka

import (
	"context"
	"errors"
	"slices"
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
	// MaxBufferedBytes bounds what is produced and not yet acknowledged;
	// Produce blocks beyond it. 0 means 32 MiB.
	MaxBufferedBytes int
	// BatchBytes bounds a batch; 0 means 512 KiB. A larger record makes a batch
	// of its own.
	BatchBytes int
	// Permit is asked before each request, also one that is sent again; after an error what is buffered is dropped and Flush
	// returns the error. It is for producers without transactions, which brokers do not fence: who may not own its partitions
	// any more must not write to them. It is called by a goroutine of the producer's; nil permits all.
	Permit func() error
}

// Producer writes what a query emits. One goroutine at a time calls it.
//
// Records are encoded into batches as they are produced; a batch is sent when
// it is full, the others at Flush. A transactional producer begins a
// transaction at the first Produce; it ends with CommitTransaction or
// AbortTransaction. The first error of any batch is kept until then and
// returned by Flush and CommitTransaction: a transaction commits all of its
// records or none.
type Producer struct {
	cfg    ProducerConfig
	client *kgo.Client
	txnID  string // empty without transactions

	// Owned by the caller.
	identity producerIdentity
	begun    bool
	topics   []topicTargets // few: looked through in order

	sender *sender
}

// producerIdentity is what batches are stamped with: sequence numbers count
// from 0 under each.
type producerIdentity struct {
	id    int64
	epoch int16
}

// topicTargets are the partitions of one topic written to.
type topicTargets struct {
	topic      string
	partitions []*target // nil where nothing was written
}

// target is one partition written to.
type target struct {
	TopicPartition
	open     batchBuilder
	sequence int32

	// Guarded by the sender's mutex.
	queue   []*sealedBatch
	next    int64 // offset after the last acknowledged record
	leader  int32
	topicID TopicID
	listed  bool // in the sender's list of those with a queue
}

// sealedBatch is a batch to send.
type sealedBatch struct {
	buf    []byte
	count  int32
	sealed time.Time
	summed bool
}

// NewProducer opens a producer. A transactional one takes the id over at once:
// the transaction a dead or fenced predecessor left open is aborted, and that
// predecessor can commit no more.
func (c *Cluster) NewProducer(ctx context.Context, cfg ProducerConfig) (*Producer, error) {
	if cfg.TransactionTimeout == 0 {
		cfg.TransactionTimeout = 10 * time.Second
	}
	if cfg.MaxBufferedBytes == 0 {
		cfg.MaxBufferedBytes = 32 << 20
	}
	if cfg.BatchBytes == 0 {
		cfg.BatchBytes = 512 << 10
	}
	client, err := c.newClient(cfg.Name, kgo.RequiredAcks(kgo.AllISRAcks()), kgo.BrokerMaxWriteBytes(maxReadBytes))
	if err != nil {
		return nil, err
	}
	p := &Producer{cfg: cfg, client: client}
	if cfg.TransactionalID != "" {
		p.txnID = cfg.TransactionalID + c.cfg.TransactionalIDSuffix
		err = requireTransactionVersion2(ctx, client)
	}
	if err == nil {
		p.identity, err = initProducer(ctx, client, p.txnID, cfg.TransactionTimeout, producerIdentity{-1, -1})
	}
	if err != nil {
		client.Close()
		return nil, err
	}
	p.sender = newSender(client, p.txnID, cfg, c.cfg.Logger)
	return p, nil
}

// Produce writes a record; it copies key, value and headers before it
// returns. A nil key or value is null. timestamp is in milliseconds since
// 1970. It blocks while MaxBufferedBytes are not yet acknowledged. Errors come
// back from Flush or CommitTransaction.
func (p *Producer) Produce(topic string, partition int32, key, value []byte, timestamp int64, headers []Header) {
	t := p.target(topic, partition)
	p.begun = true
	if size := len(t.open.buf) + len(key) + len(value) + recordOverhead; !t.open.empty() && size > p.cfg.BatchBytes {
		p.seal(t)
	}
	if t.open.buf == nil {
		t.open.buf = p.sender.buffer()
	}
	t.open.add(key, value, timestamp, headers)
}

// target finds or makes the target of a partition.
func (p *Producer) target(topic string, partition int32) *target {
	if t := p.find(topic, partition); t != nil {
		return t
	}
	i := slices.IndexFunc(p.topics, func(t topicTargets) bool { return t.topic == topic })
	if i < 0 {
		i = len(p.topics)
		p.topics = append(p.topics, topicTargets{topic: topic})
	}
	list := &p.topics[i].partitions
	for int(partition) >= len(*list) {
		*list = append(*list, nil)
	}
	t := &target{TopicPartition: TopicPartition{topic, partition}, leader: noLeader}
	(*list)[partition] = t
	return t
}

// find returns the target of a partition, nil when nothing was written to it.
func (p *Producer) find(topic string, partition int32) *target {
	for i := range p.topics {
		if t := &p.topics[i]; t.topic == topic {
			if int(partition) < len(t.partitions) {
				return t.partitions[partition]
			}
			return nil
		}
	}
	return nil
}

// seal hands a target's open batch to the sender.
func (p *Producer) seal(t *target) {
	t.open.seal(p.identity.id, p.identity.epoch, t.sequence, p.txnID != "")
	t.sequence = int32((int64(t.sequence) + int64(t.open.count)) % (1 << 31))
	p.sender.enqueue(t, t.open.buf, t.open.count)
	t.open = batchBuilder{}
}

// eachTarget calls fn for every partition written to.
func (p *Producer) eachTarget(fn func(*target)) {
	for i := range p.topics {
		for _, t := range p.topics[i].partitions {
			if t != nil {
				fn(t)
			}
		}
	}
}

// NextOffset is the offset after the last acknowledged record of a partition,
// 0 when none was written: after Flush or CommitTransaction, the checkpoint of
// a changelog (transaction markers may lie between it and the next record).
func (p *Producer) NextOffset(topic string, partition int32) int64 {
	t := p.find(topic, partition)
	if t == nil {
		return 0
	}
	p.sender.mu.Lock()
	defer p.sender.mu.Unlock()
	return t.next
}

// InTransaction reports whether something was produced since the last commit,
// abort or, without transactions, flush.
func (p *Producer) InTransaction() bool { return p.begun }

// Flush waits until all records are acknowledged and returns the first error
// of any record since the last commit or abort. For a transactional producer
// that means: abort. For an idempotent one: some records are not written and
// nothing says which; call AbortTransaction, drop the interval and
// resynchronise. Kinds: Aborted, Fenced, TooLarge, Denied, TopicGone, Canceled.
func (p *Producer) Flush(ctx context.Context) error {
	p.eachTarget(func(t *target) {
		if !t.open.empty() {
			p.seal(t)
		}
	})
	err := p.sender.flush(ctx)
	if err == nil && p.txnID == "" {
		p.begun = false
	}
	return err
}

// Close drops what is not acknowledged and, without ending it, an open
// transaction: the next producer of the id or the transaction timeout aborts it.
func (p *Producer) Close() {
	p.sender.close()
	p.client.Close()
}

// reset drops all that was produced and not committed, under a new identity.
func (p *Producer) reset(identity producerIdentity) {
	p.identity = identity
	p.begun = false
	p.eachTarget(func(t *target) {
		if t.open.buf != nil {
			p.sender.recycle(t.open.buf)
		}
		t.open = batchBuilder{}
		t.sequence = 0
	})
}

// produceError keeps the kinds that concern the topic or the record and makes
// all others Aborted. An epoch that is no longer valid may mean a transaction
// that timed out as well as another producer: aborting tells.
func produceError(tp TopicPartition, err error) error {
	kind := classify(err)
	switch {
	case errors.Is(err, kerr.InvalidProducerEpoch), errors.Is(err, kerr.InvalidProducerIDMapping):
		kind = Aborted
	case kind == TooLarge, kind == Denied, kind == TopicGone, kind == Fenced, kind == Closed:
	default:
		kind = Aborted
	}
	return &Error{Kind: kind, Op: "producing", Topic: tp.Topic, Partition: tp.Partition, Err: err}
}
