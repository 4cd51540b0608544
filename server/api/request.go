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
	// RequestPullConsistencyToken holds positions that the answer of a pull query is to contain, see HeaderConsistencyToken.
	RequestPullConsistencyToken = "request.ksql.query.pull.consistency.token"
	RequestPushContinuation     = "request.ksql.query.push.continuation.token"
	RequestPushCatchupGroup     = "request.ksql.query.push.catchup.consumer.group"
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

// HeaderConsistencyToken is a header of requests, and of answers that are not streamed. In a request it holds positions of
// topics that the answer of a pull query is to contain; even an empty one asks for a token in the answer. In the answer of a
// request that has inserted rows it holds their positions, raised by those of the request.
const HeaderConsistencyToken = "Ksql-Consistency-Token"

// Properties about consistency tokens.
const (
	// PropertyConsistencyToken is the token of a request as a property that SET can change.
	PropertyConsistencyToken = "ksql.query.pull.consistency.token"
	// PropertyConsistencyTokens lets answers of pull queries and acknowledgements of inserts carry tokens.
	PropertyConsistencyTokens = "ksql.query.pull.consistency.token.enabled"
	// PropertyConsistencyTimeout is how many milliseconds a pull query waits for its token.
	PropertyConsistencyTimeout = "ksql.query.pull.consistency.timeout.ms"
)

// InsertAck is one line of the answer of POST /inserts-stream: a row was
// written (Status "ok"), or the stream ended with an error (Status "error").
type InsertAck struct {
	// Type is "InsertError" on errors, a class name that ksqlDB lets out.
	Type   string `json:"@type,omitempty"`
	Status string `json:"status"`
	// Seq counts the rows of the request from 0.
	Seq int64 `json:"seq"`
	// Token, on streams that ask for tokens, holds the positions of this row and of all before it.
	Token   string `json:"consistencyToken,omitempty"`
	Code    Code   `json:"error_code,omitempty"`
	Message string `json:"message,omitempty"`
}

// InsertOK acknowledges row seq.
func InsertOK(seq int64) InsertAck { return InsertAck{Status: "ok", Seq: seq} }

// InsertFailed reports that row seq could not be inserted.
func InsertFailed(seq int64, code Code, message string) InsertAck {
	return InsertAck{Type: "InsertError", Status: "error", Seq: seq, Code: code, Message: message}
}
