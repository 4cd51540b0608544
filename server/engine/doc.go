// Package engine executes statements, one handler file a statement: it validates them against the catalog, writes DDL to
// the command log, applies what comes out of the log to the runtime, and answers queries. It knows no HTTP.
package engine
