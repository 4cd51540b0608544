package forward

import (
	"context"
	"io"
	"time"
)

// testStream is a stream that reads from r.
func testStream(r io.Reader) *stream {
	s := &stream{timeout: time.Minute, frames: newFrameReader(r)}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	s.patient = time.AfterFunc(time.Hour, func() {})
	return s
}
