package kafka

import (
	"context"
	"time"
)

// inbox is where the single-threaded owner of a consumer or reader waits: for
// batches of a fetcher, for events of a group, for a wake-up, for time.
type inbox struct {
	fetcher *fetcher
	events  *eventQueue // nil without a group
	wake    chan struct{}
	timer   *time.Timer
	ready   []*Batch
	held    []*Batch // of paused partitions, in order
}

func newInbox(f *fetcher) *inbox {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return &inbox{fetcher: f, wake: make(chan struct{}, 1), timer: t}
}

// wakeUp makes a waiting poll return.
func (in *inbox) wakeUp() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// poll waits for one of the things the inbox is for. An event goes first, so
// that batches delivered after it belong to the partitions after it.
func (in *inbox) poll(ctx context.Context, wait time.Duration) (*Rebalance, []*Batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, newError("polling", err)
	}
	if e := in.events.pop(); e != nil {
		return e, nil, nil
	}
	if err := in.events.failure(); err != nil {
		return nil, nil, err
	}
	if in.resume(); len(in.ready) > 0 {
		return nil, in.ready, nil
	}
	in.timer.Reset(wait)
	defer in.timer.Stop()
	for {
		select {
		case batches := <-in.fetcher.out:
			if in.take(batches); len(in.ready) > 0 {
				return nil, in.ready, nil
			}
		case <-in.events.signal():
			if e := in.events.pop(); e != nil {
				return e, nil, nil
			}
			if err := in.events.failure(); err != nil {
				return nil, nil, err
			}
		case <-in.wake:
			return nil, nil, nil
		case <-in.timer.C:
			return nil, nil, nil
		case <-ctx.Done():
			return nil, nil, newError("polling", ctx.Err())
		}
	}
}

// take sorts fetched batches into those to deliver, those to hold while their
// partition is paused, and those no longer wanted.
func (in *inbox) take(batches []*Batch) {
	in.ready = in.ready[:0]
	for _, b := range batches {
		switch wanted, paused := in.fetcher.current(b); {
		case !wanted:
			b.Release()
		case paused:
			in.held = append(in.held, b)
		default:
			in.ready = append(in.ready, b)
		}
	}
}

// resume looks through the held batches again.
func (in *inbox) resume() {
	in.ready = in.ready[:0]
	if len(in.held) > 0 {
		held := in.held
		in.held = nil
		in.take(held)
	}
}
