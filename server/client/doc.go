// Package client is a Go client of ksqlDB's REST API, for consoles, peers and
// tests.
//
// A Client is safe for concurrent use. Streams (Rows, Lines, Inserter) belong
// to one goroutine, except that their context may be cancelled from any.
package client
