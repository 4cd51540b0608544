package server

import (
	"context"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// awaitPause is the pause between two tries of a step of the start that needs Kafka.
const awaitPause = time.Second

// awaitKafka tries a step of the start again as long as brokers are out of reach and ctx lasts: a server may be started before
// its brokers, or while one of them is down.
func (s *Server) awaitKafka(ctx context.Context, step func() error) error {
	for {
		err := step()
		switch kafka.KindOf(err) {
		case kafka.Retriable, kafka.Canceled:
		default:
			return err
		}
		if err == nil || ctx.Err() != nil || s.broker != nil {
			return err
		}
		s.cfg.Logger.Warn("Kafka is out of reach; trying again", "error", err)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(awaitPause):
		}
	}
}
