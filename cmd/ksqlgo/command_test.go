package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
	"github.com/ksqlgo/ksqlgo/server/commandlog"
	"github.com/ksqlgo/ksqlgo/tests/apache"
)

// ksqlgo runs the program and returns its code and what it wrote to both outputs.
func ksqlgo(args ...string) (code int, output string) {
	var out bytes.Buffer
	code = run(args, &streams{out: &out, err: &out})
	return code, out.String()
}

// logServer is a server and a client of it.
type logServer struct {
	*server.Server
	client *client.Client
}

func startLogServer(t *testing.T, kafkaServers []string, dir string) *logServer {
	t.Helper()
	s, err := server.Start(t.Context(), server.Config{BootstrapServers: kafkaServers, ServiceID: "ops_", Listener: "http://127.0.0.1:0", DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	c, err := client.New(client.Config{URL: s.URL()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return &logServer{s, c}
}

// wants waits for a state of the command log, and checks what /healthcheck and /info make of it.
func (s *logServer) wants(t *testing.T, state commandlog.State) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for s.CommandLog().State != state {
		if time.Now().After(deadline) {
			t.Fatalf("the command log is %+v, want %s", s.CommandLog(), state)
		}
		<-tick.C
	}
	h, err := s.client.Healthcheck(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	info, err := s.client.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	runner, well := h.Details["commandRunner"], state == commandlog.Running
	if h.IsHealthy != well || runner.IsHealthy != well || runner.State != string(state) || (runner.Reason == "") != well ||
		runner.AppliedOffset == nil || runner.EndOffset == nil || (info.ServerStatus == "RUNNING") != well {
		t.Errorf("in state %s: health %+v, info %+v", state, h, info)
	}
}

func (s *logServer) sources(t *testing.T) string {
	t.Helper()
	entities, err := s.client.Execute(t.Context(), client.Request{SQL: "SHOW STREAMS;"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, src := range entities[0].(*api.StreamsList).Streams {
		names = append(names, src.Name)
	}
	return strings.Join(names, " ")
}

func (s *logServer) create(t *testing.T, name string) error {
	t.Helper()
	_, err := s.client.Execute(t.Context(), client.Request{SQL: fmt.Sprintf(
		"CREATE STREAM %s (v STRING) WITH (KAFKA_TOPIC='%[1]s', VALUE_FORMAT='JSON', PARTITIONS=1);", name)})
	return err
}

// A service goes through all that can become of its command log, and is brought back with the commands.
func TestCommandLogIsLookedAtAndRepaired(t *testing.T) {
	t.Parallel()
	brokers := apache.Bootstrap(t)
	target := []string{"--bootstrap-servers", strings.Join(brokers, ","), "--service-id", "ops_"}
	command := func(name string, args ...string) (int, string) {
		return ksqlgo(append(append([]string{"command", name}, target...), args...)...)
	}
	// expect runs a command and wants a code and words in what it says.
	expect := func(want int, words []string, name string, args ...string) {
		t.Helper()
		code, out := command(name, args...)
		for _, w := range words {
			if !strings.Contains(out, w) {
				code = -1
			}
		}
		if code != want {
			t.Fatalf("command %s %v ended with %d, want %d and %q:\n%s", name, args, code, want, words, out)
		}
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "log.backup")

	expect(1, []string{"no command topic", "--service-id"}, "list")
	s := startLogServer(t, brokers, filepath.Join(dir, "server"))
	if err := s.create(t, "A"); err != nil {
		t.Fatal(err)
	}
	s.wants(t, commandlog.Running)
	expect(0, []string{"OFFSET", "applied", "stream/`A`/create", "CREATE STREAM A"}, "list")
	expect(1, []string{"can be read", "--force"}, "skip", "0")
	expect(1, []string{"no record at offset 77"}, "skip", "77")

	cluster, err := kafka.Connect(t.Context(), kafka.Config{BootstrapServers: brokers})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	plain, err := cluster.Plain()
	if err != nil {
		t.Fatal(err)
	}
	bad, err := plain.Produce(t.Context(), kafka.TopicPartition{Topic: commandlog.TopicName("ops_")}, []byte(`"stream/X/create"`), []byte(`{"version":7}`), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.wants(t, commandlog.Degraded)
	if err := s.create(t, "B"); err == nil || !strings.Contains(err.Error(), "Failed to handle Ksql Statement.") ||
		!strings.Contains(err.Error(), fmt.Sprintf("ksqlgo command skip %d", bad)) {
		t.Errorf("DDL on a degraded log: %v", err)
	}
	expect(0, []string{"undecodable", "version 7", fmt.Sprintf("ksqlgo command skip %d", bad)}, "list")
	expect(0, []string{"is skipped"}, "skip", fmt.Sprint(bad))
	expect(0, []string{"skipped already"}, "skip", fmt.Sprint(bad))
	s.wants(t, commandlog.Running)
	if err := s.create(t, "B"); err != nil {
		t.Fatal(err)
	}

	expect(0, []string{"has the 4 records"}, "backup", file)
	expect(1, []string{"exists", "--force"}, "backup", file)
	s.Close()
	if err := cluster.Admin().DeleteTopics(t.Context(), commandlog.TopicName("ops_")); err != nil {
		t.Fatal(err)
	}
	s = startLogServer(t, brokers, filepath.Join(dir, "server"))
	s.wants(t, commandlog.Corrupted)
	if err := s.create(t, "C"); err == nil || !strings.Contains(err.Error(), "ksqlgo command restore") {
		t.Errorf("DDL on a corrupted log: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "nonsense"), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(1, []string{"damaged"}, "restore", filepath.Join(dir, "nonsense"))
	expect(0, []string{"at the offsets they had"}, "restore", file)
	s.wants(t, commandlog.Running)
	if err := s.create(t, "C"); err != nil {
		t.Fatal(err)
	}
	if got := s.sources(t); got != "A B C" {
		t.Errorf("streams %s after the restore", got)
	}
	code, out := command("list", "--output", "json")
	var list []listedCommand
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != 0 {
		t.Fatalf("code %d, %v:\n%s", code, err, out)
	}
	var got []string
	for _, l := range list {
		got = append(got, l.ID+" "+l.State)
	}
	if want := fmt.Sprintf("[stream/`A`/create applied stream/X/create skipped command/%d/skip applied stream/`B`/create applied "+
		"command/topic/restore applied stream/`C`/create applied]", bad); fmt.Sprint(got) != want {
		t.Errorf("the log holds\n%v, want\n%s", got, want)
	}
}
