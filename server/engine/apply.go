package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/planner/physical"
	"github.com/ksqlgo/ksqlgo/server/commandlog"
)

// applyTimeout bounds the clean-up of a terminated query.
const applyTimeout = 30 * time.Second

// Applied implements commandlog.Applier: it carries a command out on the runtime.
func (e *Engine) Applied(c commandlog.AppliedCommand, before, after *catalog.Snapshot) error {
	ctx, cancel := context.WithTimeout(context.Background(), applyTimeout)
	defer cancel()
	switch c.Action {
	case commandlog.StartQuery:
		_, replaces := before.Query(c.Query.ID)
		return e.startQuery(c.Command, replaces, false)
	case commandlog.PauseQuery, commandlog.ResumeQuery:
		return e.adjust(before, after)
	case commandlog.TerminateQuery, commandlog.DropSource:
		e.endQueries(ctx, before, after)
		return e.deleteTopic(c.Command, before)
	}
	return nil
}

// Adopt implements commandlog.Applier: it ends the queries that are not there any more, starts those that are new or
// have another plan, with their stored plans, and leaves the others alone.
func (e *Engine) Adopt(before, after *catalog.Snapshot, live map[string]*commandlog.Command, complete bool) {
	ctx, cancel := context.WithTimeout(context.Background(), applyTimeout)
	defer cancel()
	e.endQueries(ctx, before, after)
	for _, q := range after.Queries() {
		was, runs := before.Query(q.ID)
		c, mayRun := live[q.ID]
		if !mayRun || runs && was.SQL == q.SQL {
			continue
		}
		if err := e.startQuery(c, runs, q.Paused); err != nil {
			e.cfg.Logger.Error("a query of the command log could not be started", "query", q.ID, "error", err)
		}
	}
	if err := e.adjust(before, after); err != nil {
		e.cfg.Logger.Error("a query of the command log could not be paused or resumed", "error", err)
	}
	if !complete {
		// The log may have queries that this server cannot see: what they use is not left over.
		return
	}
	e.background.Go(func() {
		ctx, cancel := context.WithTimeout(e.life, applyTimeout)
		defer cancel()
		if err := e.cfg.Runtime.RemoveLeftovers(ctx, e.knownQueries); err != nil && e.life.Err() == nil {
			e.cfg.Logger.Warn("left-overs of dropped queries could not be removed", "error", err)
		}
	})
	e.deletions.resume(e.log.DroppedTopics())
}

// knownQueries are the queries that the log knows once everything that is in it now has been applied. The error says that
// this server cannot know them.
func (e *Engine) knownQueries(ctx context.Context) (exec.QueryIDs, error) {
	if err := e.log.CatchUp(ctx); err != nil {
		return exec.QueryIDs{}, err
	}
	ids := exec.QueryIDs{Live: map[string]bool{}, Ended: e.log.Ended()}
	for _, q := range e.Catalog().Queries() {
		ids.Live[q.ID] = true
	}
	return ids, nil
}

// endQueries terminates the queries that are not in the catalog any more.
func (e *Engine) endQueries(ctx context.Context, before, after *catalog.Snapshot) {
	for _, q := range before.Queries() {
		if _, still := after.Query(q.ID); still {
			continue
		}
		plan, planned := e.plan(q.ID)
		e.forgetPlan(q.ID)
		if err := e.cfg.Runtime.Terminate(ctx, q.ID); err != nil && !errors.Is(err, exec.ErrUnknownQuery) {
			// The query has ended; what it left is removed at the next start.
			e.cfg.Logger.Warn("not everything of a terminated query could be removed", "query", q.ID, "error", err)
		}
		if planned {
			e.dropInternalSchemas(plan)
		}
	}
}

// adjust pauses and resumes the queries in both catalogs for which that was commanded.
func (e *Engine) adjust(before, after *catalog.Snapshot) error {
	var errs []error
	for _, q := range after.Queries() {
		was, known := before.Query(q.ID)
		switch {
		case !known || was.Paused == q.Paused:
		case q.Paused:
			errs = append(errs, e.cfg.Runtime.Pause(q.ID))
		default:
			errs = append(errs, e.cfg.Runtime.Resume(q.ID))
		}
	}
	return errors.Join(errs...)
}

// deleteTopic carries out DELETE TOPIC. Every server does, each when it comes to the command: the topic that was meant may
// be gone by then, and another one have its name. Where brokers are out of reach it is done later.
func (e *Engine) deleteTopic(c *commandlog.Command, before *catalog.Snapshot) error {
	src, ok := before.Source(c.Name)
	if !ok || c.Action != commandlog.DropSource || !c.DeleteTopic || c.TopicID == "" {
		return nil
	}
	id, err := kafka.ParseTopicID(c.TopicID)
	if err != nil {
		return err
	}
	return e.deletions.now(src.Topic, id)
}

// startQuery starts the query of a StartQuery command, in place of the one of its id if there is one.
func (e *Engine) startQuery(c *commandlog.Command, replaces, paused bool) error {
	plan, err := physical.Decode(c.Plan)
	if err != nil {
		return fmt.Errorf("the stored plan of %s cannot be read: %w", c.Query.ID, err)
	}
	e.plansMu.Lock()
	e.plans[c.Query.ID] = plan
	e.plansMu.Unlock()
	spec := exec.QuerySpec{Plan: plan, Properties: c.Properties, Paused: paused}
	if replaces {
		return e.cfg.Runtime.Replace(spec)
	}
	return e.cfg.Runtime.Start(spec)
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
