package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"

	"github.com/ksqlgo/ksqlgo/server/api"
)

// Rows is the streamed answer of a query. Rows are handed out as they arrive.
type Rows struct {
	// QueryID names the query on the server.
	QueryID string
	// Columns are the columns of every row.
	Columns []Column

	consistency *Consistency
	token       string

	ctx   context.Context
	body  io.ReadCloser
	dec   *json.Decoder
	final string
	err   error
	done  bool
}

// Row is one row of a query.
type Row struct {
	// Values holds the JSON text of each column. It belongs to the caller.
	Values []json.RawMessage
	// Tombstone says that the row with this key was deleted.
	Tombstone bool
	// Source is the server the row came from, nil unless asked for.
	Source *api.HostInfo
}

// Query runs one SELECT and returns its rows. Cancelling the context ends the
// query on the server and makes Next return false at once.
func (c *Client) Query(ctx context.Context, r Request) (*Rows, error) {
	resp, err := c.post(ctx, "/query", api.MediaKsqlJSON, r.ksql(), r.Consistency)
	if err != nil {
		return nil, err
	}
	return newRows(ctx, resp, r.Consistency)
}

// QueryStream is Query by POST /query-stream, which ksqlDB's Java client uses;
// Request.AfterCommand is not sent.
func (c *Client) QueryStream(ctx context.Context, r Request) (*Rows, error) {
	resp, err := c.post(ctx, "/query-stream", api.MediaKsqlJSON, api.QueryStreamArgs{
		SQL: &r.SQL, Properties: r.Properties, SessionVariables: r.Variables, RequestProperties: r.RequestProperties,
	}, r.Consistency)
	if err != nil {
		return nil, err
	}
	return newRows(ctx, resp, r.Consistency)
}

// newRows reads up to and including the header.
func newRows(ctx context.Context, resp *http.Response, c *Consistency) (*Rows, error) {
	r := &Rows{consistency: c, ctx: ctx, body: resp.Body, dec: json.NewDecoder(resp.Body)}
	if err := r.readHeader(); err != nil {
		resp.Body.Close()
		return nil, err
	}
	return r, nil
}

func (r *Rows) readHeader() error {
	start, err := r.dec.Token()
	if err != nil {
		return r.broken(err)
	}
	if start != json.Delim('[') {
		return fmt.Errorf("the answer does not start with an array")
	}
	object, err := r.read()
	switch {
	case err != nil:
		return err
	case object == nil:
		return fmt.Errorf("the answer has no header")
	case object.ErrorMessage != nil:
		return fromBody(0, object.ErrorMessage)
	case object.Header == nil:
		return fmt.Errorf("the answer does not start with a header")
	}
	r.QueryID = object.Header.QueryID
	r.Columns, err = ParseSchema(object.Header.Schema)
	return err
}

// read returns the next object, nil at the end of the array.
func (r *Rows) read() (*api.StreamedRow, error) {
	if !r.dec.More() {
		if _, err := r.dec.Token(); err != nil {
			return nil, r.broken(err)
		}
		return nil, nil
	}
	var object api.StreamedRow
	if err := r.dec.Decode(&object); err != nil {
		return nil, r.broken(err)
	}
	return &object, nil
}

// broken says why the stream could not be read on.
func (r *Rows) broken(err error) error {
	if r.ctx.Err() != nil {
		return r.ctx.Err()
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the server closed the connection before the query was complete")
	}
	return fmt.Errorf("the connection broke before the query was complete: %w", err)
}

// Next waits for the next row. It returns false at the end; Err says whether
// that was an error and Final what the server said last.
func (r *Rows) Next() (Row, bool) {
	for !r.done {
		object, err := r.read()
		switch {
		case err != nil:
			r.end(err)
		case object == nil:
			r.end(nil)
		case object.ErrorMessage != nil:
			r.end(fromBody(0, object.ErrorMessage))
		case object.ConsistencyToken != nil:
			r.token = object.ConsistencyToken.Token
			r.consistency.raise(r.token)
		case object.FinalMessage != nil:
			r.final = *object.FinalMessage
		case object.Row != nil:
			return Row{Values: object.Row.Columns, Tombstone: object.Row.Tombstone, Source: object.SourceHost}, true
		}
	}
	return Row{}, false
}

func (r *Rows) end(err error) {
	r.done, r.err = true, err
	r.body.Close()
}

// All iterates over the rows still to come. An error is the last pair, with a
// zero Row. Leaving the loop early leaves the stream open; see Close.
func (r *Rows) All() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for {
			row, ok := r.Next()
			if !ok {
				if r.err != nil {
					yield(Row{}, r.err)
				}
				return
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// Err is what ended the stream: nil at its proper end, an *Error of the
// server, or the context's error.
func (r *Rows) Err() error { return r.err }

// Final is the server's last message: api.FinalLimitReached,
// api.FinalQueryCompleted, or empty.
func (r *Rows) Final() string { return r.final }

// Token is the consistency token of the rows, after the last of them; "" if the request asked for none.
func (r *Rows) Token() string { return r.token }

// Close ends the query if it still runs. It may be called more than once.
func (r *Rows) Close() error {
	r.done = true
	return r.body.Close()
}
