package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/ksqlgo/ksqlgo/server/api"
)

// Inserter writes rows into a stream by POST /inserts-stream (HTTP/2). Insert
// and Close belong to one goroutine.
type Inserter struct {
	body    *io.PipeWriter
	out     *bufio.Writer
	cancel  context.CancelFunc
	settled chan struct{} // closed when the answer has ended

	mu    sync.Mutex
	acked int64
	token string
	err   error
}

// InsertStream opens a stream of inserts into target. The target is refused
// with an *Error before any row is sent.
func (c *Client) InsertStream(ctx context.Context, target string, properties api.Properties) (*Inserter, error) {
	args, err := json.Marshal(api.InsertsStreamArgs{Target: target, Properties: properties})
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	reader, writer := io.Pipe()
	in := &Inserter{
		body: writer, out: bufio.NewWriterSize(writer, 32<<10),
		cancel: cancel, settled: make(chan struct{}),
	}
	sent := make(chan error, 1)
	go func() { // the pipe takes the arguments once the request is under way
		_, err := writer.Write(append(args, '\n'))
		sent <- err
	}()
	resp, err := c.send(ctx, c.h2, http.MethodPost, "/inserts-stream", api.MediaDelimited, reader, nil)
	if err != nil {
		reader.CloseWithError(err)
		cancel()
		return nil, err
	}
	if err := <-sent; err != nil {
		resp.Body.Close()
		cancel()
		return nil, err
	}
	go in.readAcks(resp.Body)
	return in, nil
}

// readAcks counts the acknowledgements until the answer ends.
func (in *Inserter) readAcks(body io.ReadCloser) {
	defer close(in.settled)
	defer body.Close()
	dec := json.NewDecoder(body)
	for {
		var ack api.InsertAck
		err := dec.Decode(&ack)
		in.mu.Lock()
		switch {
		case err == io.EOF:
		case err != nil:
			in.err = fmt.Errorf("read the acknowledgements: %w", err)
		case ack.Status == "ok":
			in.acked++
			in.token = ack.Token
		default:
			in.err = &Error{Code: ack.Code, Message: ack.Message}
			err = io.EOF
		}
		in.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Insert queues one row, any value that marshals to a JSON object of column
// names and values. It returns the error of an earlier row once one is known.
func (in *Inserter) Insert(row any) error {
	if err := in.failure(); err != nil {
		return err
	}
	line, err := json.Marshal(row)
	if err != nil {
		return fmt.Errorf("encode the row: %w", err)
	}
	if _, err := in.out.Write(append(line, '\n')); err != nil {
		return in.because(err)
	}
	return nil
}

// Flush sends the rows that are queued.
func (in *Inserter) Flush() error {
	if err := in.out.Flush(); err != nil {
		return in.because(err)
	}
	return nil
}

// Acked is the number of rows the server has acknowledged so far.
func (in *Inserter) Acked() int64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.acked
}

// Token is the consistency token of the rows acknowledged so far. It is "" unless the properties of the stream switch tokens
// on (api.PropertyConsistencyTokens).
func (in *Inserter) Token() string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.token
}

// Close sends what is queued, waits until the server has acknowledged every
// row, and returns the first error. When it returns nil all rows are written.
func (in *Inserter) Close() error {
	defer in.cancel()
	flushErr := in.Flush()
	_ = in.body.Close() // never fails: it is a pipe
	<-in.settled
	if err := in.failure(); err != nil {
		return err
	}
	return flushErr
}

func (in *Inserter) failure() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.err
}

// because prefers the server's reason over the broken pipe it leads to. A pipe
// breaks only when the exchange is over, so the answer ends, too.
func (in *Inserter) because(err error) error {
	<-in.settled
	if reason := in.failure(); reason != nil {
		return reason
	}
	return err
}
