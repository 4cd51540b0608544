package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/ksqlgo/ksqlgo/cmd/internal/console"
	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/server/client"
)

// serverCommand runs a server until a signal ends it, or the console that it opens on a terminal does.
type serverCommand struct {
	Config                 string   `help:"Properties file, as ksql-server.properties." type:"existingfile"`
	BootstrapServers       []string `help:"Kafka brokers (host:port, …); without them the embedded broker is started."`
	ServiceID              string   `name:"service-id" help:"Servers with the same id share their queries (ksql.service.id)."`
	Listeners              string   `help:"Address of the REST API (default http://127.0.0.1:8088)."`
	AdvertisedListener     string   `help:"URL under which others reach this server."`
	InternalListener       string   `help:"host:port for the other servers of the service (default a free port; none with the embedded broker)."`
	DataDir                string   `help:"Where data is kept (default ~/.ksqlgo)." type:"path"`
	Ephemeral              bool     `help:"Keep everything in memory and forget it at the end."`
	QueriesFile            string   `help:"SQL to apply at the first start." type:"existingfile"`
	BrokerListener         string   `help:"host:port of the embedded broker (default 127.0.0.1:9092)."`
	SchemaRegistryURL      string   `name:"schema-registry-url" help:"Addresses of a schema registry, separated by commas; without any the embedded one is used, with the embedded broker."`
	SchemaRegistryListener string   `help:"host:port of the embedded schema registry, or none (default 127.0.0.1:8081, or none when that is taken)."`
	Sync                   bool     `help:"Let the embedded broker wait for the disk, so that a power loss loses nothing."`
	FreePorts              bool     `help:"Take free ports when the usual ones are taken."`
	NoConsole              bool     `help:"Do not open the console on a terminal."`
	DebugListener          string   `help:"Loopback host:port to serve Go's profiles on (pprof)."`
	LogLevel               string   `help:"debug, info, warn or error." default:"info" enum:"debug,info,warn,error"`
}

// startTimeout bounds the start of a server.
const startTimeout = 60 * time.Second

// Run implements the command.
func (c *serverCommand) Run(io *streams) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	interactive := !c.NoConsole && isTerminal(io.in) && isTerminalWriter(io.out)
	logger, closeLog, err := c.logger(cfg.DataDir, interactive, io)
	if err != nil {
		return err
	}
	defer closeLog()
	cfg.Logger = logger
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if !interactive {
		var stopInterrupt context.CancelFunc
		ctx, stopInterrupt = signal.NotifyContext(ctx, os.Interrupt)
		defer stopInterrupt()
	}
	if c.DebugListener != "" {
		if err := serveDebug(ctx, c.DebugListener); err != nil {
			return err
		}
	}
	began := time.Now()
	starting, cancel := context.WithTimeout(ctx, startTimeout)
	s, err := server.Start(starting, cfg)
	cancel()
	switch {
	case err != nil && ctx.Err() != nil:
		// It was told to stop before it had started: what broke off is no failure.
		logger.Info("stopped while starting", "step", err)
		return nil
	case err != nil:
		return err
	}
	defer s.Close()
	announce(io.err, s, cfg.DataDir, time.Since(began))
	if status := s.CommandLog(); status.Reason != "" {
		fmt.Fprintf(io.err, "\n%s\n\n", status.Reason)
	}
	if interactive {
		code := console.Run(ctx, console.Config{Server: client.Config{URL: s.URL()}, Version: server.Version})
		if code != 0 {
			return &exitError{code: code}
		}
		return nil
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.Failed():
		return err
	}
}

// announce tells where everything is.
func announce(w io.Writer, s *server.Server, dataDir string, took time.Duration) {
	broker := strings.Join(s.BootstrapServers(), ",")
	if s.IsEmbedded() {
		broker += " (embedded: one node, for development and small installations; a power loss may lose the last seconds unless --sync)"
	}
	if dataDir == "" {
		dataDir = "none: everything is in memory and forgotten at the end"
	}
	registry := s.SchemaRegistryURL()
	switch {
	case registry == "" && s.IsEmbedded():
		registry = "embedded, without a listener"
	case registry == "":
		registry = "none (--schema-registry-url)"
	}
	fmt.Fprintf(w, "ksqlgo %s, started in %d ms\n  REST     %s\n  Kafka    %s\n  schemas  %s\n  data     %s\n", server.Version, took.Milliseconds(), s.URL(), broker, registry, dataDir)
}

// config makes the server's configuration from flags and properties file.
func (c *serverCommand) config() (server.Config, error) {
	cfg := server.Config{BootstrapServers: c.BootstrapServers, ServiceID: c.ServiceID, Listener: c.Listeners,
		AdvertisedListener: c.AdvertisedListener, InternalListener: c.InternalListener, BrokerListener: c.BrokerListener, DataDir: c.DataDir, Sync: c.Sync, FreePorts: c.FreePorts,
		SchemaRegistryURL: c.SchemaRegistryURL, SchemaRegistryListener: c.SchemaRegistryListener}
	if err := applyPropertiesFile(&cfg, c.Config); err != nil {
		return cfg, err
	}
	if cfg.SchemaRegistryListener == "" {
		cfg.SchemaRegistryListener, cfg.SchemaRegistryOptional = server.DefaultSchemaRegistryListener, true
	}
	if c.QueriesFile != "" {
		b, err := os.ReadFile(c.QueriesFile)
		if err != nil {
			return cfg, err
		}
		cfg.Queries = string(b)
	}
	switch {
	case c.Ephemeral && c.DataDir != "":
		return cfg, errors.New("--ephemeral and --data-dir contradict each other")
	case c.Ephemeral:
		cfg.DataDir = ""
	case cfg.DataDir == "":
		home, err := os.UserHomeDir()
		if err != nil {
			return cfg, fmt.Errorf("no home directory to keep data in (%w): name one with --data-dir, or use --ephemeral", err)
		}
		cfg.DataDir = filepath.Join(home, ".ksqlgo")
	}
	return cfg, nil
}

// logger writes text to a terminal and JSON otherwise; while the console has the terminal, to a file in the data directory.
func (c *serverCommand) logger(dataDir string, interactive bool, io *streams) (*slog.Logger, func(), error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, nil, err
	}
	options := &slog.HandlerOptions{Level: level}
	switch {
	case interactive && dataDir == "":
		return slog.New(slog.DiscardHandler), func() {}, nil
	case interactive:
		if err := os.MkdirAll(dataDir, 0o755); err != nil {
			return nil, nil, err
		}
		f, err := os.OpenFile(filepath.Join(dataDir, "ksqlgo.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return nil, nil, err
		}
		return slog.New(slog.NewJSONHandler(f, options)), func() { f.Close() }, nil
	case isTerminalWriter(io.err):
		return slog.New(slog.NewTextHandler(io.err, options)), func() {}, nil
	}
	return slog.New(slog.NewJSONHandler(io.err, options)), func() {}, nil
}

func isTerminal(f *os.File) bool { return f != nil && term.IsTerminal(int(f.Fd())) }

func isTerminalWriter(w any) bool {
	f, ok := w.(*os.File)
	return ok && isTerminal(f)
}
