package commandlog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// garbage writes a record that cannot be decoded to the command topic, past all servers, and returns its offset.
func garbage(t testing.TB, cluster *kafka.Cluster, value string) int64 {
	t.Helper()
	plain, err := cluster.Plain()
	if err != nil {
		t.Fatal(err)
	}
	at, err := plain.Produce(t.Context(), kafka.TopicPartition{Topic: TopicName("test_")}, []byte(`"x"`), []byte(value), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func (s *server) tryCreate(t testing.TB, name string) error {
	_, _, err := s.Append(t.Context(), func(*catalog.Snapshot, int64) (ID, *Command, error) { return idOf(name), source(name), nil })
	return err
}

// wants waits for a state and returns the status.
func (s *server) wants(t testing.TB, state State) Status {
	t.Helper()
	eventually(t, "the log is "+string(state), func() bool { return s.Status().State == state })
	return s.Status()
}

// A record that cannot be read stops DDL and the application of what follows, on servers that run and on those that start,
// and says where it is. When it is skipped all of them go on, with what was written meanwhile.
func TestDegradedUntilSkipped(t *testing.T) {
	t.Parallel()
	cluster := connect(t)
	first := open(t, cluster, serverOptions{})
	first.create(t, "A")
	at := garbage(t, cluster, `{"version":99}`)
	late := open(t, cluster, serverOptions{})
	for name, s := range map[string]*server{"running": first, "started later": late} {
		status := s.wants(t, Degraded)
		if !strings.Contains(status.Reason, fmt.Sprintf("offset %d", at)) || !strings.Contains(status.Reason, "version 99") ||
			!strings.Contains(status.Reason, fmt.Sprintf("ksqlgo command skip %d", at)) {
			t.Errorf("%s: reason %s", name, status.Reason)
		}
		if status.Applied != 1 || names(s.Snapshot()) != "[A]" {
			t.Errorf("%s: applied %d with %s; what came before is in force", name, status.Applied, names(s.Snapshot()))
		}
		var refused *RefusedError
		if err := s.tryCreate(t, "B"); !errors.As(err, &refused) || refused.State != Degraded {
			t.Errorf("%s: DDL on a degraded log: %v", name, err)
		}
	}
	if late.app.complete {
		t.Error("a degraded log was called complete")
	}
	// A newer server, which could read it, writes on.
	writer, err := OpenKafkaTopic(t.Context(), KafkaTopicConfig{Cluster: cluster, ServiceID: "test_", Logger: first.logger})
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	if _, err := writer.Append(t.Context(), recordWriter{&skipWriter{topic: writer}, idOf("C"), source("C")}); err != nil {
		t.Fatal(err)
	}
	if names(first.Snapshot()) != "[A]" {
		t.Errorf("a command behind the record was applied: %s", names(first.Snapshot()))
	}
	if _, err := WriteSkip(t.Context(), writer, at+1000); err == nil {
		t.Error("what is not there was skipped")
	}
	if _, err := WriteSkip(t.Context(), writer, at); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*server{"running": first, "started later": late, "started after": open(t, cluster, serverOptions{})} {
		s.wants(t, Running)
		if names(s.Snapshot()) != "[A C]" || !s.app.complete {
			t.Errorf("%s: catalog %s after the skip", name, names(s.Snapshot()))
		}
	}
	if got := first.app.adoptions(); fmt.Sprint(got) != "[[] -> [], 0 live [A] -> [A C], 0 live]" {
		t.Errorf("the running server went over %v", got)
	}
	late.create(t, "D")
	eventually(t, "the others have it", func() bool { return names(first.Snapshot()) == "[A C D]" })
	in, err := Inspect(t.Context(), cluster, "test_")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range in.Records {
		got = append(got, fmt.Sprintf("%s %s", r.ID, r.State))
	}
	if want := "[stream/`A`/create applied x skipped stream/`C`/create applied command/2/skip applied stream/`D`/create applied]"; fmt.Sprint(got) != want {
		t.Errorf("the topic holds %v, want %s", got, want)
	}
}

// recordWriter writes one command as soon as it can.
type recordWriter struct {
	*skipWriter
	id ID
	c  *Command
}

func (w recordWriter) Build(context.Context, int64) ([]byte, []byte, error) {
	return encodeRecord(w.id, w.c)
}

// A record that was applied and is skipped loses its effect on servers that run.
func TestSkippingWhatWasApplied(t *testing.T) {
	t.Parallel()
	cluster := connect(t)
	s := open(t, cluster, serverOptions{})
	s.create(t, "A")
	at := s.create(t, "B")
	if _, err := WriteSkip(t.Context(), s.topic, at); err != nil {
		t.Fatal(err)
	}
	eventually(t, "B is gone", func() bool { return names(s.Snapshot()) == "[A]" })
	s.create(t, "B")
	if got := names(open(t, cluster, serverOptions{}).Snapshot()); got != "[A B]" {
		t.Errorf("a server that starts has %s", got)
	}
}

// backupIn is the configuration of a backup in a directory.
func backupIn(dir string) *BackupConfig {
	return &BackupConfig{Path: filepath.Join(dir, "log", "commands.backup"), Durable: true}
}

// A server that finds another topic than its backup is of starts nothing and takes nothing, until the topic is restored.
func TestCorruptedUntilRestored(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(t *testing.T, cluster *kafka.Cluster){
		"deleted": func(t *testing.T, cluster *kafka.Cluster) {
			if err := cluster.Admin().DeleteTopics(t.Context(), TopicName("test_")); err != nil {
				t.Fatal(err)
			}
		},
		"recreated": func(t *testing.T, cluster *kafka.Cluster) {
			if err := cluster.Admin().DeleteTopics(t.Context(), TopicName("test_")); err != nil {
				t.Fatal(err)
			}
			open(t, cluster, serverOptions{}).stop()
		},
		"cut off at its start": func(t *testing.T, cluster *kafka.Cluster) {
			if err := cluster.Admin().DeleteRecords(t.Context(), map[kafka.TopicPartition]int64{{Topic: TopicName("test_")}: 2}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster, dir := connect(t), t.TempDir()
			s := open(t, cluster, serverOptions{backup: backupIn(dir)})
			s.create(t, "A")
			s.create(t, "B")
			last := s.create(t, "C")
			s.stop()
			harm(t, cluster)

			s = open(t, cluster, serverOptions{backup: backupIn(dir)})
			status := s.wants(t, Corrupted)
			if !strings.Contains(status.Reason, "ksqlgo command restore") {
				t.Errorf("reason %s", status.Reason)
			}
			if got := s.app.adoptions(); len(got) > 0 {
				t.Errorf("it went over %v", got)
			}
			var refused *RefusedError
			if err := s.tryCreate(t, "D"); !errors.As(err, &refused) || refused.State != Corrupted {
				t.Errorf("DDL on a corrupted log: %v", err)
			}
			file, err := os.Open(backupIn(dir).Path)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			stored, err := ReadBackup(file)
			if err != nil || len(stored.Entries) != 3 {
				t.Fatalf("the backup has %d records: %v", len(stored.Entries), err)
			}
			end, err := Restore(t.Context(), KafkaTopicConfig{Cluster: cluster, ServiceID: "test_", Logger: s.logger}, stored)
			if err != nil || end != last+2 {
				t.Fatalf("restored up to %d, want %d: %v", end, last+2, err)
			}
			s.wants(t, Running)
			s.create(t, "D")
			if o := s.Outcomes()[idOf("C").String()]; o.Offset != last || names(s.Snapshot()) != "[A B C D]" {
				t.Errorf("catalog %s, and C at offset %d, want %d", names(s.Snapshot()), o.Offset, last)
			}
			s.stop()
			// Once more: the backup is of the new topic now.
			s = open(t, cluster, serverOptions{backup: backupIn(dir)})
			if s.wants(t, Running); names(s.Snapshot()) != "[A B C D]" {
				t.Errorf("after a restart: %s", names(s.Snapshot()))
			}
		})
	}
}

// A running server whose topic goes away takes no commands any more and keeps what runs; restored, it goes on.
func TestTopicDeletedUnderARunningServer(t *testing.T) {
	t.Parallel()
	cluster, dir := connect(t), t.TempDir()
	s := open(t, cluster, serverOptions{backup: backupIn(dir)})
	without := open(t, cluster, serverOptions{})
	s.create(t, "A")
	eventually(t, "both have it", func() bool { return names(without.Snapshot()) == "[A]" })
	if err := cluster.Admin().DeleteTopics(t.Context(), TopicName("test_")); err != nil {
		t.Fatal(err)
	}
	s.wants(t, Corrupted)
	without.wants(t, Corrupted)
	if names(s.Snapshot()) != "[A]" {
		t.Errorf("catalog %s", names(s.Snapshot()))
	}
	f, err := os.Open(backupIn(dir).Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	stored, err := ReadBackup(f)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), KafkaTopicConfig{Cluster: cluster, ServiceID: "test_", Logger: s.logger}, stored); err != nil {
		t.Fatal(err)
	}
	s.wants(t, Running)
	without.wants(t, Running)
	s.create(t, "B")
	eventually(t, "both have it", func() bool { return names(without.Snapshot()) == "[A B]" })
}

// An open transaction of a writer that died does not keep the others from writing for long.
func TestOpenTransactionOfADeadWriter(t *testing.T) {
	t.Parallel()
	cluster := connect(t)
	s := open(t, cluster, serverOptions{})
	dead, err := cluster.NewProducer(t.Context(), kafka.ProducerConfig{Name: "dead", TransactionalID: TopicName("test_")})
	if err != nil {
		t.Fatal(err)
	}
	defer dead.Close()
	dead.Produce(TopicName("test_"), 0, []byte(`"dead"`), []byte(`{}`), 0, nil)
	if err := dead.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	s.create(t, "A")
	if took := time.Since(began); took > patience+3*time.Second {
		t.Errorf("it took %v", took)
	}
	if names(s.Snapshot()) != "[A]" || s.Status().State != Running {
		t.Errorf("catalog %s, %+v", names(s.Snapshot()), s.Status())
	}
}

// Behind a record that cannot be read, the end of a query counts: it is not started, and where it runs it ends.
func TestDegradedServersEndQueries(t *testing.T) {
	t.Parallel()
	cluster := connect(t)
	running := open(t, cluster, serverOptions{})
	for _, id := range []string{"Q_1", "Q_2"} {
		_, _, err := running.Append(t.Context(), func(*catalog.Snapshot, int64) (ID, *Command, error) {
			return ID{"stream", id, "create"}, &Command{Action: StartQuery, Query: &catalog.Query{ID: id}, Plan: []byte(`{}`)}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	garbage(t, cluster, `{"version":99}`)
	running.wants(t, Degraded)
	end, err := OpenKafkaTopic(t.Context(), KafkaTopicConfig{Cluster: cluster, ServiceID: "test_", Logger: running.logger})
	if err != nil {
		t.Fatal(err)
	}
	defer end.Close()
	at, err := end.Append(t.Context(), recordWriter{&skipWriter{topic: end}, ID{"terminate", "Q_1", "execute"}, &Command{Action: TerminateQuery, Name: "Q_1"}})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the running server ends the query", func() bool {
		running.app.mu.Lock()
		defer running.app.mu.Unlock()
		return slices.Contains(running.app.applied, fmt.Sprintf("%d terminate/Q_1/execute", at))
	})
	late := open(t, cluster, serverOptions{})
	if got := late.app.adoptions(); fmt.Sprint(got) != "[[] -> [], 1 live]" {
		t.Errorf("a server that starts went over %v; Q_1 has ended", got)
	}
	if n := len(late.Snapshot().Queries()); n != 2 {
		t.Errorf("%d queries in the catalog; it stays as it was", n)
	}
}
