package kafka

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Fetching is bounded so that a query's memory is: all partitions of a fetch
// share fetchBytes, and each gets at least minPartitionBytes.
const (
	fetchBytes        = 8 << 20
	maxPartitionBytes = 1 << 20
	minPartitionBytes = 64 << 10

	fetchWait     = 100 * time.Millisecond // how long a broker may hold a fetch with nothing to answer
	fetchIdleWait = 500 * time.Millisecond // the same once nothing has come for a while
	fetchBackoff  = 100 * time.Millisecond // pause after a failed fetch or metadata request
	warnEvery     = 10 * time.Second       // pause between two warnings of a fetcher
	// topicGoneAfter is how long a topic must be unknown to be called gone:
	// metadata may lag behind a topic just created.
	topicGoneAfter = 5 * time.Second
)

// position is where a partition is read. Guarded by fetcher.mu.
type position struct {
	offset     int64
	generation uint64 // of the start or seek; what was fetched under another is dropped
	paused     bool
	failed     bool // reported an error; rests until started anew
	leader     int32
	unknown    time.Time // since when the topic is not known to the brokers
	stable     int64     // end of the committed records as of seen
	seen       time.Time // when the fetch was sent that told so; zero before the first
}

// fetcher reads partitions: one loop a broker, which fetches all partitions
// led by it, decodes, and hands the batches over before it fetches again.
type fetcher struct {
	client  *kgo.Client
	logger  *slog.Logger
	decoder func() *batchDecoder

	ctx  context.Context
	stop context.CancelFunc
	done sync.WaitGroup
	out  chan []*Batch // unbuffered: backpressure

	mu         sync.Mutex
	parts      map[TopicPartition]*position
	ids        map[string]TopicID
	names      map[TopicID]string
	loops      map[int32]chan struct{} // one a broker; a token says that its work changed
	resolving  bool
	generation uint64
	warned     time.Time
}

func newFetcher(client *kgo.Client, logger *slog.Logger, committed bool) *fetcher {
	ctx, stop := context.WithCancel(context.Background())
	return &fetcher{
		client: client, logger: logger, ctx: ctx, stop: stop,
		decoder: func() *batchDecoder { return newBatchDecoder(committed) },
		out:     make(chan []*Batch),
		parts:   make(map[TopicPartition]*position),
		ids:     make(map[string]TopicID),
		names:   make(map[TopicID]string),
		loops:   make(map[int32]chan struct{}),
	}
}

// close ends all loops and waits for them.
func (f *fetcher) close() {
	f.stop()
	f.done.Wait()
}

// start reads the partitions from the offsets, in place of wherever they were.
func (f *fetcher) start(offsets map[TopicPartition]int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.generation++
	for tp, offset := range offsets {
		leader := noLeader
		if p, ok := f.parts[tp]; ok {
			leader = p.leader
		}
		f.parts[tp] = &position{offset: offset, generation: f.generation, leader: leader}
	}
	f.changed()
}

// remove forgets partitions; what is under way for them is dropped.
func (f *fetcher) remove(partitions ...TopicPartition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, tp := range partitions {
		delete(f.parts, tp)
	}
}

// pause stops or continues fetching partitions.
func (f *fetcher) pause(paused bool, partitions ...TopicPartition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, tp := range partitions {
		if p, ok := f.parts[tp]; ok {
			p.paused = paused
		}
	}
	f.changed()
}

// current reports whether a batch is still wanted, and whether its partition
// is paused.
func (f *fetcher) current(b *Batch) (wanted, paused bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, ok := f.parts[b.TopicPartition]
	return ok && p.generation == b.generation, ok && p.paused
}

// changed wakes the loops, and looks up leaders that are not known. f.mu is held.
func (f *fetcher) changed() {
	for _, wake := range f.loops {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
	for _, p := range f.parts {
		if p.leader == noLeader && !p.failed && !f.resolving && f.ctx.Err() == nil {
			f.resolving = true
			f.done.Go(f.resolve)
			return
		}
	}
}

// resolve looks up the leaders of partitions until all are known.
func (f *fetcher) resolve() {
	for {
		f.mu.Lock()
		topics := make([]string, 0, 4)
		seen := make(map[string]bool)
		for tp, p := range f.parts {
			if p.leader == noLeader && !p.failed && !seen[tp.Topic] {
				seen[tp.Topic] = true
				topics = append(topics, tp.Topic)
			}
		}
		if len(topics) == 0 {
			f.resolving = false
			f.mu.Unlock()
			return
		}
		f.mu.Unlock()

		found, err := fetchMetadata(f.ctx, f.client, topics)
		pending := true
		if err == nil {
			var gone []*Batch
			pending, gone = f.learn(found)
			f.deliver(gone)
		} else if f.ctx.Err() == nil {
			f.warn("looking up partition leaders failed; trying again", "topics", topics, "error", err)
		}
		if pending && !f.sleep(fetchBackoff) {
			return
		}
	}
}

// learn takes leaders and topic ids from metadata. It reports whether some are
// still unknown, and a batch with an error for each partition whose topic is
// gone.
func (f *fetcher) learn(found map[string]topicMetadata) (pending bool, gone []*Batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for topic, m := range found {
		if old, ok := f.ids[topic]; m.err == nil && ok && old != m.id {
			gone = f.fail(gone, topic, kerr.UnknownTopicID)
			delete(f.ids, topic)
			continue
		}
		if m.err == nil {
			f.ids[topic] = m.id
			f.names[m.id] = topic
		}
		for tp, p := range f.parts {
			if tp.Topic != topic || p.leader != noLeader || p.failed {
				continue
			}
			leader, err := m.leader(tp.Partition)
			switch {
			case err == nil && leader >= 0:
				p.leader, p.unknown = leader, time.Time{}
				f.loop(leader)
				continue
			case !errors.Is(err, kerr.UnknownTopicOrPartition):
				p.unknown = time.Time{}
			case p.unknown.IsZero():
				p.unknown = time.Now()
			case time.Since(p.unknown) > topicGoneAfter:
				gone = append(gone, f.failPart(tp, p, err))
				continue
			}
			pending = true
		}
	}
	return pending, gone
}

func (f *fetcher) fail(gone []*Batch, topic string, err error) []*Batch {
	for tp, p := range f.parts {
		if tp.Topic == topic && !p.failed {
			gone = append(gone, f.failPart(tp, p, err))
		}
	}
	return gone
}

// failPart puts a partition to rest and makes the batch that reports why.
func (f *fetcher) failPart(tp TopicPartition, p *position, err error) *Batch {
	p.failed = true
	b := newBatch(tp)
	b.Next, b.generation = p.offset, p.generation
	b.Err = topicError("fetching", tp.Topic, tp.Partition, err)
	return b
}

// loop makes sure that a broker's loop runs, and wakes it. f.mu is held.
func (f *fetcher) loop(broker int32) {
	wake, ok := f.loops[broker]
	if !ok {
		wake = make(chan struct{}, 1)
		f.loops[broker] = wake
		f.done.Go(func() { f.run(broker, wake) })
	}
	select {
	case wake <- struct{}{}:
	default:
	}
}

// asked is one partition of a fetch under way.
type asked struct {
	offset     int64
	generation uint64
}

// run fetches from one broker until the fetcher closes.
func (f *fetcher) run(broker int32, wake chan struct{}) {
	decoder := f.decoder()
	wait := fetchWait
	for {
		req, want := f.request(broker, wait)
		if len(want) == 0 {
			select {
			case <-f.ctx.Done():
				return
			case <-wake:
			}
			continue
		}
		sent := time.Now()
		resp, err := req.RequestWith(f.ctx, f.client.Broker(int(broker)))
		if err == nil {
			err = kerr.ErrorForCode(resp.ErrorCode)
		}
		if f.ctx.Err() != nil {
			return
		}
		if err != nil {
			f.warn("fetching failed; trying again", "broker", broker, "error", err)
			f.forgetLeader(broker)
			if !f.sleep(fetchBackoff) {
				return
			}
			continue
		}
		batches := f.decode(resp, want, decoder, sent)
		if len(batches) == 0 {
			wait = min(wait+fetchWait, fetchIdleWait)
			continue
		}
		wait = fetchWait
		if !f.deliver(batches) {
			return
		}
	}
}

// deliver hands batches to the reader, or reports that the fetcher closed.
func (f *fetcher) deliver(batches []*Batch) bool {
	if len(batches) == 0 {
		return true
	}
	select {
	case f.out <- batches:
		return true
	case <-f.ctx.Done():
		return false
	}
}

// request builds a fetch of all partitions the broker leads that may be read,
// in an order that varies, so that none starves behind a full answer.
func (f *fetcher) request(broker int32, wait time.Duration) (*kmsg.FetchRequest, map[TopicPartition]asked) {
	f.mu.Lock()
	defer f.mu.Unlock()
	want := make(map[TopicPartition]asked)
	var list []TopicPartition
	for tp, p := range f.parts {
		if p.leader == broker && !p.paused && !p.failed {
			want[tp] = asked{p.offset, p.generation}
			list = append(list, tp)
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	each := int32(min(max(fetchBytes/len(list), minPartitionBytes), maxPartitionBytes))
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis = int32(wait.Milliseconds())
	req.MinBytes = 1
	// No limit over all partitions: brokers that reach it inside a partition
	// may leave out its aborted transactions (kfake does).
	req.MaxBytes = math.MaxInt32
	req.IsolationLevel = 1
	req.SessionEpoch = -1
	at := make(map[string]int)
	for _, tp := range list { // in map order, which varies
		i, ok := at[tp.Topic]
		if !ok {
			i = len(req.Topics)
			at[tp.Topic] = i
			rt := kmsg.NewFetchRequestTopic()
			rt.Topic, rt.TopicID = tp.Topic, f.ids[tp.Topic]
			req.Topics = append(req.Topics, rt)
		}
		rp := kmsg.NewFetchRequestTopicPartition()
		rp.Partition, rp.FetchOffset, rp.PartitionMaxBytes = tp.Partition, want[tp].offset, each
		rp.CurrentLeaderEpoch = -1
		req.Topics[i].Partitions = append(req.Topics[i].Partitions, rp)
	}
	return req, want
}

// decode turns a response into batches and moves the positions on. sent is when the fetch left.
func (f *fetcher) decode(resp *kmsg.FetchResponse, want map[TopicPartition]asked, decoder *batchDecoder, sent time.Time) []*Batch {
	var batches []*Batch
	for i := range resp.Topics {
		t := &resp.Topics[i]
		topic := t.Topic
		if topic == "" {
			f.mu.Lock()
			topic = f.names[TopicID(t.TopicID)]
			f.mu.Unlock()
		}
		for j := range t.Partitions {
			p := &t.Partitions[j]
			tp := TopicPartition{topic, p.Partition}
			a, ok := want[tp]
			if !ok {
				continue
			}
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				if b := f.partitionError(tp, a, err); b != nil {
					batches = append(batches, b)
				}
				continue
			}
			f.sawStable(tp, a, p.LastStableOffset, sent)
			if len(p.RecordBatches) == 0 {
				continue
			}
			b := newBatch(tp)
			b.generation = a.generation
			decoder.decode(p, a.offset, b)
			if f.advance(b, a) {
				batches = append(batches, b)
			} else {
				b.Release()
			}
		}
	}
	return batches
}

// sawStable notes where the committed records of a partition end.
func (f *fetcher) sawStable(tp TopicPartition, a asked, stable int64, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p, ok := f.parts[tp]; ok && p.generation == a.generation {
		p.stable, p.seen = stable, at
	}
}

// stableEnd tells where the committed records of a partition ended when it was last fetched; false before that.
func (f *fetcher) stableEnd(tp TopicPartition) (offset int64, at time.Time, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, ok := f.parts[tp]
	if !ok || p.seen.IsZero() {
		return 0, time.Time{}, false
	}
	return p.stable, p.seen, true
}

// advance moves a partition's position past a decoded batch; false when the
// batch is no longer wanted, or empty.
func (f *fetcher) advance(b *Batch, a asked) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, ok := f.parts[b.TopicPartition]
	if !ok || p.generation != a.generation {
		return false
	}
	if b.Err != nil {
		p.failed = true
		return true
	}
	if b.Next == p.offset {
		return false
	}
	p.offset = b.Next
	return true
}

// partitionError handles an error a broker answered for one partition. It
// returns a batch when the reader must know.
func (f *fetcher) partitionError(tp TopicPartition, a asked, err error) *Batch {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, ok := f.parts[tp]
	if !ok || p.generation != a.generation {
		return nil
	}
	switch classify(err) {
	case Retriable, TopicGone: // the leader moved, or the topic did: ask for metadata
		p.leader = noLeader
		f.changed()
		return nil
	}
	return f.failPart(tp, p, err)
}

// forgetLeader looks up the leaders of a broker's partitions again.
func (f *fetcher) forgetLeader(broker int32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.parts {
		if p.leader == broker {
			p.leader = noLeader
		}
	}
	f.changed()
}

// warn logs what is tried again and again, once in a while.
func (f *fetcher) warn(message string, args ...any) {
	f.mu.Lock()
	now := time.Now()
	due := now.Sub(f.warned) > warnEvery
	if due {
		f.warned = now
	}
	f.mu.Unlock()
	if due {
		f.logger.Warn(message, args...)
	}
}

// sleep pauses, and reports false when the fetcher closed meanwhile.
func (f *fetcher) sleep(d time.Duration) bool {
	select {
	case <-f.ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
