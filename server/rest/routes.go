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
	// json endpoints answer in JSON whatever happens, so that a client which takes none gets no answer.
	json bool
	// works says that the endpoint wants something of the service, so that there is no answer once that was terminated.
	works bool
}

// Routes lists every endpoint of the server.
func (s *Server) Routes() []Route {
	return []Route{
		{Pattern: "GET /{$}", Purpose: "redirect to /info", handle: s.root, early: true},
		{Pattern: "GET /info", Purpose: "version and ids", handle: s.info, early: true, json: true},
		{Pattern: "GET /healthcheck", Purpose: "health", handle: s.healthcheck, early: true, json: true},
		{Pattern: "GET /metrics", Purpose: "Prometheus metrics", handle: s.metrics, early: true},
		{Pattern: "GET /chc/ready", Purpose: "readiness probe", handle: s.readiness, early: true},
		{Pattern: "GET /chc/live", Purpose: "liveness probe", handle: s.alive, early: true},
		{Pattern: "POST /ksql", Purpose: "statements but SELECT and PRINT", handle: s.statements, works: true, json: true},
		{Pattern: "POST /ksql/terminate", Purpose: "end the service, with topics that it has created", handle: s.terminateCluster, works: true, json: true},
		{Pattern: "POST /query", Purpose: "SELECT and PRINT", handle: s.query, works: true},
		{Pattern: "POST /query-stream", Purpose: "SELECT and PRINT", handle: s.queryStream, works: true},
		{Pattern: "POST /inserts-stream", Purpose: "insert rows", handle: s.insertsStream, works: true},
		{Pattern: "POST /close-query", Purpose: "stop a push query", handle: s.closeQuery, works: true},
		{Pattern: "GET /status", Purpose: "statuses of all commands", handle: s.statuses, json: true},
		{Pattern: "GET /status/{type}/{entity}/{action}", Purpose: "status of one command", handle: s.status, json: true},
		{Pattern: "GET /clusterStatus", Purpose: "hosts, stores, lags", handle: s.clusterStatus, json: true},
		{Pattern: "GET /cluster", Purpose: "servers and tasks", handle: s.cluster},
		{Pattern: "POST /cluster/drain", Purpose: "give all tasks of this server to others", handle: s.drain, works: true},
		{Pattern: "DELETE /cluster/drain", Purpose: "let this server have tasks again", handle: s.endDrain},
		{Pattern: "POST /heartbeat", Purpose: "server to server; refused where there is an internal listener", handle: s.internal, json: true},
		{Pattern: "POST /lag", Purpose: "server to server; refused where there is an internal listener", handle: s.internal, json: true},
		{Pattern: "GET /is_valid_property/{name}", Purpose: "may a client set this property", handle: s.isValidProperty, json: true},
		{Pattern: "GET /v1/metadata", Purpose: "Confluent metadata", handle: s.metadata, json: true},
		{Pattern: "GET /v1/metadata/id", Purpose: "Confluent metadata", handle: s.metadataID, json: true},
	}
}
