package exec

import (
	"context"
	"sync"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// purgeEvery is how often records of repartition topics that have been read are deleted.
const purgeEvery = 30 * time.Second

// purge deletes records of repartition topics beside the session, which a broker that is out of reach must not hold up.
type purge struct {
	// at is when the next one is due.
	at     time.Time
	cancel context.CancelFunc
	under  sync.WaitGroup
}

// purgeRepartitions deletes what has been read and committed from the repartition topics. It is called when the positions of
// all running tasks are committed.
func (s *session) purgeRepartitions() {
	now := s.x.cfg.Now()
	if s.purge.at.IsZero() {
		s.purge.at = now.Add(purgeEvery)
	}
	if now.Before(s.purge.at) {
		return
	}
	s.purge.at = now.Add(purgeEvery)
	before := purgeable(s.order)
	if len(before) == 0 {
		return
	}
	s.purge.wait()
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	s.purge.cancel = cancel
	s.purge.under.Go(func() {
		defer cancel()
		if err := s.x.cfg.Kafka.Admin().DeleteRecords(ctx, before); err != nil {
			s.x.cfg.Logger.Warn("read records of repartition topics could not be deleted; trying again later",
				"query", s.plan.QueryID, "error", err)
		}
	})
}

// purgeable says up to where the repartition topics have been read for good. A task that is being brought back to the last
// commit may have read further than that.
func purgeable(tasks []*hostedTask) map[kafka.TopicPartition]int64 {
	before := map[kafka.TopicPartition]int64{}
	for _, t := range tasks {
		if !t.active {
			continue
		}
		for i, in := range t.stage.Inputs {
			if in.Repartition && t.position[i] > 0 {
				before[kafka.TopicPartition{Topic: in.Topic, Partition: t.partition}] = t.position[i]
			}
		}
	}
	return before
}

// wait gives up what is under way, which is done again the next time, and waits for its end.
func (p *purge) wait() {
	if p.cancel != nil {
		p.cancel()
	}
	p.under.Wait()
}
