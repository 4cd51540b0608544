package state

import "fmt"

// Iterator visits rows of one store of a task, uncommitted writes included. Use it as
//
//	it := store.Range(from, to)
//	for it.Next() { … }
//	err := it.Close()
//
// What its methods return is valid until the next Next or Close. Close it before the commit.
type Iterator struct {
	scan    scan
	view    *view
	version uint64
	open    bool
}

// iterate starts an iterator over a plan; a failure shows in Close.
func (v *view) iterate(p scanPlan) *Iterator {
	var it *Iterator
	if n := len(v.o.free); n > 0 {
		it, v.o.free = v.o.free[n-1], v.o.free[:n-1]
	} else {
		it = &Iterator{view: v}
	}
	it.open = true
	pit, err := v.o.takeIter(v.task)
	if err != nil {
		it.scan.err, it.scan.base = err, nil
		return it
	}
	it.scan.start(p, v.spec, v.width, v.o.prefix, v.state.streamTime, pit, v.o)
	it.version = v.o.version
	return it
}

// takeIter returns an iterator over the store's committed rows, an idle one if there is.
func (o *overlay) takeIter(t *Task) (*baseIter, error) {
	if t.closed {
		return nil, ErrClosed
	}
	if err := o.db.Err(); err != nil {
		return nil, err
	}
	if it := o.iter; it != nil {
		o.iter = nil
		return it, nil
	}
	return o.db.newBase(o.db.committedRuns(), o.db.pdb, o.prefix[:], o.prefix.end())
}

// Next moves to the next row and reports whether there is one.
func (it *Iterator) Next() bool {
	if it.scan.err == nil && it.version != it.view.o.version {
		it.scan.err = fmt.Errorf("%w: the store changed under an open iterator", ErrInvariant)
	}
	return it.scan.next()
}

// Key returns the caller's key of the row.
func (it *Iterator) Key() []byte { return it.scan.userKey() }

// Value returns the row.
func (it *Iterator) Value() []byte { return it.scan.value }

// Timestamp returns the row's timestamp.
func (it *Iterator) Timestamp() int64 { return it.scan.ts }

// Start returns the window or session start.
func (it *Iterator) Start() int64 { return it.scan.windowStart() }

// End returns the session end.
func (it *Iterator) End() int64 { return it.scan.end() }

// Time returns the record time of a Buffer row.
func (it *Iterator) Time() int64 { return it.scan.time() }

// Seq returns the arrival number of a Buffer row.
func (it *Iterator) Seq() uint64 { return it.scan.seq() }

// Close ends the iterator and returns the error that stopped it, if any. The iterator must not be used
// afterwards, not even closed again: it is recycled.
func (it *Iterator) Close() error {
	if !it.open {
		return nil
	}
	o, err := it.view.o, it.scan.err
	if pit := it.scan.base; pit != nil {
		if err == nil && o.iter == nil && it.version == o.version && !it.view.task.closed {
			o.iter = pit
		} else if cerr := pit.Close(); err == nil {
			err = cerr
		}
	}
	it.scan.base, it.open = nil, false
	o.free = append(o.free, it)
	return o.db.failure(err)
}
