package commandlog

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// someTopic is what a terminate command may name.
var someTopic = TopicRef{Name: "T", ID: kafka.TopicID{7}.String()}

// terminate writes the end of the service and waits until it has come to this server.
func (s *server) terminate(t testing.TB, topics ...TopicRef) int64 {
	t.Helper()
	_, offset, err := s.Append(t.Context(), func(*catalog.Snapshot, int64) (ID, *Command, error) {
		return ID{"cluster", "TerminateCluster", "terminate"}, &Command{Action: TerminateCluster, Statement: "TERMINATE CLUSTER;", DeleteTopics: topics}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Wait(t.Context(), offset); err != nil {
		t.Fatal(err)
	}
	return offset
}

// startQuery writes a command that starts a query.
func (s *server) startQuery(t testing.TB, id string) int64 {
	t.Helper()
	_, at, err := s.Append(t.Context(), func(*catalog.Snapshot, int64) (ID, *Command, error) {
		return ID{"stream", id, "create"}, &Command{Action: StartQuery, Query: &catalog.Query{ID: id}, Plan: []byte(`{}`)}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// deleteLog deletes the command topic, as the removal of a terminated service does.
func deleteLog(t testing.TB, cluster *kafka.Cluster) {
	t.Helper()
	if err := cluster.Admin().DeleteTopics(t.Context(), TopicName("test_")); err != nil {
		t.Fatal(err)
	}
}

// Every server is told of the end of the service, once: those that run, one that starts while the command topic is still
// there, and one that could not read the log. That the topic is deleted then is no corruption.
func TestTerminate(t *testing.T) {
	t.Parallel()
	cluster := connect(t)
	first, second := open(t, cluster, serverOptions{}), open(t, cluster, serverOptions{backup: backupIn(t.TempDir())})
	first.startQuery(t, "Q_0")
	skipped := first.startQuery(t, "Q_1")
	if _, err := WriteSkip(t.Context(), first.topic, skipped); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*Command{{Action: DropSource, Name: "A", DeleteTopic: true, Topic: "A", TopicID: someTopic.ID},
		{Action: DropSource, Name: "B", DeleteTopic: true, Topic: "B", TopicID: kafka.TopicID{9}.String()}, source("B")} {
		if _, _, err := first.Append(t.Context(), func(*catalog.Snapshot, int64) (ID, *Command, error) { return idOf(c.Name), c, nil }); err != nil {
			t.Fatal(err)
		}
	}
	at := first.terminate(t, someTopic)
	// A skip does not take it back.
	if _, err := WriteSkip(t.Context(), first.topic, at); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*server{"first": first, "second": second, "late": open(t, cluster, serverOptions{})} {
		status := s.wants(t, Terminated)
		eventually(t, "it is told", func() bool { return len(s.app.ends()) == 1 })
		end := s.app.ends()[0]
		if end.Offset != at || !end.Complete || !slices.Equal(end.Queries, []string{"Q_0", "Q_1"}) || !slices.Equal(end.DeleteTopics, []TopicRef{someTopic}) ||
			end.Topic.Name != TopicName("test_") || len(end.Dropped) != 1 || end.Dropped[0].Name != "A" {
			t.Errorf("%s was told of %+v", name, end)
		}
		if n := len(s.Snapshot().Queries()) + len(s.Snapshot().Sources()); n > 0 {
			t.Errorf("%s: %d things in the catalog", name, n)
		}
		var refused *RefusedError
		if err := s.tryCreate(t, "X"); !errors.As(err, &refused) || refused.State != Terminated || !strings.Contains(status.Reason, "started anew") {
			t.Errorf("%s: DDL: %v", name, err)
		}
	}
	in, err := Inspect(t.Context(), cluster, "test_")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(in.Records); in.Records[n-2].State != AppliedRecord || in.Records[n-1].State != UnappliedRecord {
		t.Errorf("the end of the service is %s, a skip of it %s", in.Records[n-2].State, in.Records[n-1].State)
	}
	deleteLog(t, cluster)
	for _, s := range []*server{first, second} {
		if s.stop(); s.Status().State != Terminated || len(s.app.ends()) != 1 {
			t.Errorf("state %s, told %d times", s.Status().State, len(s.app.ends()))
		}
	}
}

// A server that cannot read a record before the end of the service ends, too, and does not claim to know what there was.
func TestTerminateBehindAnUnreadableRecord(t *testing.T) {
	t.Parallel()
	cluster := connect(t)
	running := open(t, cluster, serverOptions{})
	running.startQuery(t, "Q_0")
	garbage(t, cluster, `{"version":99}`)
	running.wants(t, Degraded)
	newer, err := OpenKafkaTopic(t.Context(), KafkaTopicConfig{Cluster: cluster, ServiceID: "test_", Logger: running.logger})
	if err != nil {
		t.Fatal(err)
	}
	defer newer.Close()
	if _, err := newer.Append(t.Context(), recordWriter{&skipWriter{topic: newer}, ID{"cluster", "TerminateCluster", "terminate"},
		&Command{Action: TerminateCluster}}); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*server{"running": running, "late": open(t, cluster, serverOptions{})} {
		s.wants(t, Terminated)
		eventually(t, "it is told", func() bool { return len(s.app.ends()) == 1 })
		if end := s.app.ends()[0]; end.Complete || len(end.Queries) > 0 {
			t.Errorf("%s was told of %+v", name, end)
		}
	}
}

// After the end a server that was told of it begins anew; one that was down, and one that heard nothing for long, wait, say
// what may have happened, and go over to the new log by themselves.
func TestBeginAnewAfterTerminate(t *testing.T) {
	t.Parallel()
	cluster := connect(t)
	told, down, deaf := t.TempDir(), t.TempDir(), t.TempDir()
	first := open(t, cluster, serverOptions{backup: backupIn(told)})
	first.create(t, "A")
	first.startQuery(t, "Q_2")
	absent := open(t, cluster, serverOptions{backup: backupIn(down)})
	absent.stop()
	// A frozen process has read everything before, and does not get to read the end.
	frozen := open(t, cluster, serverOptions{backup: backupIn(deaf)})
	frozen.stop()
	first.terminate(t)
	first.stop()
	deleteLog(t, cluster)

	absent = open(t, cluster, serverOptions{backup: backupIn(down)})
	reason := absent.wants(t, Corrupted).Reason
	if !strings.Contains(reason, "POST /ksql/terminate") || !strings.Contains(reason, "do not restore it") || !strings.Contains(reason, backupIn(down).Path) {
		t.Errorf("reason %s", reason)
	}
	// It reads on now.
	frozen.resume(t)
	frozen.wants(t, Corrupted)

	first = open(t, cluster, serverOptions{backup: backupIn(told)})
	first.wants(t, Running)
	if got := names(first.Snapshot()); got != "[]" {
		t.Errorf("the new service has %s", got)
	}
	if kept, _ := filepath.Glob(backupIn(told).Path + ".terminated-*"); len(kept) != 1 {
		t.Errorf("backups kept: %v", kept)
	}
	at := first.create(t, "B")
	for name, s := range map[string]*server{"down": absent, "frozen": frozen} {
		s.wants(t, Running)
		eventually(t, name+" has the new catalog", func() bool { return names(s.Snapshot()) == "[B]" })
	}
	if got := frozen.app.adoptions(); len(got) < 2 || got[len(got)-2] != "abandoned" || !strings.HasPrefix(got[len(got)-1], "[] -> ") {
		t.Errorf("the frozen server went over %v", got)
	}
	if got := absent.app.adoptions(); slices.Contains(got, "abandoned") {
		t.Errorf("the server that was down went over %v", got)
	}
	first.stop()
	first = open(t, cluster, serverOptions{backup: backupIn(told)})
	if first.wants(t, Running); names(first.Snapshot()) != "[B]" || first.Outcomes()[idOf("B").String()].Offset != at {
		t.Errorf("after another start: %s", names(first.Snapshot()))
	}
}

// A service that was terminated can be restored from the backup of a server that was told of it, without its end.
func TestRestoreOfATerminatedService(t *testing.T) {
	t.Parallel()
	cluster, dir := connect(t), t.TempDir()
	s := open(t, cluster, serverOptions{backup: backupIn(dir)})
	s.create(t, "A")
	s.terminate(t)
	s.stop()
	deleteLog(t, cluster)
	file, err := os.Open(backupIn(dir).Path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	stored, err := ReadBackup(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), KafkaTopicConfig{Cluster: cluster, ServiceID: "test_", Logger: s.logger}, stored); err != nil {
		t.Fatal(err)
	}
	s = open(t, cluster, serverOptions{backup: backupIn(dir)})
	if s.wants(t, Running); names(s.Snapshot()) != "[A]" {
		t.Errorf("catalog %s", names(s.Snapshot()))
	}
	s.create(t, "B")
}

func TestTopicOfADeclaredSource(t *testing.T) {
	t.Parallel()
	c := source("A")
	c.TopicID = someTopic.ID
	value, err := Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	read, err := Decode(value)
	if err != nil {
		t.Fatal(err)
	}
	if src, _ := read.Apply(catalog.Empty()).Source("A"); src.TopicID != someTopic.ID {
		t.Errorf("the topic's id is %q", src.TopicID)
	}
	if src, _ := source("A").Apply(catalog.Empty()).Source("A"); src.TopicID != "" {
		t.Errorf("a topic that was there has the id %q", src.TopicID)
	}
	// What takes its place over the same topic has it, too; over another topic not.
	s := read.Apply(catalog.Empty())
	altered := source("A")
	altered.Action = AlterSource
	if src, _ := altered.Apply(s).Source("A"); src.TopicID != someTopic.ID {
		t.Errorf("altered, the topic's id is %q", src.TopicID)
	}
	moved := source("A")
	moved.Source.Topic = "elsewhere"
	if src, _ := moved.Apply(s).Source("A"); src.TopicID != "" {
		t.Errorf("over another topic the id is %q", src.TopicID)
	}
	if src, _ := source("A").Apply((&Command{Action: DropSource, Name: "A"}).Apply(s)).Source("A"); src.TopicID != "" {
		t.Errorf("dropped and declared again, the topic's id is %q", src.TopicID)
	}
}
