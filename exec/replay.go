package exec

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// replay applies changelogs to local state: up to a barrier for tasks that are to run here, without end for those that are
// followed. It belongs to one goroutine.
type replay struct {
	s     *session
	parts map[kafka.TopicPartition]*replayPart
}

// replayPart is one changelog partition.
type replayPart struct {
	state *localState
	store *physical.Store
	// index of the store in its stage.
	index int
	// from is where reading starts, next how far rows have been applied, limit the offset after the last record to apply.
	from, next, limit int64
	// positions are the source positions that the rows applied contain, nil while they are not known; told says that they came
	// with what was read. Others are those of all the task's rows: this changelog may have told more before.
	positions []state.Position
	told      bool
	// furthest are the highest offsets told, by topic. At least once a server that was thrown out may write old ones late.
	furthest map[string]int64
	// fromStart says that there was no local state to roll forward.
	fromStart bool
	// unplaced says that rows were applied behind the last positions: of a commit that broke off at least once, or of a version
	// that wrote none.
	unplaced bool
	// dirty says that something was applied since the last commit.
	dirty bool
}

// restoreBytes is how much a replay gathers before it writes a batch.
const restoreBytes = 16 << 20

// planReplay finds where each changelog partition of some tasks is to be read from, wiping local state that does not fit
// its changelog. reopen is called for state that was wiped; the stores must not be in use by then.
func (s *session) planReplay(ctx context.Context, list []*localState, reopen func(*localState) error) (*replay, error) {
	r := &replay{s: s, parts: map[kafka.TopicPartition]*replayPart{}}
	names := changelogs(list)
	if len(names) == 0 {
		return r, nil
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
	for _, l := range list {
		checkpoints := s.db.Checkpoints(l.partition)
		wipe := ""
		for _, st := range l.of.Stores {
			tp := kafka.TopicPartition{Topic: st.Changelog, Partition: l.partition}
			c, ok := checkpointOf(checkpoints, st.Changelog)
			if !ok {
				continue
			}
			if reason := s.unfit(c, starts[tp], ends[tp]); reason != "" {
				wipe = st.Changelog + ": " + reason
			}
		}
		if wipe != "" {
			s.x.cfg.Logger.Warn("local state does not fit its changelog; restoring from the start",
				"query", s.plan.QueryID, "task", l.id(), "reason", wipe)
			if err := reopen(l); err != nil {
				return nil, err
			}
			checkpoints = nil
		}
		if err := r.add(l, checkpoints, starts); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// add takes the changelogs of a task in.
func (r *replay) add(l *localState, checkpoints []state.Checkpoint, starts map[kafka.TopicPartition]int64) error {
	var positions []state.Position
	if len(checkpoints) > 0 {
		all, err := l.db.Positions(l.partition)
		if err != nil {
			return err
		}
		for _, p := range all {
			for _, in := range l.of.Inputs {
				if in.Topic == p.Topic {
					positions = append(positions, p)
				}
			}
		}
	}
	for i, st := range l.of.Stores {
		if st.Changelog == "" {
			continue
		}
		tp := kafka.TopicPartition{Topic: st.Changelog, Partition: l.partition}
		from := starts[tp]
		c, ok := checkpointOf(checkpoints, st.Changelog)
		if ok {
			from = c.Offset
		}
		l.checkpoint[i].Store(from)
		r.parts[tp] = &replayPart{state: l, store: st, index: i, from: from, next: from, limit: math.MaxInt64, positions: positions, fromStart: !ok}
	}
	return nil
}

// changelogs lists the changelog topics of some tasks.
func changelogs(list []*localState) []string {
	var names []string
	for _, l := range list {
		for _, st := range l.of.Stores {
			if st.Changelog != "" {
				names = append(names, st.Changelog)
			}
		}
	}
	return distinct(names)
}

// staleAfter is half of Kafka's default delete.retention.ms: older local state may miss tombstones that compaction has
// removed, so that deleted rows would come back (KAFKA-19943).
const staleAfter = 12 * time.Hour

// unfit says why local state cannot be rolled forward from its checkpoint, or "".
func (s *session) unfit(c state.Checkpoint, start, end int64) string {
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

// lost is the error of rows that cannot be had any more.
func lost(changelog string, partition int32, format string, args ...any) error {
	return &kafka.Error{Kind: kafka.TopicGone, Op: "restoring", Topic: changelog, Partition: partition,
		Err: fmt.Errorf(format+": the query's rows cannot be restored; drop the query and create it again", args...)}
}

// checkBeginnings finds changelogs that have lost their beginning, which brokers never take from them by themselves.
func (r *replay) checkBeginnings() error {
	for tp, p := range r.parts {
		if p.fromStart && p.from > 0 {
			return lost(tp.Topic, tp.Partition, "the records before offset %d of the changelog were deleted", p.from)
		}
	}
	return nil
}

// checkRestored compares what a task's changelogs told up to their barriers with what the group has committed. Each transaction
// writes both, so exactly once they are equal; at least once the rows may be ahead, for a crash between the two.
func (r *replay) checkRestored(t *hostedTask, offsets map[kafka.TopicPartition]kafka.GroupOffset) error {
	empty := true
	var changelog kafka.TopicPartition
	for tp, p := range r.parts {
		if p.state != t.local {
			continue
		}
		changelog = tp
		empty = empty && p.fromStart && !p.told && !p.unplaced
		if !p.told || p.unplaced {
			continue
		}
		for _, at := range p.positions {
			o, ok := offsets[kafka.TopicPartition{Topic: at.Topic, Partition: t.partition}]
			if !ok {
				continue
			}
			wrong := at.Offset != o.Offset
			if r.s.settings.atLeastOnce {
				at.Offset = p.furthest[at.Topic]
				wrong = at.Offset < o.Offset
			}
			if wrong {
				return lost(tp.Topic, tp.Partition, "the changelog goes up to offset %d of %s, but %d was committed", at.Offset, at.Topic, o.Offset)
			}
		}
	}
	if !empty || changelog.Topic == "" {
		return nil
	}
	for _, in := range t.stage.Inputs {
		o := offsets[kafka.TopicPartition{Topic: in.Topic, Partition: t.partition}]
		m, err := decodeOffsetMetadata(o.Metadata, t.partition)
		if kept := m.accounting.Emitted + m.accounting.Merged; err == nil && kept > 0 {
			return lost(changelog.Topic, changelog.Partition, "the changelog is empty, though %d records of %s were processed", kept, in.Topic)
		}
	}
	return nil
}

// goesTo notes how far the changelog goes.
func (p *replayPart) goesTo(positions []state.Position) {
	if p.furthest == nil {
		p.furthest = map[string]int64{}
	}
	for _, at := range positions {
		p.furthest[at.Topic] = max(p.furthest[at.Topic], at.Offset)
	}
}

// apply takes a batch in. The rows become visible with the next commit.
func (r *replay) apply(b *kafka.Batch) error {
	p := r.parts[b.TopicPartition]
	id := state.StoreID(p.store.ID)
	rows := int64(0)
	for i := range b.Records {
		m := &b.Records[i]
		if m.Offset >= p.limit {
			// Written after the barrier by somebody who cannot commit any more; it will be read when it is decided.
			break
		}
		if m.Offset < p.next || isBarrier(m) {
			continue
		}
		if isPositions(m) {
			positions, err := decodePositions(m.Value, b.Partition)
			if err != nil {
				return fmt.Errorf("restoring %s-%d at offset %d: %w", b.Topic, b.Partition, m.Offset, err)
			}
			p.positions, p.told, p.state.foreign, p.unplaced = positions, true, true, false
			p.goesTo(positions)
			continue
		}
		if err := p.state.store.Restore(id, m.Key, m.Value, m.Timestamp); err != nil {
			return fmt.Errorf("restoring %s-%d at offset %d: %w", b.Topic, b.Partition, m.Offset, err)
		}
		p.state.foreign, p.unplaced = true, true
		rows++
	}
	next := min(b.Next, p.limit)
	p.state.restored.Add(rows)
	// Markers, positions and what was compacted away are no rows to be read.
	p.state.restoreTotal.Add(rows - (next - p.next))
	p.next = next
	p.dirty = true
	return nil
}

// full says whether a batch is to be written.
func (r *replay) full() bool {
	var size int64
	for _, l := range r.states(true) {
		size += l.store.Size()
	}
	return size >= restoreBytes
}

// states lists the local states of the parts, each once: of all, or of those where something was applied.
func (r *replay) states(dirty bool) []*localState {
	seen := map[*localState]bool{}
	var out []*localState
	for _, p := range r.parts {
		if (p.dirty || !dirty) && !seen[p.state] {
			seen[p.state] = true
			out = append(out, p.state)
		}
	}
	return out
}

// commit writes what has been applied, with the checkpoints and positions that say so.
func (r *replay) commit() error {
	c := state.Commit{}
	now := r.s.x.cfg.Now().UnixMilli()
	for _, l := range r.states(true) {
		c.Tasks = append(c.Tasks, l.store)
		c.Positions = append(c.Positions, r.positions(l)...)
	}
	if len(c.Tasks) == 0 {
		return nil
	}
	for tp, p := range r.parts {
		if !p.dirty {
			continue
		}
		c.Checkpoints = append(c.Checkpoints, state.Checkpoint{Topic: tp.Topic, Partition: tp.Partition,
			TopicID: r.s.topics.infos[tp.Topic].ID, Offset: p.next, LeaderEpoch: -1, WallClock: now})
	}
	if err := r.s.db.Commit(c); err != nil {
		return err
	}
	for _, p := range r.parts {
		if p.dirty {
			p.state.checkpoint[p.index].Store(p.next)
			p.dirty = false
		}
	}
	return nil
}

// positions are what all rows of a task contain: its stores may be at different commits. None are known before each of its
// changelogs has told some.
func (r *replay) positions(l *localState) []state.Position {
	var least []state.Position
	first := true
	for _, p := range r.parts {
		if p.state != l {
			continue
		}
		if first {
			least, first = append(least, p.positions...), false
			continue
		}
		kept := least[:0]
		for _, a := range least {
			for _, b := range p.positions {
				if a.Topic == b.Topic {
					a.Offset = min(a.Offset, b.Offset)
					kept = append(kept, a)
				}
			}
		}
		least = kept
	}
	return least
}
