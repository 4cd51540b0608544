package exec

import (
	"context"
	"errors"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/exec/task"
)

// commitTimeout bounds one commit: after it a transaction is gone by its own timeout.
const commitTimeout = 10 * time.Second

// commit closes the interval. The order is the exactly-once protocol of task.Task: flush tasks, changelogs, transaction
// with the positions, one state batch. After an error nothing may be assumed: the caller resynchronises.
func (s *session) commit(ctx context.Context) error {
	began := time.Now()
	// A commit that has begun is carried through even when the query is being stopped.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	var offsets []kafka.OffsetCommit
	var batch state.Commit
	for _, t := range s.order {
		if !t.moved {
			continue
		}
		if err := t.task.Flush(); err != nil {
			return err
		}
		if t.local.store != nil {
			if err := s.produceChangelog(t); err != nil {
				return err
			}
			batch.Tasks = append(batch.Tasks, t.local.store)
		}
		offsets = t.appendOffsets(offsets)
		batch.Positions = append(batch.Positions, t.statePositions()...)
		batch.StreamTimes = t.task.StreamTimes(batch.StreamTimes)
	}
	if len(offsets) == 0 {
		s.committed()
		return nil
	}
	if s.settings.atLeastOnce {
		if err := s.commitAtLeastOnce(ctx, offsets, batch); err != nil {
			return err
		}
	} else {
		if stateFirst {
			if err := s.producer.Flush(ctx); err != nil {
				return err
			}
			if err := s.commitState(batch); err != nil {
				return err
			}
			time.Sleep(window)
		}
		if err := s.producer.CommitTransaction(ctx, s.consumer.Member(), offsets); err != nil {
			return err
		}
		if !stateFirst {
			if err := s.commitState(batch); err != nil {
				return err
			}
		}
	}
	s.q.status.update(func(q *QueryStatus) { q.Commits++ })
	if s.x.cfg.Committed != nil && s.dirty {
		now := time.Now()
		s.x.cfg.Committed(s.plan.QueryID, now.Sub(began), now.Sub(s.nextCommit.Add(-s.settings.commitInterval)))
	}
	s.committed()
	return nil
}

// commitState writes the interval's rows to the state, with how far they contain the changelogs.
func (s *session) commitState(batch state.Commit) error {
	batch.Checkpoints = s.checkpoints()
	return s.db.Commit(batch)
}

// committed notes that the interval is durable.
func (s *session) committed() {
	for _, t := range s.order {
		if !t.moved {
			continue
		}
		t.moved = false
		for i := range t.committed {
			t.committed[i] = t.accounting(i)
			t.last[i] = t.task.Accounting(i)
			t.done[i], t.streamTime[i] = t.position[i], max(t.task.StreamTime(i), 0)
		}
	}
	s.dirty = false
	s.publish()
	s.purgeRepartitions()
}

// accounting is the total of an input: what was committed and what the open interval added.
func (t *hostedTask) accounting(input int) task.Accounting {
	total, now := t.committed[input], t.task.Accounting(input)
	total.Add(&now)
	negate := t.last[input]
	subtract(&total, &negate)
	return total
}

func subtract(a, b *task.Accounting) {
	a.Read -= b.Read
	a.Emitted -= b.Emitted
	a.Filtered -= b.Filtered
	a.Merged -= b.Merged
	a.Late -= b.Late
	a.NullKey -= b.NullKey
	a.Errors -= b.Errors
	a.Outputs -= b.Outputs
	a.RecordErrors -= b.RecordErrors
}

// appendOffsets appends the position of every input of the task, with its accounting and, on the first, the stream times.
func (t *hostedTask) appendOffsets(dst []kafka.OffsetCommit) []kafka.OffsetCommit {
	for i, in := range t.stage.Inputs {
		m := offsetMetadata{accounting: t.accounting(i)}
		if i == 0 {
			m.times = t.task.StreamTimes(nil)
		}
		dst = append(dst, kafka.OffsetCommit{
			TopicPartition: kafka.TopicPartition{Topic: in.Topic, Partition: t.partition},
			GroupOffset:    kafka.GroupOffset{Offset: t.position[i], LeaderEpoch: -1, Metadata: m.encode()},
		})
	}
	return dst
}

// produceChangelog writes what the interval changed in the task's stores, and then up to which positions the rows go.
func (s *session) produceChangelog(t *hostedTask) error {
	err := t.local.store.Changes(func(c state.Change) error {
		s.producer.Produce(t.changelog(c.Store), c.Partition, c.Key, c.Value, c.Timestamp, nil)
		return nil
	})
	if err != nil || !hasChangelog(t.stage) {
		return err
	}
	positions := appendPositions(nil, t.statePositions())
	now := s.x.cfg.Now().UnixMilli()
	for _, st := range t.stage.Stores {
		if st.Changelog != "" {
			s.producer.Produce(st.Changelog, t.partition, positionsKey, positions, now, positionsHeaders)
		}
	}
	return nil
}

// statePositions are the positions of all inputs of the task as they are after the interval.
func (t *hostedTask) statePositions() []state.Position {
	out := make([]state.Position, len(t.stage.Inputs))
	for i, in := range t.stage.Inputs {
		out[i] = state.Position{Topic: in.Topic, Partition: t.partition, Offset: t.position[i], LeaderEpoch: -1}
	}
	return out
}

// changelog is the topic of a store.
func (t *hostedTask) changelog(id state.StoreID) string {
	for _, st := range t.stage.Stores {
		if state.StoreID(st.ID) == id {
			return st.Changelog
		}
	}
	return ""
}

// checkpoints says what of the changelogs the rows contain after this commit: all that this producer has written.
func (s *session) checkpoints() []state.Checkpoint {
	var out []state.Checkpoint
	now := s.x.cfg.Now().UnixMilli()
	for _, t := range s.order {
		if !t.moved {
			continue
		}
		for i, st := range t.stage.Stores {
			next := s.producer.NextOffset(st.Changelog, t.partition)
			if st.Changelog == "" || next <= t.local.checkpoint[i].Load() {
				// Nothing was written since the state was restored, or committed, up to there.
				continue
			}
			t.local.checkpoint[i].Store(next)
			out = append(out, state.Checkpoint{Topic: st.Changelog, Partition: t.partition, Offset: next,
				TopicID: s.topics.infos[st.Changelog].ID, LeaderEpoch: -1, WallClock: now})
		}
	}
	return out
}

// commitOrResync commits; where that fails in a way that another try can mend, it aborts and brings all tasks back to the
// last commit.
func (s *session) commitOrResync(ctx context.Context) error {
	err := s.commit(ctx)
	if err == nil {
		return nil
	}
	if !resyncs(err) {
		return err
	}
	s.x.cfg.Logger.Warn("a commit failed; going back to the last one", "query", s.plan.QueryID, "error", err)
	s.q.status.update(func(q *QueryStatus) { q.Aborts++ })
	if err := s.abort(ctx); err != nil {
		return err
	}
	return s.resync(ctx, s.running())
}

// resyncs says whether a failed commit is mended by going back to the last one. What will come again (a record too large,
// no permission, a topic gone, a failed disk) stops the query.
func resyncs(err error) bool {
	var e *kafka.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Kind {
	case kafka.Aborted, kafka.Unknown, kafka.Fenced, kafka.Stale, kafka.Retriable, kafka.Canceled:
		return true
	}
	return false
}

// abort drops the open interval: transaction, overlays, rows, errors.
func (s *session) abort(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	if err := s.producer.AbortTransaction(ctx); err != nil {
		// The producer cannot be used any more; its successor aborts what may still be open.
		s.producer.Close()
		s.producer = nil
		if err := s.openProducer(ctx); err != nil {
			return err
		}
	}
	for _, t := range s.running() {
		if t.local.store != nil {
			s.db.Abort(t.local.store)
		}
		t.dropQueues()
		t.task.Abort()
		for i := range t.last {
			t.last[i] = t.task.Accounting(i)
		}
		t.moved = false
	}
	s.newErrors, s.dirty = errorRing{}, false
	return nil
}

// commitLast commits what was processed when the query is being stopped; failing that, the next start resynchronises.
func (s *session) commitLast() error {
	if err := s.commit(context.Background()); err != nil {
		s.x.cfg.Logger.Warn("the last interval of a stopped query was not committed; it will be processed again",
			"query", s.plan.QueryID, "error", err)
	}
	return nil
}

// storeStatuses tells how far the task's changelogs are contained in its state.
func (t *hostedTask) storeStatuses() []StoreStatus {
	var out []StoreStatus
	for i, st := range t.stage.Stores {
		if st.Changelog != "" {
			at := t.local.checkpoint[i].Load()
			out = append(out, StoreStatus{Store: st.Name, Changelog: st.Changelog, Position: at, End: at})
		}
	}
	return out
}

// publishIdle brings the status up to date while nothing is committed, so that it is known that there is nothing to read.
func (s *session) publishIdle() {
	if !s.dirty && s.group.applied != nil && time.Since(s.published) >= idleWait {
		s.publish()
	}
}

// publish brings the query's status up to date.
func (s *session) publish() {
	s.published = time.Now()
	tasks := make([]TaskStatus, 0, len(s.order))
	var total task.Accounting
	for _, t := range s.order {
		ts := TaskStatus{Stage: t.stage.ID, Partition: t.partition, State: t.status,
			RestoredRows: t.local.restored.Load(), RestoreTotal: t.local.restoreTotal.Load(), Stores: t.storeStatuses()}
		if t.local.replaying.Load() {
			ts.State = TaskRestoring
		}
		for i, in := range t.stage.Inputs {
			a := t.committed[i]
			if !in.Repartition {
				total.Add(&a)
			}
			tp := kafka.TopicPartition{Topic: in.Topic, Partition: t.partition}
			end := t.end[i]
			if stable, at, ok := s.consumer.StableEnd(tp); ok {
				end = max(end, stable)
				t.reach[i].saw(stable, at)
				t.reach[i].passed(t.done[i])
			}
			ts.Inputs = append(ts.Inputs, InputStatus{TopicPartition: tp, Source: in.Source, Committed: t.done[i],
				End: max(end, t.done[i]), StreamTime: t.streamTime[i], Reached: t.reach[i].at, Accounting: a})
		}
		tasks = append(tasks, ts)
	}
	errs, all := s.newErrors.take()
	state := Running
	if len(s.jobs) > 0 || len(s.order) == 0 && s.assigned.IsZero() && s.group.applied == nil {
		state = Restoring
	}
	s.q.status.update(func(q *QueryStatus) {
		q.State = state
		q.Tasks = tasks
		q.Total = total
		q.RecordErrors = keep(q.RecordErrors, keptRecordErrors, errs...)
	})
	s.x.logRecordErrors(s.plan.QueryID, errs, all)
}
