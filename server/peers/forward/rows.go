package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/position"
	"github.com/ksqlgo/ksqlgo/exec/pull"
	"github.com/ksqlgo/ksqlgo/server/peers/wire"
)

// rows are the rows of several servers. They implement exec.PulledRows.
type rows struct {
	decoder *pull.Decoder
	// local are this server's parts; the one at at is being read.
	local  []*exec.PullRows
	at     int
	remote position.Vector
	// batch are rows that have come and are to be given out; held are more of them.
	batch *wire.Reader
	held  [][]byte
	// more brings rows and the ends of the streams that are still open.
	more    chan delivery
	streams int
	left    int64
	err     error

	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup
	once   sync.Once
}

// delivery is a payload of rows, or how a stream ended: io.EOF, or an error.
type delivery struct {
	rows []byte
	err  error
}

// newRows merges what was gathered. cancel ends the streams, which live in ctx.
func newRows(ctx context.Context, cancel context.CancelFunc, g *gathering) (*rows, error) {
	decoder, err := pull.NewDecoder(g.plan.Columns)
	if err != nil {
		return nil, err
	}
	r := &rows{decoder: decoder, local: g.local, remote: position.Vector{}, left: g.plan.Limit, batch: wire.NewReader(nil),
		more: make(chan delivery), ctx: ctx, cancel: cancel}
	if r.left < 0 {
		r.left = math.MaxInt64
	}
	for _, p := range g.parts {
		r.held = append(r.held, p.held...)
		if !p.header.stale {
			r.remote.Raise(p.header.positions)
		}
		if p.rest != nil {
			r.streams++
			node := p.rest
			r.done.Go(func() { r.receive(node) })
		}
	}
	return r, nil
}

// receive hands on what a stream brings, as it is taken: who reads slowly slows the server that sends.
func (r *rows) receive(s *stream) {
	defer s.close()
	for {
		payload, err := s.next()
		if err != nil && !errors.Is(err, io.EOF) {
			err = s.fail(err)
		}
		select {
		case r.more <- delivery{payload, err}:
		case <-r.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// Next implements exec.PulledRows.
func (r *rows) Next(ctx context.Context) ([]any, error) {
	for {
		values, ok := r.TryNext()
		switch {
		case ok:
			return values, nil
		case r.err != nil:
			return nil, r.err
		}
		select {
		case d := <-r.more:
			r.take(d)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// TryNext implements exec.PulledRows.
func (r *rows) TryNext() ([]any, bool) {
	for r.err == nil {
		if r.left == 0 {
			r.err = io.EOF
			break
		}
		if r.batch.Len() > 0 {
			values, err := r.decoder.Decode(r.batch.Bytes())
			if err = errors.Join(err, r.batch.Err()); err != nil {
				r.err = fmt.Errorf("Unable to execute pull query. A row of another server cannot be read: %w", err)
				break
			}
			r.left--
			return values, true
		}
		if !r.refill() {
			values, ok, wait := r.own()
			if ok {
				r.left--
				return values, true
			}
			if wait {
				return nil, false
			}
		}
	}
	return nil, false
}

// refill makes the next batch of what has come; false when nothing has.
func (r *rows) refill() bool {
	if len(r.held) > 0 {
		r.batch, r.held = wire.NewReader(r.held[0]), r.held[1:]
		return true
	}
	if r.streams == 0 {
		return false
	}
	select {
	case d := <-r.more:
		r.take(d)
		return true
	default:
		return false
	}
}

func (r *rows) take(d delivery) {
	switch {
	case errors.Is(d.err, io.EOF):
		r.streams--
	case d.err != nil:
		r.err = fmt.Errorf("Unable to execute pull query. A server failed in the middle of its answer: %w", d.err)
	default:
		r.batch = wire.NewReader(d.rows)
	}
}

// own gives a row of this server. wait means that rows of others have to be waited for.
func (r *rows) own() (values []any, ok, wait bool) {
	for r.at < len(r.local) {
		values, err := r.local[r.at].Next(r.ctx)
		switch {
		case err == nil:
			return values, true, false
		case !errors.Is(err, io.EOF):
			r.err = err
			return nil, false, false
		}
		r.at++
	}
	if r.streams > 0 {
		return nil, false, true
	}
	r.err = io.EOF
	return nil, false, false
}

// Positions implements exec.PulledRows.
func (r *rows) Positions() (position.Vector, error) {
	v := r.remote.Clone()
	for _, l := range r.local {
		own, err := l.Positions()
		if err != nil {
			return nil, err
		}
		v.Raise(own)
	}
	return v, nil
}

// Close implements exec.PulledRows.
func (r *rows) Close() {
	r.once.Do(func() {
		r.cancel()
		r.done.Wait()
		for _, l := range r.local {
			l.Close()
		}
		if r.err == nil {
			r.err = io.EOF
		}
	})
}
