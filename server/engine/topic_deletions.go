package engine

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/server/commandlog"
)

const (
	// firstDeletion bounds the first try to delete a topic, which the command log waits for; laterDeletion bounds the others.
	firstDeletion = 10 * time.Second
	laterDeletion = 30 * time.Second
	// deletionPause is the pause before the second try; it doubles up to deletionPauseMost.
	deletionPause     = time.Second
	deletionPauseMost = time.Minute
	// deletionTries is how often a topic is tried whose deletion fails for a reason that is not known to pass.
	deletionTries = 8
)

// topicAdmin is what deletions need of Kafka; kafka.Admin is one.
type topicAdmin interface {
	Topics(ctx context.Context, names ...string) (map[string]kafka.TopicInfo, error)
	DeleteTopicByID(ctx context.Context, name string, id kafka.TopicID) error
}

// topicDeletions carries DELETE TOPIC through: what could not be done when the statement was applied is tried again until it
// is done, by this server and by all others. A topic is named by its id, so one that was created since with the same name is
// never hit. Its methods are safe for concurrent use.
type topicDeletions struct {
	admin topicAdmin
	// userOf is the source that uses a topic, if one does.
	userOf func(topic string) (source string, ok bool)
	logger *slog.Logger

	mu      sync.Mutex
	pending map[kafka.TopicID]*topicDeletion
	// suspects were to be deleted before this server started; whether they exist is to be found out.
	suspects []commandlog.TopicRef
	wake     chan struct{} // has room for one
}

// topicDeletion is a topic that is to be deleted.
type topicDeletion struct {
	name  string
	id    kafka.TopicID
	since time.Time
	tries int
	next  time.Time
	pause time.Duration
}

func newTopicDeletions(admin topicAdmin, userOf func(string) (string, bool), logger *slog.Logger) *topicDeletions {
	return &topicDeletions{admin: admin, userOf: userOf, logger: logger, pending: map[kafka.TopicID]*topicDeletion{}, wake: make(chan struct{}, 1)}
}

// now deletes a topic. What may succeed later is done later, and is no error.
func (d *topicDeletions) now(name string, id kafka.TopicID) error {
	ctx, cancel := context.WithTimeout(context.Background(), firstDeletion)
	defer cancel()
	err := d.admin.DeleteTopicByID(ctx, name, id)
	if err == nil || kafka.KindOf(err) == kafka.Denied {
		return err
	}
	d.logger.Warn("the topic of a dropped source could not be deleted; trying again", "topic", name, "id", id, "error", err)
	d.later(name, id)
	return nil
}

// later notes a topic to be deleted.
func (d *topicDeletions) later(name string, id kafka.TopicID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, known := d.pending[id]; !known {
		now := time.Now()
		d.pending[id] = &topicDeletion{name: name, id: id, since: now, next: now.Add(deletionPause), pause: deletionPause}
		d.poke()
	}
}

// resume looks for topics that were to be deleted and exist all the same, as when no server came to it before all were
// stopped.
func (d *topicDeletions) resume(topics []commandlog.TopicRef) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.suspects = topics; len(topics) > 0 {
		d.poke()
	}
}

// forget drops everything that is to be deleted.
func (d *topicDeletions) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.pending)
	d.suspects = nil
}

// poke wakes run. d.mu is held.
func (d *topicDeletions) poke() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// run deletes what is due until ctx ends.
func (d *topicDeletions) run(ctx context.Context) {
	pause := deletionPause
	for ctx.Err() == nil {
		wait := d.due(ctx)
		if err := d.look(ctx); err != nil {
			d.logger.Debug("topics that should have been deleted cannot be looked for; trying again", "error", err)
			wait = min(wait, pause)
			pause = min(2*pause, deletionPauseMost)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-d.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// look finds out which of the suspects exist.
func (d *topicDeletions) look(ctx context.Context) error {
	d.mu.Lock()
	suspects := d.suspects
	d.mu.Unlock()
	if len(suspects) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, laterDeletion)
	defer cancel()
	found, err := existing(ctx, d.admin, suspects)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.suspects = nil
	d.mu.Unlock()
	for _, t := range found {
		d.logger.Warn("a topic exists that was to be deleted with its source; it is deleted now", "topic", t.Name, "id", t.ID)
		if id, err := kafka.ParseTopicID(t.ID); err == nil {
			d.later(t.Name, id)
		}
	}
	return nil
}

// existing picks the topics that exist, in the incarnation that is meant.
func existing(ctx context.Context, admin topicAdmin, refs []commandlog.TopicRef) ([]commandlog.TopicRef, error) {
	names := map[string]bool{}
	for _, t := range refs {
		names[t.Name] = true
	}
	infos, err := admin.Topics(ctx, slices.Sorted(maps.Keys(names))...)
	if err != nil {
		return nil, err
	}
	var out []commandlog.TopicRef
	for _, t := range refs {
		if info, ok := infos[t.Name]; ok && info.ID.String() == t.ID {
			out = append(out, t)
		}
	}
	return out, nil
}

// due tries all that are due, and returns how long nothing will be.
func (d *topicDeletions) due(ctx context.Context) time.Duration {
	d.mu.Lock()
	var list []*topicDeletion
	for _, t := range d.pending {
		if !time.Now().Before(t.next) {
			list = append(list, t)
		}
	}
	d.mu.Unlock()
	for _, t := range list {
		if done := d.try(ctx, t); done {
			d.mu.Lock()
			delete(d.pending, t.id)
			d.mu.Unlock()
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	wait := deletionPauseMost
	for _, t := range d.pending {
		wait = min(wait, max(time.Until(t.next), 0))
	}
	return wait
}

// try tries once and returns whether that was the last time.
func (d *topicDeletions) try(ctx context.Context, t *topicDeletion) (done bool) {
	log := d.logger.With("topic", t.name, "id", t.id, "after", time.Since(t.since).Round(time.Millisecond))
	if source, used := d.userOf(t.name); used {
		log.Warn("the topic of a dropped source is not deleted: it is used again", "source", source)
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, laterDeletion)
	defer cancel()
	err := d.admin.DeleteTopicByID(ctx, t.name, t.id)
	if err == nil {
		log.Info("the topic of a dropped source was deleted late")
		return true
	}
	switch kafka.KindOf(err) {
	case kafka.Retriable, kafka.Canceled, kafka.Closed:
	case kafka.Denied:
		t.tries = deletionTries
	default:
		t.tries++
	}
	if t.tries >= deletionTries {
		log.Error("the topic of a dropped source stays; it is tried again when a server starts", "error", err)
		return true
	}
	log.Warn("the topic of a dropped source could not be deleted; trying again", "error", err, "in", t.pause)
	t.next, t.pause = time.Now().Add(t.pause), min(2*t.pause, deletionPauseMost)
	return false
}

// userOf is the source that uses a topic, if one does.
func (e *Engine) userOf(topic string) (source string, ok bool) {
	for _, s := range e.Catalog().Sources() {
		if s.Topic == topic {
			return s.Name, true
		}
	}
	return "", false
}

// shortID is for messages.
func shortID(r commandlog.TopicRef) string { return fmt.Sprintf("%s (%s)", r.Name, r.ID) }
