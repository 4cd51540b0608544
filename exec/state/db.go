package state

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// DB is the state of one query on this server: one Pebble database under one directory.
// It is safe for concurrent use; tasks obtained from it are not.
type DB struct {
	dir    string
	fs     *freezeFS
	pdb    *pebble.DB
	failed latch
	log    *pebbleLog
	// seed is the hash seed of all overlays; it never shows in any order.
	seed maphash.Seed

	// specs and widths are fixed after Open.
	specs  map[StoreID]StoreSpec
	widths map[StoreID]int64

	// commitMu orders commits, wipes and Close. It guards what follows up to checkpoints.
	commitMu sync.Mutex
	batch    *pebble.Batch
	batchCap int // bytes the batch has room for, as far as known
	meta     []metaEntry
	metaBuf  []byte
	// gathered is the size of the runs, gather how large they may grow before they are written.
	gathered, gather int
	checkpoints      map[checkpointKey]Checkpoint

	// syncMu is held by Sync, so that Close does not get in its way.
	syncMu sync.Mutex
	// wedged is set when Pebble panicked: its locks may be held for ever, so it is left as it is.
	wedged atomic.Bool

	// runs are the commits that are not in Pebble yet, the newest last. They change under commitMu and mu.
	runs atomic.Pointer[[]*run]

	// mu guards what follows.
	mu        sync.Mutex
	closed    bool
	owners    map[ownerKey]*Task
	snapshots map[*Snapshot]struct{}

	// unsynced is set by commits and cleared by Sync.
	unsynced atomic.Bool
	commits  atomic.Uint64
}

type checkpointKey struct {
	topic     string
	partition int32
}

type ownerKey struct {
	store     StoreID
	partition int32
}

// failure classifies an error, preferring the one that was latched first.
func (d *DB) failure(err error) error {
	if latched := d.failed.get(); latched != nil {
		return classify(d.dir, latched)
	}
	return classify(d.dir, err)
}

// Err returns why the DB can no longer be used, nil while it can. It is cheap.
func (d *DB) Err() error { return d.failure(nil) }

// Dir returns the directory.
func (d *DB) Dir() string { return d.dir }

// Sync makes everything committed before the call survive a power loss. It waits for the disk; call it
// each second from a goroutine of its own. It does nothing when there was no commit since the last call.
func (d *DB) Sync() (err error) {
	if !d.unsynced.Swap(false) {
		return d.Err()
	}
	if err := d.Err(); err != nil {
		return err
	}
	d.syncMu.Lock()
	defer d.syncMu.Unlock()
	if d.isClosed() {
		return ErrClosed
	}
	if err := d.settleAll(); err != nil {
		return err
	}
	defer d.recoverPanic(&err)
	return d.failure(d.pdb.LogData(nil, pebble.Sync))
}

func (d *DB) settleAll() error {
	d.commitMu.Lock()
	defer d.commitMu.Unlock()
	return d.settle()
}

// recoverPanic turns a panic of Pebble into the DB's failure. What Pebble holds locked stays locked, so
// it is not called again.
func (d *DB) recoverPanic(err *error) {
	if r := recover(); r != nil {
		d.wedged.Store(true)
		d.failed.set(fmt.Errorf("%w: %s: panic: %v", ErrCorrupt, d.dir, r))
		*err = d.failure(nil)
	}
}

func (d *DB) isClosed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closed
}

// Close closes the DB; what was committed is on disk. Snapshots that are still open end with ErrClosed;
// tasks must not be used any more. A second Close does nothing.
func (d *DB) Close() (err error) {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	open := make([]*Snapshot, 0, len(d.snapshots))
	for s := range d.snapshots {
		open = append(open, s)
	}
	tasks := map[*Task]struct{}{}
	for _, t := range d.owners {
		tasks[t] = struct{}{}
	}
	d.mu.Unlock()

	for _, s := range open {
		_ = s.Close()
	}
	close(d.log.closing)
	d.syncMu.Lock()
	defer d.syncMu.Unlock()
	d.commitMu.Lock()
	defer d.commitMu.Unlock()
	for t := range tasks {
		t.Close()
	}
	defer d.fs.releaseLocks()
	if d.wedged.Load() {
		return d.failure(nil)
	}
	var settled error
	if d.Err() == nil {
		settled = d.settle()
	}
	if d.wedged.Load() {
		return d.failure(settled)
	}
	defer d.recoverPanic(&err)
	_ = d.batch.Close()
	return d.failure(errors.Join(settled, d.pdb.Close()))
}

// Destroy removes the state of a query. The DB must be closed.
func Destroy(f FS, dir string) error {
	if f == nil {
		f = vfs.Default
	}
	if err := f.RemoveAll(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return classify(dir, err)
	}
	return nil
}

// Quarantine renames the directory of a DB that is corrupt to dir + ".corrupt-" + suffix, so that it can
// be looked into, and returns the new name. The DB must be closed.
func Quarantine(f FS, dir, suffix string) (string, error) {
	if f == nil {
		f = vfs.Default
	}
	to := dir + ".corrupt-" + suffix
	return to, classify(dir, f.Rename(dir, to))
}
