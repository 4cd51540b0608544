package exec

import "time"

// reach tells as of which moment everything in a partition has been processed. It remembers where the partition ended at some
// moments: what lies before the newest of these ends that the position has passed is done. So a task that is always a little
// behind, since records keep coming, is behind by that little and not by all the time since it was last at the end.
type reach struct {
	// ends are what was seen and is not passed yet, oldest first, at least spacing apart; last is what was seen last.
	ends    []endAt
	last    endAt
	spacing time.Duration
	// at is the moment as of which all is processed; zero when that is not known.
	at time.Time
}

// endAt is the end of a partition at a moment.
type endAt struct {
	offset int64
	at     time.Time
}

const (
	// reachSpacing is how far apart the ends are that a reach remembers, as long as they are few; reachEnds is how many at most.
	reachSpacing = 200 * time.Millisecond
	reachEnds    = 64
)

// saw notes the end of the partition at a moment.
func (r *reach) saw(end int64, at time.Time) {
	if !at.After(r.last.at) {
		return
	}
	if r.spacing == 0 {
		r.spacing = reachSpacing
	}
	if r.last.offset != end && !r.last.at.IsZero() && (len(r.ends) == 0 || r.last.at.Sub(r.ends[len(r.ends)-1].at) >= r.spacing) {
		r.ends = append(r.ends, r.last)
	}
	r.last = endAt{end, at}
	if len(r.ends) < reachEnds {
		return
	}
	// The longer the lag, the coarser it is told.
	kept := r.ends[:0]
	for i := 0; i < len(r.ends); i += 2 {
		kept = append(kept, r.ends[i])
	}
	r.ends, r.spacing = kept, 2*r.spacing
}

// passed notes a committed position: the offset after the last record processed.
func (r *reach) passed(position int64) {
	if !r.last.at.IsZero() && position >= r.last.offset {
		r.at, r.ends, r.spacing = r.last.at, r.ends[:0], reachSpacing
		return
	}
	n := 0
	for n < len(r.ends) && r.ends[n].offset <= position {
		r.at = r.ends[n].at
		n++
	}
	r.ends = append(r.ends[:0], r.ends[n:]...)
}

// lagFresh is for how long what was seen last is good: brokers are asked several times a second, and a lag in time below it is
// none when nothing is left to be processed.
const lagFresh = 5 * time.Second

// UnknownLag is the lag in time of what has not been at the end yet.
const UnknownLag time.Duration = -1

// Lag is how many records of the partition are not processed and committed yet.
func (i *InputStatus) Lag() int64 { return max(i.End-i.Committed, 0) }

// LagTime is how long ago that moment is as of which everything in the partition is processed and committed: the lag in time
// at now, a moment of the same clock. It is 0 when nothing is left. Before this server has seen such a moment it is estimated
// from the timestamp of the newest record processed, if something is left, and UnknownLag otherwise.
func (i *InputStatus) LagTime(now time.Time) time.Duration {
	at := i.Reached
	if at.IsZero() {
		if i.StreamTime <= 0 || i.Lag() == 0 {
			return UnknownLag
		}
		at = time.UnixMilli(i.StreamTime)
	}
	return lagSince(at, now, i.Lag() == 0)
}

func lagSince(at, now time.Time, done bool) time.Duration {
	lag := max(now.Sub(at), 0)
	if done && lag < lagFresh {
		return 0
	}
	return lag
}

// LagTime is the lag of a task in time at now, a moment of the clock of the server that reports it: the longest of the lags of
// its inputs, or for a standby the time since its state was last seen to be complete. UnknownLag when it is not known.
func (t *TaskStatus) LagTime(now time.Time) time.Duration {
	if t.State == TaskStandby {
		if t.CaughtUp.IsZero() {
			return UnknownLag
		}
		return lagSince(t.CaughtUp, now, t.Lag() == 0)
	}
	lag := UnknownLag
	for i := range t.Inputs {
		lag = max(lag, t.Inputs[i].LagTime(now))
	}
	return lag
}

// Remaining is how many records a task has still to read: of its inputs, or of its changelogs when it restores or stands by.
func (t *TaskStatus) Remaining() int64 {
	switch t.State {
	case TaskStandby:
		return t.Lag()
	case TaskRestoring:
		return max(t.RestoreTotal-t.RestoredRows, 0)
	}
	var n int64
	for i := range t.Inputs {
		n += t.Inputs[i].Lag()
	}
	return n
}
