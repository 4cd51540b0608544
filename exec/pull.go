package exec

import (
	"context"
	"fmt"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/pull"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// PullRows are the rows of a pull query over a table.
type PullRows = pull.Rows

// Pull answers a pull query from the committed state of the query that materialises the table.
func (x *Executor) Pull(_ context.Context, plan *physical.Pull) (*PullRows, error) {
	q, err := x.query(plan.QueryID)
	if err != nil {
		return nil, err
	}
	s := q.status.read()
	if s.State == Failed && len(s.Tasks) == 0 {
		return nil, fmt.Errorf("Unable to execute pull query. The query %s, which keeps the table %s, has failed: %s",
			plan.QueryID, plan.Source, lastError(&s))
	}
	snapshot, err := q.snapshot()
	if err != nil {
		return nil, err
	}
	return pull.Open(pull.Config{
		Plan: q.plan, Pull: plan, Snapshot: snapshot, Functions: x.cfg.Functions, Formats: x.cfg.Formats,
		Env: q.env, PartitionOf: kafka.PartitionForKey,
	})
}

func lastError(s *QueryStatus) string {
	if n := len(s.Errors); n > 0 {
		return s.Errors[n-1].Message
	}
	return "unknown error"
}
