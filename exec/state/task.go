package state

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Task is one task's view of its stores in one partition. It belongs to one goroutine at a time. A store
// of a partition has at most one Task.
type Task struct {
	db        *DB
	partition int32
	views     []*view // by store id
	cache     int64
	closed    bool
}

// TaskOptions sizes a Task.
type TaskOptions struct {
	// CacheBytes bounds the memory of rows that are kept after a commit, so that hot keys are not read
	// from Pebble again; default 16 MiB. Uncommitted rows are not bounded here: see [Task.Size].
	CacheBytes int64
}

const defaultCache = 16 << 20

// NewTask takes the stores of one partition into use. Another task that holds one of them is an error
// ([ErrInvariant]).
func (d *DB) NewTask(partition int32, stores []StoreID, o TaskOptions) (*Task, error) {
	if o.CacheBytes <= 0 {
		o.CacheBytes = defaultCache
	}
	d.commitMu.Lock()
	defer d.commitMu.Unlock()
	if d.isClosed() {
		return nil, ErrClosed
	}
	t := &Task{db: d, partition: partition, cache: o.CacheBytes}
	for _, id := range stores {
		spec, ok := d.specs[id]
		if !ok {
			return nil, fmt.Errorf("%w: %s: store %d is not declared", ErrInvariant, d.dir, id)
		}
		v := &view{task: t, spec: spec, width: d.widths[id], o: newOverlay(d, spec, partition)}
		if err := v.load(); err != nil {
			return nil, err
		}
		t.views = append(t.views, v)
	}
	slices.SortFunc(t.views, func(a, b *view) int { return cmp.Compare(a.spec.ID, b.spec.ID) })
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, v := range t.views {
		if d.owners[ownerKey{v.spec.ID, partition}] != nil {
			return nil, fmt.Errorf("%w: %s: store %d of partition %d has a task already",
				ErrInvariant, d.dir, v.spec.ID, partition)
		}
	}
	for _, v := range t.views {
		d.owners[ownerKey{v.spec.ID, partition}] = t
	}
	return t, nil
}

// Partition returns the task's partition.
func (t *Task) Partition() int32 { return t.partition }

// Close gives the stores back; uncommitted writes are lost. Memory returned earlier must not be used.
func (t *Task) Close() {
	if t.closed {
		return
	}
	t.closed = true
	for _, v := range t.views {
		v.o.clear()
	}
	t.db.mu.Lock()
	defer t.db.mu.Unlock()
	for _, v := range t.views {
		delete(t.db.owners, ownerKey{v.spec.ID, t.partition})
	}
}

// Size returns the bytes of uncommitted rows, plus what reads have cached beyond the limit since the last
// commit. The host commits early when the sum over its tasks is too large.
func (t *Task) Size() int64 {
	var n int64
	for _, v := range t.views {
		n += v.o.size(v.cacheLimit())
	}
	return n
}

// IsDirty says whether there is anything to commit.
func (t *Task) IsDirty() bool {
	for _, v := range t.views {
		if len(v.o.dirty) > 0 || v.state != v.saved {
			return true
		}
	}
	return false
}

// find returns the view of a store; asking for a store that the task does not hold, or by another kind, is
// a mistake of whoever builds the operators, and panics.
func (t *Task) find(id StoreID, k Kind) *view {
	if v := t.view(id); v != nil && v.spec.Kind == k {
		return v
	}
	panic(fmt.Sprintf("state: the task of partition %d has no %s store %d", t.partition, k, id))
}

func (t *Task) view(id StoreID) *view {
	for _, v := range t.views {
		if v.spec.ID == id {
			return v
		}
	}
	return nil
}

// Keyed returns the handle of a store of kind [Keyed]; keep it, it is good for the life of the task.
func (t *Task) Keyed(id StoreID) *KeyedStore { return &KeyedStore{t.find(id, Keyed)} }

// Windowed returns the handle of a store of kind [Windowed].
func (t *Task) Windowed(id StoreID) *WindowStore { return &WindowStore{t.find(id, Windowed)} }

// Session returns the handle of a store of kind [Session].
func (t *Task) Session(id StoreID) *SessionStore { return &SessionStore{t.find(id, Session)} }

// Buffer returns the handle of a store of kind [Buffer].
func (t *Task) Buffer(id StoreID) *BufferStore { return &BufferStore{t.find(id, Buffer)} }

// view is one store of a task: overlay, stream time and expiry.
type view struct {
	task  *Task
	spec  StoreSpec
	width int64
	o     *overlay
	// state is as of now, saved as of the last commit.
	state, saved storeState
	// dropped: all buckets below are gone from Pebble. dropNext: those below go with the next commit.
	dropped, dropNext int64
	buf               []byte
}

// load reads the store's state from Pebble.
func (v *view) load() error {
	v.state = storeState{streamTime: noStreamTime}
	key := metaKey(nil, uint32(v.task.partition), tagStoreState, storeName(v.spec.ID))
	if _, err := v.task.db.getMetaInto(key, v.state.decode); err != nil {
		return err
	}
	v.saved = v.state
	v.dropped, v.dropNext = math.MinInt64, math.MinInt64
	return v.loadWhole()
}

// loadWhole finds out which rows cannot have been committed: all if there is none of the store, else those later
// than the store's stream time.
func (v *view) loadWhole() error {
	it, err := v.o.takeIter(v.task)
	if err != nil {
		return err
	}
	empty := !it.SeekGE(v.o.prefix[:])
	if err := errors.Join(it.Err(), it.Close()); err != nil {
		return v.task.db.failure(err)
	}
	switch {
	case empty:
		v.o.wholeFrom = math.MinInt64
	case v.spec.Kind != Keyed && v.state.streamTime != noStreamTime && v.state.streamTime < math.MaxInt64:
		v.o.wholeFrom = v.state.streamTime + 1
	}
	return nil
}

// observe moves the store's stream time.
func (v *view) observe(t int64) {
	v.state.streamTime = max(v.state.streamTime, t)
}

// minLive returns the smallest row time that is not expired.
func (v *view) minLive() int64 { return minLive(v.spec, v.state.streamTime) }

// minLive returns the smallest time a row of the store may have at a stream time.
func minLive(spec StoreSpec, streamTime int64) int64 {
	if spec.Kind == Keyed || spec.Retention <= 0 || streamTime == noStreamTime {
		return math.MinInt64
	}
	live := streamTime - spec.Retention.Milliseconds() + 1
	if live > streamTime+1 { // overflow
		return math.MinInt64
	}
	return live
}

// admit observes a row's time and says whether the row is still worth keeping.
func (v *view) admit(t int64) bool {
	v.observe(t)
	return t >= v.minLive()
}

// dropTarget returns the bucket below which all rows are expired.
func (v *view) dropTarget() int64 {
	live := v.minLive()
	if live == math.MinInt64 {
		return math.MinInt64
	}
	return bucketOf(live, v.width)
}

// abort goes back to the last commit.
func (v *view) abort() {
	v.o.abort()
	v.state = v.saved
	v.dropNext = v.dropped
}

// cacheLimit is the store's share of the task's cache.
func (v *view) cacheLimit() int64 { return v.task.cache / int64(len(v.task.views)) }

// committed moves on after a commit.
func (v *view) committed() {
	v.o.committed(v.cacheLimit())
	v.saved = v.state
	v.dropped = max(v.dropped, v.dropNext)
}
