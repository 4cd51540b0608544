package fault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/tests/process"
	"github.com/ksqlgo/ksqlgo/tests/topics"
)

// fleet is several servers with one service id on one Kafka.
type fleet struct {
	brokers brokers
	members []*member
	log     func(format string, args ...any)
}

// member is one server of the fleet. Who strikes it holds mu.
type member struct {
	number int
	cfg    process.ServerConfig
	mu     sync.Mutex
	server *process.Server
	// answered says that the process that runs now has answered once.
	answered bool
	// deaths are its ends that nobody has caused, after it had answered; vain are starts that it gave up, since Kafka was out of
	// reach for longer than it waits.
	deaths, vain int
}

// serviceID is the one of all servers of a fleet.
const serviceID = "fleet_"

// startFleet starts servers, makes the program's topics and declares it on one of them, and waits until all of them know it.
func startFleet(ctx context.Context, t *testing.T, b brokers, servers int, properties map[string]string) (*fleet, map[string]string) {
	t.Helper()
	f := newFleet(t, b, servers, properties)
	f.start(ctx, t)
	if err := topics.Create(ctx, b.address(), partitions, "inputs", "users", "counts", "joined", "sums", "keyed", "paired", "visits"); err != nil {
		t.Fatal(err)
	}
	queries, err := declare(ctx, f.members[0].server)
	if err != nil {
		t.Fatal(err)
	}
	if len(queries) != 6 {
		t.Fatalf("queries %v", queries)
	}
	if err := f.all(ctx, len(queries)); err != nil {
		t.Fatal(err)
	}
	return f, queries
}

// newFleet configures servers of one service.
func newFleet(t *testing.T, b brokers, servers int, properties map[string]string) *fleet {
	t.Helper()
	f := &fleet{brokers: b, log: t.Logf}
	for n := range servers {
		cfg := newServer(t)
		cfg.DataDir = filepath.Join(filepath.Dir(cfg.DataDir), fmt.Sprintf("server%d", n))
		if *keep != "" {
			cfg.DataDir = filepath.Join(*keep, t.Name(), fmt.Sprintf("server%d", n))
			if err := os.MkdirAll(filepath.Dir(cfg.DataDir), 0o755); err != nil {
				t.Fatal(err)
			}
			var err error
			if cfg.Log, err = os.Create(cfg.DataDir + ".log"); err != nil {
				t.Fatal(err)
			}
			cfg.LogLevel = "debug"
			t.Cleanup(func() { cfg.Log.Close() })
		}
		if err := os.MkdirAll(filepath.Dir(cfg.DataDir), 0o755); err != nil {
			t.Fatal(err)
		}
		cfg.Bootstrap = b.address()
		cfg.Properties = maps.Clone(properties)
		if cfg.Properties == nil {
			cfg.Properties = map[string]string{}
		}
		cfg.Properties["ksql.service.id"] = serviceID
		maps.Copy(cfg.Properties, retrySoon)
		maps.Copy(cfg.Properties, b.serverProperties())
		f.members = append(f.members, &member{number: n, cfg: cfg})
	}
	return f
}

// start starts all servers and waits until they answer; they end with the test.
func (f *fleet) start(ctx context.Context, t *testing.T) {
	t.Helper()
	for _, m := range f.members {
		m.server = start(ctx, t, m.cfg)
		t.Cleanup(func() { m.server.Kill() })
	}
}

// partitions is how many each topic of the program has.
const partitions = 6

// all waits until every server answers and runs so many queries.
func (f *fleet) all(ctx context.Context, queries int) error {
	for _, m := range f.members {
		err := m.server.Await(ctx, func() error {
			figures, err := m.metrics(ctx)
			if err != nil {
				return err
			}
			if n := len(figures.series("ksqlgo_query_state")); n < queries {
				return fmt.Errorf("server %d runs %d of %d queries", m.number, n, queries)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// revive starts a server that is down again, with its data directory and addresses. m.mu is held.
func (m *member) revive() error {
	var err error
	m.answered = false
	m.server, err = process.StartServer(m.cfg)
	return err
}

// ready waits until the server answers, starting it again as often as it gives up. m.mu is held.
func (m *member) ready(ctx context.Context) error {
	for {
		err := m.server.Ready(ctx)
		if err == nil {
			m.answered = true
			return nil
		}
		if ctx.Err() != nil || !m.ended() {
			return err
		}
		if err := m.mend(func(string, ...any) {}); err != nil {
			return err
		}
	}
}

// ended says whether the process has.
func (m *member) ended() bool {
	select {
	case <-m.server.Done():
		return true
	default:
		return false
	}
}

// mend starts a server that has ended by itself, and takes a note. m.mu is held.
func (m *member) mend(log func(string, ...any)) error {
	if m.answered || strings.Contains(m.server.Output(), "started in") {
		m.deaths++
		log("server %d ended by itself:\n%s", m.number, m.server.Output())
	} else {
		m.vain++
		log("server %d gave up starting:\n%s", m.number, m.server.Output())
	}
	return m.revive()
}

// nodeID is what the server calls itself, among others in the ids of its clients.
func (m *member) nodeID() string {
	b, err := os.ReadFile(filepath.Join(m.cfg.DataDir, "node.id"))
	if err != nil {
		return "none yet"
	}
	return strings.TrimSpace(string(b))
}

// owns says whether a connection with this client id is the server's.
func (m *member) owns() func(clientID string) bool {
	id := m.nodeID()
	return func(clientID string) bool { return strings.Contains(clientID, id) }
}

// look notes and mends servers that have ended by themselves.
func (f *fleet) look() {
	for _, m := range f.members {
		if !m.mu.TryLock() {
			continue // Somebody is at it.
		}
		if m.ended() {
			if err := m.mend(f.log); err != nil {
				f.log("server %d cannot be started: %v", m.number, err)
			}
		} else if !m.answered {
			m.answered = strings.Contains(m.server.Output(), "started in")
		}
		m.mu.Unlock()
	}
}

// deaths is how many servers have ended by themselves after they had answered, and how many gave up starting.
func (f *fleet) deaths() (deaths, vain int) {
	for _, m := range f.members {
		deaths, vain = deaths+m.deaths, vain+m.vain
	}
	return deaths, vain
}

// settled waits until the servers together have processed all there is: every query has read the records wanted of its
// sources, or more, and nothing is left in any partition that a task reads, for a while. It says what has been read.
func (f *fleet) settled(ctx context.Context, want map[string]int64) (map[string]int64, error) {
	const quiet = 5
	tick := time.NewTicker(400 * time.Millisecond)
	defer tick.Stop()
	for good := 0; ; {
		read, err := f.accounts(ctx)
		for _, q := range slices.Sorted(maps.Keys(want)) {
			if n := want[q]; err == nil && read[q] < n {
				err = fmt.Errorf("%s has read %d of %d", q, read[q], n)
			}
		}
		if good++; err != nil {
			good = 0
		}
		if good == quiet {
			return read, nil
		}
		select {
		case <-ctx.Done():
			return read, errors.Join(ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// accounts sums what the servers have read, by query; an error says what is not done yet.
func (f *fleet) accounts(ctx context.Context) (map[string]int64, error) {
	read := map[string]int64{}
	var behind error
	for _, m := range f.members {
		figures, err := m.metrics(ctx)
		if err != nil {
			return read, err
		}
		for _, s := range figures.series("ksqlgo_query_records_total") {
			if s.label("fate") == "read" {
				read[s.label("query")] += int64(s.value)
			}
		}
		for _, s := range figures.series("ksqlgo_query_state") {
			// A server that has no task of a query may call it STARTING; what has been read tells.
			if state := s.label("state"); state != "RUNNING" && state != "STARTING" {
				behind = fmt.Errorf("%s on server %d is %s", s.label("query"), m.number, state)
			}
		}
		for _, s := range figures.series("ksqlgo_query_lag_records") {
			if s.value > 0 {
				behind = fmt.Errorf("server %d is %v behind in %s-%s", m.number, s.value, s.label("topic"), s.label("partition"))
			}
		}
	}
	return read, behind
}
