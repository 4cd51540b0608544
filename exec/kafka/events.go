package kafka

import (
	"slices"
	"sync"
)

// RebalanceKind says what happened to partitions of a group's member.
type RebalanceKind int

const (
	// Assigned: the member owns the partitions from now on. They are not
	// fetched until StartAt.
	Assigned RebalanceKind = iota
	// Revoked: the member is to give the partitions up. It still owns them and
	// can commit until Ack.
	Revoked
	// Lost: the member no longer owns the partitions, others may; nothing can
	// be committed for them.
	Lost
)

func (k RebalanceKind) String() string { return [...]string{"assigned", "revoked", "lost"}[k] }

// Rebalance is one step of a group's rebalance, delivered by Poll in order.
type Rebalance struct {
	Kind       RebalanceKind
	Partitions []TopicPartition

	done chan struct{}
	once sync.Once
}

// Ack ends the step: the group goes on. It must be called for every event, for
// Revoked within the rebalance timeout (60 s), and only while no transaction is
// open. Poll delivers nothing of Revoked and Lost partitions any more once it
// returned the event.
func (r *Rebalance) Ack() { r.once.Do(func() { close(r.done) }) }

// eventQueue passes events from the group's callbacks to the owner's poll.
type eventQueue struct {
	mu     sync.Mutex
	events []*Rebalance
	err    error // the membership cannot be
	notify chan struct{}
	closed chan struct{}
	once   sync.Once
}

func newEventQueue() *eventQueue {
	return &eventQueue{notify: make(chan struct{}, 1), closed: make(chan struct{})}
}

// close lets callbacks no longer wait for acknowledgements.
func (q *eventQueue) close() { q.once.Do(func() { close(q.closed) }) }

// push queues an event; done is closed by its Ack.
func (q *eventQueue) push(e *Rebalance) {
	q.mu.Lock()
	q.events = append(q.events, e)
	q.mu.Unlock()
	q.tell()
}

// fail reports that there can be no membership; the first reason stays.
func (q *eventQueue) fail(err error) {
	q.mu.Lock()
	if q.err == nil {
		q.err = err
	}
	q.mu.Unlock()
	q.tell()
}

// failure is the reason why there can be no membership, nil when there is none.
func (q *eventQueue) failure() error {
	if q == nil {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.err
}

// over says whether an event that waits says that partitions are lost, or there can be no membership, or nobody asks any more.
func (q *eventQueue) over() bool {
	select {
	case <-q.closed:
		return true
	default:
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.err != nil || slices.ContainsFunc(q.events, func(e *Rebalance) bool { return e.Kind == Lost })
}

// tell wakes the one who waits for events.
func (q *eventQueue) tell() {
	select {
	case q.notify <- struct{}{}:
	default:
	}
}

// pop takes the oldest event, nil when there is none.
func (q *eventQueue) pop() *Rebalance {
	if q == nil {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.events) == 0 {
		return nil
	}
	e := q.events[0]
	q.events = q.events[1:]
	if len(q.events) > 0 {
		q.tell()
	}
	return e
}

func (q *eventQueue) signal() <-chan struct{} {
	if q == nil {
		return nil
	}
	return q.notify
}
