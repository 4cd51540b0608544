package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/server/broker"
)

// brokerCommand runs the embedded broker as a process of its own, for tests and comparisons.
type brokerCommand struct {
	BrokerListener string `help:"host:port to listen on." default:"127.0.0.1:9092"`
	DataDir        string `help:"Where the topics are kept; in memory without it." type:"path"`
	Sync           bool   `help:"Wait for the disk."`
	FreePorts      bool   `help:"Take a free port when the wanted one is taken."`
	Partitions     int    `help:"Partitions of topics created without a count." default:"1"`
}

// Run implements the command.
func (c *brokerCommand) Run(io *streams) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if c.BrokerListener == "" {
		c.BrokerListener = server.DefaultBrokerListener
	}
	b, err := broker.Start(ctx, broker.Config{Listener: c.BrokerListener, DataDir: c.DataDir, SyncWrites: c.Sync,
		FallBackToFreePort: c.FreePorts, DefaultPartitions: c.Partitions, Logger: slog.New(slog.NewTextHandler(io.err, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		return err
	}
	fmt.Fprintf(io.out, "listening %s\n", b.Addr())
	<-ctx.Done()
	return b.Close()
}
