package forward

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/ksqlgo/ksqlgo/exec"
)

// holdBytes is how much of one server's part is held back before rows of it are given out.
const holdBytes = 256 << 10

// part is what one server answers.
type part struct {
	header header
	// held are payloads of rows frames; rest is what is to come, nil when nothing is.
	held [][]byte
	rest *stream
}

// ask sends a request to a server, and waits until its part is whole or too large to be held back. An error means that
// nothing of it counts.
func (r *Router) ask(ctx context.Context, node string, m *request) (*part, error) {
	s := r.open(ctx, node, m.wait)
	response, err := r.cfg.Peers.Post(s.ctx, node, path, m.append(nil)) //nolint:bodyclose // The stream closes it.
	if err != nil {
		return nil, s.fail(err)
	}
	s.body, s.frames = response, newFrameReader(response.Body)
	p, err := s.begin(m)
	if err != nil {
		return nil, s.fail(err)
	}
	if s.ended {
		s.close()
	} else {
		s.whileDown.Store(true)
		p.rest = s
	}
	return p, nil
}

// stream is the answer of another server under way. It belongs to one goroutine.
type stream struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc
	patient *time.Timer
	timeout time.Duration
	body    *http.Response
	frames  *frameReader
	rows    uint64
	ended   bool
	// whileDown lets the stream live when the server misses beats: rows have been given out, another server cannot be asked
	// any more.
	whileDown atomic.Bool
	stopWatch func() bool
}

// lastResort is how long a server is waited for that does not answer beats.
const lastResort = time.Second

var errSilent = errors.New("it does not answer")

// open makes a stream that ends with ctx, when the server is silent for too long, or when it goes down before rows of it have
// been given out. Before the first sign of life the server may wait as long as it is asked to.
func (r *Router) open(ctx context.Context, node string, wait time.Duration) *stream {
	s := &stream{timeout: r.cfg.Timeout}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	h, ok := r.cfg.Peers.Host(node)
	first := s.timeout + wait
	if !ok || !h.Alive {
		// Nobody else has what is asked for, so it is tried all the same, but others may soon.
		first = min(first, lastResort)
	}
	s.patient = time.AfterFunc(first, func() { s.cancel(errSilent) })
	if ok && h.Alive {
		s.stopWatch = watch(s.ctx, r.cfg.Peers.Down(node), func() {
			if !s.whileDown.Load() {
				s.cancel(errSilent)
			}
		})
	}
	return s
}

// watch calls f when down is closed, unless ctx ends or stop is called before.
func watch(ctx context.Context, down <-chan struct{}, f func()) (stop func() bool) {
	done := make(chan struct{})
	go func() {
		select {
		case <-down:
			f()
		case <-ctx.Done():
		case <-done:
		}
	}()
	var stopped atomic.Bool
	return func() bool {
		if stopped.CompareAndSwap(false, true) {
			close(done)
			return true
		}
		return false
	}
}

// fail closes the stream and says why it failed.
func (s *stream) fail(err error) error {
	if cause := context.Cause(s.ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	s.close()
	return err
}

// close gives the connection back if the answer has ended; else it breaks it off.
func (s *stream) close() {
	s.patient.Stop()
	if s.stopWatch != nil {
		s.stopWatch()
	}
	if s.body != nil {
		if s.ended {
			// The end of the response follows the end of the answer at once.
			_, _ = io.CopyN(io.Discard, s.frames.in, 1)
		}
		s.body.Body.Close()
	}
	s.cancel(nil)
}

// begin reads the header and as much as may be held back.
func (s *stream) begin(m *request) (*part, error) {
	kind, payload, err := s.frames.next()
	s.patient.Stop()
	switch {
	case err != nil:
		return nil, err
	case kind == frameError:
		return nil, errors.New(string(payload))
	case kind != frameHeader:
		return nil, fmt.Errorf("%w: no header", errGarbage)
	}
	h, err := decodeHeader(payload)
	if err != nil {
		return nil, err
	}
	if !h.isFor(m.partitions) {
		return nil, fmt.Errorf("%w: it is for other partitions", errGarbage)
	}
	p := &part{header: *h}
	for held := 0; held < holdBytes; {
		rows, err := s.next()
		switch {
		case errors.Is(err, io.EOF):
			return p, nil
		case err != nil:
			return nil, err
		}
		p.held = append(p.held, rows)
		held += len(rows)
	}
	return p, nil
}

// next reads the payload of the next rows frame that is not empty; io.EOF at the end of the answer.
func (s *stream) next() ([]byte, error) {
	for {
		s.patient.Reset(s.timeout)
		kind, payload, err := s.frames.next()
		s.patient.Stop()
		switch {
		case err != nil:
			return nil, err
		case kind == frameError:
			return nil, errors.New(string(payload))
		case kind == frameEnd:
			n, size := binary.Uvarint(payload)
			if size <= 0 || n != s.rows {
				return nil, fmt.Errorf("%w: %d rows came of %d", errGarbage, s.rows, n)
			}
			s.ended = true
			return nil, io.EOF
		case kind != frameRows:
			return nil, fmt.Errorf("%w: a frame of kind %c among the rows", errGarbage, kind)
		}
		n, err := countRows(payload)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			s.rows += n
			return payload, nil
		}
	}
}

// countRows counts the rows of a payload, all of which must be whole.
func countRows(payload []byte) (n uint64, err error) {
	for len(payload) > 0 {
		size, at := binary.Uvarint(payload)
		if at <= 0 || size > uint64(len(payload)-at) {
			return 0, fmt.Errorf("%w: a row is cut", errGarbage)
		}
		payload = payload[at+int(size):]
		n++
	}
	return n, nil
}

func appendCount(b []byte, n uint64) []byte { return binary.AppendUvarint(b, n) }

// failedParts are all partitions refused for one reason.
func failedParts(partitions []int32, err error) map[int32]exec.Refusal {
	out := make(map[int32]exec.Refusal, len(partitions))
	for _, p := range partitions {
		out[p] = exec.Refusal{Kind: exec.NotRunning, Reason: err.Error()}
	}
	return out
}
