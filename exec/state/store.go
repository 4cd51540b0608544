package state

import (
	"fmt"
	"time"
)

// StoreID names a store within its query. 0 is reserved.
type StoreID uint16

// Kind says how a store's rows are keyed.
type Kind uint8

const (
	// Keyed stores hold one row a key, ordered by key.
	Keyed Kind = iota + 1
	// Windowed stores hold one row for a key and a window start.
	Windowed
	// Session stores hold one row for a key, a session end and a session start.
	Session
	// Buffer stores hold any number of rows for a key and a time: the sides of stream-stream joins.
	Buffer
)

// String returns the kind's name as it is shown in plans.
func (k Kind) String() string {
	switch k {
	case Keyed:
		return "Keyed"
	case Windowed:
		return "Windowed"
	case Session:
		return "Session"
	case Buffer:
		return "Buffer"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// StoreSpec declares one store of a query. The kind and the bucket width of a store are recorded on disk
// when it is first opened; a DB that declares another kind does not open ([ErrLayout]), and the recorded
// width stays in force.
type StoreSpec struct {
	// ID is the store's number within the query, at least 1.
	ID StoreID
	// Name is for messages and metrics.
	Name string
	// Kind says how rows are keyed.
	Kind Kind
	// NoChangelog leaves the store out of [Task.Changes]; it cannot be restored.
	NoChangelog bool
	// Retention is how far behind the store's stream time a row of a Windowed, Session or Buffer store
	// stays readable; zero or less keeps rows for ever. As in Kafka Streams a row lives while
	// its time > stream time - Retention, where time is the window start, the session end or the record
	// time, and stream time is the largest of these that the store has seen.
	Retention time.Duration
	// Window is the window size, session gap or join window: what one lookup spans. Zero if unknown.
	Window time.Duration
	// Bucket is the width of the time buckets that rows are grouped by on disk. Zero chooses one from
	// Retention and Window, such that a lookup touches few buckets and expiry drops whole ones. A
	// store whose scan must come in order of time sets it to the window's advance.
	Bucket time.Duration
}

// Limits of the automatic bucket width.
const (
	minBucket     = time.Second
	foreverBucket = 24 * time.Hour
	// bucketsPerRetention is about how many buckets are alive at once: what expiry leaves behind at
	// most is one bucket, a lookup over the whole retention touches this many.
	bucketsPerRetention = 4
)

// bucketWidth returns the declared or chosen bucket width in milliseconds, 0 for Keyed.
func (s StoreSpec) bucketWidth() int64 {
	if s.Kind == Keyed {
		return 0
	}
	w := s.Bucket
	if w <= 0 {
		w = foreverBucket
		if s.Retention > 0 {
			w = s.Retention / bucketsPerRetention
		}
		w = max(w, s.Window, minBucket)
	}
	return max(w.Milliseconds(), 1)
}

// validate checks one declaration.
func (s StoreSpec) validate() error {
	switch {
	case s.ID == 0:
		return fmt.Errorf("%w: store %q: id 0 is reserved", ErrInvariant, s.Name)
	case s.Kind < Keyed || s.Kind > Buffer:
		return fmt.Errorf("%w: store %q: unknown kind %d", ErrInvariant, s.Name, s.Kind)
	}
	return nil
}
