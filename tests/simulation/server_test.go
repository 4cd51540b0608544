package simulation

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	formats "github.com/ksqlgo/ksqlgo/catalog/formats/builtin"
	functions "github.com/ksqlgo/ksqlgo/catalog/functions/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/state"
)

// stateDir is where a server keeps its state on its disk.
const stateDir = "state"

// server is a machine with a disk on which processes run one after the other. Its methods are called by the scenario only.
type server struct {
	c    *cluster
	name string
	disk *state.CrashFS
	// life is the process that runs, nil when none does; lives counts them.
	life  *life
	lives int
}

// life is one process of a server: from its start to its end or its crash.
type life struct {
	host *host
	disk *state.CrashFS
	// stop ends the process; crashed says that it must not be waited for.
	ctx  context.Context
	stop context.CancelFunc
	done chan struct{}

	mu sync.Mutex
	x  *exec.Executor
}

func newServer(c *cluster, name string) *server {
	return &server{c: c, name: name, disk: state.NewCrashFS()}
}

// start runs a new process.
func (s *server) start() {
	s.lives++
	l := &life{host: newHost(s.name), disk: s.disk, done: make(chan struct{})}
	l.ctx, l.stop = context.WithCancel(context.Background())
	s.life = l
	incarnation := uint64(s.lives)
	s.c.lives.Go(func() {
		defer close(l.done)
		l.run(s.c, s.name, incarnation)
	})
}

// run is the process: it connects, trying again until it can, runs the query until it is stopped, and ends in an orderly way.
func (l *life) run(c *cluster, name string, incarnation uint64) {
	logger := c.log.logger(fmt.Sprintf("%s.%d", name, incarnation))
	var k *kafka.Cluster
	for {
		var err error
		ctx, cancel := context.WithTimeout(l.ctx, 10*time.Second)
		k, err = kafka.Connect(ctx, kafka.Config{BootstrapServers: c.addresses, ClientID: serviceID + "-" + name, Dial: c.net.dialer(l.host), Logger: logger})
		cancel()
		if err == nil {
			break
		}
		logger.Warn("connecting failed", "error", err)
		if !rest(l.ctx, 500*time.Millisecond) {
			return
		}
	}
	defer k.Close()
	pool := state.NewPool(state.PoolOptions{CacheBytes: 1 << 20})
	defer pool.Close()
	x := exec.New(exec.Config{
		Kafka: k, StateDir: stateDir, FS: l.disk, Pool: pool, ServiceID: serviceID, NodeID: name, Incarnation: incarnation, Endpoint: name + ":8088",
		Functions: functions.Registry(), Formats: formats.Registry(schemas.None{}), Logger: logger, Now: time.Now, Random: rand.Uint64,
		RetryInitial: 200 * time.Millisecond, RetryMax: 2 * time.Second,
	})
	defer x.Close()
	edition := c.edition.Load()
	if err := x.Start(c.spec()); err != nil {
		c.errorf("starting the query on %s: %v", name, err)
		return
	}
	l.mu.Lock()
	l.x = x
	l.mu.Unlock()
	if c.edition.Load() != edition {
		// It was replaced before this server could be asked to.
		_ = x.Replace(c.spec())
	}
	c.alive.Store(name, l)
	<-l.ctx.Done()
	c.alive.CompareAndDelete(name, l)
	l.mu.Lock()
	l.x = nil
	l.mu.Unlock()
}

// rest pauses, and reports false when ctx ended first.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// executor is that of the running process, nil while there is none.
func (s *server) executor() *exec.Executor {
	if s.life == nil {
		return nil
	}
	s.life.mu.Lock()
	defer s.life.mu.Unlock()
	return s.life.x
}

// crash ends the process as kill -9 or a power loss does: from now on nothing of it reaches a broker, except what is under
// way, and its disk is what a machine finds that comes back. What the process still does, it does to a disk nobody sees.
func (s *server) crash(percent int, what diskFault, r *rand.Rand) {
	if s.life == nil {
		return
	}
	s.c.net.kill(s.life.host)
	switch what {
	case diskEmpty:
		s.disk = state.NewCrashFS()
	case diskDamaged:
		s.disk = s.disk.Crash(percent, r)
		path, err := s.disk.Damage(stateDir, r, ".sst", ".log")
		s.c.log.note("damaged %q: %v", path, err)
	default:
		s.disk = s.disk.Crash(percent, r)
	}
	s.life.stop()
	s.life = nil
}

// end stops the process in an orderly way and returns what is closed at its end.
func (s *server) end() <-chan struct{} {
	if s.life == nil {
		done := make(chan struct{})
		close(done)
		return done
	}
	l := s.life
	s.life = nil
	l.stop()
	return l.done
}

// journal keeps the last log lines of a scenario, with the time since its start and the process.
type journal struct {
	began time.Time
	mu    sync.Mutex
	lines []string
	// level below which nothing is kept.
	level slog.Level
	// echo gets each line at once, when not nil.
	echo func(string)
}

// keptLines bounds a journal.
const keptLines = 400

func (j *journal) logger(name string) *slog.Logger {
	return slog.New(&journalHandler{j: j, name: name})
}

func (j *journal) note(format string, args ...any) { j.add("----", fmt.Sprintf(format, args...)) }

func (j *journal) add(name, text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	line := fmt.Sprintf("%8.3fs %-6s %s", time.Since(j.began).Seconds(), name, text)
	if j.echo != nil {
		j.echo(line)
	}
	j.lines = append(j.lines, line)
	if len(j.lines) > 2*keptLines {
		j.lines = append(j.lines[:0], j.lines[keptLines:]...)
	}
}

// journalHandler implements slog.Handler.
type journalHandler struct {
	j     *journal
	name  string
	attrs []slog.Attr
}

func (h *journalHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.j.level }

func (h *journalHandler) Handle(_ context.Context, r slog.Record) error {
	if r.Level == slog.LevelWarn && r.Message == "unable to open connection to broker" {
		return nil // Many times a second while a broker is down.
	}
	text := r.Level.String() + " " + r.Message
	add := func(a slog.Attr) bool {
		text += fmt.Sprintf(" %s=%v", a.Key, a.Value)
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	h.j.add(h.name, text)
	return nil
}

func (h *journalHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &journalHandler{j: h.j, name: h.name, attrs: append(append([]slog.Attr(nil), h.attrs...), attrs...)}
}

func (h *journalHandler) WithGroup(string) slog.Handler { return h }
