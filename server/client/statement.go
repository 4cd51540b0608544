package client

import (
	"context"

	"github.com/ksqlgo/ksqlgo/server/api"
)

// Request is SQL text with what it is to run under.
type Request struct {
	// SQL is one or more statements, each closed by a semicolon.
	SQL string
	// Properties override the server's properties for this request.
	Properties api.Properties
	// Variables are substituted for ${name} by the server.
	Variables map[string]string
	// AfterCommand, when set, is the sequence number of a command that must
	// have been executed on the server before the request is.
	AfterCommand *int64
	// RequestProperties are internal switches, see api.RequestInternal.
	RequestProperties api.Properties
	// Consistency, when set, is sent with the request and raised by what it writes and reads.
	Consistency *Consistency
}

func (r Request) ksql() api.KsqlRequest {
	return api.KsqlRequest{
		SQL:                   &r.SQL,
		StreamsProperties:     r.Properties,
		SessionVariables:      r.Variables,
		CommandSequenceNumber: r.AfterCommand,
		RequestProperties:     r.RequestProperties,
	}
}

// Execute runs statements other than SELECT and PRINT and returns one entity
// for each that has a result. When a statement fails the error is an *Error;
// its Entities are the results of the statements before it.
func (c *Client) Execute(ctx context.Context, r Request) (api.Entities, error) {
	resp, err := c.post(ctx, "/ksql", api.MediaJSON, r.ksql(), r.Consistency)
	if err != nil {
		return nil, err
	}
	var entities api.Entities
	if err := c.decode(resp, &entities); err != nil {
		return nil, err
	}
	return entities, nil
}
