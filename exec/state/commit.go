package state

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// Commit is what one commit makes durable together.
type Commit struct {
	// Tasks are the tasks whose overlays are written; they must be at rest.
	Tasks []*Task
	// Checkpoints say what of the changelogs the rows then contain.
	Checkpoints []Checkpoint
	// Positions are the source offsets that the rows then contain.
	Positions []Position
	// StreamTimes are named stream times.
	StreamTimes []StreamTime
	// Meta are free-form entries.
	Meta []Meta
}

// Commit writes one interval as a single atomic batch, without waiting for the disk ([DB.Sync] does), and
// empties the overlays. On an error nothing of it is in the DB after the next Open; the tasks keep their
// overlays, and the DB is of no more use unless the error is [ErrInvariant].
//
// It refuses ([ErrInvariant]) a checkpoint below the last one of the same topic, and tasks with changes
// that [Task.Changes] has not visited in stores with a changelog.
func (d *DB) Commit(c Commit) error {
	d.commitMu.Lock()
	defer d.commitMu.Unlock()
	if err := d.committable(c); err != nil {
		return err
	}
	views := commitOrder(c.Tasks)
	var size int64
	for _, v := range views {
		size += v.o.dirtyBytes
	}
	d.emptyBatch(int(size))
	for _, v := range views {
		if err := v.appendTo(d); err != nil {
			return d.failure(err)
		}
	}
	if err := d.appendMeta(c); err != nil {
		return d.failure(err)
	}
	if err := d.apply(); err != nil {
		return err
	}
	for _, v := range views {
		v.committed()
	}
	for _, ck := range c.Checkpoints {
		d.checkpoints[checkpointKey{ck.Topic, ck.Partition}] = ck
	}
	return nil
}

// Abort drops the uncommitted writes of tasks: their transaction did not commit.
func (d *DB) Abort(tasks ...*Task) {
	for _, t := range tasks {
		for _, v := range t.views {
			v.abort()
		}
	}
}

// committable checks what must hold before anything is written.
func (d *DB) committable(c Commit) error {
	if err := d.Err(); err != nil {
		return err
	}
	if d.isClosed() {
		return ErrClosed
	}
	for _, t := range c.Tasks {
		if t.db != d || t.closed {
			return fmt.Errorf("%w: %s: the task of partition %d is closed or of another DB",
				ErrInvariant, d.dir, t.partition)
		}
		for _, v := range t.views {
			if !v.spec.NoChangelog && v.o.unlogged > 0 {
				return fmt.Errorf("%w: %s: store %d of partition %d has %d changes that are not in the changelog",
					ErrInvariant, d.dir, v.spec.ID, t.partition, v.o.unlogged)
			}
		}
	}
	for _, ck := range c.Checkpoints {
		last, ok := d.checkpoints[checkpointKey{ck.Topic, ck.Partition}]
		if ok && last.TopicID == ck.TopicID && ck.Offset < last.Offset {
			return fmt.Errorf("%w: %s: the checkpoint of %s-%d would go back from %d to %d",
				ErrInvariant, d.dir, ck.Topic, ck.Partition, last.Offset, ck.Offset)
		}
	}
	return nil
}

// commitOrder returns the stores of all tasks in key order, so that the batch is sorted.
func commitOrder(tasks []*Task) []*view {
	var views []*view
	for _, t := range tasks {
		views = append(views, t.views...)
	}
	slices.SortFunc(views, func(a, b *view) int {
		return cmp.Or(cmp.Compare(a.spec.ID, b.spec.ID),
			cmp.Compare(uint32(a.task.partition), uint32(b.task.partition)))
	})
	return views
}

// appendTo adds a store's changes to the DB's batch.
func (v *view) appendTo(d *DB) error {
	if v.spec.NoChangelog {
		v.dropNext = max(v.dropNext, v.dropTarget())
	}
	var skip func([]byte) bool
	if v.dropNext != math.MinInt64 {
		skip = func(rowKey []byte) bool { return v.isDropped(rowKey, v.dropNext) }
	}
	if err := v.o.appendTo(d.batch, skip); err != nil {
		return err
	}
	if v.dropNext > v.dropped {
		if err := d.batch.DeleteRange(v.bucketKey(v.dropped), v.bucketKey(v.dropNext), nil); err != nil {
			return err
		}
	}
	if v.state == v.saved {
		return nil
	}
	return d.setMeta(uint32(v.task.partition), tagStoreState, storeName(v.spec.ID), v.state.append)
}

// appendMeta adds everything but rows to the DB's batch.
func (d *DB) appendMeta(c Commit) error {
	for _, ck := range c.Checkpoints {
		if err := d.setMeta(uint32(ck.Partition), tagCheckpoint, ck.Topic, ck.append); err != nil {
			return err
		}
	}
	for _, p := range c.Positions {
		if err := d.setMeta(uint32(p.Partition), tagPosition, p.Topic, p.append); err != nil {
			return err
		}
	}
	for _, st := range c.StreamTimes {
		err := d.setMeta(uint32(st.Partition), tagStreamTime, st.Name, func(b []byte) []byte {
			return appendStreamTime(b, st.Time)
		})
		if err != nil {
			return err
		}
	}
	for _, m := range c.Meta {
		if m.Value == nil {
			d.keyBuf = metaKey(d.keyBuf[:0], uint32(m.Partition), tagUser, m.Name)
			if err := d.batch.Delete(d.keyBuf, nil); err != nil {
				return err
			}
			continue
		}
		err := d.setMeta(uint32(m.Partition), tagUser, m.Name, func(b []byte) []byte {
			return append(b, m.Value...)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *DB) setMeta(partition uint32, tag byte, name string, payload func([]byte) []byte) error {
	d.keyBuf = metaKey(d.keyBuf[:0], partition, tag, name)
	d.valBuf = sealMeta(d.valBuf[:0], payload)
	return d.batch.Set(d.keyBuf, d.valBuf, nil)
}

// emptyBatch makes the DB's batch ready for about size bytes. Pebble keeps the memory of a batch too large
// for a memtable; growing a new one step by step would copy and waste three times as much.
func (d *DB) emptyBatch(size int) {
	d.batch.Reset()
	if size > d.batchCap {
		_ = d.batch.Close()
		d.batch = d.pdb.NewBatchWithSize(size, pebble.WithMaxRetainedSizeBytes(maxRetainedBatch))
		d.batchCap = size
	}
}

// apply commits the DB's batch and empties it.
func (d *DB) apply() (err error) {
	defer d.recoverPanic(&err)
	if d.batch.Empty() {
		return d.failure(nil)
	}
	if err := d.pdb.Apply(d.batch, pebble.NoSync); err != nil {
		return d.failure(err)
	}
	d.unsynced.Store(true)
	d.commits.Add(1)
	if d.batch.Empty() || d.batchCap > maxRetainedBatch {
		d.batchCap = 0 // the memory went to Pebble, or goes now
	}
	d.batch.Reset()
	return d.failure(nil)
}

// Wipe removes the rows and stream times of stores of one partition, and the checkpoints of changelog
// topics, as one batch: the local state does not fit its changelog any more and is to be restored from
// the start. No task may hold the stores.
func (d *DB) Wipe(partition int32, stores []StoreID, changelogs []string) error {
	d.commitMu.Lock()
	defer d.commitMu.Unlock()
	if err := d.committable(Commit{}); err != nil {
		return err
	}
	for _, id := range stores {
		d.mu.Lock()
		held := d.owners[ownerKey{id, partition}] != nil
		d.mu.Unlock()
		if held {
			return fmt.Errorf("%w: %s: store %d of partition %d is in use", ErrInvariant, d.dir, id, partition)
		}
	}
	d.batch.Reset()
	for _, id := range stores {
		p := rowPrefix(id, partition)
		if err := d.batch.DeleteRange(p[:], p.end(), nil); err != nil {
			return d.failure(err)
		}
		if err := d.batch.Delete(metaKey(nil, uint32(partition), tagStoreState, storeName(id)), nil); err != nil {
			return d.failure(err)
		}
	}
	for _, topic := range changelogs {
		if err := d.batch.Delete(metaKey(nil, uint32(partition), tagCheckpoint, topic), nil); err != nil {
			return d.failure(err)
		}
	}
	if err := d.apply(); err != nil {
		return err
	}
	for _, topic := range changelogs {
		delete(d.checkpoints, checkpointKey{topic, partition})
	}
	return nil
}
