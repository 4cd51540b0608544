package exec

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/exec/state"
)

// Executor runs the queries of one server. Its methods are safe for concurrent use.
type Executor struct {
	cfg  Config
	stop context.CancelFunc
	bg   sync.WaitGroup

	mu      sync.Mutex
	queries map[string]*query
	closed  bool
	// leftovers are the internal topics of queries that ended here, by id, as long as other servers are in their groups.
	leftovers map[string][]string

	// removing is held while leftovers are removed from the brokers; epoch counts the calls of EndAll, after which those known
	// before are not this executor's any more.
	removing sync.Mutex
	epoch    atomic.Int64

	// sequence numbers rows for functions that ask which came first. It starts at the wall clock in nanoseconds and grows
	// slower than that, so that numbers grow over restarts too.
	sequence atomic.Int64

	// restoring counts the resyncs under way: whoever follows changelogs gives way to them.
	restoring atomic.Int64
	// draining says that the server gives its tasks to others.
	draining atomic.Bool
}

// ErrUnknownQuery is returned for the id of a query that does not run here.
var ErrUnknownQuery = errors.New("exec: no such query")

// New makes an executor without queries.
func New(cfg Config) *Executor {
	if cfg.FS == nil {
		cfg.FS = state.DiskFS()
	}
	if cfg.RetryInitial == 0 {
		cfg.RetryInitial = 15 * time.Second
	}
	if cfg.RetryMax == 0 {
		cfg.RetryMax = 15 * time.Minute
	}
	ctx, cancel := context.WithCancel(context.Background())
	x := &Executor{cfg: cfg, stop: cancel, queries: map[string]*query{}, leftovers: map[string][]string{}}
	x.sequence.Store(cfg.Now().UnixNano())
	x.bg.Go(func() { x.syncLoop(ctx) })
	x.bg.Go(func() { x.leftoverLoop(ctx) })
	return x
}

// syncLoop makes state survive a power loss, each second.
func (x *Executor) syncLoop(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for _, q := range x.all() {
				q.syncState()
			}
		}
	}
}

func (x *Executor) all() []*query {
	x.mu.Lock()
	defer x.mu.Unlock()
	out := make([]*query, 0, len(x.queries))
	for _, q := range x.queries {
		out = append(out, q)
	}
	return out
}

func (x *Executor) query(id string) (*query, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if q, ok := x.queries[id]; ok {
		return q, nil
	}
	return nil, fmt.Errorf("%w: %s", ErrUnknownQuery, id)
}

// Start runs a persistent query. It returns at once; the status tells how it goes.
func (x *Executor) Start(spec QuerySpec) error {
	id := spec.Plan.QueryID
	x.mu.Lock()
	if x.closed {
		x.mu.Unlock()
		return errors.New("exec: the executor is closed")
	}
	if _, ok := x.queries[id]; ok {
		x.mu.Unlock()
		return fmt.Errorf("exec: query %s runs already", id)
	}
	q := newQuery(x, spec)
	x.queries[id] = q
	if spec.Paused {
		q.setState(Paused)
	} else {
		q.start()
	}
	x.mu.Unlock()
	return nil
}

// Replace lets a query go on with another plan, whose stores and topics must be the same, where its last commit left it. A
// query that is not known is started.
func (x *Executor) Replace(spec QuerySpec) error {
	id := spec.Plan.QueryID
	x.mu.Lock()
	old, ok := x.queries[id]
	if !ok || x.closed {
		x.mu.Unlock()
		return x.Start(spec)
	}
	q := newQuery(x, spec)
	// Whoever asks for its rows meanwhile waits until the state has changed hands.
	q.handover = make(chan struct{})
	x.queries[id] = q
	x.bg.Add(1)
	defer x.bg.Done()
	x.mu.Unlock()
	old.stop()
	old.retire()
	close(q.handover)
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.closed || x.queries[id] != q:
		// It was ended meanwhile.
	case spec.Paused:
		q.setState(Paused)
	default:
		q.start()
	}
	return nil
}

// Pause stops processing; state stays readable. Resume goes on where it stopped.
func (x *Executor) Pause(id string) error {
	q, err := x.query(id)
	if err != nil {
		return err
	}
	q.stop()
	q.setState(Paused)
	return nil
}

// Resume goes on with a paused query.
func (x *Executor) Resume(id string) error {
	q, err := x.query(id)
	if err != nil {
		return err
	}
	q.start()
	return nil
}

// Terminate ends a query on this server and removes what it leaves: its state, and, with the last server that ends it, its
// group and its internal topics. The sink stays.
func (x *Executor) Terminate(ctx context.Context, id string) error {
	x.mu.Lock()
	q, ok := x.queries[id]
	delete(x.queries, id)
	x.mu.Unlock()
	if !ok {
		return fmt.Errorf("%w: %s", ErrUnknownQuery, id)
	}
	q.stop()
	q.closeState()
	x.leave(q)
	errs := []error{x.removeShared(ctx, id, internalTopicNames(q.plan))}
	errs = append(errs, state.Destroy(x.cfg.FS, x.stateDir(id)))
	return errors.Join(errs...)
}

// leaveTimeout bounds how long a server takes to leave a group.
const leaveTimeout = 5 * time.Second

// leave ends the membership of a static member.
func (x *Executor) leave(q *query) {
	instance := x.instanceID()
	if instance == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	if err := x.cfg.Kafka.Admin().LeaveGroup(ctx, GroupName(x.cfg.ServiceID, q.plan.QueryID), instance); err != nil {
		x.cfg.Logger.Warn("the group could not be left; it finds out by the session timeout", "query", q.plan.QueryID, "error", err)
	}
}

// instanceID is the name under which the server is a static member of its groups, "" if it is not.
func (x *Executor) instanceID() string {
	if x.cfg.Dynamic {
		return ""
	}
	return x.cfg.NodeID
}

// functionEnv is what functions of a query may ask of the world.
func (x *Executor) functionEnv(properties map[string]string) *functions.Env {
	return &functions.Env{
		NowMs: func() int64 { return x.cfg.Now().UnixMilli() }, Random: x.cfg.Random, Properties: properties,
		Zone: time.Local, Sequence: func() int64 { return x.sequence.Add(1) },
	}
}

// Status tells how a query is doing on this server.
func (x *Executor) Status(id string) (QueryStatus, bool) {
	q, err := x.query(id)
	if err != nil {
		return QueryStatus{}, false
	}
	return q.read(), true
}

// Statuses tells of all queries.
func (x *Executor) Statuses() []QueryStatus {
	var out []QueryStatus
	for _, q := range x.all() {
		out = append(out, q.read())
	}
	return out
}

func (q *query) read() QueryStatus {
	s := q.status.read()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.db != nil && q.db.Err() == nil {
		s.StateBytes = int64(q.db.Metrics().DiskBytes)
	}
	return s
}

// Close stops all queries, each with its last commit, and closes their state. Nothing is removed. A static member stays one
// until its session times out, so that a restart moves nothing; a server that drains leaves its groups at once.
func (x *Executor) Close() {
	x.mu.Lock()
	x.closed = true
	x.mu.Unlock()
	var wg sync.WaitGroup
	for _, q := range x.all() {
		wg.Go(func() {
			q.stop()
			q.closeState()
			if x.draining.Load() {
				x.leave(q)
			}
		})
	}
	wg.Wait()
	x.stop()
	x.bg.Wait()
}
