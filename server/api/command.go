package api

// CommandStatusEntity is the result of a statement that went through the
// command log: DDL, persistent queries, TERMINATE, PAUSE, RESUME.
type CommandStatusEntity struct {
	Base
	// CommandID is "<type>/<entity>/<action>", e.g. "stream/`ORDERS`/create".
	CommandID     string        `json:"commandId"`
	CommandStatus CommandStatus `json:"commandStatus"`
	// CommandSequenceNumber is the offset of the command in the log, -1 when
	// there is none.
	CommandSequenceNumber int64 `json:"commandSequenceNumber"`
}

// Type is the "@type" of the entity.
func (e *CommandStatusEntity) Type() string { return "currentStatus" }

// MarshalJSON adds the "@type".
func (e *CommandStatusEntity) MarshalJSON() ([]byte, error) {
	type plain CommandStatusEntity
	return tagged(e.Type(), (*plain)(e))
}

// CommandStatus says how far a command got.
type CommandStatus struct {
	Status  Status `json:"status"`
	Message string `json:"message"`
	// QueryID is the persistent query that the command started, if any.
	QueryID *string `json:"queryId"`
}

// Status is the state of a command.
type Status string

// The states of a command.
const (
	StatusQueued     Status = "QUEUED"     // written to the log
	StatusParsing    Status = "PARSING"    // read from the log
	StatusExecuting  Status = "EXECUTING"  // being applied
	StatusRunning    Status = "RUNNING"    // the query it started is running
	StatusTerminated Status = "TERMINATED" // the query it started has ended
	StatusSuccess    Status = "SUCCESS"
	StatusError      Status = "ERROR"
)

// CommandStatuses is the body of GET /status.
type CommandStatuses struct {
	CommandStatuses Map[Status] `json:"commandStatuses"`
}

// WarningEntity is the result of a statement that did nothing, e.g. CREATE …
// IF NOT EXISTS on a source that is there. ksqlDB's Java client wants the
// message of that case to begin with "Cannot add".
type WarningEntity struct {
	Base
	Message string `json:"message"`
}

// Type is the "@type" of the entity.
func (e *WarningEntity) Type() string { return "warning_entity" }

// MarshalJSON adds the "@type".
func (e *WarningEntity) MarshalJSON() ([]byte, error) {
	type plain WarningEntity
	return tagged(e.Type(), (*plain)(e))
}

// TerminateQueryEntity is the result of TERMINATE on a push query.
type TerminateQueryEntity struct {
	Base
	QueryID       string `json:"queryId"`
	WasTerminated bool   `json:"wasTerminated"`
}

// Type is the "@type" of the entity.
func (e *TerminateQueryEntity) Type() string { return "terminate_query" }

// MarshalJSON adds the "@type".
func (e *TerminateQueryEntity) MarshalJSON() ([]byte, error) {
	type plain TerminateQueryEntity
	return tagged(e.Type(), (*plain)(e))
}

// AssertTopicEntity is the result of ASSERT [NOT EXISTS] TOPIC.
type AssertTopicEntity struct {
	Base
	TopicName string `json:"topicName"`
	Exists    bool   `json:"exists"`
}

// Type is the "@type" of the entity.
func (e *AssertTopicEntity) Type() string { return "assert_topic" }

// MarshalJSON adds the "@type".
func (e *AssertTopicEntity) MarshalJSON() ([]byte, error) {
	type plain AssertTopicEntity
	return tagged(e.Type(), (*plain)(e))
}

// AssertSchemaEntity is the result of ASSERT [NOT EXISTS] SCHEMA.
type AssertSchemaEntity struct {
	Base
	Subject *string `json:"subject"`
	ID      *int    `json:"id"`
	Exists  bool    `json:"exists"`
}

// Type is the "@type" of the entity.
func (e *AssertSchemaEntity) Type() string { return "assert_schema" }

// MarshalJSON adds the "@type".
func (e *AssertSchemaEntity) MarshalJSON() ([]byte, error) {
	type plain AssertSchemaEntity
	return tagged(e.Type(), (*plain)(e))
}
