package exec

import (
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// follower keeps the state of tasks that run elsewhere up to date from their changelogs: standbys, and warm-ups that are to
// take a task over. Everything but what mu guards belongs to its goroutine, which carries out what the session asks of it
// between two polls.
type follower struct {
	s *session
	// wants is what the session asked for last; it belongs to the session.
	wants  map[taskID]bool
	reader *kafka.Reader
	calls  chan func()
	stop   context.CancelFunc
	done   chan struct{}
	// err is why the goroutine ended; read it after done.
	err error

	// wanted are the tasks to follow; the value says whether the task warms up. states are those that are followed.
	wanted  map[taskID]bool
	states  map[taskID]*localState
	replay  *replay
	retryAt time.Time
	paused  bool
	commits time.Time
	// goals are ends of changelogs on the way to which the state is; with them it is known when it was complete.
	goals map[kafka.TopicPartition]goal

	mu sync.Mutex
	// interrupt ends a look at the brokers that is under way, so that a call need not wait for it.
	interrupt context.CancelFunc
}

// Times of the follower.
const (
	followPoll = 250 * time.Millisecond
	// followCommit is how old what was read may be before readers see it.
	followCommit = 100 * time.Millisecond
	// followRetry is the pause after changelogs could not be looked up.
	followRetry = time.Second
)

// newFollower starts a follower of nothing.
func newFollower(ctx context.Context, s *session) (*follower, error) {
	reader, err := s.x.cfg.Kafka.NewReader(kafka.ReaderConfig{Name: s.plan.QueryID + "-standby"})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	f := &follower{
		s: s, reader: reader, calls: make(chan func(), 1), stop: stop, done: make(chan struct{}),
		wanted: map[taskID]bool{}, states: map[taskID]*localState{}, goals: map[kafka.TopicPartition]goal{},
		replay: &replay{s: s, parts: map[kafka.TopicPartition]*replayPart{}},
	}
	go func() {
		defer close(f.done)
		defer reader.Close()
		defer f.closeStates()
		defer func() {
			if p := recover(); p != nil {
				s.x.cfg.Logger.Error("panic while following changelogs", "query", s.plan.QueryID, "panic", p, "stack", string(debug.Stack()))
				f.err = fmt.Errorf("internal error while following changelogs: %v", p)
			}
		}()
		f.err = f.run(ctx)
	}()
	return f, nil
}

// close ends the follower; what it has read is committed.
func (f *follower) close() {
	f.stop()
	<-f.done
}

// failure is why a follower has ended, nil while it runs or when there is none.
func (f *follower) failure() error {
	if f == nil {
		return nil
	}
	select {
	case <-f.done:
		return f.err
	default:
		return nil
	}
}

// follow makes the tasks followed those wanted: others are let go of before it returns, so that they can be opened; new ones
// are taken up in the background.
func (f *follower) follow(wanted map[taskID]bool) {
	f.wants = wanted
	reply := make(chan struct{})
	call := func() {
		defer close(reply)
		f.wanted = maps.Clone(wanted)
		f.letGo(func(id taskID) bool { _, ok := f.wanted[id]; return !ok })
		f.retryAt = time.Time{}
	}
	select {
	case f.calls <- call:
	case <-f.done:
		return
	}
	f.mu.Lock()
	if f.interrupt != nil {
		f.interrupt()
	}
	f.mu.Unlock()
	f.reader.Wake()
	select {
	case <-reply:
	case <-f.done:
	}
}

func (f *follower) run(ctx context.Context) error {
	for {
		f.carryOut()
		if err := f.takeUp(ctx); err != nil {
			return err
		}
		f.giveWay()
		f.publish()
		wait := followPoll
		if len(f.states) == 0 && len(f.wanted) == 0 {
			wait = time.Minute
		}
		batches, err := f.reader.Poll(ctx, wait)
		if ctx.Err() != nil {
			release(batches)
			return nil
		}
		if err != nil {
			return err
		}
		for i, b := range batches {
			if err := f.apply(b); err != nil {
				release(batches[i:])
				return err
			}
			b.Release()
		}
		if f.replay.full() || time.Since(f.commits) >= followCommit {
			if err := f.replay.commit(); err != nil {
				return err
			}
			f.commits = time.Now()
		}
	}
}

// carryOut does what was asked for.
func (f *follower) carryOut() {
	for {
		select {
		case call := <-f.calls:
			call()
		default:
			return
		}
	}
}

// apply takes a batch in.
func (f *follower) apply(b *kafka.Batch) error {
	p, ok := f.replay.parts[b.TopicPartition]
	if !ok {
		return nil
	}
	if b.Err == nil {
		return f.replay.apply(b)
	}
	if kafka.KindOf(b.Err) != kafka.OutOfRange {
		return fmt.Errorf("following %s: %w", b.Topic, b.Err)
	}
	// The changelog begins later than the state ends: taking the task up again finds that out and starts over.
	f.letGo(func(id taskID) bool { return id == p.state.id() })
	return nil
}

// letGo commits what has been read and gives up the tasks that gone names. An error shows with the next commit.
func (f *follower) letGo(gone func(taskID) bool) {
	if err := f.replay.commit(); err != nil {
		f.s.x.cfg.Logger.Warn("state of followed tasks could not be committed", "query", f.s.plan.QueryID, "error", err)
	}
	for id, l := range f.states {
		if !gone(id) {
			continue
		}
		for tp, p := range f.replay.parts {
			if p.state == l {
				f.reader.Remove(tp)
				delete(f.replay.parts, tp)
				delete(f.goals, tp)
			}
		}
		l.close()
		delete(f.states, id)
	}
}

func (f *follower) closeStates() { f.letGo(func(taskID) bool { return true }) }

// takeUp begins to follow what is wanted and not followed yet. Brokers out of reach are tried again later.
func (f *follower) takeUp(ctx context.Context) error {
	var added []*localState
	for id := range f.wanted {
		if f.states[id] == nil {
			if st := f.s.stage(id.Stage); st != nil {
				added = append(added, newLocalState(f.s.db, st, id.Partition))
			}
		}
	}
	if len(added) == 0 || time.Now().Before(f.retryAt) {
		return nil
	}
	slices.SortFunc(added, func(a, b *localState) int { return a.id().Compare(b.id()) })
	ctx, cancel := context.WithTimeout(ctx, resyncTimeout)
	defer cancel()
	f.mu.Lock()
	f.interrupt = cancel
	f.mu.Unlock()
	if len(f.calls) > 0 {
		return nil
	}
	planned, err := f.s.planReplay(ctx, added, (*localState).wipe)
	f.mu.Lock()
	f.interrupt = nil
	f.mu.Unlock()
	if err != nil {
		if !isTransient(err) {
			return err
		}
		f.retryAt = time.Now().Add(followRetry)
		return nil
	}
	from := map[kafka.TopicPartition]int64{}
	for _, l := range added {
		if err := l.open(); err != nil {
			l.close()
			return err
		}
		f.states[l.id()] = l
	}
	for tp, p := range planned.parts {
		f.replay.parts[tp] = p
		from[tp] = p.from
	}
	if err := f.reader.Start(ctx, from); err != nil {
		return err
	}
	if f.paused {
		f.reader.Pause(slices.Collect(maps.Keys(from))...)
	}
	return nil
}

// giveWay stops reading while tasks are being restored on this server in order to run, and goes on afterwards.
func (f *follower) giveWay() {
	pause := f.s.x.restoring.Load() > 0
	if pause == f.paused {
		return
	}
	f.paused = pause
	all := slices.Collect(maps.Keys(f.replay.parts))
	if pause {
		f.reader.Pause(all...)
	} else {
		f.reader.Resume(all...)
	}
}

// publish tells how far the followed tasks are.
func (f *follower) publish() {
	list := make([]TaskStatus, 0, len(f.states))
	for id, l := range f.states {
		ts := TaskStatus{Stage: int(id.Stage), Partition: id.Partition, State: TaskStandby, RestoredRows: l.restored.Load(), Warmup: f.wanted[id]}
		first := true
		for i, st := range l.of.Stores {
			if st.Changelog == "" {
				continue
			}
			tp := kafka.TopicPartition{Topic: st.Changelog, Partition: id.Partition}
			at := f.reached(tp)
			if first || at.Before(ts.CaughtUp) {
				ts.CaughtUp, first = at, false
			}
			end, _, _ := f.reader.StableEnd(tp)
			have := l.checkpoint[i].Load()
			ts.Stores = append(ts.Stores, StoreStatus{Store: st.Name, Changelog: st.Changelog, Position: have, End: max(end, have)})
		}
		ts.RestoreTotal = ts.RestoredRows + ts.Lag()
		list = append(list, ts)
	}
	slices.SortFunc(list, func(a, b TaskStatus) int {
		return taskID{Stage: int32(a.Stage), Partition: a.Partition}.Compare(taskID{Stage: int32(b.Stage), Partition: b.Partition})
	})
	f.s.q.status.follow(list)
}

// goal is an end of a changelog, seen at some moment; reached is such a moment whose end the state has come to.
type goal struct {
	end     int64
	at      time.Time
	reached time.Time
}

// reached tells the last moment of which the state is known to contain all of a changelog. The end moves on while it is being
// read, so it is an end seen before that counts: the state is as old as it took to get there.
func (f *follower) reached(tp kafka.TopicPartition) time.Time {
	g := f.goals[tp]
	p := f.replay.parts[tp]
	for {
		if !g.at.IsZero() {
			if p.next < g.end {
				break
			}
			g.reached = g.at
		}
		end, at, ok := f.reader.StableEnd(tp)
		if !ok || !at.After(g.at) {
			break
		}
		g.end, g.at = end, at
	}
	f.goals[tp] = g
	return g.reached
}

// stage finds a stage of the plan, nil if there is none of that id.
func (s *session) stage(id int32) *physical.Stage {
	for _, st := range s.plan.Stages {
		if int32(st.ID) == id {
			return st
		}
	}
	return nil
}
