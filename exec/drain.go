package exec

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrLastServer is returned by Drain when there is no other server that could take the tasks.
var ErrLastServer = errors.New("exec: no other server of this service runs the query")

// DrainProgress tells how far a drain is.
type DrainProgress struct {
	// Tasks are those this server still owns, Queries those it still owns tasks of.
	Tasks, Queries int
}

// SetDraining lets the server give all its tasks to others, each when its successor has caught up, and stand by for none;
// or ends that. The server stays a member of its groups, without tasks, and leaves them when it is closed.
func (x *Executor) SetDraining(draining bool) {
	x.draining.Store(draining)
	for _, q := range x.all() {
		q.wake()
	}
}

// IsDraining says whether the server gives its tasks away, or has done so.
func (x *Executor) IsDraining() bool { return x.draining.Load() }

// drainPoll is how often Drain looks.
const drainPoll = 50 * time.Millisecond

// Drain gives all tasks to other servers and waits until that is done; progress is called whenever there is some. When ctx
// ends first the server goes on draining. With an error that is ErrLastServer nothing can be done.
func (x *Executor) Drain(ctx context.Context, progress func(DrainProgress)) error {
	x.SetDraining(true)
	tick := time.NewTicker(drainPoll)
	defer tick.Stop()
	last := DrainProgress{Tasks: -1}
	for {
		p, err := x.drained()
		if err != nil {
			x.SetDraining(false)
			return err
		}
		if p != last {
			last = p
			progress(p)
		}
		if p.Tasks == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d tasks of %d queries are still here: %w", p.Tasks, p.Queries, ctx.Err())
		case <-tick.C:
		}
	}
}

// drained counts what is still here.
func (x *Executor) drained() (p DrainProgress, err error) {
	for _, q := range x.all() {
		owned := 0
		status := q.status.read()
		for i := range status.Tasks {
			if status.Tasks[i].State != TaskStandby {
				owned++
			}
		}
		if owned == 0 || status.State == Paused || status.State == Failed {
			continue
		}
		if a := q.lastAssignment(); a != nil && len(a.Hosts) < 2 {
			return p, fmt.Errorf("%w: %s", ErrLastServer, status.ID)
		}
		p.Tasks += owned
		p.Queries++
	}
	return p, nil
}
