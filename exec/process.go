package exec

import (
	"context"
	"time"
)

// process feeds tasks until nothing more can be processed or the interval is over.
func (s *session) process(ctx context.Context) error {
	if err := refreshEnds(ctx, s.x.cfg.Kafka.Admin(), s.order); err != nil {
		return err
	}
	for {
		f := oldest(s.order)
		if f == nil {
			return nil
		}
		if !s.dirty {
			s.dirty = true
			s.nextCommit = time.Now().Add(s.settings.commitInterval)
		}
		if err := f.feed(); err != nil {
			return err
		}
		if !time.Now().Before(s.nextCommit) || s.overlayFull() {
			return nil
		}
	}
}

// commitDue says whether the interval is over, or holds as much as it may.
func (s *session) commitDue() bool {
	if !s.dirty {
		for _, t := range s.order {
			if t.moved {
				// Only positions moved, past markers.
				s.dirty = true
				s.nextCommit = time.Now().Add(s.settings.commitInterval)
			}
		}
		return false
	}
	return !time.Now().Before(s.nextCommit) || s.overlayFull()
}

// overlayFull says whether the tasks hold as much uncommitted state as they may.
func (s *session) overlayFull() bool {
	var size int64
	for _, t := range s.order {
		if t.active && t.local.store != nil {
			size += t.local.store.Size()
		}
	}
	return size > overlayLimit
}
