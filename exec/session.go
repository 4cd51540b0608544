package exec

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// session is one run of a persistent query on this server, from joining the group to an error or the end. It belongs to
// one goroutine.
type session struct {
	x        *Executor
	q        *query
	plan     *physical.Plan
	settings settings
	// groupName is the consumer group.
	groupName string
	group     membership
	db        *state.DB
	topics    *topicSet
	consumer  *kafka.GroupConsumer
	producer  *kafka.Producer
	// background is what the session has left running, life ends with it.
	background sync.WaitGroup
	life       context.Context
	// follower is nil until there is something to follow.
	follower *follower

	// tasks by stage and partition; byInput finds the task and input index of a topic partition.
	tasks   map[taskID]*hostedTask
	byInput map[kafka.TopicPartition]inputRef
	inputOf map[string]inputRefSpec
	// order is tasks in a fixed order.
	order []*hostedTask
	// jobs are the resyncs under way; assigned is when the group first gave partitions.
	jobs     []*restoreJob
	assigned time.Time
	// nextCommit is when the open interval is to be closed; zero when nothing has been processed in it.
	nextCommit time.Time
	dirty      bool
	// published is when the status was last brought up to date.
	published time.Time
	// newErrors are the record errors of the open interval; they are published with its commit.
	newErrors errorRing
	purge     purge
	// idleSince is since when there has been state of tasks that are neither owned nor followed; cleanupAt is when to look again.
	idleSince map[taskID]time.Time
	cleanupAt time.Time
	// refreshAt is when the checkpoints of idle tasks are to be written anew.
	refreshAt time.Time
}

type inputRef struct {
	task  *hostedTask
	input int
}

type inputRefSpec struct {
	stage *physical.Stage
	input int
}

// idleWait is how long a poll waits when nothing is to be committed.
const idleWait = time.Second

// progressEvery is how often the progress of a restore is published.
const progressEvery = 100 * time.Millisecond

// run hosts the query until ctx ends (nil), or something fails. On the way out what was processed is committed if it can
// be.
func (s *session) run(ctx context.Context) (err error) {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	s.life = life
	defer s.background.Wait()
	defer end()
	if err := s.open(ctx); err != nil {
		s.closeClients()
		return err
	}
	defer s.close()
	for {
		// The disk can fail between two commits, when nothing is asked of it.
		if err := s.db.Err(); err != nil {
			return err
		}
		if err := s.finish(); err != nil {
			return err
		}
		if err := s.applyAssignment(ctx); err != nil {
			return err
		}
		if err := s.follower.failure(); err != nil {
			return err
		}
		if err := s.cleanUpState(); err != nil {
			return err
		}
		wait := idleWait
		if len(s.jobs) > 0 {
			wait = progressEvery
		}
		if s.dirty {
			wait = min(wait, max(time.Until(s.nextCommit), 0))
		}
		event, batches, err := s.consumer.Poll(ctx, wait)
		switch {
		case ctx.Err() != nil:
			release(batches)
			return s.commitLast()
		case err != nil:
			return err
		case event != nil:
			if err := s.rebalance(ctx, event); err != nil {
				return err
			}
			continue
		}
		if err := s.enqueue(ctx, batches); err != nil {
			return err
		}
		if err := s.process(ctx); err != nil {
			return err
		}
		if s.commitDue() {
			if err := s.commitOrResync(ctx); err != nil {
				return err
			}
		}
		s.publishIdle()
	}
}

// open verifies topics, opens the state and joins the group.
func (s *session) open(ctx context.Context) error {
	names, err := inputTopics(s.plan)
	if err != nil {
		return err
	}
	if s.topics, err = s.x.ensureTopics(ctx, s.plan); err != nil {
		return err
	}
	if s.db, err = s.q.openState(); err != nil {
		return err
	}
	s.inputOf = map[string]inputRefSpec{}
	for _, st := range s.plan.Stages {
		for i, in := range st.Inputs {
			s.inputOf[in.Topic] = inputRefSpec{st, i}
		}
	}
	if err := s.openProducer(ctx); err != nil {
		return err
	}
	balancer, err := s.newBalancer()
	if err != nil {
		return err
	}
	s.consumer, err = s.x.cfg.Kafka.NewGroupConsumer(kafka.GroupConfig{
		Name: s.plan.QueryID + "-c", Group: s.groupName, InstanceID: s.x.instanceID(), Topics: names, Balancer: balancer,
		SessionTimeout: s.settings.sessionTimeout,
	})
	if err != nil {
		return err
	}
	s.q.joined(s.consumer)
	return nil
}

// maxTransactionTimeout is how long a transaction of a dead server stays open at most. It is no longer than the session, so that
// the server's tasks and its transaction are free at about the same time.
const maxTransactionTimeout = 10 * time.Second

func (s *session) openProducer(ctx context.Context) error {
	var err error
	cfg := kafka.ProducerConfig{Name: s.plan.QueryID + "-p", TransactionalID: s.groupName + "-" + s.x.cfg.NodeID,
		TransactionTimeout: min(s.settings.sessionTimeout, maxTransactionTimeout)}
	if s.settings.atLeastOnce {
		cfg.TransactionalID, cfg.Permit = "", s.mayWrite
	}
	s.producer, err = s.x.cfg.Kafka.NewProducer(ctx, cfg)
	return err
}

// mayWrite keeps a server that was frozen or cut off from writing old rows behind those of whoever has its tasks by now: where
// there are no transactions nothing else does.
func (s *session) mayWrite() error {
	if reason := s.q.outOfTouch(); reason != "" {
		return errors.New("this server " + reason)
	}
	return nil
}

func (s *session) close() {
	s.withdraw(func(*hostedTask) bool { return true })
	for _, t := range s.order {
		t.close()
	}
	s.order, s.tasks, s.byInput = nil, nil, nil
	s.purge.wait()
	if s.follower != nil {
		s.follower.close()
	}
	s.q.status.follow(nil)
	s.closeClients()
}

func (s *session) closeClients() {
	if s.consumer != nil {
		s.q.joined(nil)
		s.consumer.Close()
	}
	if s.producer != nil {
		s.producer.Close()
	}
}

// rebalance carries out one step of the group's rebalance.
func (s *session) rebalance(ctx context.Context, e *kafka.Rebalance) error {
	defer e.Ack()
	s.x.cfg.Logger.Debug("the group rebalances", "query", s.plan.QueryID, "event", e.Kind, "partitions", len(e.Partitions))
	switch e.Kind {
	case kafka.Assigned:
		s.assigned = s.x.cfg.Now()
		return s.assign(ctx, e.Partitions)
	case kafka.Revoked:
		// Everything processed is committed while the partitions are still ours.
		if err := s.commitOrResync(ctx); err != nil {
			return err
		}
		if err := s.dropTasks(ctx, e.Partitions); err != nil {
			return err
		}
		return s.followAssigned(ctx)
	default:
		if err := s.abort(ctx); err != nil {
			return err
		}
		aborted := s.running()
		if err := s.dropTasks(ctx, e.Partitions); err != nil {
			return err
		}
		return s.resync(ctx, slices.DeleteFunc(aborted, func(t *hostedTask) bool { return t.closed }))
	}
}

// assign makes the tasks of newly owned partitions and brings them to the last commit.
func (s *session) assign(ctx context.Context, partitions []kafka.TopicPartition) error {
	if s.follower != nil {
		wanted := maps.Clone(s.follower.wants)
		for _, tp := range partitions {
			if ref, ok := s.inputOf[tp.Topic]; ok {
				delete(wanted, taskID{Stage: int32(ref.stage.ID), Partition: tp.Partition})
			}
		}
		s.follower.follow(wanted)
	}
	var added []*hostedTask
	for _, tp := range partitions {
		ref, ok := s.inputOf[tp.Topic]
		if !ok {
			continue
		}
		id := taskID{Stage: int32(ref.stage.ID), Partition: tp.Partition}
		t := s.tasks[id]
		if t == nil {
			var err error
			if t, err = newHostedTask(s, ref.stage, tp.Partition); err != nil {
				return err
			}
			s.tasks[id] = t
			s.order = append(s.order, t)
			added = append(added, t)
		}
		s.byInput[tp] = inputRef{t, ref.input}
	}
	sortTasks(s.order)
	return s.resync(ctx, added)
}

// running lists the tasks that are not being restored.
func (s *session) running() []*hostedTask {
	var out []*hostedTask
	for _, t := range s.order {
		if t.active {
			out = append(out, t)
		}
	}
	return out
}

// dropTasks closes the tasks that own any of the partitions; their state stays on disk.
func (s *session) dropTasks(ctx context.Context, partitions []kafka.TopicPartition) error {
	gone := map[*hostedTask]bool{}
	for _, tp := range partitions {
		if ref, ok := s.byInput[tp]; ok {
			gone[ref.task] = true
		}
	}
	withdrawn := s.withdraw(func(t *hostedTask) bool { return gone[t] })
	kept := s.order[:0]
	for _, t := range s.order {
		if !gone[t] {
			kept = append(kept, t)
			continue
		}
		for _, tp := range t.partitions() {
			delete(s.byInput, tp)
		}
		delete(s.tasks, t.local.id())
		t.close()
	}
	s.order = kept
	// What was being restored beside them starts again.
	return s.resync(ctx, slices.DeleteFunc(withdrawn, func(t *hostedTask) bool { return gone[t] }))
}

// enqueue hands fetched batches to the tasks that own their partitions.
func (s *session) enqueue(ctx context.Context, batches []*kafka.Batch) error {
	for i, b := range batches {
		ref, ok := s.byInput[b.TopicPartition]
		if !ok || !ref.task.active {
			// What was on its way when the task was taken back is read again from where it goes on.
			b.Release()
			continue
		}
		if b.Err != nil {
			err := s.unreadable(ctx, b, ref)
			b.Release()
			if err != nil {
				release(batches[i+1:])
				return err
			}
			continue
		}
		ref.task.enqueue(ref.input, b)
	}
	return nil
}

// unreadable deals with a partition that cannot be read on. A position out of range is followed to where
// auto.offset.reset says only if the user has set it, and then the gap is told.
func (s *session) unreadable(ctx context.Context, b *kafka.Batch, ref inputRef) error {
	in := ref.task.stage.Inputs[ref.input]
	if kafka.KindOf(b.Err) != kafka.OutOfRange || s.settings.reset == "" || in.Repartition {
		return fmt.Errorf("reading %s: %w", in.Topic, b.Err)
	}
	ends, err := s.x.cfg.Kafka.Admin().StartOffsets(ctx, in.Topic)
	if s.settings.reset == "latest" {
		ends, err = s.x.cfg.Kafka.Admin().CommittedEndOffsets(ctx, in.Topic)
	}
	if err != nil {
		return err
	}
	to := ends[b.TopicPartition]
	s.x.cfg.Logger.Warn("records were deleted before the query read them; going on by auto.offset.reset",
		"query", s.plan.QueryID, "topic", in.Topic, "partition", b.Partition, "from", b.Next, "to", to, "reset", s.settings.reset)
	s.newErrors.add(RecordError{At: s.x.cfg.Now(), RecordError: gapError(ref.task.stage, b, to)})
	ref.task.position[ref.input] = to
	s.consumer.StartAt(map[kafka.TopicPartition]int64{b.TopicPartition: to})
	return nil
}

func release(batches []*kafka.Batch) {
	for _, b := range batches {
		b.Release()
	}
}
