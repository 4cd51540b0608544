package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/kafka/security"
	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/server/commandlog"
)

// commandCommand looks at and repairs the command log of a service. It talks to Kafka itself: it is for when servers cannot.
type commandCommand struct {
	List    commandListCommand    `cmd:"" help:"List the commands of the log."`
	Skip    commandSkipCommand    `cmd:"" help:"Take the record at an offset out on all servers, as one that they cannot read."`
	Backup  commandBackupCommand  `cmd:"" help:"Write the log to a file."`
	Restore commandRestoreCommand `cmd:"" help:"Make the command topic anew from a backup."`
}

// commandTarget says which log is meant.
type commandTarget struct {
	BootstrapServers []string      `help:"Kafka brokers (host:port, …); those of a running embedded broker, too."`
	ServiceID        string        `name:"service-id" help:"The servers' ksql.service.id (default default_)."`
	Config           string        `help:"Properties file of the servers, to take both from, and how connections to Kafka are secured." type:"existingfile"`
	Timeout          time.Duration `help:"How long to try." default:"1m"`
}

// open connects to Kafka. The context ends with a signal or when time is up.
func (c *commandTarget) open(io *streams) (ctx context.Context, topic commandlog.KafkaTopicConfig, closeAll func(), err error) {
	cfg := server.Config{BootstrapServers: c.BootstrapServers, ServiceID: c.ServiceID}
	if err := applyPropertiesFile(&cfg, c.Config); err != nil {
		return nil, topic, nil, err
	}
	if len(cfg.BootstrapServers) == 0 {
		return nil, topic, nil, errors.New("no Kafka brokers are given: name them with --bootstrap-servers or --config")
	}
	if cfg.ServiceID == "" {
		cfg.ServiceID = server.DefaultServiceID
	}
	secured, err := security.Read(cfg.Properties, slog.New(slog.NewTextHandler(io.err, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return nil, topic, nil, err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	logger := slog.New(slog.NewTextHandler(io.err, &slog.HandlerOptions{Level: slog.LevelError}))
	reach := kafka.Config{BootstrapServers: cfg.BootstrapServers, ClientID: "ksqlgo-command", Logger: logger}
	secured.Apply(&reach)
	cluster, err := kafka.Connect(ctx, reach)
	if err != nil {
		cancel()
		stop()
		return nil, topic, nil, secured.Advise(err)
	}
	return ctx, commandlog.KafkaTopicConfig{Cluster: cluster, ServiceID: cfg.ServiceID, Logger: logger}, func() {
		cluster.Close()
		cancel()
		stop()
	}, nil
}

// inspect reads the log.
func inspect(ctx context.Context, topic commandlog.KafkaTopicConfig) (*commandlog.Inspection, error) {
	in, err := commandlog.Inspect(ctx, topic.Cluster, topic.ServiceID)
	var none *commandlog.CorruptedError
	if errors.As(err, &none) {
		return nil, fmt.Errorf("%w. Is %q the servers' --service-id?", err, topic.ServiceID)
	}
	return in, err
}

// applyPropertiesFile reads a properties file, if one is named, into what is not set yet.
func applyPropertiesFile(cfg *server.Config, path string) error {
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	properties, err := server.ReadProperties(f)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	cfg.ApplyProperties(properties)
	return nil
}
