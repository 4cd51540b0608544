package exec

import (
	"context"
	"io"
	"sync"
)

// SubscriberRow is one row of a push query: boxed values in the order of the plan's output columns.
type SubscriberRow struct {
	Values    []any
	Tombstone bool
}

// Subscription is a running push query (or a pull query over a stream). Its methods are safe for concurrent use.
//
// Rows wait in a bounded queue. When it is full the query itself waits: a slow client slows its own query and nobody
// else's, and no row is dropped.
type Subscription struct {
	// ID is the query's id.
	ID string

	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when rows arrive or are taken, or the query ends
	rows    []SubscriberRow
	head    int
	ended   bool
	err     error
	limit   bool
}

// queueRows bounds the rows that wait for a client.
const queueRows = 10_000

func newSubscription(id string, cancel context.CancelFunc) *Subscription {
	return &Subscription{ID: id, cancel: cancel, done: make(chan struct{}), changed: make(chan struct{})}
}

// TryNext takes a row that is there; ok is false if none is.
func (s *Subscription) TryNext() (row SubscriberRow, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.take()
}

// take removes the first row. s.mu is held.
func (s *Subscription) take() (SubscriberRow, bool) {
	if s.head == len(s.rows) {
		return SubscriberRow{}, false
	}
	row := s.rows[s.head]
	s.rows[s.head] = SubscriberRow{}
	s.head++
	if s.head == len(s.rows) {
		s.rows, s.head = s.rows[:0], 0
		s.signal()
	}
	return row, true
}

// signal wakes all who wait. s.mu is held.
func (s *Subscription) signal() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Next waits for a row: io.EOF at the end, ctx's error when it ends first, or what the query failed with.
func (s *Subscription) Next(ctx context.Context) (SubscriberRow, error) {
	for {
		s.mu.Lock()
		row, ok := s.take()
		ended, err, changed := s.ended, s.err, s.changed
		s.mu.Unlock()
		switch {
		case ok:
			return row, nil
		case ended && err != nil:
			return SubscriberRow{}, err
		case ended:
			return SubscriberRow{}, io.EOF
		}
		select {
		case <-ctx.Done():
			return SubscriberRow{}, ctx.Err()
		case <-changed:
		}
	}
}

// LimitReached says, after the end, that the query's LIMIT ended it.
func (s *Subscription) LimitReached() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limit
}

// Close ends the query and waits until it has let go of everything.
func (s *Subscription) Close() {
	s.cancel()
	<-s.done
}

// put adds rows, waiting while the queue is full. It returns ctx's error when the query is closed meanwhile.
func (s *Subscription) put(ctx context.Context, rows []SubscriberRow) error {
	for len(rows) > 0 {
		s.mu.Lock()
		room := queueRows - (len(s.rows) - s.head)
		changed := s.changed
		if n := min(room, len(rows)); n > 0 {
			wasEmpty := s.head == len(s.rows)
			s.rows = append(s.rows, rows[:n]...)
			rows = rows[n:]
			if wasEmpty {
				s.signal()
				changed = s.changed
			}
		}
		s.mu.Unlock()
		if len(rows) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
	return nil
}

// end closes the queue behind the rows that are in it.
func (s *Subscription) end(err error, limit bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.ended, s.err, s.limit = true, err, limit
		s.signal()
	}
}
