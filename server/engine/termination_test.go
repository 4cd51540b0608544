package engine

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/server/commandlog"
)

// fakeRuntime removes queries as told.
type fakeRuntime struct {
	Runtime
	fail     error
	removals int
}

func (f *fakeRuntime) RemoveQueries(ctx context.Context, _ []string, confirm func(context.Context) error) error {
	if err := confirm(ctx); err != nil {
		return err
	}
	f.removals++
	return f.fail
}

// fakeCommandTopic is the command topic among fakeTopics, as far as its removal goes.
type fakeCommandTopic struct {
	commandlog.Topic
	topics *fakeTopics
}

func (f fakeCommandTopic) Identify(context.Context) (kafka.TopicID, int64, bool, error) {
	f.topics.mu.Lock()
	defer f.topics.mu.Unlock()
	id, ok := f.topics.topics["commands"]
	return id, 0, ok, nil
}

// What a server does with a service that was terminated, and how long it takes to.
func TestRemovalOfAService(t *testing.T) {
	t.Parallel()
	commands := commandlog.TopicRef{Name: "commands", ID: kafka.TopicID{7}.String()}
	named := []commandlog.TopicRef{{Name: "a", ID: kafka.TopicID{1}.String()}, {Name: "b", ID: kafka.TopicID{9}.String()}}
	for name, c := range map[string]struct {
		incomplete bool
		// command is the command topic's id at the beginning.
		command kafka.TopicID
		// queries is the error of removing what queries leave, topics that of deleting topics, which passes after until.
		queries, topics error
		until           time.Duration
		left            string
		atLeast, atMost time.Duration
		removals        bool
		says            string
	}{
		"all at once":                        {command: kafka.TopicID{7}, left: "b other", atLeast: terminateGrace, atMost: terminateGrace + terminatePauseMost, removals: true, says: "everything of it removed"},
		"a part of the log alone":            {command: kafka.TopicID{7}, incomplete: true, left: "a b commands other", says: "removed by other servers"},
		"another server was faster":          {left: "a b other", says: "another server has finished"},
		"the service has begun anew":         {command: kafka.TopicID{8}, left: "a b commands other", says: "another server has finished"},
		"a group that is never empty":        {command: kafka.TopicID{7}, queries: failure(kafka.InUse), left: "b other", atLeast: terminatePatience, atMost: terminatePatience + terminatePauseMost, removals: true, says: "removed by hand"},
		"left-overs that cannot be removed":  {command: kafka.TopicID{7}, queries: failure(kafka.Denied), left: "b other", atLeast: terminatePatience, atMost: terminatePatience + terminatePauseMost, removals: true, says: "removed by hand"},
		"brokers out of reach for 5 minutes": {command: kafka.TopicID{7}, topics: failure(kafka.Retriable), until: 5 * time.Minute, left: "b other", atLeast: 5 * time.Minute, atMost: 5*time.Minute + terminatePauseMost, removals: true, says: "everything of it removed"},
		"nothing may be deleted":             {command: kafka.TopicID{7}, topics: failure(kafka.Denied), left: "a b commands other", atLeast: terminateGrace, atMost: terminateGrace + terminatePauseMost, removals: true, says: "commands (07"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				// The topic b is not the one that was meant.
				topics := &fakeTopics{topics: map[string]kafka.TopicID{"a": {1}, "b": {2}, "other": {3}}, began: began, fail: c.topics}
				if c.command != (kafka.TopicID{}) {
					topics.topics["commands"] = c.command
				}
				if c.until > 0 {
					time.AfterFunc(c.until, func() { topics.answer(nil) })
				}
				var log bytes.Buffer
				runtime := &fakeRuntime{fail: c.queries}
				e := &Engine{cfg: Config{Runtime: runtime, Topic: fakeCommandTopic{topics: topics}, Logger: slog.New(slog.NewTextHandler(&log, nil))}}
				end := commandlog.Termination{AppliedCommand: commandlog.AppliedCommand{Command: &commandlog.Command{DeleteTopics: named}},
					Topic: commands, Queries: []string{"Q"}, Complete: !c.incomplete}
				if !e.removeService(t.Context(), end, topics) {
					t.Error("it did not finish")
				}
				if took := time.Since(began); took < c.atLeast || took > c.atMost {
					t.Errorf("it took %v, want %v to %v", took, c.atLeast, c.atMost)
				}
				if got := topics.left(); got != c.left {
					t.Errorf("topics left: %s, want %s", got, c.left)
				}
				if (runtime.removals > 0) != c.removals || !strings.Contains(log.String(), c.says) {
					t.Errorf("%d removals; the log says:\n%s", runtime.removals, log.String())
				}
			})
		})
	}
}

// A server that is stopped meanwhile has not finished.
func TestRemovalIsInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		topics := &fakeTopics{topics: map[string]kafka.TopicID{"commands": {7}}, began: time.Now()}
		e := &Engine{cfg: Config{Runtime: &fakeRuntime{}, Topic: fakeCommandTopic{topics: topics}, Logger: slog.New(slog.DiscardHandler)}}
		ctx, stop := context.WithTimeout(t.Context(), terminateGrace/2)
		defer stop()
		end := commandlog.Termination{AppliedCommand: commandlog.AppliedCommand{Command: &commandlog.Command{}},
			Topic: commandlog.TopicRef{Name: "commands", ID: kafka.TopicID{7}.String()}, Complete: true}
		if e.removeService(ctx, end, topics) || topics.left() != "commands" {
			t.Errorf("topics left: %s", topics.left())
		}
	})
}
