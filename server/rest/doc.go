// Package rest serves ksqlDB's REST contract over HTTP/1.1 and HTTP/2 without TLS (prior knowledge) on one port: an
// endpoint a file, all of them listed in routes.go.
package rest
