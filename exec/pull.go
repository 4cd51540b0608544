package exec

import (
	"cmp"
	"context"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/position"
	"github.com/ksqlgo/ksqlgo/exec/pull"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// PullRows are the rows of a pull query over a table, from this server's state.
type PullRows = pull.Rows

// PulledRows are the rows of a pull query over a table, wherever they come from. They belong to one goroutine.
type PulledRows interface {
	// Next gives the next row as boxed values, which belong to the caller; io.EOF at the end, ctx's error when ctx has ended.
	Next(ctx context.Context) ([]any, error)
	// TryNext gives a row that is there already. It is false at the end, after an error, and when the next row has to be
	// waited for; Next tells which.
	TryNext() ([]any, bool)
	// Positions are the positions of the inputs of the stage that keeps the rows, which belong to exactly these rows. They can
	// be had until Close.
	Positions() (position.Vector, error)
	// Close ends the query. It may be called more than once.
	Close()
}

// pullWait is how long a pull query waits for tasks that are being restored, and for positions that it is to contain.
const pullWait = 5 * time.Second

// PullOptions say how a pull query is answered.
type PullOptions struct {
	// Partitions of the store to answer from; nil means all that the plan needs.
	Partitions []int32
	// StandbyLag is how many records of the changelog a standby may be behind and still answer; negative lets only the owner
	// of a task answer.
	StandbyLag int64
	// AtLeast are positions of the inputs of the stage that keeps the rows; the answer contains those of the partitions that it
	// is from, or is a *StaleError.
	AtLeast position.Vector
	// Wait is how long AtLeast is waited for; 0 means five seconds.
	Wait time.Duration
	// NoWait refuses at once the partitions whose state is being restored.
	NoWait bool
	// LocalOnly lets no other server be asked.
	LocalOnly bool
}

// Pull answers a pull query from this server alone: from the committed state of the query that materialises the table.
// An answer that lacked partitions would be a lie, so partitions that are not here are an error, a *RefusedError.
func (x *Executor) Pull(ctx context.Context, plan *physical.Pull, o PullOptions) (PulledRows, error) {
	r, err := x.PreparePull(plan)
	if err != nil {
		return nil, err
	}
	rows, err := r.Read(ctx, o)
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// PullRequest is a pull query that has been compiled. It gives one answer, and belongs to one goroutine; after an error Read
// may be tried again.
type PullRequest struct {
	q          *query
	rows       *pull.Rows
	partitions []int32
}

// PreparePull compiles a pull query.
func (x *Executor) PreparePull(plan *physical.Pull) (*PullRequest, error) {
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
	return &PullRequest{q: q, rows: rows, partitions: partitions}, nil
}

// Stage is the stage whose tasks keep the rows.
func (r *PullRequest) Stage() int { return r.rows.Stage() }

// Partitions are those that the answer needs, in order.
func (r *PullRequest) Partitions() []int32 { return r.partitions }

// Read answers from this server's state. It waits up to five seconds for tasks of this server that are being restored, since
// their state is older than what was committed, and for o.AtLeast as long as o.Wait says. Partitions that belong to another
// server are refused at once. o.LocalOnly has no effect.
func (r *PullRequest) Read(ctx context.Context, o PullOptions) (*PullRows, error) {
	partitions := r.partitions
	if o.Partitions != nil {
		partitions = intersection(r.partitions, o.Partitions)
		r.rows.Restrict(partitions)
	}
	snapshot, err := r.q.readable(ctx, r.Stage(), partitions, o)
	if err != nil {
		return nil, err
	}
	r.rows.Read(snapshot)
	return r.rows, nil
}

// intersection keeps what is in both lists, in the order of the first.
func intersection(list, other []int32) []int32 {
	in := make(map[int32]bool, len(other))
	for _, p := range other {
		in[p] = true
	}
	out := make([]int32, 0, len(list))
	for _, p := range list {
		if in[p] {
			out = append(out, p)
		}
	}
	return out
}

// readable waits until partitions of a stage may be read here, and contain what they are to, and takes the snapshot to read.
func (q *query) readable(ctx context.Context, stage int, partitions []int32, o PullOptions) (*state.Snapshot, error) {
	// Most answers need not wait, and then need none of this.
	var waiting <-chan struct{}
	var again *time.Ticker
	for {
		refused, wait, changed := q.refusals(ctx, stage, partitions, o)
		var why error
		if len(refused) == 0 {
			s, have, err := q.snapshotWith(stage, partitions, o.AtLeast)
			if err != nil {
				return nil, err
			}
			// What happened to the tasks since they were looked at may have happened to the snapshot: a store that is restored
			// from nothing begins empty.
			if refused, wait, _ = q.refusals(ctx, stage, partitions, o); len(refused) == 0 {
				if have == nil {
					return s, nil
				}
				why, wait = &StaleError{Have: have}, true
			}
			_ = s.Close()
		}
		if len(refused) > 0 {
			why = &RefusedError{Partitions: refused}
		}
		if !wait || o.NoWait && len(refused) > 0 {
			return nil, why
		}
		if waiting == nil {
			limited, cancel := context.WithTimeout(ctx, cmp.Or(o.Wait, pullWait))
			defer cancel()
			waiting = limited.Done()
			// An assignment that changes wakes nobody who waits for the status.
			again = time.NewTicker(100 * time.Millisecond)
			defer again.Stop()
		}
		select {
		case <-waiting:
			return nil, why
		case <-changed:
		case <-again.C:
		}
	}
}

// snapshotWith takes a snapshot; have is nil if it contains what is wanted of the partitions, else what it contains.
func (q *query) snapshotWith(stage int, partitions []int32, want position.Vector) (s *state.Snapshot, have position.Vector, err error) {
	if s, err = q.snapshot(); err != nil || len(want) == 0 {
		return s, nil, err
	}
	have, err = pull.PositionsOf(s, q.plan, stage, partitions)
	if err != nil {
		_ = s.Close()
		return nil, nil, err
	}
	if have.Covers(ofPartitions(want, partitions)) {
		have = nil
	}
	return s, have, nil
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

// StaleError is the error of a pull query whose state did not come to contain in time what it was to contain.
type StaleError struct {
	// Have are the positions that are there, of the partitions that were asked.
	Have position.Vector
}

func (*StaleError) Error() string {
	return "Unable to execute pull query. The table does not contain the positions asked for yet."
}
