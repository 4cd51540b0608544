// Package commandlog holds the ordered log of DDL: what a command is, how it is written at the head of the log after it
// was validated there, and how every server applies the log in offset order.
//
// The log is read from its start when a server starts, and once more when something is found to have been different from
// what was applied: a record was skipped, or the topic was restored from a backup. Either way the outcome is a catalog, and
// the [Applier] is told to go over to it from the one before.
package commandlog

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// Applier carries out commands. It is called by one goroutine, in offset order.
type Applier interface {
	// Adopt is called when the log has been read from its start, after the catalog is in force. before is the catalog in
	// force until then, the empty one when the server starts. live holds the StartQuery commands of the queries in after
	// that are to run, by query id. complete says that the catalog has everything that the log holds; of a degraded log it is only known
	// what was right before the record that cannot be read.
	Adopt(before, after *catalog.Snapshot, live map[string]*Command, complete bool)
	// Applied is called for each command that comes later, after the catalog holds its effect. The error is what the client
	// is told; the catalog keeps the command all the same, since every server must.
	Applied(e AppliedCommand, before, after *catalog.Snapshot) error
	// Abandon is called before Adopt where the log turns out to be that of a service which was terminated and begun anew while
	// this server heard nothing: all queries end here, and nothing of theirs is removed from Kafka, where the new ones may
	// have the same names.
	Abandon()
	// Terminate is called once, and last of all, when the service is terminated: by a command that comes, or one that is found
	// when the log is read. All queries have ended on this server when it returns.
	Terminate(t Termination)
}

// Termination is the end of a service.
type Termination struct {
	AppliedCommand
	// Topic is the command topic. As long as it exists the service has not been begun anew.
	Topic TopicRef
	// Queries are the ids of all queries that the log has ever started, in order. It is empty on a server that could not read
	// the whole log, which does not know them: removing what they leave is then for others.
	Queries []string
	// Dropped are the topics that commands before have said are to be deleted, but those that sources use again. They are gone
	// as a rule.
	Dropped []TopicRef
	// Complete says that this server could read the whole log.
	Complete bool
}

// AppliedCommand is a command with its place in the log.
type AppliedCommand struct {
	Offset int64
	ID     string
	*Command
}

// Outcome is what became of the last command of an id.
type Outcome struct {
	Offset int64
	// Command is without plan and properties.
	Command *Command
	// Err is the error of carrying it out, nil for success.
	Err error
}

// Config is what a log is made of.
type Config struct {
	Topic   Topic
	Applier Applier
	// Backup is the server's own copy of the log; nil for servers that keep none.
	Backup *Backup
	Logger *slog.Logger
}

// Log applies the command topic to the catalog. Its methods are safe for concurrent use.
type Log struct {
	topic   Topic
	applier Applier
	backup  *Backup
	logger  *slog.Logger

	// Of the goroutine of Run: the offsets of all records known to be skipped, and the topic they are of.
	skips   map[int64]bool
	topicID kafka.TopicID
	known   bool

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced when anything below moves
	snapshot *catalog.Snapshot
	status   Status
	// position is the offset up to which the topic was read and is in force; -1 while it is being read anew.
	position int64
	current  *reading // nil before the first one is adopted
	failures map[int64]error
}

// New makes a log; Run follows it.
func New(cfg Config) *Log {
	return &Log{
		topic: cfg.Topic, applier: cfg.Applier, backup: cfg.Backup, logger: cfg.Logger,
		skips:    map[int64]bool{},
		changed:  make(chan struct{}),
		snapshot: catalog.Empty(),
		status:   Status{State: Replaying},
		position: -1,
		failures: map[int64]error{},
	}
}

const (
	// retryFirst and retryMost are the pauses before the topic is read anew after an error.
	retryFirst = 500 * time.Millisecond
	retryMost  = 10 * time.Second
	// recheckEvery is the pause between two looks whether a corrupted topic was restored.
	recheckEvery = 2 * time.Second
)

// Run applies commands until ctx ends; the error is nil then. ready is called once, when the log has been replayed or is
// known to be corrupted. Errors of Kafka do not end it once the log was replayed.
func (l *Log) Run(ctx context.Context, ready func()) error {
	ready = sync.OnceFunc(ready)
	pause := retryFirst
	for {
		r := l.newReading()
		err := l.topic.Follow(ctx, &readyAfter{r, ready})
		if l.backup != nil {
			l.backup.close()
		}
		var broken *CorruptedError
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errReadAgain):
			continue
		case errors.Is(err, errTerminated):
			ready()
			<-ctx.Done()
			return nil
		case errors.As(err, &broken):
			l.corrupted(err)
			ready()
			if !l.awaitOther(ctx, r) {
				return nil
			}
			continue
		case !l.known && kafka.KindOf(err) != kafka.Retriable:
			return err
		}
		if r.adopted {
			pause = retryFirst
		}
		l.logger.Warn("following the command topic failed; it is read anew. Statements that change the catalog wait", "error", err, "in", pause)
		if !sleep(ctx, pause) {
			return nil
		}
		pause = min(2*pause, retryMost)
	}
}

// readyAfter tells that the log is ready once the reading has been adopted.
type readyAfter struct {
	*reading
	ready func()
}

// CaughtUp implements Follower.
func (r *readyAfter) CaughtUp() error {
	err := r.reading.CaughtUp()
	if err == nil {
		r.ready()
	}
	return err
}

// awaitOther waits until the topic is another one than the one read, or has more in it: one that is restored is empty at
// first. It returns false when ctx ends first.
func (l *Log) awaitOther(ctx context.Context, r *reading) bool {
	for sleep(ctx, recheckEvery) {
		if id, end, exists, err := l.topic.Identify(ctx); err == nil && exists && (id != r.header.TopicID || end > r.end) {
			l.logger.Info("the command topic has changed; it is read anew", "id", id, "end", end)
			return true
		}
	}
	return false
}

// sleep pauses, and reports false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Snapshot is the catalog as of the last command applied.
func (l *Log) Snapshot() *catalog.Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.snapshot
}

// Status tells how the log is doing.
func (l *Log) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status
}

// Applied is the offset after the last command applied.
func (l *Log) Applied() int64 { return l.Status().Applied }

// Outcomes returns what became of the last command of each id.
func (l *Log) Outcomes() map[string]Outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string]Outcome{}
	if l.current != nil {
		for id, o := range l.current.outcomes {
			out[id] = o
		}
	}
	return out
}

// Live returns the command that started a query which still exists.
func (l *Log) Live(queryID string) (*Command, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == nil {
		return nil, false
	}
	c, ok := l.current.live[queryID]
	return c, ok
}

// beginning prepares for a reading.
func (l *Log) beginning(h BackupHeader) {
	if l.known && h.TopicID != l.topicID {
		clear(l.skips)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.position = -1
}

// Ended returns the ids of the queries that the log started and that do not exist any more.
func (l *Log) Ended() map[string]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == nil {
		return nil
	}
	return maps.Clone(l.current.ended)
}

// DroppedTopics returns the topics that commands said are to be deleted, in no order. They are gone as a rule.
func (l *Log) DroppedTopics() []TopicRef {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == nil {
		return nil
	}
	out := make([]TopicRef, 0, len(l.current.dropped))
	for _, t := range l.current.dropped {
		out = append(out, t)
	}
	return out
}

// adopt puts a reading in force. It runs in the goroutine of Run, as all below that take a reading do.
func (l *Log) adopt(r *reading) {
	abandon := l.known && l.topicID != r.header.TopicID && slices.Contains(r.begun, l.topicID.String())
	l.topicID, l.known = r.header.TopicID, true
	if abandon {
		l.logger.Warn("the service was terminated and begun anew while this server heard nothing; it goes over to the new log")
		l.applier.Abandon()
		l.mu.Lock()
		l.snapshot = catalog.Empty()
		l.mu.Unlock()
	}
	after, live := r.draft.Snapshot(), make(map[string]*Command, len(r.live))
	for id, c := range r.live {
		live[id] = c
	}
	l.mu.Lock()
	before := l.snapshot
	l.snapshot, l.current = after, r
	l.mu.Unlock()
	l.applier.Adopt(before, after, live, r.bad == nil)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status = Status{State: Running, Applied: r.applied, End: r.end}
	l.position = r.next
	l.tellDegraded(r)
	l.wake()
}

// degraded takes note of a record that cannot be decoded.
func (l *Log) degraded(r *reading) {
	if !r.adopted {
		return // Told when it is adopted: it may yet be skipped.
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tellDegraded(r)
	l.wake()
}

// tellDegraded sets the state of a log that has a record it cannot read. l.mu is held.
func (l *Log) tellDegraded(r *reading) {
	if r.bad == nil {
		return
	}
	l.status.State, l.status.Reason = Degraded, degradedReason(r.badAt, r.bad)
	l.logger.Error("command log degraded", "offset", r.badAt, "error", r.bad, "applied", l.status.Applied,
		"do", "upgrade this server, or take the record out with: ksqlgo command skip")
}

// corrupted takes note of a topic that cannot be trusted.
func (l *Log) corrupted(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	backup := ""
	if l.backup != nil {
		backup = l.backup.cfg.Path
	}
	l.status.State, l.status.Reason = Corrupted, corruptedReason(err, backup)
	l.position = -1
	l.logger.Error("command log corrupted", "error", err, "do", "restore the topic from a backup with: ksqlgo command restore")
	l.wake()
}

// hasEnded takes note of a query that does not exist, though the log has a command that starts it.
func (l *Log) hasEnded(r *reading, query string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.ended[query] = true
}

// terminate ends the service on this server.
func (l *Log) terminate(r *reading, id string, c *Command, offset int64) {
	t := Termination{AppliedCommand: AppliedCommand{Offset: offset, ID: id, Command: c},
		Topic: TopicRef{Name: r.header.Topic, ID: r.header.TopicID.String()}, Complete: r.bad == nil}
	l.mu.Lock()
	l.position = -1
	for _, src := range r.draft.Sources() {
		maps.DeleteFunc(r.dropped, func(_ string, t TopicRef) bool { return t.Name == src.Topic })
	}
	t.Dropped = slices.Collect(maps.Values(r.dropped))
	r.change(c)
	if t.Complete {
		t.Queries = slices.Sorted(maps.Keys(r.ended))
	}
	l.snapshot, l.current = r.draft.Snapshot(), r
	l.status.State, l.status.Reason, l.status.End = Terminated, terminatedReason(), max(r.end, offset+1)
	l.mu.Unlock()
	l.logger.Warn("the service is terminated: all queries end", "offset", offset, "topics to delete", len(c.DeleteTopics))
	l.applier.Terminate(t)
	l.mu.Lock()
	defer l.mu.Unlock()
	r.outcomes[id] = Outcome{Offset: offset, Command: c.outline()}
	l.status.Applied = offset + 1
	l.wake()
}

// takeLive lets a command take effect and be carried out.
func (l *Log) takeLive(r *reading, id string, c *Command, offset int64) {
	l.mu.Lock()
	before := l.snapshot
	r.change(c)
	after := r.draft.Snapshot()
	l.snapshot = after
	l.mu.Unlock()
	err := l.applier.Applied(AppliedCommand{Offset: offset, ID: id, Command: c}, before, after)
	if err != nil {
		l.logger.Error("a command could not be carried out", "id", id, "offset", offset, "error", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r.outcomes[id] = Outcome{Offset: offset, Command: c.outline(), Err: err}
	if err != nil {
		l.failures[offset] = err
	}
	l.status.Applied = offset + 1
	l.wake()
}

// heedLive ends queries of a degraded log that other servers have ended. The catalog stays as it is.
func (l *Log) heedLive(c AppliedCommand, before, after *catalog.Snapshot) {
	l.logger.Warn("the command log is degraded; of a command behind the unreadable record only the end of queries is carried out",
		"id", c.ID, "offset", c.Offset)
	if err := l.applier.Applied(c, before, after); err != nil {
		l.logger.Error("a command could not be carried out", "id", c.ID, "offset", c.Offset, "error", err)
	}
}

// advanced takes note of how far the topic was read.
func (l *Log) advanced(r *reading) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.position, l.status.End = r.next, r.end
	l.wake()
}

// wake wakes all who wait for something to move. l.mu is held.
func (l *Log) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// Build makes a command against the catalog at the head of the log; offset is where it will stand.
type Build func(s *catalog.Snapshot, offset int64) (ID, *Command, error)

// Append validates and writes a command: build sees the catalog as of everything before the command, and may be called
// several times. Its error is returned as it is. A log that takes no commands answers with a *RefusedError. It does not
// wait for the command to be applied: see [Log.Wait].
func (l *Log) Append(ctx context.Context, build Build) (id ID, offset int64, err error) {
	if err := l.refuses(); err != nil {
		return ID{}, 0, err
	}
	w := &commandWriter{log: l, build: build}
	offset, err = l.topic.Append(ctx, w)
	return w.id, offset, err
}

// refuses is the error of a log that takes no commands.
func (l *Log) refuses() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.status; s.State == Degraded || s.State == Corrupted || s.State == Terminated {
		return &RefusedError{s.State, s.Reason}
	}
	return nil
}

// commandWriter is the Writer of Append.
type commandWriter struct {
	log   *Log
	build Build
	id    ID
}

// Await implements Writer.
func (w *commandWriter) Await(ctx context.Context, offset int64) error {
	return w.log.await(ctx, offset)
}

// Build implements Writer.
func (w *commandWriter) Build(_ context.Context, offset int64) (key, value []byte, err error) {
	id, c, err := w.build(w.log.Snapshot(), offset)
	if err != nil {
		return nil, nil, err
	}
	w.id = id
	return encodeRecord(id, c)
}

// encodeRecord writes a command and its id.
func encodeRecord(id ID, c *Command) (key, value []byte, err error) {
	if key, err = EncodeKey(id); err != nil {
		return nil, nil, err
	}
	if value, err = Encode(c); err != nil {
		return nil, nil, err
	}
	// A command is written only if it reads back: what one server cannot read would degrade them all.
	if _, err := Decode(value); err != nil {
		return nil, nil, err
	}
	return key, value, nil
}

// Wait waits until the command at offset has been applied here, or ctx ends. carriedOut is the error of carrying it out.
func (l *Log) Wait(ctx context.Context, offset int64) (carriedOut, err error) {
	for {
		l.mu.Lock()
		applied, changed, failure := l.status.Applied, l.changed, l.failures[offset]
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
