// Package rest runs ksqlDB's rest-query-validation cases against a whole server: statements and queries through REST,
// records through Kafka.
package rest
