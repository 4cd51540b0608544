package exec

import (
	"context"
	"strings"
	"time"
)

// fenceTimeout bounds the look for transactions of servers that are gone; without an answer they end by their timeout.
const fenceTimeout = 15 * time.Second

// fenceStrangers aborts the transactions that servers have left open which are no longer members of the group: killed, frozen
// or cut off. Nobody could read past such a transaction until it times out, which takes up to 20 s; and whoever comes back
// finds itself fenced, which its generation would have told it, too. Members are left alone: what they have open concerns
// tasks of their own, or is committed before a task is given away.
func (s *session) fenceStrangers(ctx context.Context) {
	a := s.q.lastAssignment()
	if a == nil || s.settings.atLeastOnce {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, fenceTimeout)
	defer cancel()
	prefix := s.groupName + "-"
	open, err := s.x.cfg.Kafka.Admin().OpenTransactions(ctx, prefix)
	if err != nil && ctx.Err() == nil {
		s.x.cfg.Logger.Warn("open transactions could not be listed; those of dead servers end by their timeout", "query", s.plan.QueryID, "error", err)
	}
	for _, id := range open {
		// What follows the node id is the embedded broker's.
		node := strings.TrimPrefix(id, prefix)
		member := strings.HasPrefix(node, s.x.cfg.NodeID)
		for _, h := range a.Hosts {
			member = member || strings.HasPrefix(node, h.NodeID)
		}
		if member {
			continue
		}
		s.x.cfg.Logger.Info("aborting the transaction of a server that is gone", "query", s.plan.QueryID, "transactionalId", id)
		if err := s.x.cfg.Kafka.Fence(ctx, id); err != nil && ctx.Err() == nil {
			s.x.cfg.Logger.Warn("a transaction of a server that is gone could not be aborted; it ends by its timeout",
				"query", s.plan.QueryID, "transactionalId", id, "error", err)
		}
	}
}
