package kafka

import (
	"context"
	"errors"
	"time"
)

// patience bounds how long something is tried again while brokers are out of
// reach. What a dead broker led is found elsewhere once its session is over,
// 9 s after its death by default.
const patience = 20 * time.Second

// retryBackoff is the pause between two tries.
const retryBackoff = 100 * time.Millisecond

// retrying calls try until it succeeds, its error is of another kind than
// Retriable, ctx ends, or patience does. try has no effect, or the same one
// however often it is called.
func retrying(ctx context.Context, op string, try func() error) error {
	until := time.Now().Add(patience)
	for {
		err := newError(op, try())
		if KindOf(err) != Retriable || time.Now().After(until) {
			return err
		}
		if !pause(ctx, retryBackoff) {
			return &Error{Kind: Canceled, Op: op, Err: errors.Join(ctx.Err(), err)}
		}
	}
}

// backoff is the pause between tries of what may take a broker's life to succeed: short at first, for what is over soon, then
// longer, since many queries ask the same broker.
type backoff struct{ last time.Duration }

const firstBackoff, longestBackoff = 20 * time.Millisecond, 250 * time.Millisecond

// next is how long to pause now: the first pauses are short, each later one a half longer than the one before.
func (b *backoff) next() time.Duration {
	b.last = min(max(b.last*3/2, firstBackoff), longestBackoff)
	return b.last
}
