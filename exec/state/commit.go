package state

import (
	"bytes"
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

// Commit takes over one interval, all of it or nothing, and empties the overlays. Readers see it at once. It goes to
// disk with the commits of up to a second, at the latest with [DB.Sync] or [DB.Close]; until then a crash loses it as
// a whole, as if it had come before the commit. It goes there at once when it is large, when rows expire with it, and
// when it holds rows that no changelog has.
//
// On an error nothing of it is in the DB after the next Open; the tasks keep their overlays, and the DB is of no more
// use unless the error is [ErrInvariant].
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
	if err := d.take(views, c); err != nil {
		return err
	}
	for _, v := range views {
		v.committed()
	}
	for _, ck := range c.Checkpoints {
		d.checkpoints[checkpointKey{ck.Topic, ck.Partition}] = ck
	}
	d.commits.Add(1)
	return nil
}

// take makes a run of an interval and lets it wait with the others, or writes them all.
func (d *DB) take(views []*view, c Commit) error {
	var size int64
	rows := 0
	atOnce := false
	for _, v := range views {
		if v.spec.NoChangelog {
			v.dropNext = max(v.dropNext, v.dropTarget())
			atOnce = atOnce || len(v.o.dirty) > 0
		}
		atOnce = atOnce || v.dropNext > v.dropped
		// What a record's header takes is more than what an entry takes beside key and value.
		size += v.o.dirtyBytes
		rows += len(v.o.dirty)
	}
	meta := d.metaEntries(views, c)
	for _, e := range meta {
		size += int64(len(e.key) + len(e.value) + runEntryHeader)
	}
	if size == 0 {
		return d.failure(nil)
	}
	if size > math.MaxUint32 {
		return fmt.Errorf("%w: %s: a commit of %d bytes; the host commits early by Task.Size", ErrInvariant, d.dir, size)
	}
	r := newRun(int(size), rows+len(meta))
	for _, e := range meta {
		if e.value == nil {
			copy(r.delete(len(e.key)), e.key)
			continue
		}
		key, value := r.set(len(e.key), len(e.value))
		copy(key, e.key)
		copy(value, e.value)
	}
	for _, v := range views {
		v.o.appendTo(r, v.skips())
	}
	waiting := d.committedRuns()
	runs := append(waiting[:len(waiting):len(waiting)], r)
	d.unsynced.Store(true)
	if atOnce || len(runs) > gatherRuns || d.gathered+len(r.data) > d.gather {
		return d.write(runs, views)
	}
	d.show(runs)
	d.gathered += len(r.data)
	return nil
}

// show lets readers see runs beside what is in Pebble.
func (d *DB) show(runs []*run) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.runs.Store(&runs)
}

// write writes runs as one batch, with the expiry that views have settled. Readers see all runs before they see the
// batch, and both are the same to them.
func (d *DB) write(runs []*run, views []*view) error {
	d.show(runs)
	size := 0
	for _, r := range runs {
		size += len(r.data)
	}
	d.emptyBatch(size)
	if err := newMerger(runs).appendTo(d.batch); err != nil {
		return d.failure(err)
	}
	for _, v := range views {
		if v.dropNext > v.dropped {
			if err := d.batch.DeleteRange(v.bucketKey(v.dropped), v.bucketKey(v.dropNext), nil); err != nil {
				return d.failure(err)
			}
		}
	}
	if err := d.apply(); err != nil {
		return err
	}
	d.show(nil)
	d.gathered = 0
	return nil
}

// settle writes the runs that wait. commitMu is held.
func (d *DB) settle() error {
	if runs := d.committedRuns(); len(runs) > 0 {
		return d.write(runs, nil)
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

// skips returns what says of row keys that they lie in buckets the commit drops; nil if it drops none.
func (v *view) skips() func(rowKey []byte) bool {
	if v.dropNext == math.MinInt64 {
		return nil
	}
	return func(rowKey []byte) bool { return v.isDropped(rowKey, v.dropNext) }
}

// metaEntry is an entry of a commit that is no row; value is nil if it goes away.
type metaEntry struct{ key, value []byte }

// metaEntries lists everything of a commit but rows in order of keys. Of one key the last counts.
func (d *DB) metaEntries(views []*view, c Commit) []metaEntry {
	m := metaBuilder{entries: d.meta[:0], buf: d.metaBuf[:0]}
	for _, v := range views {
		if v.state != v.saved {
			m.set(v.task.partition, tagStoreState, storeName(v.spec.ID), v.state.append)
		}
	}
	for _, ck := range c.Checkpoints {
		m.set(ck.Partition, tagCheckpoint, ck.Topic, ck.append)
	}
	for _, p := range c.Positions {
		m.set(p.Partition, tagPosition, p.Topic, p.append)
	}
	for _, st := range c.StreamTimes {
		m.set(st.Partition, tagStreamTime, st.Name, func(b []byte) []byte { return appendStreamTime(b, st.Time) })
	}
	for _, e := range c.Meta {
		if e.Value == nil {
			m.add(e.Partition, tagUser, e.Name)
			continue
		}
		m.set(e.Partition, tagUser, e.Name, func(b []byte) []byte { return append(b, e.Value...) })
	}
	d.meta, d.metaBuf = m.entries, m.buf
	return m.sorted()
}

// metaBuilder gathers entries; their bytes stand in one buffer, and in older ones it has outgrown.
type metaBuilder struct {
	entries []metaEntry
	buf     []byte
}

func (m *metaBuilder) add(partition int32, tag byte, name string) *metaEntry {
	at := len(m.buf)
	m.buf = metaKey(m.buf, uint32(partition), tag, name)
	m.entries = append(m.entries, metaEntry{key: m.buf[at:len(m.buf):len(m.buf)]})
	return &m.entries[len(m.entries)-1]
}

func (m *metaBuilder) set(partition int32, tag byte, name string, payload func([]byte) []byte) {
	e := m.add(partition, tag, name)
	at := len(m.buf)
	m.buf = sealMeta(m.buf, payload)
	e.value = m.buf[at:len(m.buf):len(m.buf)]
}

func (m *metaBuilder) sorted() []metaEntry {
	slices.SortStableFunc(m.entries, func(a, b metaEntry) int { return bytes.Compare(a.key, b.key) })
	last := m.entries[:0]
	for i, e := range m.entries {
		if i+1 == len(m.entries) || !bytes.Equal(e.key, m.entries[i+1].key) {
			last = append(last, e)
		}
	}
	return last
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
	if d.batch.Empty() || d.batchCap > maxRetainedBatch {
		d.batchCap = 0 // the memory went to Pebble, or goes now
	}
	d.batch.Reset()
	return d.failure(nil)
}

// Wipe removes the rows and stream times of stores of one partition, the checkpoints of changelog topics, and
// the positions in source topics, as one batch: the local state does not fit its changelog any more and is to be
// restored from the start, or is no longer wanted. No task may hold the stores.
func (d *DB) Wipe(partition int32, stores []StoreID, changelogs, sources []string) error {
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
	if err := d.settle(); err != nil {
		return err
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
	for _, topic := range sources {
		if err := d.batch.Delete(metaKey(nil, uint32(partition), tagPosition, topic), nil); err != nil {
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
