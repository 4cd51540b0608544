package exec

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/exec/cluster"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// RefusalKind says why a server does not answer for a partition.
type RefusalKind uint8

// The kinds of refusals.
const (
	// NotOwner: the task belongs to another server, or to none that is known.
	NotOwner RefusalKind = iota + 1
	// NotReady: the task is this server's, but its state is not up to date yet.
	NotReady
	// TooFarBehind: this server stands by for the task, and is further behind than it may be.
	TooFarBehind
	// NotRunning: the query has failed on this server.
	NotRunning
)

// Refusal is why a server does not answer for a partition.
type Refusal struct {
	Kind RefusalKind
	// Reason for people.
	Reason string
	// Owner is the node id of the server that should have the task, empty when it is not known.
	Owner string
}

// RefusedError says for which partitions a server does not answer a pull query.
type RefusedError struct {
	Partitions map[int32]Refusal
}

func (e *RefusedError) Error() string {
	list := make([]string, 0, len(e.Partitions))
	for _, p := range slices.Sorted(maps.Keys(e.Partitions)) {
		list = append(list, e.Partitions[p].text(p))
	}
	return "Unable to execute pull query. " + strings.Join(list, " ")
}

// text is a refusal in the words that clients know.
func (r Refusal) text(partition int32) string {
	switch r.Kind {
	case NotRunning:
		return r.Reason
	}
	return fmt.Sprintf("[Partition %d failed to find valid host. Hosts scanned: [this server, which %s]]", partition, r.Reason)
}

// refusals says for which partitions of a stage this server cannot answer now. wait means that this may be over soon;
// changed is closed when it may be.
func (q *query) refusals(ctx context.Context, stage int, partitions []int32, o PullOptions) (refused map[int32]Refusal, wait bool, changed <-chan struct{}) {
	q.mu.Lock()
	assignment := q.assignment
	q.mu.Unlock()
	outOfTouch := q.outOfTouch()
	q.status.mu.Lock()
	s := &q.status.s
	changed = q.status.changedLocked()
	restarted := s.State == Paused && len(s.Tasks) == 0
	wait = true
	for _, p := range partitions {
		if restarted {
			break
		}
		if r, soon := q.refusalLocked(assignment, outOfTouch, stage, p, o); r.Kind != 0 {
			if refused == nil {
				refused = map[int32]Refusal{}
			}
			refused[p] = r
			wait = wait && soon
		}
	}
	q.status.mu.Unlock()
	if restarted {
		return q.refusalsPaused(ctx, stage, partitions), false, changed
	}
	return refused, wait, changed
}

// refusalLocked looks at one task. A Refusal without kind is none; outOfTouch is why this server may own nothing any more. q.status.mu is held.
func (q *query) refusalLocked(a *cluster.Assignment, outOfTouch string, stage int, partition int32, o PullOptions) (r Refusal, soon bool) {
	s := &q.status.s
	owner, mine := "", a == nil
	if a != nil {
		if h, ok := a.Owner(cluster.TaskID{Stage: int32(stage), Partition: partition}); ok {
			owner, mine = h.NodeID, h.NodeID == q.x.cfg.NodeID
		}
	}
	t := findTask(s.Tasks, stage, partition)
	switch {
	case s.State == Failed && (mine || t != nil):
		return Refusal{Kind: NotRunning, Owner: owner, Reason: fmt.Sprintf("The query %s, which keeps the table, has failed: %s", s.ID, lastError(s))}, true
	case t != nil && t.State == TaskRunning && outOfTouch != "":
		return Refusal{Kind: NotReady, Reason: outOfTouch}, mine
	case t != nil && t.State == TaskRunning:
		return Refusal{}, false
	case t != nil:
		return Refusal{Kind: NotReady, Owner: owner, Reason: restoreProgress(t)}, mine
	}
	if t = findTask(q.status.standbys, stage, partition); t != nil && standsBy(t, o.StandbyLag) {
		return Refusal{}, false
	}
	switch {
	case t != nil && !mine:
		return Refusal{Kind: TooFarBehind, Owner: owner, Reason: standbyText(t, o.StandbyLag)}, false
	case mine && a == nil:
		return Refusal{Kind: NotOwner, Reason: "does not own it yet"}, true
	case mine:
		return Refusal{Kind: NotReady, Owner: owner, Reason: "is about to take it over"}, true
	}
	return Refusal{Kind: NotOwner, Owner: owner, Reason: "does not own it"}, false
}

func restoreProgress(t *TaskStatus) string {
	return fmt.Sprintf("is restoring it: %d of about %d rows", t.RestoredRows, t.RestoreTotal)
}

// standsBy says whether a standby is near enough to the owner. One whose state was never complete may lack anything.
func standsBy(t *TaskStatus, allowed int64) bool {
	return !t.CaughtUp.IsZero() && t.Lag() <= allowed
}

func standbyText(t *TaskStatus, allowed int64) string {
	switch {
	case allowed < 0:
		return "only stands by for it"
	case t.CaughtUp.IsZero():
		return "stands by for it, and has not caught up yet"
	}
	return fmt.Sprintf("stands by for it and is %d records behind", t.Lag())
}

func findTask(tasks []TaskStatus, stage int, partition int32) *TaskStatus {
	for i := range tasks {
		if t := &tasks[i]; t.Stage == stage && t.Partition == partition {
			return t
		}
	}
	return nil
}

// refusalsPaused looks at the state of a query that was paused already when the server started: nobody says whose its tasks
// are. State is up to date if it reaches as far as the group has committed.
func (q *query) refusalsPaused(ctx context.Context, stage int, partitions []int32) map[int32]Refusal {
	if q.x.cfg.Endpoint == "" {
		// Without other servers all state is here.
		return nil
	}
	refuse := func(reason string) map[int32]Refusal {
		out := map[int32]Refusal{}
		for _, p := range partitions {
			out[p] = Refusal{Kind: NotOwner, Reason: reason}
		}
		return out
	}
	db, err := q.openState()
	if err != nil {
		return refuse("cannot read its state: " + err.Error())
	}
	var inputs []kafka.TopicPartition
	for _, st := range q.plan.Stages {
		for _, in := range st.Inputs {
			for _, p := range partitions {
				if st.ID == stage {
					inputs = append(inputs, kafka.TopicPartition{Topic: in.Topic, Partition: p})
				}
			}
		}
	}
	committed, err := q.x.cfg.Kafka.StableOffsets(ctx, GroupName(q.x.cfg.ServiceID, q.plan.QueryID), inputs)
	if err != nil {
		return refuse("cannot tell whether its state is up to date: " + err.Error())
	}
	out := map[int32]Refusal{}
	for _, p := range partitions {
		local := map[string]int64{}
		list, err := db.Positions(p)
		if err != nil {
			return refuse("cannot read its state: " + err.Error())
		}
		for _, at := range list {
			local[at.Topic] = at.Offset
		}
		for _, tp := range inputs {
			at, ok := local[tp.Topic]
			want := committed[tp].Offset
			if tp.Partition == p && (ok && at != want || !ok && want > 0) {
				out[p] = Refusal{Kind: NotOwner, Reason: fmt.Sprintf("has state up to offset %d of %s, but %d was committed", at, tp.Topic, want)}
			}
		}
	}
	return out
}

func lastError(s *QueryStatus) string {
	if n := len(s.Errors); n > 0 {
		return s.Errors[n-1].Message
	}
	return "unknown error"
}
