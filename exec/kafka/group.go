package kafka

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// GroupConfig describes the membership of one process in one query's group.
type GroupConfig struct {
	// Name becomes part of the client id, as "<query>-c".
	Name string
	// Group is the consumer group.
	Group string
	// InstanceID makes the member static: a restart within SessionTimeout
	// takes its partitions up again without a rebalance. Empty for a dynamic
	// member.
	InstanceID string
	// Topics are all source and repartition topics of the query. They must exist.
	Topics []string
	// Balancer divides the partitions; nil means TaskBalancer.
	Balancer Balancer
	// SessionTimeout is how long a silent member keeps its partitions; 0 means 10 s.
	SessionTimeout time.Duration
	// RebalanceTimeout is how long members have to give partitions up; 0 means 60 s.
	RebalanceTimeout time.Duration
}

// GroupConsumer is one member of a query's consumer group: it tells which
// partitions the member owns and fetches those it is told to, committed
// records only. Poll, and all that moves positions, has one caller; Wake and
// Member may be called from anywhere.
type GroupConsumer struct {
	cfg     GroupConfig
	client  *kgo.Client
	fetcher *fetcher
	inbox   *inbox
	events  *eventQueue
	lease   lease
	tenure  tenure
	// hangUp ends the client's requests, whatever they wait for.
	hangUp  context.CancelFunc
	watched sync.WaitGroup
}

// maxHeartbeat is the longest pause between two heartbeats of a member.
const maxHeartbeat = time.Second

// NewGroupConsumer joins the group in the background; Poll reports what it is
// assigned. Close it when done.
func (c *Cluster) NewGroupConsumer(cfg GroupConfig) (*GroupConsumer, error) {
	if cfg.Balancer == nil {
		cfg.Balancer = TaskBalancer{}
	}
	if cfg.SessionTimeout == 0 {
		cfg.SessionTimeout = 10 * time.Second
	}
	if cfg.RebalanceTimeout == 0 {
		cfg.RebalanceTimeout = 60 * time.Second
	}
	g := &GroupConsumer{cfg: cfg, events: newEventQueue()}
	ctx, hangUp := context.WithCancel(context.Background())
	g.hangUp = hangUp
	opts := []kgo.Opt{
		kgo.WithContext(ctx),
		kgo.ConsumerGroup(cfg.Group),
		kgo.WithHooks(&g.lease),
		kgo.ConsumeTopics(cfg.Topics...),
		kgo.Balancers(balancerAdapter{cfg.Balancer}),
		kgo.SessionTimeout(cfg.SessionTimeout),
		// Members hear of a rebalance with a heartbeat: it is part of how long a failover takes.
		kgo.HeartbeatInterval(min(cfg.SessionTimeout*3/10, maxHeartbeat)),
		kgo.RebalanceTimeout(cfg.RebalanceTimeout),
		kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.BrokerMaxReadBytes(maxReadBytes),
		kgo.KeepRetryableFetchErrors(), // for watch
		kgo.OnPartitionsAssigned(g.onAssigned),
		kgo.OnPartitionsRevoked(g.onRevoked),
		kgo.OnPartitionsLost(g.onLost),
		// franz-go keeps the membership only; the fetcher reads. Without
		// offsets it has nothing to fetch.
		kgo.AdjustFetchOffsetsFn(func(context.Context, map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
			return nil, nil
		}),
	}
	if cfg.InstanceID != "" {
		opts = append(opts, kgo.InstanceID(cfg.InstanceID))
	}
	client, err := c.newClient(cfg.Name, opts...)
	if err != nil {
		hangUp()
		return nil, err
	}
	g.client = client
	g.fetcher = newFetcher(client, c.cfg.Logger, true)
	g.inbox = newInbox(g.fetcher)
	g.inbox.events = g.events
	g.watched.Go(func() { g.watch(c.cfg.Logger) })
	return g, nil
}

// Poll waits up to wait and returns an event, or batches, or neither: the time
// was up, or Wake was called. An event must be acknowledged before the next
// Poll. The slice of batches is valid until the next Poll, each batch until its
// Release. The error is ctx's, of kind Canceled, or says why there can be no
// membership: Denied, Fenced (another process has the instance id), TopicGone,
// Other. After one of these the consumer is to be closed.
func (g *GroupConsumer) Poll(ctx context.Context, wait time.Duration) (*Rebalance, []*Batch, error) {
	e, batches, err := g.inbox.poll(ctx, wait)
	if e != nil && e.Kind != Assigned {
		g.fetcher.remove(e.Partitions...)
	}
	return e, batches, err
}

// Wake makes a waiting Poll return, or the next one not wait.
func (g *GroupConsumer) Wake() { g.inbox.wakeUp() }

// StartAt fetches owned partitions from the offsets, in place of wherever they
// were: after restore, and to rewind after an aborted interval. Batches fetched
// from earlier positions are dropped; those Poll has returned already are the
// caller's to release.
func (g *GroupConsumer) StartAt(offsets map[TopicPartition]int64) { g.fetcher.start(offsets) }

// Stop no longer fetches the partitions; they stay owned.
func (g *GroupConsumer) Stop(partitions ...TopicPartition) { g.fetcher.remove(partitions...) }

// Pause stops delivering partitions, keeping their positions.
func (g *GroupConsumer) Pause(partitions ...TopicPartition) { g.fetcher.pause(true, partitions...) }

// Resume continues what Pause stopped.
func (g *GroupConsumer) Resume(partitions ...TopicPartition) { g.fetcher.pause(false, partitions...) }

// StableEnd tells where the committed records of a partition ended at some moment after at: what a fetch said that was sent
// then; false before the first one since the partition was started. It is safe for concurrent use.
func (g *GroupConsumer) StableEnd(tp TopicPartition) (offset int64, at time.Time, ok bool) {
	return g.fetcher.stableEnd(tp)
}

// Member identifies, for commits, the member that owns what Poll has assigned.
// The generation changes with every rebalance: ask at every commit.
func (g *GroupConsumer) Member() Member {
	id, generation := g.tenure.holder(g.client.GroupMetadata())
	return Member{Group: g.cfg.Group, MemberID: id, Generation: generation, InstanceID: g.cfg.InstanceID, consumer: g}
}

// CommitOffsets commits positions outside a transaction, fenced by this
// member's generation.
func (g *GroupConsumer) CommitOffsets(ctx context.Context, offsets []OffsetCommit) error {
	if len(offsets) == 0 {
		return nil
	}
	return commitOffsets(ctx, g.client, g.Member(), offsets)
}

// Rejoin asks the group for a rebalance, after what the balancer tells the
// others has changed.
func (g *GroupConsumer) Rejoin() { g.client.ForceRebalance() }

// leaveTimeout bounds the end of a membership.
const leaveTimeout = 3 * time.Second

// Close stops fetching and ends the membership. A dynamic member leaves the
// group at once; a static one stays a member until its session times out, so
// that its successor finds its partitions unmoved ([Admin.LeaveGroup] ends
// that). Close does not wait for events to be acknowledged: commit first.
func (g *GroupConsumer) Close() {
	g.events.close()
	g.fetcher.close()
	// A rebalance under way may wait a minute for members that are gone; nobody needs its result any more. franz-go waits for
	// it whatever it is told, but not beyond the end of its context.
	patience := time.AfterFunc(leaveTimeout, g.hangUp)
	defer patience.Stop()
	defer g.hangUp()
	g.client.CloseAllowingRebalance()
	g.watched.Wait()
}

// watch takes in what franz-go says of the membership until the client closes.
// It tries again by itself, for ever; what will not heal is reported.
func (g *GroupConsumer) watch(logger *slog.Logger) {
	const op = "joining the group"
	type absence struct{ since, last time.Time }
	absent := make(map[string]absence)
	for {
		fetches := g.client.PollFetches(context.Background())
		if fetches.IsClientClosed() {
			return
		}
		now := time.Now()
		fetches.EachError(func(topic string, partition int32, err error) {
			kind := classify(err)
			var session *kgo.ErrGroupSession
			switch {
			case errors.As(err, &session):
				if kind = classify(session.Err); kind == Denied || kind == Fenced || kind == Other {
					g.events.fail(&Error{Kind: kind, Op: op, Err: err})
				} else {
					logger.Warn("the group is out of reach; trying again", "group", g.cfg.Group, "error", err)
				}
			case kind == Denied:
				g.events.fail(topicError(op, topic, partition, err))
			case kind == TopicGone:
				// Each look at the metadata reports it, several a second; a pause means that it was there.
				a := absent[topic]
				if now.Sub(a.last) > topicGoneAfter/2 {
					a.since = now
				}
				a.last = now
				absent[topic] = a
				if now.Sub(a.since) > topicGoneAfter {
					g.events.fail(topicError(op, topic, -1, err))
				}
			}
		})
	}
}

// begin compares the member that the client is with the one that owns the partitions, and reports these lost if it is another.
func (g *GroupConsumer) begin(client *kgo.Client) {
	g.giveUp(newRebalance(Lost, g.tenure.begin(client.GroupMetadata())))
}

func (g *GroupConsumer) onAssigned(_ context.Context, client *kgo.Client, assigned map[string][]int32) {
	g.begin(client)
	if e := newRebalance(Assigned, g.tenure.gain(inOrder(assigned))); e != nil {
		g.events.push(e)
	}
}

func (g *GroupConsumer) onRevoked(_ context.Context, client *kgo.Client, revoked map[string][]int32) {
	g.begin(client)
	g.giveUp(newRebalance(Revoked, g.tenure.give(inOrder(revoked))))
}

func (g *GroupConsumer) onLost(_ context.Context, _ *kgo.Client, lost map[string][]int32) {
	g.giveUp(newRebalance(Lost, inOrder(lost)))
	g.tenure.end()
}

// giveUp reports partitions to the owner and waits until it let go of them.
func (g *GroupConsumer) giveUp(e *Rebalance) {
	if e == nil {
		return
	}
	g.events.push(e)
	select {
	case <-e.done:
	case <-g.events.closed:
	}
}

// newRebalance makes an event; nil when it is about no partition.
func newRebalance(kind RebalanceKind, partitions []TopicPartition) *Rebalance {
	if len(partitions) == 0 {
		return nil
	}
	return &Rebalance{Kind: kind, Partitions: partitions, done: make(chan struct{})}
}

// inOrder lists partitions in a fixed order.
func inOrder(partitions map[string][]int32) []TopicPartition {
	var out []TopicPartition
	for topic, list := range partitions {
		for _, p := range list {
			out = append(out, TopicPartition{topic, p})
		}
	}
	slices.SortFunc(out, compareTopicPartitions)
	return out
}

func compareTopicPartitions(a, b TopicPartition) int {
	if c := strings.Compare(a.Topic, b.Topic); c != 0 {
		return c
	}
	return int(a.Partition) - int(b.Partition)
}
