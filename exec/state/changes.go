package state

import (
	"errors"
	"fmt"
	"math"
)

// Change is one row that differs from what the changelog holds. Its slices are valid during the visit.
type Change struct {
	Store     StoreID
	Partition int32
	// Key is the row key (see [ParseRowKey]), the key of the changelog record.
	Key []byte
	// Value is the row, nil if it is gone.
	Value []byte
	// Timestamp is the row's, the tombstone's, or the store's stream time for an expired row.
	Timestamp int64
	// Expired marks a row that retention removes at the next commit.
	Expired bool
}

// Changes visits the rows that changed since the last visit, stores in order of their ids, within a store
// changed rows in order of their keys and then expired rows in order of theirs: the same calls on the same
// state give the same visits, byte for byte. Stores without changelog are left out. What was visited
// must reach the changelog before [DB.Commit], which refuses stores with unvisited changes.
//
// An error of visit ends the visit and is returned; then only [DB.Abort] makes sense.
func (t *Task) Changes(visit func(Change) error) error {
	if t.closed {
		return ErrClosed
	}
	for _, v := range t.views {
		if v.spec.NoChangelog {
			continue
		}
		if err := v.changed(visit); err != nil {
			return err
		}
		if err := v.expired(visit); err != nil {
			return err
		}
	}
	return nil
}

// changed visits the dirty records that were not yet visited.
func (v *view) changed(visit func(Change) error) error {
	o := v.o
	if o.unlogged == 0 {
		return nil
	}
	drop := v.dropTarget()
	order := o.sortedDirty()
	for i, pos := range order {
		if i%groupLen == 0 {
			o.bringClose(order[i:min(i+groupLen, len(order))])
		}
		r := o.cur.arena.at(o.dirty[pos])
		if !r.has(flagUnlogged) {
			continue
		}
		r.setFlags(r.flags() &^ flagUnlogged)
		o.unlogged--
		c := Change{Store: v.spec.ID, Partition: v.task.partition, Key: r.key(), Timestamp: r.timestamp()}
		if v.isDropped(c.Key, drop) {
			// It lived and expired within the interval, or expired() visits what was committed of it.
			continue
		}
		if !r.has(flagAbsent) {
			c.Value = r.value()
		}
		if err := visit(c); err != nil {
			return err
		}
	}
	return nil
}

// isDropped says whether a row key lies in a bucket below drop.
func (v *view) isDropped(rowKey []byte, drop int64) bool {
	return drop != math.MinInt64 && decodeTime(rowKey) < drop
}

// expired visits the committed rows that the next commit drops, and settles which these are.
func (v *view) expired(visit func(Change) error) error {
	drop := v.dropTarget()
	if drop <= v.dropNext {
		return nil
	}
	lower := v.bucketKey(max(v.dropped, v.dropNext))
	upper := v.bucketKey(drop)
	d := v.task.db
	it, err := d.newBase(d.committedRuns(), d.pdb, lower, upper)
	if err != nil {
		return err
	}
	for ok := it.SeekGE(lower); ok && err == nil; ok = it.Next() {
		err = visit(Change{
			Store: v.spec.ID, Partition: v.task.partition, Key: it.Key()[prefixLen:],
			Timestamp: v.state.streamTime, Expired: true,
		})
	}
	if cerr := errors.Join(it.Err(), it.Close()); err == nil {
		err = d.failure(cerr)
	}
	if err == nil {
		v.dropNext = drop
	}
	return err
}

// bucketKey returns the smallest key of a bucket, prefix included; of the store for the lowest bucket.
func (v *view) bucketKey(bucket int64) []byte {
	k := append([]byte(nil), v.o.prefix[:]...)
	if bucket == math.MinInt64 {
		return k
	}
	return appendTime(k, bucket)
}

// Restore applies one changelog record to a store: a row, or a tombstone if value is nil. It becomes part
// of the overlay, and so of the next [DB.Commit], whose checkpoint must not be beyond the records applied.
// Applying a record again, or a longer stretch of records again, gives the same rows. Records of expired
// rows are left out. Bytes that are no row key of the store are refused ([ErrCorrupt]).
func (t *Task) Restore(store StoreID, rowKey, value []byte, ts int64) error {
	v := t.view(store)
	if v == nil || v.spec.NoChangelog {
		return fmt.Errorf("%w: store %d of partition %d cannot be restored", ErrInvariant, store, t.partition)
	}
	k, ok := ParseRowKey(v.spec.Kind, rowKey)
	if !ok {
		return fmt.Errorf("%w: changelog key of %d bytes for the %s store %d",
			ErrCorrupt, len(rowKey), v.spec.Kind, store)
	}
	if v.spec.Kind != Keyed {
		rowKey = v.rebucket(k, rowKey)
		if value == nil {
			v.o.delete(rowKey, ts, false)
			return nil
		}
		if k.Seq >= v.state.nextSeq && v.spec.Kind == Buffer {
			v.state.nextSeq = k.Seq + 1
		}
		if !v.admit(rowTime(v.spec.Kind, rowKey)) {
			return nil
		}
	}
	if value == nil {
		v.o.delete(rowKey, ts, false)
		return nil
	}
	v.o.put(rowKey, value, ts, false)
	return nil
}

// rebucket returns the row key with the bucket that this store's width gives; the changelog may have been
// written with another width.
func (v *view) rebucket(k RowKey, rowKey []byte) []byte {
	bucket := bucketOf(rowTime(v.spec.Kind, rowKey), v.width)
	if decodeTime(rowKey) == bucket {
		return rowKey
	}
	v.buf = appendTime(v.buf[:0], bucket)
	v.buf = append(v.buf, rowKey[timeLen:]...)
	return v.buf
}
