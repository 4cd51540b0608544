package api

// ServerInfoResponse is the body of GET /info.
type ServerInfoResponse struct {
	KsqlServerInfo ServerInfo `json:"KsqlServerInfo"`
}

// ServerInfo names a server.
type ServerInfo struct {
	// Version must read N.N[.N…]; ksqlDB's CLI refuses old and unknown ones.
	Version        string `json:"version"`
	KafkaClusterID string `json:"kafkaClusterId"`
	KsqlServiceID  string `json:"ksqlServiceId"`
	// ServerStatus is RUNNING, DEGRADED or ERROR; TERMINATED is ours.
	ServerStatus string `json:"serverStatus"`
}

// HealthCheckResponse is the body of GET /healthcheck.
type HealthCheckResponse struct {
	IsHealthy bool                   `json:"isHealthy"`
	Details   Map[HealthCheckDetail] `json:"details"`
	// ServerState is "READY", "INITIALIZING", or, once the service was terminated, "TERMINATING" while what it had is being
	// removed and "TERMINATED" after that.
	ServerState string `json:"serverState"`
	// Readiness tells whether the server has taken up its work; ksqlDB does not know it.
	Readiness *Readiness `json:"readiness,omitempty"`
}

// Readiness says whether a server has taken up its work: all commands are applied, all its tasks run, and its standbys are
// complete. Until then the next server of a rolling restart should not be stopped.
type Readiness struct {
	Ready bool `json:"ready"`
	// NotReady tells, a sentence each, what is still to come.
	NotReady List[string] `json:"notReady"`
}

// HealthCheckDetail is the health of one part: metastore, kafka, commandRunner.
type HealthCheckDetail struct {
	IsHealthy bool `json:"isHealthy"`
	// The others are ours and of commandRunner alone: the state of the command log (REPLAYING, RUNNING, DEGRADED,
	// CORRUPTED, TERMINATED), why it is one of the last three and what to do, the offset after the last command in force, and the end
	// of the log when last heard of.
	State         string `json:"state,omitempty"`
	Reason        string `json:"reason,omitempty"`
	AppliedOffset *int64 `json:"appliedOffset,omitempty"`
	EndOffset     *int64 `json:"endOffset,omitempty"`
}

// ClusterStatusResponse is the body of GET /clusterStatus, by "host:port".
type ClusterStatusResponse struct {
	ClusterStatus Map[HostStatus] `json:"clusterStatus"`
}

// HostStatus is what is known of one server.
type HostStatus struct {
	HostAlive bool `json:"hostAlive"`
	// LastStatusUpdateMs is Unix milliseconds.
	LastStatusUpdateMs    int64              `json:"lastStatusUpdateMs"`
	ActiveStandbyPerQuery Map[ActiveStandby] `json:"activeStandbyPerQuery"`
	HostStoreLags         HostStoreLags      `json:"hostStoreLags"`
}

// ActiveStandby is what a server holds of one query.
type ActiveStandby struct {
	ActiveStores      List[string]         `json:"activeStores"`
	ActivePartitions  List[TopicPartition] `json:"activePartitions"`
	StandByStores     List[string]         `json:"standByStores"`
	StandByPartitions List[TopicPartition] `json:"standByPartitions"`
}

// HostStoreLags is how far the stores of a server are behind.
type HostStoreLags struct {
	// StateStoreLags is by "<application id>#<store>".
	StateStoreLags Map[StateStoreLags] `json:"stateStoreLags"`
	// UpdateTimeMs is Unix milliseconds.
	UpdateTimeMs int64 `json:"updateTimeMs"`
}

// StateStoreLags is how far one store is behind, by partition number.
type StateStoreLags struct {
	LagByPartition Map[LagInfo] `json:"lagByPartition"`
	Size           int          `json:"size"`
}

// LagInfo is how far one partition of a store is behind, in offsets.
type LagInfo struct {
	CurrentOffsetPosition int64 `json:"currentOffsetPosition"`
	EndOffsetPosition     int64 `json:"endOffsetPosition"`
	OffsetLag             int64 `json:"offsetLag"`
}

// ServerMetadata is the body of GET /v1/metadata.
type ServerMetadata struct {
	Version   string          `json:"version"`
	ClusterID ServerClusterID `json:"clusterId"`
}

// ServerClusterID is the body of GET /v1/metadata/id.
type ServerClusterID struct {
	ID    string       `json:"id"`
	Scope ClusterScope `json:"scope"`
}

// ClusterScope names the clusters a server belongs to.
type ClusterScope struct {
	Path     List[string] `json:"path"`
	Clusters Map[string]  `json:"clusters"`
}

// HeartbeatMessage is the body of POST /heartbeat.
type HeartbeatMessage struct {
	HostInfo HostInfo `json:"hostInfo"`
	// Timestamp is Unix milliseconds.
	Timestamp int64 `json:"timestamp"`
}

// LagReportingMessage is the body of POST /lag.
type LagReportingMessage struct {
	KsqlHost      HostInfo      `json:"ksqlHost"`
	HostStoreLags HostStoreLags `json:"hostStoreLags"`
}

// OKResponse answers POST /heartbeat and POST /lag.
type OKResponse struct {
	IsOK bool `json:"isOk"`
}
