package state

import (
	"bytes"
	"errors"

	"github.com/cockroachdb/pebble/v2"
)

// committedRuns returns the runs that are not in Pebble yet, the newest last. Who reads rows takes the runs first
// and looks into Pebble then: what has gone to Pebble meanwhile is the same.
func (d *DB) committedRuns() []*run {
	if p := d.runs.Load(); p != nil {
		return *p
	}
	return nil
}

// getInto reads one committed key from runs and r, and hands its value to decode, which must not keep it.
func (d *DB) getInto(runs []*run, r pebble.Reader, key []byte, decode func([]byte) error) (bool, error) {
	if v, known := find(runs, key); known {
		if v == nil {
			return false, nil
		}
		return true, decode(v)
	}
	v, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, d.failure(err)
	}
	err = decode(v)
	return true, errors.Join(err, closer.Close())
}

// baseIter visits committed entries between two bounds in order of keys: those of runs laid over Pebble's. Keys and
// values are valid until the next move.
type baseIter struct {
	pebble *pebble.Iterator
	runs   []cursor
	upper  []byte
	// inPebble says that Pebble's iterator stands on an entry.
	inPebble   bool
	key, value []byte
	err        error
}

// newBase opens an iterator over the entries of runs and r with lower <= key < upper.
func (d *DB) newBase(runs []*run, r pebble.Reader, lower, upper []byte) (*baseIter, error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return nil, d.failure(err)
	}
	b := &baseIter{pebble: it, upper: upper}
	for age, r := range runs {
		// Runs without entries between the bounds are left out; lower bounds of seeks are never below lower.
		if at := r.seek(lower); at < len(r.starts) && (upper == nil || bytes.Compare(r.key(at), upper) < 0) {
			b.runs = append(b.runs, cursor{run: r, age: age})
		}
	}
	return b, nil
}

// SeekGE moves to the first entry at or after key, which is not below the iterator's lower bound.
func (b *baseIter) SeekGE(key []byte) bool { return b.SeekGEWithLimit(key, nil) }

// SeekGEWithLimit is [baseIter.SeekGE]; entries at or after limit need not be found.
func (b *baseIter) SeekGEWithLimit(key, limit []byte) bool {
	b.inPebble = b.pebble.SeekGEWithLimit(key, limit) == pebble.IterValid
	for i := range b.runs {
		c := &b.runs[i]
		c.at = c.run.seek(key) - 1
		b.advance(c)
	}
	return b.settle(limit)
}

// NextWithLimit moves on from an entry; entries at or after limit need not be found.
func (b *baseIter) NextWithLimit(limit []byte) bool {
	key := b.key
	for i := range b.runs {
		if c := &b.runs[i]; c.key != nil && bytes.Equal(c.key, key) {
			b.advance(c)
		}
	}
	if b.inPebble && bytes.Equal(b.pebble.Key(), key) {
		b.inPebble = b.pebble.NextWithLimit(limit) == pebble.IterValid
	}
	return b.settle(limit)
}

// Next moves on from an entry.
func (b *baseIter) Next() bool { return b.NextWithLimit(nil) }

// advance moves the cursor of a run, whose key is nil at its end.
func (b *baseIter) advance(c *cursor) {
	if !c.next() || b.upper != nil && bytes.Compare(c.key, b.upper) >= 0 {
		c.key = nil
	}
}

// settle finds the first of the entries at hand that is not deleted.
func (b *baseIter) settle(limit []byte) bool {
	for {
		var first *cursor
		for i := range b.runs {
			c := &b.runs[i]
			if c.key == nil {
				continue
			}
			if first == nil {
				first = c
			} else if order := bytes.Compare(c.key, first.key); order < 0 || order == 0 && c.age > first.age {
				first = c
			}
		}
		if err := b.pebble.Error(); err != nil {
			b.err = err
			return false
		}
		order := 1
		if first != nil && b.inPebble {
			order = bytes.Compare(first.key, b.pebble.Key())
		} else if first != nil {
			order = -1
		} else if !b.inPebble {
			return false
		}
		if order > 0 {
			b.key = b.pebble.Key()
			b.value, b.err = b.pebble.ValueAndErr()
			return b.err == nil
		}
		if limit != nil && bytes.Compare(first.key, limit) >= 0 {
			return false
		}
		b.key, b.value = first.key, first.run.value(first.at)
		if b.value != nil {
			return true
		}
		for i := range b.runs {
			if c := &b.runs[i]; c.key != nil && bytes.Equal(c.key, b.key) {
				b.advance(c)
			}
		}
		if order == 0 {
			b.inPebble = b.pebble.NextWithLimit(limit) == pebble.IterValid
		}
	}
}

// Key is that of the entry at hand.
func (b *baseIter) Key() []byte { return b.key }

// Value is that of the entry at hand.
func (b *baseIter) Value() []byte { return b.value }

// Err returns the error that stopped a move.
func (b *baseIter) Err() error { return b.err }

// Close ends the iterator.
func (b *baseIter) Close() error { return b.pebble.Close() }
