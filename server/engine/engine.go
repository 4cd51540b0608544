package engine

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/cluster"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/position"
	"github.com/ksqlgo/ksqlgo/planner/physical"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/commandlog"
)

// Runtime is what the engine needs of the executor. Methods are safe for concurrent use.
type Runtime interface {
	Start(exec.QuerySpec) error
	// Replace lets a query go on with another plan where it stopped.
	Replace(exec.QuerySpec) error
	Terminate(ctx context.Context, id string) error
	Pause(id string) error
	Resume(id string) error
	// Assignment is who should own and stand by for the tasks of a query; false when that is not known.
	Assignment(queryID string) (*cluster.Assignment, bool)
	// Drain gives all tasks to other servers, and SetDraining begins or ends that.
	Drain(ctx context.Context, progress func(exec.DrainProgress)) error
	SetDraining(draining bool)
	Subscribe(ctx context.Context, spec exec.SubscribeSpec) (*exec.Subscription, error)
	Pull(ctx context.Context, plan *physical.Pull, o exec.PullOptions) (exec.PulledRows, error)
	// RemoveLeftovers removes what queries that are not live left behind: internal topics, groups, state. known is called when
	// it has been seen what there is.
	RemoveLeftovers(ctx context.Context, known func(context.Context) (exec.QueryIDs, error)) error
	// EndAll ends all queries on this server and removes their state here; RemoveQueries removes what queries leave on the
	// brokers, once confirm says that this is right.
	EndAll(ids []string) error
	RemoveQueries(ctx context.Context, ids []string, confirm func(context.Context) error) error
}

// Config is what an engine is built from.
type Config struct {
	Runtime Runtime
	Cluster Cluster
	Kafka   *kafka.Cluster
	Topic   commandlog.Topic
	// Backup is this server's copy of the command log; nil for servers that keep none.
	Backup    *commandlog.Backup
	Functions *functions.Registry
	Formats   *formats.Registry
	// Schemas is the schema registry that Formats use; nil is the same as schemas.None.
	Schemas   schemas.Registry
	ServiceID string
	// Version and ClusterID are told by /info.
	Version, ClusterID string
	// Host is this server as others reach it, host:port.
	Host string
	// Properties of the server, by name; sessions start from them.
	Properties map[string]string
	Logger     *slog.Logger
	Now        func() time.Time
	Random     func() uint64
}

// Engine executes statements. Its methods are safe for concurrent use.
type Engine struct {
	cfg   Config
	log   *commandlog.Log
	ready atomic.Bool

	// ddl lets one statement at a time through to the command log, so that the writers of one server do not fence each other.
	ddl sync.Mutex

	plansMu sync.Mutex
	plans   map[string]*physical.Plan

	// offsets asks Kafka how far queries are; trails remembers it.
	offsets *kafkaOffsets
	trails  *position.Trails

	pushMu sync.Mutex
	pushes map[string]*pushQuery
	pulls  *pullLimits

	// deletions are the topics that are to be deleted yet.
	deletions *topicDeletions
	// terminated has room for the one termination of the service; phase says how far that is.
	terminated chan commandlog.Termination
	phase      atomic.Int32

	// background is what runs beside the command log, until life ends.
	background sync.WaitGroup
	life       context.Context
}

// New makes an engine; Run follows the command log.
func New(cfg Config) *Engine {
	if cfg.Schemas == nil {
		cfg.Schemas = schemas.None{}
	}
	e := &Engine{cfg: cfg, plans: map[string]*physical.Plan{}, pushes: map[string]*pushQuery{}, pulls: newPullLimits(cfg.Properties),
		terminated: make(chan commandlog.Termination, 1), life: context.Background()}
	e.deletions = newTopicDeletions(cfg.Kafka.Admin(), e.userOf, cfg.Logger)
	e.offsets = &kafkaOffsets{kafka: cfg.Kafka, serviceID: cfg.ServiceID}
	e.trails = position.NewTrails(e.offsets)
	e.log = commandlog.New(commandlog.Config{Topic: cfg.Topic, Applier: e, Backup: cfg.Backup, Logger: cfg.Logger})
	return e
}

// Run applies the command log until ctx ends; ready is called when it has been replayed and the queries are started, or
// when it is known that this cannot be: see [Engine.CommandLog].
func (e *Engine) Run(ctx context.Context, ready func()) error {
	ctx, stop := context.WithCancel(ctx)
	e.life = ctx
	defer e.background.Wait()
	defer stop()
	e.background.Go(func() { e.deletions.run(ctx) })
	e.background.Go(func() { e.carryOutTermination(ctx) })
	return e.log.Run(ctx, func() {
		e.ready.Store(true)
		ready()
	})
}

// Catalog is the catalog as of the last command applied.
func (e *Engine) Catalog() *catalog.Snapshot { return e.log.Snapshot() }

// CommandLog tells how the command log is doing.
func (e *Engine) CommandLog() commandlog.Status { return e.log.Status() }

// AppliedOffset is the offset after the last command applied.
func (e *Engine) AppliedOffset() int64 { return e.log.Applied() }

// Info tells who this server is. Its status is ksqlDB's: DEGRADED stands for a corrupted command log, too.
func (e *Engine) Info() api.ServerInfo {
	status := "RUNNING"
	switch e.log.Status().State {
	case commandlog.Degraded, commandlog.Corrupted:
		status = "DEGRADED"
	case commandlog.Terminated:
		status = "TERMINATED"
	case commandlog.Replaying, commandlog.Running:
	}
	return api.ServerInfo{Version: e.cfg.Version, KafkaClusterID: e.cfg.ClusterID, KsqlServiceID: e.cfg.ServiceID, ServerStatus: status}
}

// Health tells how the server is doing; Kafka is asked anew each time.
func (e *Engine) Health() api.HealthCheckResponse {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	log := e.log.Status()
	reachable := e.cfg.Kafka.Ping(ctx) == nil
	runner := log.State != commandlog.Degraded && log.State != commandlog.Corrupted && log.State != commandlog.Terminated
	serverState := "READY"
	switch phase := phase(e.phase.Load()); {
	case phase != serving:
		serverState = phase.String()
	case !e.ready.Load():
		serverState = "INITIALIZING"
	}
	readiness := e.Readiness()
	return api.HealthCheckResponse{
		Readiness: &readiness,
		IsHealthy: reachable && runner,
		Details: api.Map[api.HealthCheckDetail]{
			"metastore": {IsHealthy: true}, "kafka": {IsHealthy: reachable},
			"commandRunner": {IsHealthy: runner, State: string(log.State), Reason: log.Reason, AppliedOffset: &log.Applied, EndOffset: &log.End},
		},
		ServerState: serverState,
	}
}

// CommandStatuses tells what became of the last command of each id.
func (e *Engine) CommandStatuses() map[string]api.CommandStatus {
	out := map[string]api.CommandStatus{}
	for id, o := range e.log.Outcomes() {
		out[id] = e.outcomeStatus(o)
	}
	return out
}
