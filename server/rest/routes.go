package rest

import "net/http"

// Route is one endpoint.
type Route struct {
	// Pattern as net/http.ServeMux takes it, method included.
	Pattern string
	// Purpose in a few words, for documentation.
	Purpose string

	handle http.HandlerFunc
	// early endpoints answer before the server is ready.
	early bool
	// works says that the endpoint wants something of the service, so that there is no answer once that was terminated.
	works bool
}

// Routes lists every endpoint of the server.
func (s *Server) Routes() []Route {
	return []Route{
		{Pattern: "GET /{$}", Purpose: "redirect to /info", handle: s.root, early: true},
		{Pattern: "GET /info", Purpose: "version and ids", handle: s.info, early: true},
		{Pattern: "GET /healthcheck", Purpose: "health", handle: s.healthcheck, early: true},
		{Pattern: "GET /metrics", Purpose: "Prometheus metrics", handle: s.metrics, early: true},
		{Pattern: "GET /chc/ready", Purpose: "readiness probe", handle: s.readiness, early: true},
		{Pattern: "GET /chc/live", Purpose: "liveness probe", handle: s.alive, early: true},
		{Pattern: "POST /ksql", Purpose: "statements but SELECT and PRINT", handle: s.statements, works: true},
		{Pattern: "POST /ksql/terminate", Purpose: "end the service, with topics that it has created", handle: s.terminateCluster, works: true},
		{Pattern: "POST /query", Purpose: "SELECT and PRINT", handle: s.query, works: true},
		{Pattern: "POST /query-stream", Purpose: "SELECT and PRINT", handle: s.queryStream, works: true},
		{Pattern: "POST /inserts-stream", Purpose: "insert rows", handle: s.insertsStream, works: true},
		{Pattern: "POST /close-query", Purpose: "stop a push query", handle: s.closeQuery, works: true},
		{Pattern: "GET /status", Purpose: "statuses of all commands", handle: s.statuses},
		{Pattern: "GET /status/{type}/{rest...}", Purpose: "status of one command", handle: s.status},
		{Pattern: "GET /clusterStatus", Purpose: "hosts, stores, lags", handle: s.clusterStatus},
		{Pattern: "GET /cluster", Purpose: "servers and tasks", handle: s.cluster},
		{Pattern: "POST /cluster/drain", Purpose: "give all tasks of this server to others", handle: s.drain, works: true},
		{Pattern: "DELETE /cluster/drain", Purpose: "let this server have tasks again", handle: s.endDrain},
		{Pattern: "POST /heartbeat", Purpose: "server to server; refused where there is an internal listener", handle: s.internal},
		{Pattern: "POST /lag", Purpose: "server to server; refused where there is an internal listener", handle: s.internal},
		{Pattern: "GET /is_valid_property/{name}", Purpose: "may a client set this property", handle: s.isValidProperty},
		{Pattern: "GET /v1/metadata", Purpose: "Confluent metadata", handle: s.metadata},
		{Pattern: "GET /v1/metadata/id", Purpose: "Confluent metadata", handle: s.metadataID},
	}
}
