package exec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/operator"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/exec/task"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// resyncTimeout bounds the wait for offsets and barriers, which transactions of a dead process may hold up until they
// time out.
const resyncTimeout = 60 * time.Second

// resync brings tasks to the last commit, whatever happened before, beside the tasks that run. The order is what makes it
// safe: stable offsets first, then the barriers, then reading up to them. A barrier is readable only when every earlier
// transaction on its partition is decided, so below it lie exactly the transactions whose offsets were read, and aborted
// ones, which committed readers do not see.
//
// The work is done by a goroutine of its own, to which the tasks belong until finish takes them back; meanwhile they are
// not active and nothing of them is in a transaction.
func (s *session) resync(ctx context.Context, tasks []*hostedTask) error {
	if len(tasks) == 0 {
		s.publish()
		return nil
	}
	for _, t := range tasks {
		if t.status != TaskCreated {
			t.setStatus(TaskSuspended)
		}
		s.consumer.Stop(t.partitions()...)
		t.dropQueues()
		t.local.replaying.Store(false)
		t.local.restored.Store(0)
		t.local.restoreTotal.Store(0)
	}
	s.publish()
	job := &restoreJob{tasks: tasks, began: time.Now(), done: make(chan struct{})}
	ctx, job.cancel = context.WithCancel(ctx)
	s.jobs = append(s.jobs, job)
	go func() {
		defer s.consumer.Wake()
		defer close(job.done)
		defer func() {
			if p := recover(); p != nil {
				job.err = fmt.Errorf("internal error while restoring: %v", p)
			}
		}()
		job.err = s.bringUp(ctx, job)
	}()
	return nil
}

// restoreJob is a resync under way.
type restoreJob struct {
	tasks  []*hostedTask
	began  time.Time
	cancel context.CancelFunc
	// done is closed at the end; err and what follows are set then.
	done    chan struct{}
	err     error
	offsets map[kafka.TopicPartition]kafka.GroupOffset
	ends    map[kafka.TopicPartition]int64
}

// bringUp does the work of a resync.
func (s *session) bringUp(ctx context.Context, job *restoreJob) (err error) {
	wait, cancel := context.WithTimeout(ctx, resyncTimeout)
	defer cancel()
	s.x.restoring.Add(1)
	defer s.x.restoring.Add(-1)
	// Beside what follows: it only shortens waiting, and a broker that is down must not make it longer.
	s.background.Go(func() { s.fenceStrangers(s.life) })
	if job.offsets, err = s.stableOffsets(wait, job.tasks); err != nil {
		return err
	}
	s.step("the committed offsets were read", job)
	if err := s.restore(ctx, wait, job.tasks, job.offsets); err != nil {
		return err
	}
	if s.settings.atLeastOnce {
		if err := s.adoptLocal(job.tasks, job.offsets); err != nil {
			return err
		}
	}
	s.step("the changelogs were read", job)
	job.ends, err = s.tableEnds(wait, job.tasks)
	return err
}

// step tells how far a resync is.
func (s *session) step(what string, job *restoreJob) {
	s.x.cfg.Logger.Debug(what, "query", s.plan.QueryID, "tasks", len(job.tasks), "took", time.Since(job.began))
}

// finish takes over the tasks of resyncs that are done and lets them run.
func (s *session) finish() error {
	kept := s.jobs[:0]
	for i, job := range s.jobs {
		select {
		case <-job.done:
		default:
			kept = append(kept, job)
			continue
		}
		job.cancel()
		if job.err != nil {
			s.jobs = append(kept, s.jobs[i+1:]...)
			return job.err
		}
		start := map[kafka.TopicPartition]int64{}
		for _, t := range job.tasks {
			if err := t.resume(job.offsets, start); err != nil {
				return err
			}
			t.prepareChooser(job.ends)
		}
		if err := s.db.Commit(state.Commit{Positions: positionsOf(start)}); err != nil {
			return err
		}
		s.consumer.StartAt(start)
		s.x.cfg.Logger.Info("tasks run", "query", s.plan.QueryID, "tasks", names(job.tasks), "took", time.Since(job.began))
	}
	changed := len(kept) != len(s.jobs)
	s.jobs = kept
	if changed || len(kept) > 0 {
		s.publish()
	}
	return nil
}

// names lists tasks for a log.
func names(tasks []*hostedTask) string {
	var out strings.Builder
	for i, t := range tasks {
		if i > 0 {
			out.WriteByte(' ')
		}
		fmt.Fprint(&out, t.local.id())
	}
	return out.String()
}

// positionsOf are the positions that rows contain which were brought to the last commit, where tasks go on from.
func positionsOf(start map[kafka.TopicPartition]int64) []state.Position {
	out := make([]state.Position, 0, len(start))
	for tp, offset := range start {
		out = append(out, state.Position{Topic: tp.Topic, Partition: tp.Partition, Offset: offset, LeaderEpoch: -1})
	}
	return out
}

// withdraw ends the resyncs that hold any of the tasks and returns their tasks, which are restored no further.
func (s *session) withdraw(gone func(*hostedTask) bool) []*hostedTask {
	var back []*hostedTask
	kept := s.jobs[:0]
	for _, job := range s.jobs {
		if !slices.ContainsFunc(job.tasks, gone) {
			kept = append(kept, job)
			continue
		}
		job.cancel()
		<-job.done
		back = append(back, job.tasks...)
	}
	s.jobs = kept
	return back
}

// stableOffsets reads the committed offsets of the tasks' inputs. Inputs that have none get a start position, which is
// committed at once: a query that starts at the end must not start at a later end after a crash.
func (s *session) stableOffsets(ctx context.Context, tasks []*hostedTask) (map[kafka.TopicPartition]kafka.GroupOffset, error) {
	var all []kafka.TopicPartition
	for _, t := range tasks {
		all = append(all, t.partitions()...)
	}
	offsets, err := s.x.cfg.Kafka.StableOffsets(ctx, s.groupName, all)
	if err != nil {
		return nil, err
	}
	var missing []kafka.OffsetCommit
	var starts, ends map[kafka.TopicPartition]int64
	for _, t := range tasks {
		local := map[string]int64{}
		if positions, err := s.db.Positions(t.partition); err == nil {
			for _, p := range positions {
				local[p.Topic] = p.Offset
			}
		}
		for _, in := range t.stage.Inputs {
			tp := kafka.TopicPartition{Topic: in.Topic, Partition: t.partition}
			if offsets[tp].Offset != kafka.NoOffset {
				continue
			}
			if at, ok := local[in.Topic]; ok {
				// The coordinator has forgotten a position that was once committed. To start over would count everything twice.
				return nil, fmt.Errorf("the consumer group %s has no offset for %s-%d any more, but this query had read it up to %d: "+
					"the offsets were deleted or expired; drop the query and create it again", s.groupName, in.Topic, t.partition, at)
			}
			if starts == nil {
				if starts, ends, err = s.bounds(ctx); err != nil {
					return nil, err
				}
			}
			o := kafka.GroupOffset{Offset: starts[tp], LeaderEpoch: -1}
			if s.settings.startAtEnd(in) {
				o.Offset = ends[tp]
				if int(t.partition) < len(in.StartAt) {
					o.Offset = min(max(in.StartAt[t.partition], starts[tp]), ends[tp])
				}
			}
			offsets[tp] = o
			o.Metadata = (&offsetMetadata{}).encode()
			missing = append(missing, kafka.OffsetCommit{TopicPartition: tp, GroupOffset: o})
		}
	}
	if len(missing) > 0 {
		if err := s.consumer.CommitOffsets(ctx, missing); err != nil {
			return nil, err
		}
	}
	return offsets, nil
}

// bounds lists the start and committed end of all input topics.
func (s *session) bounds(ctx context.Context) (starts, ends map[kafka.TopicPartition]int64, err error) {
	names, err := inputTopics(s.plan)
	if err != nil {
		return nil, nil, err
	}
	admin := s.x.cfg.Kafka.Admin()
	if starts, err = admin.StartOffsets(ctx, names...); err != nil {
		return nil, nil, err
	}
	ends, err = admin.CommittedEndOffsets(ctx, names...)
	return starts, ends, err
}

// restore brings the tasks' stores to what the changelogs say, which must be what was committed.
func (s *session) restore(ctx, wait context.Context, tasks []*hostedTask, offsets map[kafka.TopicPartition]kafka.GroupOffset) error {
	var list []*localState
	byState := map[*localState]*hostedTask{}
	for _, t := range tasks {
		t.local.foreign = false
		t.local.replaying.Store(true)
		list = append(list, t.local)
		byState[t.local] = t
	}
	r, err := s.planReplay(wait, list, func(l *localState) error { return byState[l].wipe() })
	if err != nil || len(r.parts) == 0 {
		return err
	}
	if err := r.checkBeginnings(); err != nil {
		return err
	}
	if err := s.writeBarriers(wait, r.parts); err != nil {
		return err
	}
	reader, err := s.x.cfg.Kafka.NewReader(kafka.ReaderConfig{Name: s.plan.QueryID + "-restore"})
	if err != nil {
		return err
	}
	defer reader.Close()
	from, to := map[kafka.TopicPartition]int64{}, map[kafka.TopicPartition]int64{}
	for tp, p := range r.parts {
		from[tp], to[tp] = p.from, p.limit
		p.state.restoreTotal.Add(p.limit - p.from)
	}
	if err := reader.Start(wait, from); err != nil {
		return err
	}
	err = reader.ReadTo(ctx, to, func(b *kafka.Batch) error {
		if err := r.apply(b); err != nil || !r.full() {
			return err
		}
		return r.commit()
	})
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if err := r.checkRestored(t, offsets); err != nil {
			return err
		}
	}
	return r.commit()
}

// writeBarriers writes a record that is no row to the end of each changelog partition, and lets the replay end behind it.
func (s *session) writeBarriers(ctx context.Context, parts map[kafka.TopicPartition]*replayPart) error {
	plain, err := s.x.cfg.Kafka.Plain()
	if err != nil {
		return err
	}
	now := s.x.cfg.Now().UnixMilli()
	var wg sync.WaitGroup
	errs := make(chan error, len(parts))
	for tp, p := range parts {
		wg.Go(func() {
			offset, err := plain.Produce(ctx, tp, barrierKey, []byte(s.x.cfg.NodeID), now, barrierHeaders)
			if err != nil {
				errs <- err
				return
			}
			p.limit = offset + 1
		})
	}
	wg.Wait()
	close(errs)
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	return errors.Join(all...)
}

// resume sets the task's positions, accounting and stream times as of the last commit, and adds where to read from.
func (t *hostedTask) resume(offsets map[kafka.TopicPartition]kafka.GroupOffset, start map[kafka.TopicPartition]int64) error {
	t.task.Abort()
	times, err := t.s.db.StreamTimes(t.partition)
	if err != nil {
		return err
	}
	for i, in := range t.stage.Inputs {
		tp := kafka.TopicPartition{Topic: in.Topic, Partition: t.partition}
		o := offsets[tp]
		m, err := decodeOffsetMetadata(o.Metadata, t.partition)
		if err != nil {
			t.s.x.cfg.Logger.Warn("committed offset without readable metadata", "query", t.s.plan.QueryID, "topic", in.Topic, "error", err)
		}
		times = append(times, m.times...)
		t.position[i] = o.Offset
		t.committed[i], t.last[i] = m.accounting, t.task.Accounting(i)
		t.fresh[i], t.end[i] = false, 0
		start[tp] = o.Offset
	}
	t.task.Resume(times)
	for i := range t.streamTime {
		t.done[i], t.streamTime[i] = t.position[i], max(t.task.StreamTime(i), 0)
	}
	t.moved, t.adopted = t.adopted, false
	t.local.replaying.Store(false)
	t.setStatus(TaskRunning)
	return nil
}

// tableEnds lists the ends of the inputs of tasks that have several: tables of stream-table joins are loaded up to there
// before the stream moves.
func (s *session) tableEnds(ctx context.Context, tasks []*hostedTask) (map[kafka.TopicPartition]int64, error) {
	var topics []string
	for _, t := range tasks {
		if len(t.stage.Inputs) == 1 {
			continue
		}
		for _, in := range t.stage.Inputs {
			topics = append(topics, in.Topic)
		}
	}
	if len(topics) == 0 {
		return nil, nil
	}
	return s.x.cfg.Kafka.Admin().CommittedEndOffsets(ctx, distinct(topics)...)
}

// prepareChooser makes what orders the inputs of a task with several.
func (t *hostedTask) prepareChooser(ends map[kafka.TopicPartition]int64) {
	if len(t.stage.Inputs) == 1 {
		return
	}
	list := make([]int64, len(t.stage.Inputs))
	for i, in := range t.stage.Inputs {
		list[i] = ends[kafka.TopicPartition{Topic: in.Topic, Partition: t.partition}]
	}
	t.chooser = task.NewChooser(t.stage, list)
}

func distinct(list []string) []string {
	seen := map[string]bool{}
	out := list[:0]
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// gapError is the record error of records that were deleted before they were read.
func gapError(stage *physical.Stage, b *kafka.Batch, to int64) operator.RecordError {
	return operator.RecordError{Stage: stage.ID, Step: "source", Kind: operator.ProcessingError, Topic: b.Topic,
		Partition: b.Partition, Offset: b.Next, Skipped: true,
		Reason: fmt.Sprintf("the records from offset %d to %d were deleted before the query read them", b.Next, to)}
}
