package server_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/server/broker"
	"github.com/ksqlgo/ksqlgo/tests/process"
)

// waiting sees in a log that somebody waits for Kafka.
type waiting struct{ seen chan struct{} }

// Write implements io.Writer.
func (w waiting) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("Kafka is out of reach")) {
		select {
		case w.seen <- struct{}{}:
		default:
		}
	}
	return len(b), nil
}

// A server may be started before its Kafka: it waits for it, and gives up when its time is over.
func TestStartBeforeKafka(t *testing.T) {
	t.Parallel()
	port, err := process.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	cfg := server.Config{BootstrapServers: []string{address}, Listener: "http://127.0.0.1:0", ServiceID: "early_"}
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if s, err := server.Start(short, cfg); err == nil {
		s.Close()
		t.Fatal("a server started without a Kafka")
	}
	waits := waiting{make(chan struct{}, 1)}
	cfg.Logger = slog.New(slog.NewTextHandler(waits, nil))
	started := make(chan error, 1)
	var s *server.Server
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	go func() {
		var err error
		s, err = server.Start(ctx, cfg)
		started <- err
	}()
	select {
	case <-waits.seen:
	case err := <-started:
		t.Fatalf("the start did not wait for Kafka: %v", err)
	}
	b, err := broker.Start(ctx, broker.Config{Listener: address})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	s.Close()
}
