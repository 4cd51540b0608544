package exec

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
		t.setStatus(Restoring)
		t.dropQueues()
		t.restored.Store(0)
		t.restoreTotal.Store(0)
	}
	s.publish()
	job := &restoreJob{tasks: tasks, done: make(chan struct{})}
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
	if job.offsets, err = s.stableOffsets(wait, job.tasks); err != nil {
		return err
	}
	if err := s.restore(ctx, wait, job.tasks); err != nil {
		return err
	}
	if s.settings.atLeastOnce {
		if err := s.adoptLocal(job.tasks, job.offsets); err != nil {
			return err
		}
	}
	job.ends, err = s.tableEnds(wait, job.tasks)
	return err
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
		s.consumer.StartAt(start)
	}
	changed := len(kept) != len(s.jobs)
	s.jobs = kept
	if changed || len(kept) > 0 {
		s.publish()
	}
	return nil
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
	offsets, err := s.x.cfg.Kafka.StableOffsets(ctx, s.group, all)
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
					"the offsets were deleted or expired; drop the query and create it again", s.group, in.Topic, t.partition, at)
			}
			if starts == nil {
				if starts, ends, err = s.bounds(ctx); err != nil {
					return nil, err
				}
			}
			o := kafka.GroupOffset{Offset: starts[tp], LeaderEpoch: -1}
			if s.settings.startAtEnd(in) {
				o.Offset = ends[tp]
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

// restorePart is one changelog partition to be read.
type restorePart struct {
	task  *hostedTask
	store *physical.Store
	// index of the store in its stage.
	index int
	from  int64
	// barrier is the offset of the barrier record; to is the offset after it.
	barrier int64
	// next is how far rows have been applied; applied counts those since the last batch.
	next int64
}

// restore brings the tasks' stores to what the changelogs say.
func (s *session) restore(ctx, wait context.Context, tasks []*hostedTask) error {
	parts, err := s.planRestore(wait, tasks)
	if err != nil || len(parts) == 0 {
		return err
	}
	if err := s.writeBarriers(wait, parts); err != nil {
		return err
	}
	reader, err := s.x.cfg.Kafka.NewReader(kafka.ReaderConfig{Name: s.plan.QueryID + "-restore"})
	if err != nil {
		return err
	}
	defer reader.Close()
	from, to := map[kafka.TopicPartition]int64{}, map[kafka.TopicPartition]int64{}
	for tp, p := range parts {
		from[tp], to[tp] = p.from, p.barrier+1
		p.task.restoreTotal.Add(p.barrier - p.from)
	}
	if err := reader.Start(wait, from); err != nil {
		return err
	}
	r := &restoring{s: s, parts: parts}
	if err := reader.ReadTo(ctx, to, r.apply); err != nil {
		return err
	}
	return r.commit()
}

// planRestore finds where each changelog partition of the tasks is to be read from, wiping local state that does not fit
// its changelog.
func (s *session) planRestore(ctx context.Context, tasks []*hostedTask) (map[kafka.TopicPartition]*restorePart, error) {
	var names []string
	seen := map[string]bool{}
	for _, t := range tasks {
		for _, st := range t.stage.Stores {
			if st.Changelog != "" && !seen[st.Changelog] {
				seen[st.Changelog] = true
				names = append(names, st.Changelog)
			}
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	admin := s.x.cfg.Kafka.Admin()
	starts, err := admin.StartOffsets(ctx, names...)
	if err != nil {
		return nil, err
	}
	ends, err := admin.EndOffsets(ctx, names...)
	if err != nil {
		return nil, err
	}
	parts := map[kafka.TopicPartition]*restorePart{}
	for _, t := range tasks {
		checkpoints := map[string]state.Checkpoint{}
		for _, c := range s.db.Checkpoints(t.partition) {
			checkpoints[c.Topic] = c
		}
		wipe := ""
		for _, st := range t.stage.Stores {
			tp := kafka.TopicPartition{Topic: st.Changelog, Partition: t.partition}
			if reason := s.unfit(checkpoints[st.Changelog], starts[tp], ends[tp]); reason != "" {
				wipe = st.Changelog + ": " + reason
			}
		}
		if wipe != "" {
			s.x.cfg.Logger.Warn("local state does not fit its changelog; restoring from the start",
				"query", s.plan.QueryID, "stage", t.stage.ID, "partition", t.partition, "reason", wipe)
			if err := t.wipe(); err != nil {
				return nil, err
			}
			checkpoints = nil
		}
		for i, st := range t.stage.Stores {
			if st.Changelog == "" {
				continue
			}
			tp := kafka.TopicPartition{Topic: st.Changelog, Partition: t.partition}
			from := starts[tp]
			if c, ok := checkpoints[st.Changelog]; ok {
				from = c.Offset
			}
			parts[tp] = &restorePart{task: t, store: st, index: i, from: from, next: from}
		}
	}
	return parts, nil
}

// staleAfter is half of Kafka's default delete.retention.ms: older local state may miss tombstones that compaction has
// removed, so that deleted rows would come back (KAFKA-19943).
const staleAfter = 12 * time.Hour

// unfit says why local state cannot be rolled forward from its checkpoint, or "".
func (s *session) unfit(c state.Checkpoint, start, end int64) string {
	if c.Topic == "" {
		return ""
	}
	switch info := s.topics.infos[c.Topic]; {
	case c.TopicID != [16]byte(info.ID):
		return "the topic was deleted and created again"
	case c.Offset > end:
		return fmt.Sprintf("the checkpoint %d is beyond the end %d", c.Offset, end)
	case c.Offset < start:
		return fmt.Sprintf("the checkpoint %d is before the start %d", c.Offset, start)
	case s.x.cfg.Compacting && c.Offset < end && s.x.cfg.Now().Sub(time.UnixMilli(c.WallClock)) > staleAfter:
		return "the state is older than tombstones are kept"
	}
	return ""
}

// writeBarriers writes a record that is no row to the end of each changelog partition.
func (s *session) writeBarriers(ctx context.Context, parts map[kafka.TopicPartition]*restorePart) error {
	plain, err := s.x.cfg.Kafka.Plain()
	if err != nil {
		return err
	}
	header := []kafka.Header{{Key: barrierHeader, Value: []byte{}}}
	key := append([]byte{0}, "barrier"...)
	now := s.x.cfg.Now().UnixMilli()
	var wg sync.WaitGroup
	errs := make(chan error, len(parts))
	for tp, p := range parts {
		wg.Go(func() {
			offset, err := plain.Produce(ctx, tp, key, []byte(s.x.cfg.NodeID), now, header)
			if err != nil {
				errs <- err
				return
			}
			p.barrier = offset
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

// restoreBytes is how much a restore gathers before it writes a batch.
const restoreBytes = 16 << 20

// restoring applies changelog records to stores.
type restoring struct {
	s     *session
	parts map[kafka.TopicPartition]*restorePart
}

func (r *restoring) apply(b *kafka.Batch) error {
	p := r.parts[b.TopicPartition]
	id := state.StoreID(p.store.ID)
	for i := range b.Records {
		m := &b.Records[i]
		if m.Offset > p.barrier {
			// Written after the barrier by somebody who cannot commit any more; it will be read when it is decided.
			break
		}
		if isBarrier(m) {
			continue
		}
		if err := p.task.store.Restore(id, m.Key, m.Value, m.Timestamp); err != nil {
			return fmt.Errorf("restoring %s-%d at offset %d: %w", b.Topic, b.Partition, m.Offset, err)
		}
		p.task.restored.Add(1)
	}
	p.next = min(b.Next, p.barrier+1)
	var size int64
	for _, other := range r.parts {
		size += other.task.store.Size()
	}
	if size < restoreBytes {
		return nil
	}
	return r.commit()
}

// commit writes what has been applied, with the checkpoints that say so.
func (r *restoring) commit() error {
	var c state.Commit
	held := map[*hostedTask]bool{}
	now := r.s.x.cfg.Now().UnixMilli()
	for tp, p := range r.parts {
		if !held[p.task] {
			held[p.task] = true
			c.Tasks = append(c.Tasks, p.task.store)
		}
		p.task.checkpoint[p.index] = p.next
		c.Checkpoints = append(c.Checkpoints, state.Checkpoint{Topic: tp.Topic, Partition: tp.Partition,
			TopicID: r.s.topics.infos[tp.Topic].ID, Offset: p.next, LeaderEpoch: -1, WallClock: now})
	}
	return r.s.db.Commit(c)
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
	t.moved = false
	t.setStatus(Running)
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
