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
