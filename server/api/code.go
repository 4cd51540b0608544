package api

// Code is one of ksqlDB's error codes: the HTTP status times 100 plus a
// running number. Clients derive the HTTP status from it.
type Code int

// The codes of ksqlDB.
const (
	CodeBadRequest         Code = 40000 // malformed request or property
	CodeBadStatement       Code = 40001 // the SQL is wrong
	CodeQueryEndpoint      Code = 40002 // SELECT or PRINT sent to /ksql
	CodeMaxPushQueries     Code = 40003 // too many push queries
	CodeHTTP2Only          Code = 40004 // the endpoint needs HTTP/2
	CodeInternalOnly       Code = 40005 // server-to-server endpoint on a public listener
	CodeUnauthorized       Code = 40100
	CodeForbidden          Code = 40300
	CodeKafkaForbidden     Code = 40301 // a Kafka ACL said no
	CodeNotFound           Code = 40400
	CodeConnectorExists    Code = 40900
	CodeAssertionFailed    Code = 41700
	CodeMisdirected        Code = 42100 // wrong host name in TLS SNI
	CodeNoSchemaRegistry   Code = 42801
	CodeTooManyRequests    Code = 42900
	CodeServerError        Code = 50000
	CodeCommandQueueBehind Code = 50301 // commandSequenceNumber not reached in time
	CodeServerNotReady     Code = 50302
	CodeServerShuttingDown Code = 50303
	CodeServerShutDown     Code = 50304
	// CodeStale is ksqlgo's own: an answer did not come to contain in time what it was to contain.
	CodeStale Code = 50305
)

// HTTPStatus is the status of the answer that carries the code.
func (c Code) HTTPStatus() int {
	status := int(c) / 100
	if status < 100 || status > 599 {
		return 500
	}
	return status
}
