package engine

import (
	"context"
	"encoding/json"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/server/api"
)

// Request is one client request: statements and what the client set for them.
type Request struct {
	// SQL is one or more statements, each closed by a semicolon.
	SQL string
	// Properties override properties for this request, by name with or without the ksql.streams. prefix.
	Properties map[string]string
	// RequestProperties are switches of this request, by the names of api's Request… constants.
	RequestProperties map[string]string
	// Variables are substituted for ${name}.
	Variables map[string]string
	// CommandSequenceNumber, if not nil, is the command that must have been applied here before the request is looked at.
	CommandSequenceNumber *int64
	// Tokens are consistency tokens: what the answer of a pull query is to contain. Even an empty text asks for a token in the
	// answer.
	Tokens []string
}

// Result is what statements gave.
type Result struct {
	Entities api.Entities
	// Token holds the positions of the rows that the statements have inserted, raised by those that the request named; "" if
	// there are none. It is set beside an error, too.
	Token string
}

// Row is one row of an answer. Values are boxed (see catalog/types) and belong to the receiver.
type Row struct {
	Values []any
	// Tombstone: the row of this key was deleted; only key columns are set.
	Tombstone bool
}

// Rows is a stream of rows. Next and Close may be called from different goroutines.
type Rows interface {
	// Next waits for a row. It returns io.EOF at the end, and ctx's error when ctx ends first. Any other error is an
	// api.ErrorBody for the client.
	Next(ctx context.Context) (Row, error)
	// TryNext returns a row that is already there; ok is false when the caller would have to wait, or at the end.
	TryNext() (row Row, ok bool)
	// LimitReached says, after io.EOF, that the query ended by its LIMIT.
	LimitReached() bool
	// Close ends the query. It is safe to call at any time and more than once.
	Close()
}

// Answer is what a SELECT gives.
type Answer struct {
	QueryID string
	Columns []types.Column
	// KeyPositions lists the Columns that are the key; pull queries mark them in the header.
	KeyPositions []int
	// Pull: a pull query over a table. Over a stream it is answered as a push query is, one that ends by itself.
	Pull bool
	Rows Rows
	// Token gives the consistency token of the rows. It is asked when all of them have been read, before Rows.Close; nil when
	// none is to be told.
	Token func() (string, error)
}

// Printed is what PRINT gives: text lines, the two format lines first.
type Printed interface {
	// Next waits for a line. It returns io.EOF at the end.
	Next(ctx context.Context) (string, error)
	Close()
}

// Inserter takes the rows of one /inserts-stream request.
type Inserter interface {
	// Insert writes one row: column names to JSON values, names as in the JSON text. It returns once the row is durable,
	// with the token of all rows so far, "" if the request asks for none. The error is an api.ErrorBody.
	Insert(ctx context.Context, row map[string]json.RawMessage) (token string, err error)
}
