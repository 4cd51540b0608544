package exec

import (
	"time"

	"github.com/ksqlgo/ksqlgo/exec/state"
)

// cleanupEvery is how often state is looked for that nobody needs any more.
const cleanupEvery = time.Minute

// cleanUpState removes local state of tasks that have been neither owned nor followed here for state.cleanup.delay.ms. Until
// then it is kept: a task that comes back has little to read.
func (s *session) cleanUpState() error {
	now := s.x.cfg.Now()
	if now.Before(s.cleanupAt) {
		return nil
	}
	s.cleanupAt = now.Add(cleanupEvery)
	if err := s.refreshCheckpoints(now); err != nil {
		return err
	}
	checkpoints := s.db.AllCheckpoints()
	for _, st := range s.plan.Stages {
		for partition := range int32(st.Partitions) {
			id := taskID{Stage: int32(st.ID), Partition: partition}
			held := false
			for _, store := range st.Stores {
				_, ok := checkpoints[store.Changelog][partition]
				held = held || ok
			}
			if !held || s.isUsed(id) {
				delete(s.idleSince, id)
				continue
			}
			since, ok := s.idleSince[id]
			if !ok {
				s.idleSince[id] = now
				continue
			}
			if now.Sub(since) < s.settings.cleanupDelay {
				continue
			}
			s.x.cfg.Logger.Info("removing the state of a task that moved away", "query", s.plan.QueryID, "task", id)
			if err := newLocalState(s.db, st, partition).wipe(); err != nil {
				return err
			}
			delete(s.idleSince, id)
		}
	}
	return nil
}

// isUsed says whether a task is owned or followed here.
func (s *session) isUsed(id taskID) bool {
	if s.tasks[id] != nil {
		return true
	}
	if s.follower == nil {
		return false
	}
	_, ok := s.follower.wants[id]
	return ok
}

// refreshEvery is how often the checkpoints of tasks with nothing to do are written anew, well within staleAfter.
const refreshEvery = time.Hour

// refreshCheckpoints notes that the state of tasks which run here is complete as of now, also where nothing has changed for
// long: otherwise it would look as if it might have missed tombstones.
func (s *session) refreshCheckpoints(now time.Time) error {
	if now.Before(s.refreshAt) {
		return nil
	}
	s.refreshAt = now.Add(refreshEvery)
	checkpoints := s.db.AllCheckpoints()
	var c state.Commit
	for _, t := range s.running() {
		for _, st := range t.stage.Stores {
			if have, ok := checkpoints[st.Changelog][t.partition]; ok {
				have.WallClock = now.UnixMilli()
				c.Checkpoints = append(c.Checkpoints, have)
			}
		}
	}
	if len(c.Checkpoints) == 0 {
		return nil
	}
	return s.db.Commit(c)
}
