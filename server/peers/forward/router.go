package forward

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/cluster"
	"github.com/ksqlgo/ksqlgo/exec/position"
	"github.com/ksqlgo/ksqlgo/planner/physical"
	"github.com/ksqlgo/ksqlgo/server/peers"
)

// Executor is what the router needs of this server's executor. Its methods are safe for concurrent use.
type Executor interface {
	PreparePull(plan *physical.Pull) (*exec.PullRequest, error)
	Plan(queryID string) (plan *physical.Plan, hash uint64, err error)
	Assignment(queryID string) (*cluster.Assignment, bool)
}

// Peers are the other servers. Methods are safe for concurrent use; see peers.Peers for what they do.
type Peers interface {
	Self() peers.Node
	Host(id string) (peers.Host, bool)
	Others() []peers.Host
	Changed() <-chan struct{}
	Down(id string) <-chan struct{}
	Post(ctx context.Context, id, path string, body []byte) (*http.Response, error)
}

// Config is what a router is built from.
type Config struct {
	Executor Executor
	Peers    Peers
	// Timeout is after how long a server that sends nothing is given up (ksql.query.pull.forwarding.timeout.ms); 0 means 20 s.
	Timeout time.Duration
	// Wait is how long partitions that nobody answers for are asked again; 0 means 5 s.
	Wait   time.Duration
	Logger *slog.Logger
}

// Router answers pull queries from all servers. Its methods are safe for concurrent use.
type Router struct{ cfg Config }

// New makes a router.
func New(cfg Config) *Router {
	if cfg.Timeout == 0 {
		cfg.Timeout = 20 * time.Second
	}
	if cfg.Wait == 0 {
		cfg.Wait = 5 * time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Router{cfg: cfg}
}

// Register lets other servers ask this one.
func (r *Router) Register(p *peers.Peers) { p.Handle(path, http.HandlerFunc(r.answer)) }

// Pull answers a pull query: what is here from here, the rest from the servers that have it. The error is an *Error when
// partitions were not answered, an *exec.StaleError when they do not contain o.AtLeast; with o.LocalOnly it is an
// *exec.RefusedError instead of the first. The rows of an answer may end in an error when a server fails in the middle.
func (r *Router) Pull(ctx context.Context, plan *physical.Pull, o exec.PullOptions) (exec.PulledRows, error) {
	prepared, err := r.cfg.Executor.PreparePull(plan)
	if err != nil {
		return nil, err
	}
	if o.LocalOnly || r.isOwn(plan.QueryID, prepared) {
		alone := o
		// With a standby that may answer nobody waits for the owner.
		alone.NoWait = !o.LocalOnly && o.StandbyLag >= 0
		rows, err := prepared.Read(ctx, alone)
		var refused *exec.RefusedError
		switch {
		case err == nil:
			return rows, nil
		case o.LocalOnly || !errors.As(err, &refused):
			return nil, err
		}
	}
	return r.gather(ctx, plan, o, prepared)
}

// isOwn says whether all partitions are this server's, as far as it knows.
func (r *Router) isOwn(queryID string, prepared *exec.PullRequest) bool {
	a, ok := r.cfg.Executor.Assignment(queryID)
	if !ok {
		return len(r.cfg.Peers.Others()) == 0
	}
	self := r.cfg.Peers.Self().ID
	for _, p := range prepared.Partitions() {
		if h, ok := a.Owner(cluster.TaskID{Stage: int32(prepared.Stage()), Partition: p}); !ok || h.NodeID != self {
			return false
		}
	}
	return true
}

// attempt is one server that did not answer for a partition.
type attempt struct {
	node   string
	reason string
}

// gathering is one query that is answered by several servers.
type gathering struct {
	r        *Router
	o        exec.PullOptions
	plan     *physical.Pull
	prepared *exec.PullRequest // Of this server's next part; nil when it has been used.
	stage    int
	encoded  []byte
	hash     uint64
	// left are the partitions that nobody answers yet; tried is who was asked for them in this round.
	left  []int32
	tried map[int32][]attempt

	parts []*part
	local []*exec.PullRows
	stale position.Vector
}

// gather asks server after server until all partitions are answered.
func (r *Router) gather(ctx context.Context, plan *physical.Pull, o exec.PullOptions, prepared *exec.PullRequest) (exec.PulledRows, error) {
	_, hash, err := r.cfg.Executor.Plan(plan.QueryID)
	if err != nil {
		return nil, err
	}
	encoded, err := physical.EncodePull(plan)
	if err != nil {
		return nil, err
	}
	g := &gathering{r: r, o: o, plan: plan, prepared: prepared, stage: prepared.Stage(), encoded: encoded, hash: hash, left: slices.Clone(prepared.Partitions())}
	if o.Partitions != nil {
		g.left = slices.DeleteFunc(g.left, func(p int32) bool { return !slices.Contains(o.Partitions, p) })
	}
	// The parts live until the answer is closed.
	streams, cancel := context.WithCancel(ctx)
	if err := g.run(ctx, streams); err != nil {
		g.close()
		cancel()
		return nil, err
	}
	rows, err := newRows(streams, cancel, g)
	if err != nil {
		g.close()
		cancel()
		return nil, err
	}
	return rows, nil
}

// again is how long a round waits for something to change before the next one.
const again = 50 * time.Millisecond

// run goes round after round until every partition is answered, for as long as it may.
func (g *gathering) run(ctx, streams context.Context) error {
	deadline := time.NewTimer(g.r.cfg.Wait)
	defer deadline.Stop()
	for {
		changed := g.r.cfg.Peers.Changed()
		if err := g.round(streams); err != nil {
			return err
		}
		switch {
		case g.stale != nil:
			return &exec.StaleError{Have: g.stale}
		case len(g.left) == 0:
			return nil
		}
		pause := time.NewTimer(again)
		select {
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		case <-deadline.C:
			pause.Stop()
			return g.unanswered()
		case <-changed:
			// A server that has come up, or a task that runs now. Statuses change often: not every change is worth a round.
			select {
			case <-ctx.Done():
			case <-time.After(again / 5):
			}
		case <-pause.C:
		}
		pause.Stop()
	}
}

// close gives back what has been opened.
func (g *gathering) close() {
	for _, rows := range g.local {
		rows.Close()
	}
	for _, p := range g.parts {
		if p.rest != nil {
			p.rest.close()
		}
	}
}

// unanswered is the error of the partitions that are left.
func (g *gathering) unanswered() error {
	e := &Error{Partitions: map[int32][]Scanned{}}
	for _, p := range g.left {
		list := make([]Scanned, 0, len(g.tried[p]))
		for _, a := range g.tried[p] {
			list = append(list, Scanned{Host: g.r.label(a.node), Reason: a.reason})
		}
		e.Partitions[p] = list
	}
	return e
}

// label is a server as people know it.
func (r *Router) label(node string) string {
	if node == r.cfg.Peers.Self().ID {
		return "this server"
	}
	h, ok := r.cfg.Peers.Host(node)
	switch {
	case ok && h.Status != nil && h.Status.Host != "":
		return h.Status.Host
	case ok && h.Endpoint != "":
		return h.Endpoint
	}
	return "node " + node
}

// Scanned is a server that was asked for a partition.
type Scanned struct {
	// Host is where its public API is, if that is known.
	Host string
	// Reason is why it did not answer.
	Reason string
}

// Error says for which partitions nobody answered, and whom was asked.
type Error struct {
	Partitions map[int32][]Scanned
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("Unable to execute pull query.")
	writePartitions(&b, e.Partitions)
	return b.String()
}
