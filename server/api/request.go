package api

// KsqlRequest is the body of POST /ksql and POST /query.
type KsqlRequest struct {
	// SQL is the text of one or more statements; nil when the field is
	// missing or null, which ksqlDB refuses.
	SQL *string `json:"ksql"`
	// StreamsProperties override properties for this request.
	StreamsProperties Properties `json:"streamsProperties"`
	// SessionVariables are substituted for ${name}.
	SessionVariables Map[string] `json:"sessionVariables"`
	// CommandSequenceNumber, when set, is the command that must have been
	// executed on the server before the request is.
	CommandSequenceNumber *int64 `json:"commandSequenceNumber"`
	// RequestProperties are internal switches, see the Request… constants.
	RequestProperties Properties `json:"requestProperties"`
}

// Keys of KsqlRequest.RequestProperties.
const (
	RequestPullSkipForwarding = "request.ksql.query.pull.skip.forwarding"
	RequestPushSkipForwarding = "request.ksql.query.push.skip.forwarding"
	RequestInternal           = "request.ksql.internal.request"
	RequestDebug              = "request.ksql.debug.request"
	RequestPullPartitions     = "request.ksql.query.pull.partition"
	RequestPushContinuation   = "request.ksql.query.push.continuation.token"
	RequestPushCatchupGroup   = "request.ksql.query.push.catchup.consumer.group"
)

// QueryStreamArgs is the body of POST /query-stream.
type QueryStreamArgs struct {
	// SQL is exactly one SELECT or PRINT; nil when missing.
	SQL *string `json:"sql"`
	// Properties override properties for this query.
	Properties Properties `json:"properties"`
	// SessionVariables are substituted for ${name}.
	SessionVariables Map[string] `json:"sessionVariables"`
	// RequestProperties are internal switches, see the Request… constants.
	RequestProperties Properties `json:"requestProperties"`
}

// InsertsStreamArgs is the first line of POST /inserts-stream.
type InsertsStreamArgs struct {
	// Target is the stream to insert into; case matters only in back-quotes.
	Target string `json:"target"`
	// Properties override properties for these inserts.
	Properties Properties `json:"properties"`
}

// CloseQueryArgs is the body of POST /close-query.
type CloseQueryArgs struct {
	QueryID string `json:"queryId"`
}

// ClusterTerminateRequest is the body of POST /ksql/terminate.
type ClusterTerminateRequest struct {
	// DeleteTopicList holds names and regular expressions of topics to delete.
	DeleteTopicList List[string] `json:"deleteTopicList"`
}

// InsertAck is one line of the answer of POST /inserts-stream: a row was
// written (Status "ok"), or the stream ended with an error (Status "error").
type InsertAck struct {
	// Type is "InsertError" on errors, a class name that ksqlDB lets out.
	Type   string `json:"@type,omitempty"`
	Status string `json:"status"`
	// Seq counts the rows of the request from 0.
	Seq     int64  `json:"seq"`
	Code    Code   `json:"error_code,omitempty"`
	Message string `json:"message,omitempty"`
}

// InsertOK acknowledges row seq.
func InsertOK(seq int64) InsertAck { return InsertAck{Status: "ok", Seq: seq} }

// InsertFailed reports that row seq could not be inserted.
func InsertFailed(seq int64, code Code, message string) InsertAck {
	return InsertAck{Type: "InsertError", Status: "error", Seq: seq, Code: code, Message: message}
}
