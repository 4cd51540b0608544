package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	sendBackoff = 20 * time.Millisecond
	// deliveryTimeout bounds retries without transactions; with them the
	// transaction timeout does.
	deliveryTimeout = 2 * time.Minute
	// produceTimeout is how long a broker may wait for its replicas.
	produceTimeout = 30 * time.Second
)

// sender writes sealed batches to the brokers, in order by partition: at any
// time one request a broker, with one batch a partition. A batch that may be
// written already is sent again as it was; its sequence number lets the broker
// tell. The first error that is final ends everything until reset.
type sender struct {
	client *kgo.Client
	logger *slog.Logger
	txnID  *string
	limit  int
	expire time.Duration
	permit func() error

	ctx  context.Context
	stop context.CancelFunc
	done sync.WaitGroup

	mu       sync.Mutex
	changed  *sync.Cond // work arrived, a batch was acknowledged, or an error came
	queued   []*target  // targets that have batches
	buffered int        // bytes not yet acknowledged
	busy     bool       // a round of requests is under way
	cancel   context.CancelFunc
	firstErr error
	closed   bool
	free     [][]byte
}

func newSender(client *kgo.Client, txnID string, cfg ProducerConfig, logger *slog.Logger) *sender {
	ctx, stop := context.WithCancel(context.Background())
	s := &sender{client: client, logger: logger, limit: cfg.MaxBufferedBytes, expire: deliveryTimeout, permit: cfg.Permit,
		ctx: ctx, stop: stop}
	if txnID != "" {
		s.txnID, s.expire = &txnID, cfg.TransactionTimeout
	}
	s.changed = sync.NewCond(&s.mu)
	s.done.Go(s.run)
	return s
}

// maxFreeBuffers bounds the batches' memory kept for reuse.
const maxFreeBuffers = 64

// buffer returns memory for a batch.
func (s *sender) buffer() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.free); n > 0 {
		buf := s.free[n-1]
		s.free = s.free[:n-1]
		return buf[:0]
	}
	return make([]byte, 0, 16<<10)
}

func (s *sender) recycle(buf []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recycleLocked(buf)
}

func (s *sender) recycleLocked(buf []byte) {
	if len(s.free) < maxFreeBuffers && cap(buf) <= 4<<20 {
		s.free = append(s.free, buf)
	}
}

// enqueue takes a sealed batch over; it blocks while too much is buffered.
func (s *sender) enqueue(t *target, buf []byte, count int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.buffered > 0 && s.buffered+len(buf) > s.limit && s.firstErr == nil && !s.closed {
		s.changed.Wait()
	}
	if s.firstErr != nil || s.closed {
		s.recycleLocked(buf)
		return
	}
	t.queue = append(t.queue, &sealedBatch{buf: buf, count: count, sealed: time.Now()})
	s.buffered += len(buf)
	if !t.listed {
		t.listed = true
		s.queued = append(s.queued, t)
	}
	s.changed.Broadcast()
}

// flush waits until nothing is buffered.
func (s *sender) flush(ctx context.Context) error {
	defer context.AfterFunc(ctx, s.broadcast)()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.buffered > 0 && s.firstErr == nil && !s.closed && ctx.Err() == nil {
		s.changed.Wait()
	}
	switch {
	case s.firstErr != nil:
		return s.firstErr
	case s.closed:
		return &Error{Kind: Closed, Op: "flushing", Err: kgo.ErrClientClosed}
	case s.buffered > 0:
		return newError("flushing", ctx.Err())
	}
	return nil
}

func (s *sender) broadcast() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed.Broadcast()
}

// reset drops all batches and the error; it waits until nothing is under way.
func (s *sender) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop()
	if s.cancel != nil {
		s.cancel()
	}
	for s.busy {
		s.changed.Wait()
	}
	s.drop()
	s.firstErr = nil
}

// drop forgets all batches. s.mu is held.
func (s *sender) drop() {
	for _, t := range s.queued {
		t.queue, t.listed = nil, false
	}
	s.queued = s.queued[:0]
	s.buffered = 0
	s.changed.Broadcast()
}

func (s *sender) close() {
	s.stop()
	s.mu.Lock()
	s.closed = true
	s.changed.Broadcast()
	s.mu.Unlock()
	s.done.Wait()
}

// run sends round after round until close.
func (s *sender) run() {
	var pause backoff
	for {
		s.mu.Lock()
		for (len(s.queued) == 0 || s.firstErr != nil) && !s.closed {
			s.changed.Wait()
		}
		if s.closed {
			s.mu.Unlock()
			return
		}
		ctx, cancel := context.WithCancel(s.ctx)
		s.busy, s.cancel = true, cancel
		round := s.gather()
		s.mu.Unlock()

		switch again := s.send(ctx, round); {
		case !again:
			pause = backoff{}
		case ctx.Err() == nil:
			select {
			case <-ctx.Done():
			case <-time.After(pause.next()):
			}
		}
		cancel()
		s.mu.Lock()
		s.busy, s.cancel = false, nil
		s.changed.Broadcast()
		s.mu.Unlock()
	}
}

// outgoing is the batch to send next for one partition.
type outgoing struct {
	target *target
	batch  *sealedBatch
	leader int32
	id     TopicID
}

// gather lists the first batch of every target. s.mu is held.
func (s *sender) gather() []outgoing {
	round := make([]outgoing, 0, len(s.queued))
	for _, t := range s.queued {
		round = append(round, outgoing{t, t.queue[0], t.leader, t.topicID})
	}
	return round
}

// send sends a round to all brokers at once and takes in the answers. It
// reports whether something failed that is to be tried again after a pause.
func (s *sender) send(ctx context.Context, round []outgoing) (again bool) {
	if slices.ContainsFunc(round, func(o outgoing) bool { return o.leader == noLeader }) {
		var ok bool
		if round, ok = s.findLeaders(ctx, round); !ok {
			again = true
		}
	}
	brokers := make(map[int32][]outgoing)
	for _, o := range round {
		brokers[o.leader] = append(brokers[o.leader], o)
	}
	var wait sync.WaitGroup
	results := make(chan bool, len(brokers))
	for broker, list := range brokers {
		if len(brokers) == 1 {
			results <- s.sendTo(ctx, broker, list)
			break
		}
		wait.Go(func() { results <- s.sendTo(ctx, broker, list) })
	}
	wait.Wait()
	close(results)
	for retry := range results {
		again = again || retry
	}
	return again
}

// findLeaders looks up the leaders that are not known; ok is false when some
// still are not, whose batches are left out of the round.
func (s *sender) findLeaders(ctx context.Context, round []outgoing) (known []outgoing, ok bool) {
	var topics []string
	for _, o := range round {
		if o.leader == noLeader && !slices.Contains(topics, o.target.Topic) {
			topics = append(topics, o.target.Topic)
		}
	}
	found, err := fetchMetadata(ctx, s.client, topics)
	ok = true
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range round {
		if o.leader == noLeader {
			problem := err
			if m, have := found[o.target.Topic]; problem == nil && have {
				o.id = m.id
				o.leader, problem = m.leader(o.target.Partition)
			}
			if o.leader == noLeader {
				s.failed(o, cmpErr(problem, kerr.LeaderNotAvailable))
				ok = false
				continue
			}
			o.target.leader, o.target.topicID = o.leader, o.id
		}
		known = append(known, o)
	}
	return known, ok
}

func cmpErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// sendTo sends one request.
func (s *sender) sendTo(ctx context.Context, broker int32, list []outgoing) (again bool) {
	req := kmsg.NewPtrProduceRequest()
	req.TransactionID = s.txnID
	req.Acks = -1
	req.TimeoutMillis = int32(min(s.expire, produceTimeout).Milliseconds())
	for _, o := range list {
		if !o.batch.summed {
			checksum(o.batch.buf)
			o.batch.summed = true
		}
		i := slices.IndexFunc(req.Topics, func(t kmsg.ProduceRequestTopic) bool { return t.Topic == o.target.Topic })
		if i < 0 {
			i = len(req.Topics)
			rt := kmsg.NewProduceRequestTopic()
			rt.Topic, rt.TopicID = o.target.Topic, o.id
			req.Topics = append(req.Topics, rt)
		}
		rp := kmsg.NewProduceRequestTopicPartition()
		rp.Partition, rp.Records = o.target.Partition, o.batch.buf
		req.Topics[i].Partitions = append(req.Topics[i].Partitions, rp)
	}
	if !s.permitted() {
		return false
	}
	resp, err := req.RequestWith(ctx, s.client.Broker(int(broker)))
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return false // reset or closed: nobody waits for the answer
	}
	for _, o := range list {
		if err == nil {
			again = s.answered(o, resp) || again
		} else {
			s.failed(o, err)
			again = true
		}
	}
	s.changed.Broadcast()
	return again
}

// permitted says whether there may be written at present; if not, that ends all there is to send.
func (s *sender) permitted() bool {
	if s.permit == nil {
		return true
	}
	err := s.permit()
	if err == nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.firstErr == nil {
		s.firstErr = &Error{Kind: Stale, Op: "producing", Err: err}
	}
	s.drop()
	return false
}

// answered takes the answer for one batch. s.mu is held.
func (s *sender) answered(o outgoing, resp *kmsg.ProduceResponse) (again bool) {
	for i := range resp.Topics {
		t := &resp.Topics[i]
		if t.Topic != o.target.Topic && (t.Topic != "" || TopicID(t.TopicID) != o.id) {
			continue
		}
		for j := range t.Partitions {
			p := &t.Partitions[j]
			if p.Partition != o.target.Partition {
				continue
			}
			err := kerr.ErrorForCode(p.ErrorCode)
			if err == nil || errors.Is(err, kerr.DuplicateSequenceNumber) {
				s.acknowledged(o, p.BaseOffset)
				return false
			}
			if p.ErrorMessage != nil {
				err = fmt.Errorf("%s: %w", *p.ErrorMessage, err)
			}
			return s.failed(o, err)
		}
	}
	return s.failed(o, errors.New("the broker did not answer for the partition"))
}

// acknowledged removes a written batch from its queue. s.mu is held.
func (s *sender) acknowledged(o outgoing, base int64) {
	t := o.target
	if len(t.queue) == 0 || t.queue[0] != o.batch {
		return // reset meanwhile
	}
	t.queue[0] = nil
	t.queue = t.queue[1:]
	if base >= 0 {
		t.next = base + int64(o.batch.count)
	}
	s.buffered -= len(o.batch.buf)
	s.recycleLocked(o.batch.buf)
	if len(t.queue) == 0 {
		t.queue, t.listed = nil, false
		s.queued = slices.DeleteFunc(s.queued, func(q *target) bool { return q == t })
	}
}

// failed decides whether a batch is sent again; if not, everything ends. s.mu
// is held.
func (s *sender) failed(o outgoing, err error) (again bool) {
	retriable := kerr.IsRetriable(err) || isConnectionError(err) || errors.Is(err, kerr.ConcurrentTransactions)
	expire := s.expire
	if classify(err) == TopicGone {
		expire = min(expire, topicGoneAfter)
	}
	if age := time.Since(o.batch.sealed); retriable && age > expire {
		err = fmt.Errorf("not written within %v: %w", expire, err)
		retriable = false
	}
	if retriable {
		o.target.leader = noLeader
		s.logger.Debug("producing failed; trying again", "topic", o.target.Topic, "partition", o.target.Partition, "error", err)
		return true
	}
	if s.firstErr == nil {
		s.firstErr = produceError(o.target.TopicPartition, err)
	}
	s.drop()
	return false
}
