package exec

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/exec/cluster"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/exec/task"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// query is a persistent query on this server over all its sessions: it starts them, pauses between failed ones, and keeps
// state and status, which outlive a session.
type query struct {
	x      *Executor
	plan   *physical.Plan
	spec   QuerySpec
	env    *functions.Env
	status statusBoard

	// hash tells plans of the same query apart; it is computed when it is first asked for.
	hashOnce sync.Once
	hash     uint64
	hashErr  error

	// handover is closed when the state may be opened: after the query that this one replaces has closed it. nil when there is none.
	handover chan struct{}

	// mu guards what follows.
	mu sync.Mutex
	db *state.DB
	// retired: another query object of the same id has the state now.
	retired bool
	// assignment is what the group's leader last told; nil before that.
	assignment *cluster.Assignment
	// consumer is that of the running session, to wake it up; nil without one.
	consumer *kafka.GroupConsumer
	cancel   context.CancelFunc // of the running loop; nil when paused or stopped
	done     chan struct{}
}

func newQuery(x *Executor, spec QuerySpec) *query {
	q := &query{x: x, plan: spec.Plan, spec: spec}
	q.env = x.functionEnv(spec.Properties)
	q.status.s = QueryStatus{ID: spec.Plan.QueryID, State: Starting}
	return q
}

// start runs the query until stop.
func (q *query) start() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.cancel != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	q.cancel, q.done = cancel, make(chan struct{})
	// The tasks of the session before, if there was one, may have gone on elsewhere.
	q.interrupted()
	go q.loop(ctx, q.done)
}

// joined notes the consumer of the running session, nil when it ends.
func (q *query) joined(c *kafka.GroupConsumer) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.consumer = c
}

// stop ends the running session and waits for its last commit.
func (q *query) stop() {
	q.mu.Lock()
	cancel, done := q.cancel, q.done
	q.cancel = nil
	q.mu.Unlock()
	if cancel == nil {
		return
	}
	cancel()
	<-done
}

// loop runs sessions, pausing longer after each failure in a row.
func (q *query) loop(ctx context.Context, done chan struct{}) {
	defer close(done)
	backoff := q.x.cfg.RetryInitial
	for ctx.Err() == nil {
		began := time.Now()
		err := q.session(ctx)
		if ctx.Err() != nil || err == nil {
			return
		}
		if isTransient(err) && time.Since(began) > time.Second {
			// It had been running: the broker went away, most likely, and will come back.
			q.x.cfg.Logger.Warn("query interrupted; starting it again", "query", q.plan.QueryID, "error", err)
			q.interrupted()
			sleep(ctx, 250*time.Millisecond)
			continue
		}
		q.failed(err)
		if time.Since(began) > q.x.cfg.RetryMax {
			backoff = q.x.cfg.RetryInitial
		}
		sleep(ctx, backoff)
		backoff = min(2*backoff, q.x.cfg.RetryMax)
		if ctx.Err() == nil {
			q.setState(Starting)
		}
	}
}

// session runs the query once. A panic in it is this query's error, nobody else's.
func (q *query) session(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			q.x.cfg.Logger.Error("panic in a query", "query", q.plan.QueryID, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("internal error: %v", p)
		}
	}()
	s := &session{
		x: q.x, q: q, plan: q.plan, settings: parseSettings(q.spec.Properties),
		groupName: GroupName(q.x.cfg.ServiceID, q.plan.QueryID),
		tasks:     map[taskID]*hostedTask{}, byInput: map[kafka.TopicPartition]inputRef{}, idleSince: map[taskID]time.Time{},
	}
	err = s.run(ctx)
	if err != nil && (errors.Is(err, state.ErrDisk) || errors.Is(err, state.ErrCorrupt)) {
		// What is on disk may be older than what has been told.
		q.interrupted()
		q.closeState()
	}
	return err
}

func isTransient(err error) bool {
	switch kafka.KindOf(err) {
	case kafka.Retriable, kafka.Aborted, kafka.Unknown, kafka.Fenced, kafka.Stale, kafka.Canceled:
		return true
	}
	return false
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func (q *query) setState(s QueryState) {
	q.status.update(func(st *QueryStatus) { st.State = s })
}

// interrupted notes that the tasks do not run here for now: others may take them over, so nobody may be answered from them.
func (q *query) interrupted() {
	q.status.update(func(s *QueryStatus) {
		s.State = Starting
		for i := range s.Tasks {
			s.Tasks[i].State = TaskSuspended
		}
	})
}

// failed notes the error that stopped a session.
func (q *query) failed(err error) {
	class := classOf(err)
	q.x.cfg.Logger.Error("query failed", "query", q.plan.QueryID, "class", class, "error", err)
	q.status.update(func(s *QueryStatus) {
		s.State = Failed
		for i := range s.Tasks {
			s.Tasks[i].State = TaskError
		}
		s.Errors = keep(s.Errors, keptErrors, QueryError{At: q.x.cfg.Now(), Message: err.Error(), Class: class})
	})
}

// classOf tells whose fault an error is: topics and permissions are the user's, disks and brokers the system's.
func classOf(err error) ErrorClass {
	switch kafka.KindOf(err) {
	case kafka.TopicGone, kafka.TooLarge, kafka.Denied, kafka.OutOfRange:
		return UserError
	case kafka.Retriable, kafka.Aborted, kafka.Unknown, kafka.Fenced, kafka.Stale, kafka.Corrupt:
		return SystemError
	}
	if errors.Is(err, state.ErrDisk) || errors.Is(err, state.ErrCorrupt) || schemas.IsUnavailable(err) {
		return SystemError
	}
	if schemas.IsRegistryFailure(err) {
		return UserError
	}
	var refused *cluster.AssignmentError
	switch {
	case errors.As(err, &refused) && refused.Code == cluster.PartitionsChanged:
		return UserError
	case errors.As(err, &refused):
		return SystemError
	}
	return UnknownError
}

// openState opens the state database of the query, or returns the open one. One that is damaged, or belongs to another
// plan or format, is put aside: everything in it can be restored from the changelogs.
func (q *query) openState() (*state.DB, error) {
	if q.handover != nil {
		<-q.handover
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.retired {
		return nil, errReplaced
	}
	if q.db != nil && q.db.Err() == nil {
		return q.db, nil
	}
	if q.db != nil {
		_ = q.db.Close()
		q.db = nil
	}
	dir := q.x.stateDir(q.plan.QueryID)
	specs, err := task.StoreSpecs(q.plan)
	if err != nil {
		return nil, err
	}
	print, err := stateFingerprint(q.plan)
	if err != nil {
		return nil, err
	}
	open := func() (*state.DB, error) {
		return state.Open(state.Options{Dir: dir, FS: q.x.cfg.FS, Pool: q.x.cfg.Pool, Stores: specs,
			Fingerprint: print, Logger: q.x.cfg.Logger})
	}
	db, err := open()
	if errors.Is(err, state.ErrCorrupt) || errors.Is(err, state.ErrLayout) || errors.Is(err, state.ErrVersion) {
		aside, moveErr := state.Quarantine(q.x.cfg.FS, dir, fmt.Sprint(q.x.cfg.Now().UnixMilli()))
		if moveErr != nil {
			return nil, errors.Join(err, moveErr)
		}
		q.x.cfg.Logger.Error("local state cannot be used; it was put aside and is restored from the changelogs",
			"query", q.plan.QueryID, "aside", aside, "error", err)
		db, err = open()
	}
	if err != nil {
		return nil, err
	}
	q.db = db
	return db, nil
}

// stateFingerprint tells apart what local state belongs to: the query and what its stores hold. A query that is replaced by one
// with the same stores keeps its state.
func stateFingerprint(plan *physical.Plan) ([]byte, error) {
	type stage struct {
		ID, Partitions int
		Stores         []*physical.Store
	}
	list := make([]stage, len(plan.Stages))
	for i, s := range plan.Stages {
		list[i] = stage{s.ID, s.Partitions, s.Stores}
	}
	text, err := json.Marshal(struct {
		QueryID string
		Stages  []stage
	}{plan.QueryID, list})
	if err != nil {
		return nil, err
	}
	print := sha256.Sum256(text)
	return print[:], nil
}

// snapshot is the query's committed state, for reading.
func (q *query) snapshot() (*state.Snapshot, error) {
	q.mu.Lock()
	db := q.db
	q.mu.Unlock()
	if db != nil {
		// One that has failed is not opened again here: what is on disk may be older than what has been told.
		return db.Snapshot()
	}
	db, err := q.openState()
	if err != nil {
		return nil, err
	}
	return db.Snapshot()
}

// errReplaced is for whoever still holds a query that was replaced.
var errReplaced = errors.New("the query was just replaced; ask again")

// retire closes the state for good: it is another query object's.
func (q *query) retire() {
	q.mu.Lock()
	q.retired = true
	q.mu.Unlock()
	q.closeState()
}

func (q *query) closeState() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.db != nil {
		_ = q.db.Close()
		q.db = nil
	}
}

// syncState makes what was committed survive a power loss.
func (q *query) syncState() {
	q.mu.Lock()
	db := q.db
	q.mu.Unlock()
	if db != nil {
		_ = db.Sync()
	}
}

// stateDir is the directory of a query's state.
func (x *Executor) stateDir(queryID string) string {
	return filepath.Join(x.cfg.StateDir, dirName(queryID))
}

// dirName is the name of that directory. Query ids hold letters, digits and underscores; anything else is replaced so that no
// id can leave the directory above.
func dirName(queryID string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		}
		return '_'
	}, queryID)
}
