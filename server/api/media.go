package api

// Media types of the contract.
const (
	MediaJSON      = "application/json"
	MediaKsqlJSON  = "application/vnd.ksql.v1+json"
	MediaDelimited = "application/vnd.ksqlapi.delimited.v1"
	MediaProtobuf  = "application/vnd.ksql.v1+protobuf"
)
