package commandlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/ksqlgo/ksqlgo/catalog"
)

// Entry is one record of the command topic.
type Entry struct {
	Offset     int64
	Key, Value []byte
}

// Topic is the command topic: one partition, written by one server at a time.
type Topic interface {
	// Append runs build when everything below offset has been delivered to Follow's apply function, and appends the record
	// that it returns at offset. No other server's record can come in between; a server that loses the race tries again.
	// An error of build is returned as it is and nothing is written.
	Append(ctx context.Context, build func(offset int64) (key, value []byte, err error)) (int64, error)
	// Follow delivers all records in offset order to apply until ctx ends. caughtUp is called once, after the records that
	// were there when it started.
	Follow(ctx context.Context, apply func(Entry), caughtUp func()) error
	// CatchUp waits until everything that is in the topic now has been delivered to apply, or ctx ends.
	CatchUp(ctx context.Context) error
}

// Applier carries out commands as they are applied. It is called by one goroutine, in offset order, after the catalog
// holds the command's effect.
type Applier interface {
	// Applied tells of a command and the catalogs before and after it. replay is set for commands that were in the log when
	// the server started: only [Applier.Ready] acts on what is left of them. The error is what the client is told; the
	// catalog keeps the command all the same, since every server must.
	Applied(e AppliedCommand, before, after *catalog.Snapshot, replay bool) error
	// Ready is called once, when the log has been replayed; live holds the StartQuery commands of the queries that are
	// in the catalog, by query id.
	Ready(s *catalog.Snapshot, live map[string]*Command)
}

// AppliedCommand is a command with its place in the log.
type AppliedCommand struct {
	Offset int64
	ID     string
	*Command
}

// State says whether the log is being followed.
type State string

// The states of a log.
const (
	Replaying State = "REPLAYING"
	Running   State = "RUNNING"
	// Degraded: a record could not be decoded. What runs goes on; no further DDL is accepted.
	Degraded State = "DEGRADED"
)

// ErrDegraded is returned by Append while the log is degraded.
var ErrDegraded = errors.New("the command log holds a record that this server cannot read; DDL is refused until it is upgraded or the record is skipped")

// Log applies the command topic to the catalog. Its methods are safe for concurrent use.
type Log struct {
	topic   Topic
	applier Applier
	logger  *slog.Logger

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced when applied moves
	snapshot *catalog.Snapshot
	state    State
	reason   string
	// applied is the offset after the last command applied.
	applied  int64
	live     map[string]*Command
	outcomes map[string]Outcome
	failures map[int64]error
}

// Outcome is what became of the last command of an id.
type Outcome struct {
	Offset  int64
	Command *Command
	// Err is the error of carrying it out, nil for success.
	Err error
}

// New makes a log over a topic; Run follows it.
func New(topic Topic, applier Applier, logger *slog.Logger) *Log {
	return &Log{
		topic: topic, applier: applier, logger: logger,
		changed:  make(chan struct{}),
		snapshot: catalog.Empty(),
		state:    Replaying,
		live:     map[string]*Command{},
		outcomes: map[string]Outcome{},
		failures: map[int64]error{},
	}
}

// Run applies commands until ctx ends. ready is called once the log has been replayed.
func (l *Log) Run(ctx context.Context, ready func()) error {
	return l.topic.Follow(ctx, l.apply, func() {
		l.mu.Lock()
		if l.state == Replaying {
			l.state = Running
		}
		snapshot, live := l.snapshot, make(map[string]*Command, len(l.live))
		for id, c := range l.live {
			live[id] = c
		}
		l.mu.Unlock()
		l.applier.Ready(snapshot, live)
		ready()
	})
}

// Snapshot is the catalog as of the last command applied.
func (l *Log) Snapshot() *catalog.Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.snapshot
}

// State tells the state and, when degraded, why.
func (l *Log) State() (State, string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state, l.reason
}

// Applied is the offset after the last command applied.
func (l *Log) Applied() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.applied
}

// Outcomes returns what became of the last command of each id.
func (l *Log) Outcomes() map[string]Outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[string]Outcome, len(l.outcomes))
	for id, o := range l.outcomes {
		out[id] = o
	}
	return out
}

// Live returns the command that started a query which still exists.
func (l *Log) Live(queryID string) (*Command, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.live[queryID]
	return c, ok
}

// apply takes one record in. It runs in the goroutine of Run.
func (l *Log) apply(e Entry) {
	l.mu.Lock()
	degraded, replay, before := l.state == Degraded, l.state == Replaying, l.snapshot
	l.mu.Unlock()
	if degraded {
		// Applying what follows would fork the catalog from that of servers which could read the record.
		return
	}
	id, err := DecodeKey(e.Key)
	var c *Command
	if err == nil {
		c, err = Decode(e.Value)
	}
	if err != nil {
		l.mu.Lock()
		l.state, l.reason = Degraded, fmt.Sprintf("record at offset %d: %v", e.Offset, err)
		l.advance(e.Offset + 1)
		l.mu.Unlock()
		l.logger.Error("command log degraded", "offset", e.Offset, "error", err)
		return
	}
	after := c.Apply(before)
	l.mu.Lock()
	l.snapshot = after
	l.trackLive(c, after)
	l.mu.Unlock()
	err = l.applier.Applied(AppliedCommand{Offset: e.Offset, ID: id, Command: c}, before, after, replay)
	if err != nil {
		l.logger.Error("a command could not be carried out", "id", id, "offset", e.Offset, "error", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outcomes[id] = Outcome{Offset: e.Offset, Command: c, Err: err}
	if err != nil {
		l.failures[e.Offset] = err
	}
	l.advance(e.Offset + 1)
}

func (l *Log) trackLive(c *Command, after *catalog.Snapshot) {
	if c.Action == StartQuery {
		l.live[c.Query.ID] = c
		return
	}
	for id := range l.live {
		if _, ok := after.Query(id); !ok {
			delete(l.live, id)
		}
	}
}

// advance moves applied and wakes who waits for it. l.mu is held.
func (l *Log) advance(next int64) {
	l.applied = next
	close(l.changed)
	l.changed = make(chan struct{})
}

// Build makes a command against the catalog at the head of the log; offset is where it will stand.
type Build func(s *catalog.Snapshot, offset int64) (ID, *Command, error)

// Append validates and writes a command: build sees the catalog as of everything before the command. The error of build
// is returned as it is. It does not wait for the command to be applied: see [Log.Wait].
func (l *Log) Append(ctx context.Context, build Build) (id ID, offset int64, err error) {
	offset, err = l.topic.Append(ctx, func(offset int64) ([]byte, []byte, error) {
		if state, reason := l.State(); state == Degraded {
			return nil, nil, fmt.Errorf("%w: %s", ErrDegraded, reason)
		}
		var c *Command
		var err error
		if id, c, err = build(l.Snapshot(), offset); err != nil {
			return nil, nil, err
		}
		key, err := EncodeKey(id)
		if err != nil {
			return nil, nil, err
		}
		value, err := Encode(c)
		if err != nil {
			return nil, nil, err
		}
		// A command is written only if it reads back: what one server cannot read would degrade them all.
		if _, err := Decode(value); err != nil {
			return nil, nil, err
		}
		return key, value, nil
	})
	return id, offset, err
}

// Wait waits until the command at offset has been applied here, or ctx ends. carriedOut is the error of carrying it out.
func (l *Log) Wait(ctx context.Context, offset int64) (carriedOut, err error) {
	for {
		l.mu.Lock()
		applied, changed, failure := l.applied, l.changed, l.failures[offset]
		l.mu.Unlock()
		if applied > offset {
			return failure, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		}
	}
}
