// Package render prints statement results, rows and errors as ksqlDB's console
// does, or as JSON, NDJSON and CSV for machines.
package render
