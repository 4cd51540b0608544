package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/commandlog"
)

// phase says whether the server works for its service, or that this was terminated.
type phase int32

const (
	serving phase = iota
	// terminating: the queries end, and what the service had is being removed.
	terminating
	// ended: nothing is left to do; the server can be stopped.
	ended
)

// String is the word of /healthcheck.
func (p phase) String() string { return [...]string{"READY", "TERMINATING", "TERMINATED"}[p] }

// Refusal is the error, an api.ErrorBody, that requests are to be answered with which want something of the service; nil as
// long as that has not been terminated.
func (e *Engine) Refusal() error {
	switch phase(e.phase.Load()) {
	case terminating:
		return shutDown(api.CodeServerShuttingDown, e.log.Status().Reason)
	case ended:
		return shutDown(api.CodeServerShutDown, e.log.Status().Reason)
	case serving:
	}
	return nil
}

// shutDown is the answer of a server whose service was terminated; its first line is ksqlDB's.
func shutDown(code api.Code, reason string) *api.GenericError {
	text := "The server is shut down"
	if code == api.CodeServerShuttingDown {
		text = "The server is shutting down"
	}
	return api.NewError(code, "%s\n%s", text, reason)
}

// Abandon implements commandlog.Applier.
func (e *Engine) Abandon() {
	e.deletions.forget()
	e.endEverything(nil)
}

// Terminate implements commandlog.Applier: it ends everything here, and has the rest done by carryOutTermination.
func (e *Engine) Terminate(t commandlog.Termination) {
	e.phase.Store(int32(terminating))
	e.deletions.forget()
	e.endEverything(t.Queries)
	e.terminated <- t
}

// endEverything ends all queries on this server and removes their state here, also that of queries which do not run.
func (e *Engine) endEverything(queries []string) {
	for _, p := range e.pushQueries() {
		e.CloseQuery(p.id)
	}
	e.plansMu.Lock()
	clear(e.plans)
	e.plansMu.Unlock()
	if err := e.cfg.Runtime.EndAll(queries); err != nil {
		e.cfg.Logger.Warn("not all local state of the service could be removed", "error", err)
	}
}

const (
	// terminateGrace is how long the command topic stays at least, for servers that run no query, whom nobody waits for, to read
	// the command.
	terminateGrace = 3 * time.Second
	// terminatePatience is how long the command topic stays for what cannot be removed yet: groups that have members, and
	// topics. Servers that died are members for their session timeout; then something is wrong with what is left.
	terminatePatience = 2 * time.Minute
	// terminateTry bounds one try of each part; the pauses between tries grow from terminatePause to terminatePauseMost.
	terminateTry       = 30 * time.Second
	terminatePause     = 200 * time.Millisecond
	terminatePauseMost = 5 * time.Second
)

// carryOutTermination removes what the service had on the brokers, once it is terminated: what its queries leave, the topics
// that were named, and last the command topic. It goes on until that is done, here or by another server, or ctx ends; a server
// that is started anew goes on with it as long as the command topic exists.
func (e *Engine) carryOutTermination(ctx context.Context) {
	var t commandlog.Termination
	select {
	case <-ctx.Done():
		return
	case t = <-e.terminated:
	}
	if e.removeService(ctx, t, e.cfg.Kafka.Admin()) {
		e.phase.Store(int32(ended))
	}
}

// removeService removes what a terminated service had, and returns false when ctx ends before that is done.
func (e *Engine) removeService(ctx context.Context, t commandlog.Termination, admin topicAdmin) bool {
	if !t.Complete {
		// Others, which could read the whole log, know what there is.
		e.cfg.Logger.Warn("the service was terminated; what it leaves is removed by other servers, since this one cannot read the whole command log")
		return true
	}
	r := &removal{e: e, t: t, admin: admin, began: time.Now(), refused: map[commandlog.TopicRef]bool{}, topics: t.DeleteTopics, queries: len(t.Queries) > 0,
		dropped: t.Dropped}
	for pause := terminatePause; !r.step(ctx); pause = min(2*pause, terminatePauseMost) {
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
		}
	}
	return true
}

// errRemoved says that the command topic is gone: another server has removed everything, and the service may begin anew.
var errRemoved = errors.New("engine: the command topic does not exist any more")

// removal is the removal of a terminated service from the brokers. It is for one goroutine.
type removal struct {
	e     *Engine
	t     commandlog.Termination
	admin topicAdmin
	began time.Time
	// queries says that they may have left something; topics are those that are to be deleted yet.
	queries bool
	topics  []commandlog.TopicRef
	// dropped are those that should have been deleted before; whether they exist is to be found out.
	dropped []commandlog.TopicRef
	// refused are topics that cannot be deleted, told is the last error told of the queries.
	refused map[commandlog.TopicRef]bool
	told    string
}

// within calls a part with a time limit of its own.
func within(ctx context.Context, part func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, terminateTry)
	defer cancel()
	return part(limited)
}

// confirm looks whether the command topic is still there. As long as it is, no other service has the names of this one.
func (r *removal) confirm(ctx context.Context) error {
	id, _, exists, err := r.e.cfg.Topic.Identify(ctx)
	if err == nil && (!exists || id.String() != r.t.Topic.ID) {
		return errRemoved
	}
	return err
}

// step removes what can be removed and returns whether nothing is left to do.
func (r *removal) step(ctx context.Context) (finished bool) {
	log := r.e.cfg.Logger
	err := within(ctx, r.confirm)
	if err == nil && r.queries {
		err = within(ctx, r.removeQueries)
	}
	if err == nil && len(r.dropped) > 0 {
		err = within(ctx, r.findDropped)
	}
	for i := 0; err == nil && i < len(r.topics); {
		if r.deleteTopic(ctx, r.topics[i]) {
			r.topics = slices.Delete(slices.Clone(r.topics), i, i+1)
		} else {
			i++
		}
	}
	switch {
	case errors.Is(err, errRemoved):
		log.Info("the service was terminated; another server has finished the removal")
		return true
	case ctx.Err() != nil:
		return false
	case err != nil:
		log.Warn("what a terminated service leaves cannot be removed yet; trying again", "error", err)
	}
	waited := time.Since(r.began)
	open := err != nil || r.queries || len(r.dropped) > 0 || len(r.topics) > len(r.refused)
	if waited < terminateGrace || open && waited < terminatePatience {
		return false
	}
	err = within(ctx, func(ctx context.Context) error { return r.delete(ctx, r.t.Topic) })
	switch {
	case kafka.KindOf(err) == kafka.Denied:
		log.Error("the command topic of the terminated service cannot be deleted; servers that start find the service terminated", "topic", shortID(r.t.Topic), "error", err)
		r.topics = append(slices.Clip(r.topics), r.t.Topic)
	case err != nil:
		log.Warn("the command topic of the terminated service cannot be deleted yet; trying again", "topic", shortID(r.t.Topic), "error", err)
		return false
	}
	r.report()
	return true
}

// delete deletes one incarnation of a topic.
func (r *removal) delete(ctx context.Context, t commandlog.TopicRef) error {
	id, err := kafka.ParseTopicID(t.ID)
	if err != nil {
		return err
	}
	return r.admin.DeleteTopicByID(ctx, t.Name, id)
}

// removeQueries removes what queries leave. Only what another server has removed is an error.
func (r *removal) removeQueries(ctx context.Context) error {
	err := r.e.cfg.Runtime.RemoveQueries(ctx, r.t.Queries, r.confirm)
	switch {
	case err == nil:
		r.queries = false
	case errors.Is(err, errRemoved):
		return err
	case kafka.KindOf(err) == kafka.InUse:
		// Other servers have not come to it yet, most likely.
		r.told = err.Error()
	case err.Error() != r.told:
		r.told = err.Error()
		r.e.cfg.Logger.Warn("not everything that the queries of a terminated service leave can be removed yet; trying again", "error", err)
	}
	return nil
}

// findDropped adds those of dropped that exist to the topics.
func (r *removal) findDropped(ctx context.Context) error {
	found, err := existing(ctx, r.admin, r.dropped)
	if err == nil {
		r.topics, r.dropped = append(slices.Clip(r.topics), found...), nil
	}
	return err
}

// deleteTopic deletes a topic that was named, and returns whether it is gone. One that stays does not keep the others.
func (r *removal) deleteTopic(ctx context.Context, t commandlog.TopicRef) bool {
	if r.refused[t] {
		return false
	}
	err := within(ctx, func(ctx context.Context) error { return r.delete(ctx, t) })
	switch {
	case err == nil:
		r.e.cfg.Logger.Info("a topic was deleted with its service", "topic", shortID(t))
	case kafka.KindOf(err) == kafka.Denied:
		r.refused[t] = true
		r.e.cfg.Logger.Error("a topic cannot be deleted with its service; it stays", "topic", shortID(t), "error", err)
	case ctx.Err() == nil:
		r.e.cfg.Logger.Warn("a topic cannot be deleted with its service yet; trying again", "topic", shortID(t), "error", err)
	}
	return err == nil
}

// report tells how it ended.
func (r *removal) report() {
	var left []string
	for _, t := range r.topics {
		left = append(left, "topic "+shortID(t))
	}
	if r.queries {
		left = append(left, fmt.Sprintf("what queries leave on the brokers (groups and topics that begin with %s): %s",
			exec.GroupName(r.e.cfg.ServiceID, ""), r.told))
	}
	if len(left) > 0 {
		r.e.cfg.Logger.Error("the service was terminated, but not everything could be removed; it has to be removed by hand", "left", left)
		return
	}
	r.e.cfg.Logger.Info("the service was terminated and everything of it removed")
}
