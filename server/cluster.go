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

// newDetails is what the servers know of their queries: this one alone if it has no others.
func (s *Server) newDetails(self peers.Node) *details.Details {
	if s.internal == nil {
		return details.Alone(self, s.status, s.executor)
	}
	return details.New(s.internal.peers, s.executor)
}

// collector makes metrics of what the parts of the server tell.
func (s *Server) collector() *collector {
	return newCollector(metricSources{statuses: s.executor.Statuses, draining: s.executor.IsDraining, servers: s.details.Snapshot,
		readiness: s.engine.Readiness, commits: s.commits})
}
