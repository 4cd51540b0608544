// Package settle waits until the persistent queries of a server have processed all there is.
package settle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/server/api"
)

// ErrQueryFailed says that a query is in ERROR, with the cause in the text.
var ErrQueryFailed = errors.New("a query is in ERROR")

// Wait returns when every persistent query runs and has committed all there is in the topics it reads. Nothing else may
// write meanwhile.
func Wait(ctx context.Context, s *server.Server) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		settled, err := isSettled(ctx, s)
		if settled || err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the queries to catch up: %w", context.Cause(ctx))
		case <-tick.C:
		}
	}
}

func isSettled(ctx context.Context, s *server.Server) (bool, error) {
	committed, err := positions(ctx, s)
	if err != nil || committed == nil {
		return false, err
	}
	// The ends are read after the positions: where all agree, nothing was under way in between.
	seen := map[string]bool{}
	for tp := range committed {
		if seen[tp.Topic] {
			continue
		}
		seen[tp.Topic] = true
		ends, err := s.Kafka().Admin().EndOffsets(ctx, tp.Topic)
		if err != nil {
			return false, err
		}
		for at, end := range ends {
			slowest, read := committed[at]
			if !read || slowest < end {
				return false, nil
			}
		}
	}
	return true, nil
}

// positions tells what is committed of each partition that queries read, by the slowest of them; nil while a query starts.
func positions(ctx context.Context, s *server.Server) (map[kafka.TopicPartition]int64, error) {
	queries, err := describe(ctx, s)
	if err != nil {
		return nil, err
	}
	out := map[kafka.TopicPartition]int64{}
	for _, q := range queries {
		switch {
		case q.QueryType != api.QueryPersistent:
			continue
		case q.State != nil && *q.State == api.QueryError:
			return nil, fmt.Errorf("%w: %s: %+v", ErrQueryFailed, q.ID, q.QueryErrors)
		case len(q.TasksMetadata) == 0:
			return nil, nil
		}
		for _, t := range q.TasksMetadata {
			for _, o := range t.TopicOffsets {
				tp := kafka.TopicPartition{Topic: o.TopicPartition.Topic, Partition: int32(o.TopicPartition.Partition)}
				if slowest, ok := out[tp]; !ok || o.CommittedOffset < slowest {
					out[tp] = o.CommittedOffset
				}
			}
		}
	}
	return out, nil
}

func describe(ctx context.Context, s *server.Server) ([]api.QueryDescription, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL()+"/ksql", bytes.NewReader([]byte(`{"ksql":"SHOW QUERIES EXTENDED;"}`)))
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var entities api.Entities
	if err := json.NewDecoder(res.Body).Decode(&entities); err != nil {
		return nil, fmt.Errorf("SHOW QUERIES EXTENDED, status %d: %w", res.StatusCode, err)
	}
	list, ok := entities[0].(*api.QueryDescriptionList)
	if !ok {
		return nil, fmt.Errorf("SHOW QUERIES EXTENDED answered %T", entities[0])
	}
	return list.QueryDescriptions, nil
}
