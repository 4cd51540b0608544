package schemaregistry

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// memoryLog is a log in memory, with faults.
type memoryLog struct {
	mu      sync.Mutex
	records []Record
	// pending is the append whose fate is decided by the next Settle.
	pending []Record
	// fail is called before each append.
	fail fault
	// unreachable makes Settle fail.
	unreachable bool
	settled     bool
}

type fault int

const (
	none fault = iota
	// lost appends are not written, late ones are written by the time of the next Settle: both fail.
	lost
	late
)

var errFault = errors.New("the fault of a test")

func (l *memoryLog) Append(_ context.Context, records []Record) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.settled {
		return 0, errors.New("not settled")
	}
	if l.fail != none {
		l.settled = false
		if l.fail == late {
			l.pending = slices.Clone(records)
		}
		return 0, errFault
	}
	l.records = append(l.records, records...)
	return int64(len(l.records)), nil
}

func (l *memoryLog) Settle(_ context.Context, from int64, fn func(Record) error) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unreachable {
		return from, errFault
	}
	l.records = append(l.records, l.pending...)
	l.pending, l.settled = nil, true
	for _, r := range l.records[from:] {
		if err := fn(r); err != nil {
			return from, err
		}
	}
	return int64(len(l.records)), nil
}

func (l *memoryLog) Close() {}

func (l *memoryLog) inject(f fault, unreachable bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail, l.unreachable = f, unreachable
}
