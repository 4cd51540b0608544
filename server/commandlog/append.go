package commandlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

const (
	// appendWithin bounds how long a writer tries against others before its client is told to come back.
	appendWithin = 10 * time.Second
	// finishWithin bounds one attempt's writing. It goes on when the client goes away in the middle of it.
	finishWithin = 15 * time.Second
	// politeLosses is after how many losses a writer is eager.
	politeLosses = 3
	// patience is how long a transaction of another server may stay open before it is taken for a dead one's and aborted.
	patience = 2 * time.Second
	// ownPatience is the same when it may be a transaction of this server that is open, which failed to write it.
	ownPatience = 250 * time.Millisecond
	// decidedWithin is how long a commit of unknown outcome may take to show before it is made void if it can be.
	decidedWithin = 500 * time.Millisecond
)

// errLost says that an attempt was void because another server wrote. Nothing was written.
var errLost = errors.New("another server was faster")

// Append implements Topic.
//
// Any number of servers want the head of the log, and whoever takes the id over makes void what another one has begun. What
// keeps them from doing that to each other in turn:
//   - The long part, validation, comes before the id is taken over; only "is this still the head", the record and the
//     commit come after it.
//   - A server that sees that another one's transaction is open waits for its end instead of aborting it.
//   - A server that has lost, and has to take the id over, first waits for a random part of a time that grows with each
//     loss, and looks at the head once more.
//   - A server that holds the id writes on without taking it over.
//   - A server that has lost several times takes the id over before it validates: one that writes on and on gives way.
func (t *KafkaTopic) Append(ctx context.Context, w Writer) (int64, error) {
	select {
	case t.writing <- struct{}{}:
		defer func() { <-t.writing }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	began := time.Now()
	for losses := 0; ; losses++ {
		offset, err := t.attempt(ctx, w, losses >= politeLosses)
		switch {
		case err == nil:
			t.written.Add(1)
			return offset, nil
		case !errors.Is(err, errLost):
			return 0, err
		case time.Since(began) > appendWithin:
			return 0, &ContendedError{err}
		}
		t.lost.Add(1)
		t.crowd.lost()
	}
}

// attempt validates at the head of the log and writes there. The error is errLost when another attempt may succeed. An
// eager one takes the id over first of all.
func (t *KafkaTopic) attempt(ctx context.Context, w Writer, eager bool) (int64, error) {
	if eager && !t.holds {
		if !sleep(ctx, t.crowd.pause()) {
			return 0, ctx.Err()
		}
		if err := t.takeOver(ctx); err != nil {
			return 0, err
		}
	}
	end, err := t.End(ctx)
	if err != nil {
		return 0, err
	}
	if err := t.await(ctx, w, end); err != nil {
		return 0, err
	}
	key, value, err := w.Build(ctx, end)
	if err != nil {
		return 0, err
	}
	// From here on the client's patience does not count: what is begun is finished.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishWithin)
	defer cancel()
	if !t.holds {
		if !sleep(ctx, t.crowd.pause()) {
			return 0, ctx.Err()
		}
		if err := t.stillHead(ctx, end); err != nil {
			return 0, err
		}
		began := time.Now()
		if err := t.takeOver(ctx); err != nil {
			return 0, err
		}
		defer func() { t.crowd.took(time.Since(began)) }()
		if err := t.stillHead(ctx, end); err != nil {
			return 0, err
		}
	}
	return t.write(ctx, end, key, value)
}

// End implements Topic: where the next record will stand.
func (t *KafkaTopic) End(ctx context.Context) (int64, error) {
	ends, err := t.cfg.Cluster.Admin().EndOffsets(ctx, t.tp.Topic)
	if err != nil {
		return 0, fmt.Errorf("finding the end of the command topic: %w", err)
	}
	return ends[t.tp], nil
}

// stillHead checks that nobody has written since.
func (t *KafkaTopic) stillHead(ctx context.Context, end int64) error {
	now, err := t.End(ctx)
	if err == nil && now != end {
		return errLost
	}
	return err
}

// await waits until w has everything below end. A transaction that stays open there is aborted: its server has died.
func (t *KafkaTopic) await(ctx context.Context, w Writer, end int64) error {
	limit := patience
	if t.mayBeOpen {
		limit = ownPatience
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := w.Await(limited, end)
	if err == nil || limited.Err() == nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	stable, err := t.cfg.Cluster.Admin().CommittedEndOffsets(ctx, t.tp.Topic)
	if err != nil {
		return err
	}
	if stable[t.tp] < end {
		t.cfg.Logger.Warn("the transaction of another writer of the command topic stays open; it is aborted", "offset", stable[t.tp])
		if err := t.takeOver(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: the commands before are not applied yet", errLost)
}

// takeOver makes this server the one that may write.
func (t *KafkaTopic) takeOver(ctx context.Context) (err error) {
	t.holds = false
	if t.producer == nil {
		t.producer, err = t.cfg.Cluster.NewProducer(ctx, kafka.ProducerConfig{Name: "command", TransactionalID: t.tp.Topic})
	} else {
		err = t.producer.TakeOver(ctx)
	}
	switch {
	case err == nil:
		t.holds, t.mayBeOpen = true, false
		return nil
	case kafka.KindOf(err) == kafka.Fenced:
		return errLost
	}
	return fmt.Errorf("becoming the writer of the command topic: %w", err)
}

// write writes a record that was validated for offset end, as the producer that holds the id.
func (t *KafkaTopic) write(ctx context.Context, end int64, key, value []byte) (int64, error) {
	t.producer.Produce(t.tp.Topic, t.tp.Partition, key, value, time.Now().UnixMilli(), nil)
	err := t.producer.Flush(ctx)
	if at := t.producer.NextOffset(t.tp.Topic, t.tp.Partition) - 1; err == nil && at != end {
		// It was not the head any more. Nothing can have come in between if it still was: those who write take the id over.
		err = &kafka.Error{Kind: kafka.Aborted, Op: "writing a command", Err: fmt.Errorf("it came to offset %d instead of %d", at, end)}
	}
	if err == nil {
		err = t.producer.CommitTransaction(ctx, kafka.Member{}, nil)
	}
	if err == nil {
		t.crowd.won()
		return end, nil
	}
	if kafka.KindOf(err) == kafka.Unknown {
		return t.settle(ctx, end, key, value, err)
	}
	switch kafka.KindOf(err) {
	case kafka.Fenced, kafka.Aborted, kafka.Retriable, kafka.Stale:
		// Mostly another server has taken the id over. To abort would take it back and make void what that one writes.
		t.holds, t.mayBeOpen = false, true
		return 0, fmt.Errorf("%w (%w)", errLost, err)
	}
	t.holds = t.producer.AbortTransaction(ctx) == nil
	return 0, fmt.Errorf("writing a command: %w", err)
}

// settle finds out whether a commit of unknown outcome was carried out. It shows soon if it was, and also if another server
// has taken the id over, which decided it; if it does not show, taking the id over decides it. Then a reader of committed
// records sees the record or never will.
func (t *KafkaTopic) settle(ctx context.Context, end int64, key, value []byte, cause error) (int64, error) {
	t.holds = false
	soon, cancel := context.WithTimeout(ctx, decidedWithin)
	found, err := t.isWritten(soon, end, key, value)
	cancel()
	if err != nil {
		if err = t.takeOver(ctx); errors.Is(err, errLost) {
			err = nil
		}
		if err == nil {
			found, err = t.isWritten(ctx, end, key, value)
		}
	}
	switch {
	case err != nil:
		return 0, &UnknownOutcomeError{cause}
	case found:
		t.cfg.Logger.Info("a command was written, though Kafka said otherwise", "offset", end, "error", cause)
		return end, nil
	}
	return 0, fmt.Errorf("%w (%w)", errLost, cause)
}

// isWritten says whether a record stands at an offset, once it is decided.
func (t *KafkaTopic) isWritten(ctx context.Context, offset int64, key, value []byte) (found bool, err error) {
	err = t.cfg.Cluster.ReadRange(ctx, t.tp, offset, offset+1, func(b *kafka.Batch) error {
		for i := range b.Records {
			m := &b.Records[i]
			found = found || m.Offset == offset && bytes.Equal(m.Key, key) && bytes.Equal(m.Value, value)
		}
		return nil
	})
	return found, err
}

// crowd says how long to wait before the id is taken over. The time is a multiple of what writing takes once it is, so that
// there is room for all who want to; the multiple doubles with each loss and shrinks with each success.
type crowd struct {
	writing time.Duration // what an attempt takes from the take-over on, smoothed
	losses  int
}

const (
	shortestWriting = time.Millisecond
	longestPause    = time.Second
	mostLosses      = 7
)

// pause is how long to wait this time: nothing as long as nobody else writes.
func (c *crowd) pause() time.Duration {
	if c.losses == 0 {
		return 0
	}
	window := min(max(c.writing, shortestWriting)<<c.losses, longestPause)
	return rand.N(window)
}

func (c *crowd) lost() { c.losses = min(c.losses+1, mostLosses) }
func (c *crowd) won()  { c.losses /= 2 }

// took learns how long an attempt took.
func (c *crowd) took(d time.Duration) {
	if c.writing == 0 {
		c.writing = d
	}
	c.writing = (3*c.writing + d) / 4
}
