package exec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/position"
	"github.com/ksqlgo/ksqlgo/exec/pull"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// PullRows are the rows of a pull query over a table.
type PullRows = pull.Rows

// pullWait is how long a pull query waits for tasks that are being restored.
const pullWait = 5 * time.Second

// PullOptions say how a pull query is answered by this server.
type PullOptions struct {
	// Partitions of the store to answer from; nil means all that the plan needs.
	Partitions []int32
	// StandbyLag is how many records of the changelog a standby may be behind and still answer; negative lets only the owner
	// of a task answer.
	StandbyLag int64
	// AtLeast are positions of the inputs of the stage that keeps the rows; the answer contains them, or is an error.
	AtLeast position.Vector
	// Wait is how long AtLeast is waited for; 0 means five seconds.
	Wait time.Duration
}

// StaleError is the error of a pull query whose state did not come to contain in time what it was to contain.
type StaleError struct {
	// Have are the positions that are there, of the partitions that were asked.
	Have position.Vector
}

func (*StaleError) Error() string {
	return "Unable to execute pull query. The table does not contain the positions asked for yet."
}

// Pull answers a pull query from the committed state of the query that materialises the table. It waits for tasks that
// are being restored: their state is older than what was committed. An answer that lacked partitions would be a lie, so
// partitions that are not here are an error.
func (x *Executor) Pull(ctx context.Context, plan *physical.Pull, o PullOptions) (*PullRows, error) {
	q, err := x.query(plan.QueryID)
	if err != nil {
		return nil, err
	}
	rows, err := pull.Prepare(pull.Config{Plan: q.plan, Pull: plan, Functions: x.cfg.Functions, Formats: x.cfg.Formats,
		Env: q.env, PartitionOf: kafka.PartitionForKey})
	if err != nil {
		return nil, err
	}
	partitions, err := rows.Partitions()
	if err != nil {
		return nil, err
	}
	if err := q.awaitTasks(ctx, rows.Stage(), partitions); err != nil {
		return nil, fmt.Errorf("Unable to execute pull query. %w", err)
	}
	for deadline := time.Now().Add(cmp.Or(o.Wait, pullWait)); ; {
		_, changed := q.missing(rows.Stage(), partitions)
		snapshot, err := q.snapshot()
		if err != nil {
			return nil, err
		}
		rows.Read(snapshot)
		if o.AtLeast.IsEmpty() {
			return rows, nil
		}
		have, err := rows.Positions()
		if err == nil && have.Covers(ofPartitions(o.AtLeast, partitions)) {
			return rows, nil
		}
		_ = snapshot.Close()
		if err != nil {
			return nil, err
		}
		late := time.NewTimer(time.Until(deadline))
		select {
		case <-ctx.Done():
			late.Stop()
			return nil, ctx.Err()
		case <-late.C:
			return nil, &StaleError{Have: have}
		case <-changed:
			late.Stop()
		}
	}
}

// ofPartitions keeps the positions of some partitions.
func ofPartitions(v position.Vector, partitions []int32) position.Vector {
	out := position.Vector{}
	for topic := range v {
		for _, p := range partitions {
			if at, ok := v.Get(topic, p); ok {
				out.Set(topic, p, at)
			}
		}
	}
	return out
}

// awaitTasks waits until the tasks of a stage for the given partitions run here.
func (q *query) awaitTasks(ctx context.Context, stage int, partitions []int32) error {
	ctx, cancel := context.WithTimeout(ctx, pullWait)
	defer cancel()
	for {
		missing, changed := q.missing(stage, partitions)
		if missing == "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.New(missing)
		case <-changed:
		}
	}
}

// missing says why the partitions of a stage cannot be read now, "" if they can; changed is closed when that may be
// different.
func (q *query) missing(stage int, partitions []int32) (why string, changed <-chan struct{}) {
	q.status.mu.Lock()
	defer q.status.mu.Unlock()
	s := &q.status.s
	changed = q.status.changedLocked()
	switch s.State {
	case Paused:
		return "", changed
	case Failed:
		return fmt.Sprintf("The query %s, which keeps the table, has failed: %s", s.ID, lastError(s)), changed
	}
	for _, p := range partitions {
		found := false
		for i := range s.Tasks {
			if t := &s.Tasks[i]; t.Stage == stage && t.Partition == p {
				if found = t.State == TaskRunning; !found {
					return fmt.Sprintf("[Partition %d is being restored: %d of about %d rows]", p, t.RestoredRows, t.RestoreTotal), changed
				}
				break
			}
		}
		if !found {
			return fmt.Sprintf("[Partition %d failed to find valid host. Hosts scanned: this server, which does not own it]", p), changed
		}
	}
	return "", changed
}

func lastError(s *QueryStatus) string {
	if n := len(s.Errors); n > 0 {
		return s.Errors[n-1].Message
	}
	return "unknown error"
}
