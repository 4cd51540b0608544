package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/position"
	"github.com/ksqlgo/ksqlgo/planner/physical"
	"github.com/ksqlgo/ksqlgo/server/peers/wire"
)

const (
	// sendBytes is how much of an answer gathers before it is sent.
	sendBytes = 32 << 10
	// signEvery is how often an answer that finds nothing says that it is being worked on.
	signEvery = time.Second
	// stuckAfter is after how long the receiver of rows must have taken some.
	stuckAfter = time.Minute
)

// answer serves the requests of other servers, from what this server has.
func (r *Router) answer(w http.ResponseWriter, req *http.Request) {
	out := &answerWriter{w: w, control: http.NewResponseController(w), buf: []byte{answerVersion}}
	err := r.answerTo(req, out)
	if err != nil {
		if req.Context().Err() == nil {
			r.cfg.Logger.Debug("a pull query of another server failed", "error", err)
		}
		out.frame(frameError, []byte(err.Error()))
	}
	out.stop()
}

func (r *Router) answerTo(req *http.Request, out *answerWriter) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.cfg.Logger.Error("panic in a pull query", "panic", p)
			err = fmt.Errorf("internal error: %v", p)
		}
	}()
	data, err := io.ReadAll(http.MaxBytesReader(nil, req.Body, maxRequest))
	if err != nil {
		return err
	}
	m, err := decodeRequest(data)
	if err != nil {
		return err
	}
	ctx := req.Context()
	rows, h, err := r.own(ctx, m)
	if err != nil {
		return err
	}
	out.frame(frameHeader, h.append(nil))
	if rows == nil {
		out.frame(frameEnd, []byte{0})
		return nil
	}
	defer rows.Close()
	defer context.AfterFunc(ctx, rows.Interrupt)()
	return out.rows(ctx, rows)
}

// own opens this server's part of an answer. rows is nil when it has none.
func (r *Router) own(ctx context.Context, m *request) (rows *exec.PullRows, h *header, err error) {
	h = &header{refused: map[int32]exec.Refusal{}}
	refuse := func(kind exec.RefusalKind, reason string) (*exec.PullRows, *header, error) {
		for _, p := range m.partitions {
			h.refused[p] = exec.Refusal{Kind: kind, Reason: reason}
		}
		return nil, h, nil
	}
	plan, hash, err := r.cfg.Executor.Plan(m.query)
	switch {
	case errors.Is(err, exec.ErrUnknownQuery):
		return refuse(exec.NotOwner, "does not run the query "+m.query)
	case err != nil:
		return nil, nil, err
	case hash != m.hash:
		return refuse(exec.NotReady, "has another plan of the query "+m.query)
	}
	pull, err := physical.DecodePull(m.plan, plan)
	if err != nil {
		return nil, nil, err
	}
	prepared, err := r.cfg.Executor.PreparePull(pull)
	if err != nil {
		return nil, nil, err
	}
	return read(ctx, prepared, m, h)
}

// read answers for the partitions that are here, and notes in h why the others are not.
func read(ctx context.Context, prepared *exec.PullRequest, m *request, h *header) (*exec.PullRows, *header, error) {
	left := m.partitions
	for len(left) > 0 {
		rows, err := prepared.Read(ctx, exec.PullOptions{Partitions: left, StandbyLag: m.standbyLag, AtLeast: m.atLeast, Wait: m.wait, NoWait: m.noWait})
		var refused *exec.RefusedError
		var stale *exec.StaleError
		switch {
		case errors.As(err, &refused) && len(refused.Partitions) > 0:
			kept := make([]int32, 0, len(left))
			for _, p := range left {
				if why, ok := refused.Partitions[p]; ok {
					h.refused[p] = why
				} else {
					kept = append(kept, p)
				}
			}
			left = kept
			continue
		case errors.As(err, &stale):
			h.answered, h.positions, h.stale = left, stale.Have, true
			return nil, h, nil
		case err != nil:
			return nil, nil, err
		}
		var positions position.Vector
		if positions, err = rows.Positions(); err != nil {
			rows.Close()
			return nil, nil, err
		}
		h.answered, h.positions = left, positions
		return rows, h, nil
	}
	return nil, h, nil
}

// answerWriter sends frames, and signs of life while there are none.
type answerWriter struct {
	w       io.Writer
	control *http.ResponseController

	mu   sync.Mutex
	buf  []byte
	err  error
	sign *time.Timer
	done bool
}

// frame appends a frame.
func (o *answerWriter) frame(kind byte, payload []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf = appendFrame(o.buf, kind, payload)
}

// rows sends rows and the end.
func (o *answerWriter) rows(ctx context.Context, rows *exec.PullRows) error {
	o.mu.Lock()
	o.sign = time.AfterFunc(signEvery, o.showLife)
	o.mu.Unlock()
	var batch, row []byte
	count := uint64(0)
	for {
		var ok bool
		var err error
		row, ok, err = rows.AppendNext(row[:0])
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return err
		}
		if ok {
			count++
			batch = wire.AppendBytes(batch, row)
		}
		if len(batch) > 0 && (!ok || len(batch) >= sendBytes) {
			o.frame(frameRows, batch)
			batch = batch[:0]
			if ok {
				if err := o.send(); err != nil {
					return err
				}
			}
		}
		if !ok {
			o.frame(frameEnd, appendCount(nil, count))
			return nil
		}
	}
}

// send sends what has been appended.
func (o *answerWriter) send() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sendLocked()
}

func (o *answerWriter) sendLocked() error {
	if o.err != nil || len(o.buf) == 0 {
		return o.err
	}
	_ = o.control.SetWriteDeadline(time.Now().Add(stuckAfter)) // A transport without deadlines has other limits.
	_, o.err = o.w.Write(o.buf)
	o.buf = o.buf[:0]
	if o.err == nil && !o.done {
		o.err = o.control.Flush()
	}
	return o.err
}

// showLife sends what there is, or a frame without rows, and will again.
func (o *answerWriter) showLife() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.done || o.err != nil {
		return
	}
	o.buf = appendFrame(o.buf, frameRows, nil)
	if o.sendLocked() == nil {
		o.sign.Reset(signEvery)
	}
}

// stop sends what is left and ends the signs of life; nothing is sent after it. What is left goes out with the end of the
// response, so that a short answer is a single write.
func (o *answerWriter) stop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.done = true
	if o.sign != nil {
		o.sign.Stop()
	}
	_ = o.sendLocked() // Who has gone needs no answer.
}
