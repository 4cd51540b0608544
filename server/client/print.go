package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ksqlgo/ksqlgo/server/api"
)

// Lines is the streamed answer of PRINT.
type Lines struct {
	ctx    context.Context
	body   io.ReadCloser
	reader *bufio.Reader
	err    error
	done   bool
}

// Print runs PRINT and returns its lines as they arrive: the two format lines
// first, then one line a record. Cancelling the context ends it.
func (c *Client) Print(ctx context.Context, r Request) (*Lines, error) {
	resp, err := c.post(ctx, "/query", api.MediaJSON, r.ksql(), nil) //nolint:bodyclose // Lines closes it
	if err != nil {
		return nil, err
	}
	return &Lines{ctx: ctx, body: resp.Body, reader: bufio.NewReaderSize(resp.Body, 64<<10)}, nil
}

// Next waits for the next line, without its line end. It returns false at the
// end; Err says whether that was an error.
func (l *Lines) Next() (string, bool) {
	for !l.done {
		line, err := l.reader.ReadString('\n')
		if err != nil {
			l.end(err)
		}
		line = strings.TrimRight(line, "\r\n")
		if line != "" { // empty lines keep the connection alive
			return line, true
		}
	}
	return "", false
}

func (l *Lines) end(err error) {
	l.done = true
	l.body.Close()
	switch {
	case l.ctx.Err() != nil:
		l.err = l.ctx.Err()
	case errors.Is(err, io.EOF):
	default:
		l.err = fmt.Errorf("the connection broke while printing: %w", err)
	}
}

// Err is what ended the stream, nil at its proper end.
func (l *Lines) Err() error { return l.err }

// Close ends the printing. It may be called more than once.
func (l *Lines) Close() error {
	l.done = true
	return l.body.Close()
}
