package commandlog

import "context"

// CatchUp waits until everything that is in the log now has been applied here, or ctx ends. Of a degraded or corrupted log
// that cannot be: the error is a *RefusedError.
func (l *Log) CatchUp(ctx context.Context) error {
	end, err := l.topic.End(ctx)
	if err != nil {
		return err
	}
	return l.await(ctx, end)
}

// await waits until everything below an offset is in force. The error is ctx's, or a *RefusedError.
func (l *Log) await(ctx context.Context, offset int64) error {
	for {
		l.mu.Lock()
		position, changed := l.position, l.changed
		l.mu.Unlock()
		if err := l.refuses(); err != nil {
			return err
		}
		if position >= offset {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}
