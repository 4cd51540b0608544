package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	formats "github.com/ksqlgo/ksqlgo/catalog/formats/builtin"
	functions "github.com/ksqlgo/ksqlgo/catalog/functions/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/properties"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/kafka/security"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/server/broker"
	"github.com/ksqlgo/ksqlgo/server/commandlog"
	"github.com/ksqlgo/ksqlgo/server/engine"
	"github.com/ksqlgo/ksqlgo/server/peers"
	"github.com/ksqlgo/ksqlgo/server/peers/details"
	"github.com/ksqlgo/ksqlgo/server/rest"
	"github.com/ksqlgo/ksqlgo/server/schemaregistry"
)

// Server is a running server.
type Server struct {
	cfg      Config
	url      string
	broker   *broker.Broker
	cluster  *kafka.Cluster
	pool     *state.Pool
	executor *exec.Executor
	commands *commandlog.KafkaTopic
	engine   *engine.Engine
	details  *details.Details
	commits  *commitTimes
	// internal is nil for a server that stands alone.
	internal *internal
	// registry is the embedded schema registry, schemaListener its listener; both may be nil.
	registry *schemaregistry.Registry
	// formatSchemas is the schema registry in use.
	formatSchemas  schemas.Registry
	schemaListener net.Listener

	stop   context.CancelFunc
	done   sync.WaitGroup
	failed chan error
	closed sync.Once
}

// Start builds and starts a server and returns when it answers queries. It stops when Close is called; ctx bounds the
// start alone.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.ServiceID == "" {
		cfg.ServiceID = DefaultServiceID
	}
	if cfg.Listener == "" {
		cfg.Listener = DefaultListener
	}
	if cfg.BrokerListener == "" {
		cfg.BrokerListener = DefaultBrokerListener
	}
	s := &Server{cfg: cfg, failed: make(chan error, 1)}
	if err := s.start(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Server) start(ctx context.Context) error {
	listener, err := s.listen()
	if err != nil {
		return err
	}
	if err := s.startOn(ctx, listener); err != nil {
		_ = listener.Close()
		if s.internal != nil {
			_ = s.internal.listener.Close()
		}
		if s.schemaListener != nil {
			_ = s.schemaListener.Close()
		}
		return err
	}
	return nil
}

// startOn starts everything else. Where it fails the caller closes the listeners.
func (s *Server) startOn(ctx context.Context, listener net.Listener) error {
	node, err := s.nodeID()
	if err != nil {
		return err
	}
	if s.internal, err = s.listenInternal(); err != nil {
		return err
	}
	if s.schemaListener, err = s.listenSchemas(); err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	if err := s.connect(ctx, node, registry); err != nil {
		return err
	}
	if err := s.build(ctx, node); err != nil {
		return err
	}
	registry.MustRegister(s.collector(), newCommandCollector(s.engine, s.commands), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return s.serve(ctx, listener, registry)
}

// listen binds the REST port.
func (s *Server) listen() (net.Listener, error) {
	addr, err := address(s.cfg.Listener)
	if err != nil {
		return nil, err
	}
	// Whoever sets this relies on it.
	if m := s.cfg.Properties["authentication.method"]; m != "" && !strings.EqualFold(m, "none") {
		return nil, fmt.Errorf("authentication.method is %s: this version does not ask clients who they are; leave it out, and let only those whom you trust reach the listener", m)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil && s.cfg.FreePorts {
		host, _, _ := net.SplitHostPort(addr)
		l, err = net.Listen("tcp", net.JoinHostPort(host, "0"))
	}
	if err != nil {
		return nil, fmt.Errorf("listening for REST: %w (--listeners names another address)", err)
	}
	s.url = "http://" + l.Addr().String()
	return l, nil
}

// nodeID reads this server's id from the data directory, or makes it: under it the server is a static member of its
// consumer groups, so that a restart moves no partition.
func (s *Server) nodeID() (string, error) {
	if s.cfg.DataDir == "" {
		return uuid.NewString(), nil
	}
	if err := os.MkdirAll(s.cfg.DataDir, 0o755); err != nil {
		return "", err
	}
	file := filepath.Join(s.cfg.DataDir, "node.id")
	if b, err := os.ReadFile(file); err == nil && len(strings.TrimSpace(string(b))) > 0 {
		return strings.TrimSpace(string(b)), nil
	}
	id := uuid.NewString()
	return id, os.WriteFile(file, []byte(id+"\n"), 0o644)
}

// connect starts the embedded broker if there is no other, and connects to Kafka.
func (s *Server) connect(ctx context.Context, node string, registry *prometheus.Registry) error {
	secured, err := s.security()
	if err != nil {
		return err
	}
	servers, suffix := s.cfg.BootstrapServers, ""
	if len(servers) == 0 {
		dir := ""
		if s.cfg.DataDir != "" {
			dir = filepath.Join(s.cfg.DataDir, "broker")
		}
		s.broker, err = broker.Start(ctx, broker.Config{Listener: s.cfg.BrokerListener, FallBackToFreePort: s.cfg.FreePorts, DataDir: dir,
			SyncWrites: s.cfg.Sync, Logger: s.cfg.Logger})
		if err != nil {
			return fmt.Errorf("embedded broker: %w", err)
		}
		servers, suffix = s.broker.BootstrapServers(), s.broker.TransactionalIDSuffix()
	}
	cfg := kafka.Config{BootstrapServers: servers, ClientID: s.cfg.ServiceID + "-" + node, TransactionalIDSuffix: suffix,
		Logger: newQuieter(s.cfg.Logger, slog.LevelWarn), Metrics: kafka.NewMetrics(registry, "ksqlgo_kafka")}
	secured.Apply(&cfg)
	err = s.awaitKafka(ctx, func() (err error) {
		s.cluster, err = kafka.Connect(ctx, cfg)
		return err
	})
	return secured.Advise(err)
}

// security reads how connections to Kafka are secured. Those to the embedded broker are not.
func (s *Server) security() (*security.Settings, error) {
	if len(s.cfg.BootstrapServers) > 0 {
		return security.Read(s.cfg.Properties, s.cfg.Logger)
	}
	if names := security.Mentioned(s.cfg.Properties); len(names) > 0 {
		s.cfg.Logger.Warn("no bootstrap servers are named, so the embedded broker is used, and these have no effect", "properties", names)
	}
	return security.Read(nil, s.cfg.Logger)
}

// build makes executor and engine.
func (s *Server) build(ctx context.Context, node string) error {
	s.pool = state.NewPool(state.PoolOptions{CacheBytes: 256 << 20})
	registry, err := s.openSchemas(ctx)
	if err != nil {
		return err
	}
	s.formatSchemas = registry
	cfg := exec.Config{
		Kafka: s.cluster, Pool: s.pool, ServiceID: s.cfg.ServiceID, NodeID: node, StateDir: "state", FS: state.NewMemFS(),
		Functions: functions.Registry(), Formats: formats.Registry(registry), Logger: s.cfg.Logger, Now: time.Now, Random: rand.Uint64,
		Compacting:   s.broker == nil,
		RetryInitial: milliseconds(s.cfg.Properties["ksql.query.retry.backoff.initial.ms"]),
		RetryMax:     milliseconds(s.cfg.Properties["ksql.query.retry.backoff.max.ms"]),
	}
	if s.cfg.DataDir != "" {
		cfg.FS, cfg.StateDir = state.DiskFS(), filepath.Join(s.cfg.DataDir, "state")
		if err := cfg.FS.MkdirAll(cfg.StateDir, 0o755); err != nil {
			return err
		}
	}
	if n, err := strconv.ParseInt(s.cfg.Properties["ksql.internal.topic.replicas"], 10, 16); err == nil {
		cfg.InternalReplication = int16(n)
	}
	if n, err := strconv.Atoi(s.cfg.Properties["ksql.internal.topic.min.insync.replicas"]); err == nil {
		cfg.InternalMinInSync = n
	}
	self := peers.Node{ID: node, Incarnation: uint64(time.Now().UnixNano()), Zone: s.cfg.Properties["ksql.server.zone"]}
	if s.internal != nil {
		self.Endpoint = s.internal.endpoint
	}
	cfg.Incarnation, cfg.Endpoint, cfg.Zone = self.Incarnation, self.Endpoint, self.Zone
	s.commits = newCommitTimes()
	cfg.Committed = s.commits.observe
	s.executor = exec.New(cfg)
	var runtime engine.Runtime = s.executor
	if s.internal != nil {
		if err := s.connectPeers(self); err != nil {
			return err
		}
		runtime = everywhere{s.executor, s.internal.router}
	}
	var clusterID string
	err = s.awaitKafka(ctx, func() (err error) {
		clusterID, err = s.cluster.ID(ctx)
		return err
	})
	if err != nil {
		return err
	}
	backup, err := s.openBackup(clusterID)
	if err != nil {
		return err
	}
	err = s.awaitKafka(ctx, func() (err error) {
		s.commands, err = commandlog.OpenKafkaTopic(ctx, commandlog.KafkaTopicConfig{Cluster: s.cluster, ServiceID: s.cfg.ServiceID,
			Replication: cfg.InternalReplication, Backup: backup, Logger: s.cfg.Logger})
		return err
	})
	if err != nil {
		return err
	}
	s.details = s.newDetails(self)
	s.engine = engine.New(engine.Config{
		Runtime: runtime, Cluster: s.details, Kafka: s.cluster, Topic: s.commands, Backup: backup, Functions: cfg.Functions, Formats: cfg.Formats, Schemas: registry,
		ServiceID: s.cfg.ServiceID, Version: Version, ClusterID: clusterID, Host: s.host(),
		// The engine shows properties to clients and hands them on: it is not told secrets.
		Properties: s.shownProperties(),
		Logger:     s.cfg.Logger, Now: time.Now, Random: rand.Uint64,
	})
	return nil
}

// openBackup opens this server's copy of the command log, of which there is one for each cluster and service that the data
// directory was used with. Servers that keep nothing keep none: nil.
func (s *Server) openBackup(clusterID string) (*commandlog.Backup, error) {
	if s.cfg.DataDir == "" {
		return nil, nil
	}
	name := url.PathEscape(s.cfg.ServiceID) + "@" + url.PathEscape(clusterID) + ".backup"
	// A power loss may take the end of the embedded broker's topics when it does not wait for the disk.
	atRisk := s.broker != nil && !s.cfg.Sync
	return commandlog.OpenBackup(commandlog.BackupConfig{Path: filepath.Join(s.cfg.DataDir, "commands", name),
		Durable: !atRisk, Forgiving: atRisk, Logger: s.cfg.Logger})
}

// shownProperties are the properties as clients may see them.
func (s *Server) shownProperties() map[string]string {
	shown := properties.Shown(properties.NormalizeAll(s.cfg.Properties))
	if url := s.SchemaRegistryURL(); url != "" {
		shown["ksql.schema.registry.url"] = url
	}
	return shown
}

func milliseconds(text string) time.Duration {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Millisecond
}

// host is this server as others reach it, host:port.
func (s *Server) host() string {
	url := s.url
	if s.cfg.AdvertisedListener != "" {
		url = s.cfg.AdvertisedListener
	}
	_, rest, _ := strings.Cut(url, "://")
	return strings.TrimSuffix(rest, "/")
}

// serve answers REST and follows the command log; it returns when the log has been replayed.
func (s *Server) serve(ctx context.Context, l net.Listener, registry *prometheus.Registry) error {
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	front := rest.New(rest.Config{Engine: s.engine, Metrics: promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), Logger: s.cfg.Logger,
		HasInternal: s.internal != nil})
	if s.internal != nil {
		s.serveInternal(run)
	}
	s.serveSchemas(run)
	ready := make(chan struct{})
	s.done.Go(func() {
		if err := front.Serve(run, l); err != nil {
			s.fail(fmt.Errorf("REST: %w", err))
		}
	})
	s.done.Go(func() {
		if err := s.engine.Run(run, func() { front.Ready(); close(ready) }); err != nil {
			s.fail(fmt.Errorf("command log: %w", err))
		}
	})
	select {
	case <-ready:
	case err := <-s.failed:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.cfg.Queries != "" && len(s.engine.Catalog().Sources()) == 0 && s.engine.CommandLog().State == commandlog.Running {
		if _, err := s.engine.Execute(ctx, engine.Request{SQL: s.cfg.Queries}); err != nil {
			return fmt.Errorf("queries file: %w", err)
		}
	}
	return nil
}

func (s *Server) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}

// URL is where REST is served.
func (s *Server) URL() string { return s.url }

// BootstrapServers are the Kafka servers in use, the embedded one's own if there is one.
func (s *Server) BootstrapServers() []string {
	if s.broker != nil {
		return s.broker.BootstrapServers()
	}
	return s.cfg.BootstrapServers
}

// IsEmbedded says whether the broker runs in this process.
func (s *Server) IsEmbedded() bool { return s.broker != nil }

// Failed delivers the error that ended a part of the server, if one does.
func (s *Server) Failed() <-chan error { return s.failed }

// CommandLog tells how the command log is doing. A server whose log is corrupted answers requests and runs no query.
func (s *Server) CommandLog() commandlog.Status { return s.engine.CommandLog() }

// Kafka is the server's connection to Kafka.
func (s *Server) Kafka() *kafka.Cluster { return s.cluster }

// Close stops the server: streams end, queries commit what they have processed, the broker closes its files. It may be
// called more than once.
func (s *Server) Close() {
	s.closed.Do(func() {
		if s.stop != nil {
			s.stop()
		}
		s.done.Wait()
		if s.executor != nil {
			s.executor.Close()
		}
		if s.registry != nil {
			s.registry.Close()
		}
		if s.commands != nil {
			s.commands.Close()
		}
		if s.cluster != nil {
			s.cluster.Close()
		}
		if s.pool != nil {
			s.pool.Close()
		}
		if s.broker != nil {
			if err := s.broker.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				s.cfg.Logger.Error("closing the embedded broker", "error", err)
			}
		}
	})
}
