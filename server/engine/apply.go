package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/planner/physical"
	"github.com/ksqlgo/ksqlgo/server/commandlog"
)

// applyTimeout bounds the clean-up of a terminated query.
const applyTimeout = 30 * time.Second

// Applied implements commandlog.Applier: it carries a command out on the runtime. During replay nothing is carried out:
// what is left at the end is started by Ready.
func (e *Engine) Applied(c commandlog.AppliedCommand, before, after *catalog.Snapshot, replay bool) error {
	if replay {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), applyTimeout)
	defer cancel()
	var errs []error
	switch c.Action {
	case commandlog.StartQuery:
		errs = append(errs, e.startQuery(c.Command, false))
	case commandlog.PauseQuery, commandlog.ResumeQuery:
		for _, q := range after.Queries() {
			if c.Name != commandlog.All && q.ID != c.Name {
				continue
			}
			if c.Action == commandlog.PauseQuery {
				errs = append(errs, e.cfg.Runtime.Pause(q.ID))
			} else {
				errs = append(errs, e.cfg.Runtime.Resume(q.ID))
			}
		}
	case commandlog.TerminateQuery, commandlog.DropSource:
		for _, q := range before.Queries() {
			if _, still := after.Query(q.ID); !still {
				e.forgetPlan(q.ID)
				if err := e.cfg.Runtime.Terminate(ctx, q.ID); err != nil && !errors.Is(err, exec.ErrUnknownQuery) {
					// The query has ended; what it left is removed at the next start.
					e.cfg.Logger.Warn("not everything of a terminated query could be removed", "query", q.ID, "error", err)
				}
			}
		}
		if src, ok := before.Source(c.Name); ok && c.Action == commandlog.DropSource && c.DeleteTopic {
			errs = append(errs, e.cfg.Kafka.Admin().DeleteTopics(ctx, src.Topic))
		}
	}
	return errors.Join(errs...)
}

// Ready implements commandlog.Applier: it starts the queries that are left after replay, with their stored plans.
func (e *Engine) Ready(s *catalog.Snapshot, live map[string]*commandlog.Command) {
	for _, q := range s.Queries() {
		if err := e.startQuery(live[q.ID], q.Paused); err != nil {
			e.cfg.Logger.Error("a query of the command log could not be started", "query", q.ID, "error", err)
		}
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), applyTimeout)
		defer cancel()
		if err := e.cfg.Runtime.RemoveLeftovers(ctx, e.liveQueries); err != nil {
			e.cfg.Logger.Warn("left-overs of dropped queries could not be removed", "error", err)
		}
	}()
}

// liveQueries are the ids of the queries that exist once everything that is in the command log now has been applied.
func (e *Engine) liveQueries(ctx context.Context) (map[string]bool, error) {
	if err := e.log.CatchUp(ctx); err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, q := range e.Catalog().Queries() {
		ids[q.ID] = true
	}
	return ids, nil
}

// startQuery starts the query of a StartQuery command.
func (e *Engine) startQuery(c *commandlog.Command, paused bool) error {
	plan, err := physical.Decode(c.Plan)
	if err != nil {
		return fmt.Errorf("the stored plan of %s cannot be read: %w", c.Query.ID, err)
	}
	e.plansMu.Lock()
	e.plans[c.Query.ID] = plan
	e.plansMu.Unlock()
	return e.cfg.Runtime.Start(exec.QuerySpec{Plan: plan, Properties: c.Properties, Paused: paused})
}

func (e *Engine) forgetPlan(id string) {
	e.plansMu.Lock()
	defer e.plansMu.Unlock()
	delete(e.plans, id)
}

// plan is the physical plan of a running persistent query.
func (e *Engine) plan(id string) (*physical.Plan, bool) {
	e.plansMu.Lock()
	defer e.plansMu.Unlock()
	p, ok := e.plans[id]
	return p, ok
}
