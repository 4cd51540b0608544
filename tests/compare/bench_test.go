package compare

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
	"github.com/ksqlgo/ksqlgo/tests/process"
)

var (
	whole  = flag.Bool("compare", false, "take the figures and hold them against the goals")
	events = flag.Int("events", 3_000_000, "events to measure on")
	inside = flag.Bool("inside", false, "run the engine in this process, for profiles")
	kafka  = flag.String("kafka", "", "broker to use instead of one of our own (host:port)")
)

// keys is how many users there are.
const keys = 100_000

// programs is the folder of the binaries; build builds them once.
var (
	programs string
	build    = sync.OnceValue(func() error { return process.Build(programs, "cmd/ksqlgo", "tests/compare/raw") })
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if programs, err = os.MkdirTemp("", "ksqlgo-compare"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(programs)
	return m.Run()
}

// bench is a broker with data on it.
type bench struct {
	broker string
	pid    int
	n      int64
	admin  *kadm.Client
}

// newBench starts a broker and writes the data.
func newBench(ctx context.Context, t *testing.T, n int) *bench {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	b := &bench{broker: *kafka, n: int64(n)}
	if b.broker == "" {
		b.startBroker(ctx, t)
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.broker))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	b.admin = kadm.NewClient(cl)
	b.raw(ctx, t, "fill", "-topic", "events", "-n", strconv.Itoa(n), "-keys", strconv.Itoa(keys))
	b.raw(ctx, t, "users", "-topic", "users", "-keys", strconv.Itoa(keys))
	return b
}

func (b *bench) startBroker(ctx context.Context, t *testing.T) {
	t.Helper()
	port, err := process.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	b.broker = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	p, err := process.Start(nil, nil, filepath.Join(programs, "ksqlgo"), "broker", "--broker-listener", b.broker, "--data-dir", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(10 * time.Second); err != nil {
			t.Logf("broker: %v\n%s", err, p.Output())
		}
	})
	b.pid = p.PID()
	err = p.Await(ctx, func() error {
		if !strings.Contains(p.Output(), "listening") {
			return errors.New("the broker is not up yet")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// raw runs the plain program and returns its figures, if it prints any.
func (b *bench) raw(ctx context.Context, t *testing.T, args ...string) map[string]float64 {
	t.Helper()
	out, err := exec.CommandContext(ctx, filepath.Join(programs, "raw"), append([]string{"-broker", b.broker}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("raw %v: %v\n%s", args, err, out)
	}
	figures := map[string]float64{}
	for _, word := range strings.Fields(string(out)) {
		if name, value, ok := strings.Cut(word, "="); ok {
			if figures[name], err = strconv.ParseFloat(value, 64); err != nil {
				t.Fatalf("raw %v: %s", args, out)
			}
		}
	}
	return figures
}

// declarations are the sources that all queries read.
const declarations = `
CREATE STREAM events (user_id VARCHAR KEY, event_time BIGINT, store_id INT, item VARCHAR, quantity INT, price DOUBLE, action VARCHAR,
  session VARCHAR, filler VARCHAR) WITH (KAFKA_TOPIC = 'events', VALUE_FORMAT = 'JSON');
CREATE TABLE users (user_id VARCHAR PRIMARY KEY, region VARCHAR, tier VARCHAR) WITH (KAFKA_TOPIC = 'users', VALUE_FORMAT = 'JSON');`

// engine is ksqlgo, in a process of its own or in this one.
type engine struct {
	bench   *bench
	client  *client.Client
	service string
	// pid is the process whose costs are taken.
	pid  int
	dir  string
	stop func()
}

// start starts an engine with nothing declared under a service id of its own.
func (b *bench) start(ctx context.Context, t *testing.T, service, dir string) *engine {
	t.Helper()
	e := &engine{bench: b, service: service, dir: dir}
	cfg, err := process.NewServerConfig(filepath.Join(programs, "ksqlgo"), dir)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Bootstrap = b.broker
	cfg.Properties = map[string]string{"ksql.service.id": service}
	if *inside {
		s, err := server.Start(ctx, server.Config{BootstrapServers: []string{b.broker}, ServiceID: service, DataDir: dir, Listener: cfg.URL()})
		if err != nil {
			t.Fatal(err)
		}
		e.stop, e.pid = s.Close, os.Getpid()
		if e.client, err = client.New(client.Config{URL: s.URL()}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(e.stop)
		return e
	}
	s, err := process.StartServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	e.client, e.pid = s.Client, s.PID()
	e.stop = func() {
		if err := s.Stop(20 * time.Second); err != nil {
			t.Logf("stopping the engine: %v\n%s", err, s.Output())
		}
	}
	t.Cleanup(s.Kill)
	if err := s.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	return e
}

// execute runs statements and returns the id of the last query started.
func (e *engine) execute(ctx context.Context, t *testing.T, sql string) (queryID string) {
	t.Helper()
	entities, err := e.client.Execute(ctx, client.Request{SQL: sql, Properties: api.Properties{"auto.offset.reset": "earliest"}})
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	for _, x := range entities {
		if c, ok := x.(*api.CommandStatusEntity); ok && c.CommandStatus.QueryID != nil {
			queryID = *c.CommandStatus.QueryID
		}
	}
	return queryID
}

// processed is how many events a query has committed, read from the broker so that asking costs the engine nothing.
func (e *engine) processed(ctx context.Context, query string) (int64, error) {
	offsets, err := e.bench.admin.FetchOffsets(ctx, "_confluent-ksql-"+e.service+"query_"+query)
	if err != nil {
		return 0, err
	}
	var n int64
	offsets.Each(func(o kadm.OffsetResponse) {
		if o.Topic == "events" {
			n += o.At
		}
	})
	return n, nil
}

// reach waits until a query has processed so many events.
func (e *engine) reach(ctx context.Context, query string, n int64) error {
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		done, err := e.processed(ctx, query)
		if err == nil && done >= n {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s has processed %d of %d events: %w", query, done, n, errors.Join(ctx.Err(), err))
		case <-poll.C:
		}
	}
}

// clean deletes the topics that the engine made.
func (e *engine) clean(ctx context.Context, t *testing.T, sinks ...string) {
	t.Helper()
	all, err := e.bench.admin.ListTopics(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for name := range all {
		if strings.HasPrefix(name, "_confluent-ksql-"+e.service) {
			sinks = append(sinks, name)
		}
	}
	if len(sinks) > 0 {
		if _, err := e.bench.admin.DeleteTopics(ctx, sinks...); err != nil {
			t.Fatal(err)
		}
	}
}
