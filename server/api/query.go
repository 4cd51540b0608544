package api

// RunningQuery is one row of SHOW QUERIES.
type RunningQuery struct {
	QueryString string `json:"queryString"`
	// Sinks and SinkKafkaTopics hold exactly one name for a persistent query
	// and none for a push query; ksqlDB's Java client insists on it.
	Sinks           List[string] `json:"sinks"`
	SinkKafkaTopics List[string] `json:"sinkKafkaTopics"`
	ID              string       `json:"id"`
	// StatusCount says how many hosts run the query in which state.
	StatusCount Map[int] `json:"statusCount"`
	// QueryType is QueryPersistent or QueryPush.
	QueryType string `json:"queryType"`
	State     string `json:"state"`
}

// Values of RunningQuery.QueryType.
const (
	QueryPersistent = "PERSISTENT"
	QueryPush       = "PUSH"
)

// States of a query on a host.
const (
	QueryRunning      = "RUNNING"
	QueryPaused       = "PAUSED"
	QueryError        = "ERROR"
	QueryUnresponsive = "UNRESPONSIVE"
)

// Queries is the result of SHOW QUERIES.
type Queries struct {
	Base
	Queries List[RunningQuery] `json:"queries"`
}

// Type is the "@type" of the entity.
func (e *Queries) Type() string { return "queries" }

// MarshalJSON adds the "@type".
func (e *Queries) MarshalJSON() ([]byte, error) {
	type plain Queries
	return tagged(e.Type(), (*plain)(e))
}

// QueryDescriptionEntity is the result of EXPLAIN.
type QueryDescriptionEntity struct {
	Base
	QueryDescription QueryDescription `json:"queryDescription"`
}

// Type is the "@type" of the entity.
func (e *QueryDescriptionEntity) Type() string { return "queryDescription" }

// MarshalJSON adds the "@type".
func (e *QueryDescriptionEntity) MarshalJSON() ([]byte, error) {
	type plain QueryDescriptionEntity
	return tagged(e.Type(), (*plain)(e))
}

// QueryDescriptionList is the result of SHOW QUERIES EXTENDED.
type QueryDescriptionList struct {
	Base
	QueryDescriptions List[QueryDescription] `json:"queryDescriptions"`
}

// Type is the "@type" of the entity.
func (e *QueryDescriptionList) Type() string { return "query_descriptions" }

// MarshalJSON adds the "@type".
func (e *QueryDescriptionList) MarshalJSON() ([]byte, error) {
	type plain QueryDescriptionList
	return tagged(e.Type(), (*plain)(e))
}

// QueryDescription tells all about one query.
type QueryDescription struct {
	ID            string `json:"id"`
	StatementText string `json:"statementText"`
	// WindowType is TUMBLING, HOPPING or SESSION, nil when not windowed.
	WindowType *string         `json:"windowType"`
	Fields     List[FieldInfo] `json:"fields"`
	Sources    List[string]    `json:"sources"`
	Sinks      List[string]    `json:"sinks"`
	// Topology and ExecutionPlan are texts for people.
	Topology             string     `json:"topology"`
	ExecutionPlan        string     `json:"executionPlan"`
	OverriddenProperties Properties `json:"overriddenProperties"`
	// KsqlHostQueryStatus is the state by "host:port".
	KsqlHostQueryStatus Map[string]          `json:"ksqlHostQueryStatus"`
	QueryType           string               `json:"queryType"`
	QueryErrors         List[QueryErrorInfo] `json:"queryErrors"`
	TasksMetadata       List[TaskMetadata]   `json:"tasksMetadata"`
	State               *string              `json:"state"`
	ConsumerGroupID     *string              `json:"consumerGroupId"`
	// Tasks are all tasks of all servers, and UnresponsiveHosts the servers that do not answer. ksqlDB does not know them.
	Tasks             List[TaskInfo]   `json:"tasks,omitempty"`
	UnresponsiveHosts List[SilentHost] `json:"unresponsiveHosts,omitempty"`
}

// QueryErrorInfo is one failure of a query.
type QueryErrorInfo struct {
	// Timestamp is Unix milliseconds.
	Timestamp    int64  `json:"timestamp"`
	ErrorMessage string `json:"errorMessage"`
	// Type is the class of the error: USER, SYSTEM or UNKNOWN.
	Type string `json:"type"`
	// Host is the server that met it; ksqlDB does not tell.
	Host string `json:"host,omitempty"`
}

// TaskMetadata is how far one task of a query got.
type TaskMetadata struct {
	TaskID       string                `json:"taskId"`
	TopicOffsets List[TaskTopicOffset] `json:"topicOffsets"`
	// TimeCurrentIdlingStarted is Unix milliseconds, nil when not idle.
	TimeCurrentIdlingStarted *int64 `json:"timeCurrentIdlingStarted"`
}

// TaskTopicOffset is how far a task got in one partition.
type TaskTopicOffset struct {
	TopicPartition  TopicPartition `json:"topicPartitionEntity"`
	EndOffset       int64          `json:"endOffset"`
	CommittedOffset int64          `json:"committedOffset"`
}

// TopicPartition names a partition.
type TopicPartition struct {
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
}
