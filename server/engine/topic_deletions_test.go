package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/server/commandlog"
)

// fakeTopics are topics whose deletion fails as told.
type fakeTopics struct {
	mu     sync.Mutex
	topics map[string]kafka.TopicID
	// fail is what deletions and look-ups answer; nil lets them be.
	fail error
	// tries are when topics were tried to be deleted, since the start.
	began time.Time
	tries []time.Duration
}

func (f *fakeTopics) Topics(_ context.Context, names ...string) (map[string]kafka.TopicInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string]kafka.TopicInfo{}
	for _, name := range names {
		if id, ok := f.topics[name]; ok {
			out[name] = kafka.TopicInfo{Name: name, ID: id}
		}
	}
	return out, f.fail
}

func (f *fakeTopics) DeleteTopicByID(_ context.Context, name string, id kafka.TopicID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tries = append(f.tries, time.Since(f.began))
	if f.fail != nil {
		return f.fail
	}
	if f.topics[name] == id {
		delete(f.topics, name)
	}
	return nil
}

func (f *fakeTopics) answer(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = err
}

// put makes a topic.
func (f *fakeTopics) put(name string, id kafka.TopicID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.topics[name] = id
}

// tried lists when deletions were tried.
func (f *fakeTopics) tried() []time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.tries)
}

// users are the sources that use topics. Safe for concurrent use.
type users struct {
	mu sync.Mutex
	of map[string]string
}

func (u *users) put(topic, source string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.of[topic] = source
}

func (u *users) get(topic string) (string, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	source, ok := u.of[topic]
	return source, ok
}

func (f *fakeTopics) left() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var names []string
	for name := range f.topics {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// failure is an error of a kind, as Kafka's are.
func failure(kind kafka.ErrorKind) error {
	return &kafka.Error{Kind: kind, Op: "deleting a topic", Err: errors.New("no")}
}

// deleting runs deletions of topics a and b, with a log, in a bubble of virtual time.
func deleting(t *testing.T, test func(d *topicDeletions, topics *fakeTopics, log *bytes.Buffer, used *users)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		topics := &fakeTopics{topics: map[string]kafka.TopicID{"a": {1}, "b": {2}}, began: time.Now()}
		var log bytes.Buffer
		used := &users{of: map[string]string{}}
		d := newTopicDeletions(topics, used.get, slog.New(slog.NewTextHandler(&log, nil)))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			d.run(ctx)
		}()
		test(d, topics, &log, used)
		stop()
		<-done
	})
}

// A topic that cannot be deleted is tried again, with longer and longer pauses, until it is gone; the statement is no failure.
func TestDeletionIsCarriedThrough(t *testing.T) {
	t.Parallel()
	deleting(t, func(d *topicDeletions, topics *fakeTopics, log *bytes.Buffer, _ *users) {
		topics.answer(failure(kafka.Retriable))
		if err := d.now("a", kafka.TopicID{1}); err != nil {
			t.Errorf("error %v", err)
		}
		time.Sleep(40 * time.Minute)
		synctest.Wait()
		first := topics.tried()[:min(8, len(topics.tried()))]
		if want := "[0s 1s 2s 4s 8s 16s 32s 1m4s]"; fmt.Sprint(first) != want {
			t.Errorf("tried at %v, want %s", first, want)
		}
		if n := len(topics.tried()); n < 40 || n > 60 {
			t.Errorf("tried %d times in 40 minutes", n)
		}
		topics.answer(nil)
		time.Sleep(deletionPauseMost)
		synctest.Wait()
		if topics.left() != "b" || !strings.Contains(log.String(), "was deleted late") {
			t.Errorf("topics left: %s; the log says:\n%s", topics.left(), log)
		}
		tried := len(topics.tried())
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(topics.tried()) != tried {
			t.Error("it is tried again after it is gone")
		}
	})
}

// What is refused for good is told at once, or given up after a while.
func TestDeletionIsGivenUp(t *testing.T) {
	t.Parallel()
	deleting(t, func(d *topicDeletions, topics *fakeTopics, log *bytes.Buffer, _ *users) {
		topics.answer(failure(kafka.Denied))
		if err := d.now("a", kafka.TopicID{1}); kafka.KindOf(err) != kafka.Denied {
			t.Errorf("error %v", err)
		}
		topics.answer(failure(kafka.Other))
		if err := d.now("b", kafka.TopicID{2}); err != nil {
			t.Errorf("error %v", err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(topics.tried()); n != 2+deletionTries || !strings.Contains(log.String(), "stays; it is tried again when a server starts") {
			t.Errorf("%d tries; the log says:\n%s", n, log)
		}
	})
}

// A later topic of the same name is not touched, and neither is one that a source uses again.
func TestDeletionSparesWhatCameLater(t *testing.T) {
	t.Parallel()
	deleting(t, func(d *topicDeletions, topics *fakeTopics, log *bytes.Buffer, used *users) {
		topics.answer(failure(kafka.Retriable))
		for name, id := range map[string]kafka.TopicID{"a": {1}, "b": {2}} {
			if err := d.now(name, id); err != nil {
				t.Errorf("error %v", err)
			}
		}
		topics.put("a", kafka.TopicID{3})
		used.put("b", "AGAIN")
		topics.answer(nil)
		time.Sleep(time.Hour)
		synctest.Wait()
		if topics.left() != "a b" || !strings.Contains(log.String(), "it is used again") {
			t.Errorf("topics left: %s; the log says:\n%s", topics.left(), log)
		}
	})
}

// After a start the topics are deleted that should have been before, once it can be asked which exist.
func TestDeletionAfterAStart(t *testing.T) {
	t.Parallel()
	deleting(t, func(d *topicDeletions, topics *fakeTopics, log *bytes.Buffer, _ *users) {
		topics.answer(failure(kafka.Retriable))
		d.resume([]commandlog.TopicRef{{Name: "a", ID: kafka.TopicID{1}.String()}, {Name: "b", ID: kafka.TopicID{9}.String()},
			{Name: "gone", ID: kafka.TopicID{8}.String()}})
		time.Sleep(time.Minute)
		topics.answer(nil)
		time.Sleep(2 * deletionPauseMost)
		synctest.Wait()
		if topics.left() != "b" || len(topics.tried()) != 1 || strings.Count(log.String(), "it is deleted now") != 1 {
			t.Errorf("topics left: %s after %d tries; the log says:\n%s", topics.left(), len(topics.tried()), log)
		}
		topics.put("c", kafka.TopicID{4})
		topics.answer(failure(kafka.Retriable))
		d.resume([]commandlog.TopicRef{{Name: "c", ID: kafka.TopicID{4}.String()}})
		d.forget()
		topics.answer(nil)
		time.Sleep(time.Hour)
		synctest.Wait()
		if topics.left() != "b c" {
			t.Errorf("topics left: %s, though what was due was forgotten", topics.left())
		}
	})
}
