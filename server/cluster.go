package server

import (
	"time"

	"github.com/ksqlgo/ksqlgo/server/peers"
	"github.com/ksqlgo/ksqlgo/server/peers/details"
)

// status is what this server tells the others of itself.
func (s *Server) status() peers.Status {
	status := peers.StatusOf(s.host(), s.engine.AppliedOffset(), s.executor.Tasks(), time.Now())
	status.Draining = s.executor.IsDraining()
	return status
}

// details are what the servers know of their queries: this one alone if it has no others.
func (s *Server) details(self peers.Node) *details.Details {
	if s.internal == nil {
		return details.Alone(self, s.status, s.executor)
	}
	return details.New(s.internal.peers, s.executor)
}
