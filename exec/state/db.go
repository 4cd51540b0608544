package state

import (
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
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

	// commitMu orders commits, wipes and Close. It guards batch, buffers and checkpoints.
	commitMu    sync.Mutex
	batch       *pebble.Batch
	batchCap    int // bytes the batch has room for, as far as known
	keyBuf      []byte
	valBuf      []byte
	checkpoints map[checkpointKey]Checkpoint

	// syncMu is held by Sync, so that Close does not get in its way.
	syncMu sync.Mutex
	// wedged is set when Pebble panicked: its locks may be held for ever, so it is left as it is.
	wedged atomic.Bool

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

// Open opens or creates the state of a query. Errors are of the classes [ErrDisk], [ErrCorrupt],
// [ErrVersion], [ErrLayout], [ErrLocked] and [ErrInvariant].
func Open(o Options) (*DB, error) {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	d := &DB{
		dir:         o.Dir,
		seed:        maphash.MakeSeed(),
		specs:       map[StoreID]StoreSpec{},
		widths:      map[StoreID]int64{},
		checkpoints: map[checkpointKey]Checkpoint{},
		owners:      map[ownerKey]*Task{},
		snapshots:   map[*Snapshot]struct{}{},
	}
	for _, s := range o.Stores {
		if err := s.validate(); err != nil {
			return nil, err
		}
		if _, dup := d.specs[s.ID]; dup {
			return nil, fmt.Errorf("%w: store %d is declared twice", ErrInvariant, s.ID)
		}
		d.specs[s.ID], d.widths[s.ID] = s, s.bucketWidth()
	}
	d.failed.notify = func(err error) {
		o.Logger.Error("state: the directory is frozen", "dir", d.dir, "error", err)
	}
	d.log = &pebbleLog{dir: o.Dir, logger: o.Logger, failed: &d.failed, closing: make(chan struct{})}
	d.fs = newFreezeFS(o.FS, &d.failed)
	if err := d.openPebble(o); err != nil {
		d.fs.releaseLocks()
		return nil, err
	}
	if err := d.load(o); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// openPebble opens the database; a failure has its class.
func (d *DB) openPebble(o Options) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %s: %v", ErrCorrupt, d.dir, r)
		}
		if latched := d.failed.get(); latched != nil {
			err = classify(d.dir, latched)
		}
	}()
	d.pdb, err = pebble.Open(o.Dir, pebbleOptions(o, d.fs, d.log))
	switch {
	case err == nil:
		d.batch = d.pdb.NewBatch(pebble.WithMaxRetainedSizeBytes(maxRetainedBatch))
		return nil
	case errors.Is(err, ErrLocked):
		return fmt.Errorf("%w: %s: %w", ErrLocked, d.dir, err)
	case strings.Contains(err.Error(), "unknown format major version"):
		return fmt.Errorf("%w: %s: %w", ErrVersion, d.dir, err)
	case errors.Is(err, fs.ErrNotExist), !pebble.IsCorruptionError(err) && !isDiskError(err):
		// Files that others refer to are missing, or do not parse.
		return fmt.Errorf("%w: %s: %w", ErrCorrupt, d.dir, err)
	}
	return classify(d.dir, err)
}

// load checks format, plan and stores against what is recorded, records what is new, and reads the
// checkpoints.
func (d *DB) load(o Options) error {
	if err := d.checkFormat(o.Fingerprint); err != nil {
		return err
	}
	if err := d.checkSpecs(); err != nil {
		return err
	}
	if err := d.loadCheckpoints(); err != nil {
		return err
	}
	if d.batch.Empty() {
		return nil
	}
	return d.apply()
}

// checkFormat compares format version and fingerprint, or records them in the batch.
func (d *DB) checkFormat(fingerprint []byte) error {
	key := metaKey(nil, globalPartition, tagFormat, "")
	v, ok, err := d.getMeta(key)
	if err != nil {
		return err
	}
	fpKey := metaKey(nil, globalPartition, tagFingerprint, "")
	if !ok {
		seal := func(p ...byte) []byte {
			return sealMeta(nil, func(b []byte) []byte { return append(b, p...) })
		}
		if err := d.batch.Set(key, seal(formatVersion), nil); err != nil {
			return classify(d.dir, err)
		}
		return classify(d.dir, d.batch.Set(fpKey, seal(fingerprint...), nil))
	}
	if len(v) != 1 || v[0] != formatVersion {
		return fmt.Errorf("%w: %s: format %v, this version knows %d", ErrVersion, d.dir, v, formatVersion)
	}
	have, ok, err := d.getMeta(fpKey)
	if err != nil {
		return err
	}
	if ok && len(fingerprint) > 0 && string(have) != string(fingerprint) {
		return fmt.Errorf("%w: %s: it belongs to another plan", ErrLayout, d.dir)
	}
	return nil
}

// checkSpecs compares the declared stores with the recorded ones, or records them in the batch.
func (d *DB) checkSpecs() error {
	ids := make([]StoreID, 0, len(d.specs))
	for id := range d.specs {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		spec := d.specs[id]
		key := metaKey(nil, globalPartition, tagStoreSpec, storeName(id))
		var rec specRecord
		ok, err := d.getMetaInto(key, rec.decode)
		switch {
		case err != nil:
			return err
		case !ok:
			rec = specRecord{kind: spec.Kind, width: d.widths[id]}
			if err := d.batch.Set(key, sealMeta(nil, rec.append), nil); err != nil {
				return classify(d.dir, err)
			}
		case rec.kind != spec.Kind:
			return fmt.Errorf("%w: %s: store %d %q is %s on disk and %s in the plan",
				ErrLayout, d.dir, id, spec.Name, rec.kind, spec.Kind)
		default:
			d.widths[id] = rec.width
		}
	}
	return nil
}

func (d *DB) loadCheckpoints() error {
	return d.scanMeta(d.pdb, nil, func(partition uint32, tag byte, name string, v []byte) error {
		if tag != tagCheckpoint || partition == globalPartition {
			return nil
		}
		c := Checkpoint{Topic: name, Partition: int32(partition)}
		if err := c.decode(v); err != nil {
			return fmt.Errorf("%s: checkpoint of %s: %w", d.dir, name, err)
		}
		d.checkpoints[checkpointKey{name, c.Partition}] = c
		return nil
	})
}

// getMeta returns the payload of a meta entry.
func (d *DB) getMeta(key []byte) (payload []byte, ok bool, err error) {
	ok, err = d.getMetaInto(key, func(v []byte) error {
		p, err := openMeta(v)
		payload = slices.Clone(p)
		return err
	})
	return payload, ok, err
}

// getMetaInto hands the raw value of a meta entry to decode.
func (d *DB) getMetaInto(key []byte, decode func([]byte) error) (bool, error) {
	return getInto(d, d.pdb, key, decode)
}

// getInto reads one key of r and hands its value to decode, which must not keep it.
func getInto(d *DB, r pebble.Reader, key []byte, decode func([]byte) error) (bool, error) {
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

// scanMeta visits the meta entries of one partition, or of all.
func (d *DB) scanMeta(
	r pebble.Reader, partition *int32, visit func(partition uint32, tag byte, name string, v []byte) error,
) error {
	lower, upper := []byte{0, 0}, []byte{0, 1}
	if partition != nil {
		lower = metaKey(nil, uint32(*partition), 0, "")[:prefixLen]
		upper = prefixEnd(lower)
	}
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return d.failure(err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		k := it.Key()
		if len(k) < prefixLen+1 {
			err = fmt.Errorf("%w: %s: meta key of %d bytes", ErrCorrupt, d.dir, len(k))
			break
		}
		v, verr := it.ValueAndErr()
		if verr != nil {
			err = d.failure(verr)
			break
		}
		p := uint32(k[2])<<24 | uint32(k[3])<<16 | uint32(k[4])<<8 | uint32(k[5])
		if err = visit(p, k[prefixLen], string(k[prefixLen+1:]), v); err != nil {
			break
		}
	}
	return errors.Join(err, d.failure(it.Close()))
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

// Checkpoints returns the changelog checkpoints of a partition as of the last commit, by topic.
func (d *DB) Checkpoints(partition int32) []Checkpoint {
	d.commitMu.Lock()
	defer d.commitMu.Unlock()
	var out []Checkpoint
	for _, c := range d.checkpoints {
		if c.Partition == partition {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b Checkpoint) int { return cmp.Compare(a.Topic, b.Topic) })
	return out
}

// Positions returns the committed source positions of a partition, by topic.
func (d *DB) Positions(partition int32) ([]Position, error) {
	d.commitMu.Lock()
	defer d.commitMu.Unlock()
	if d.isClosed() {
		return nil, ErrClosed
	}
	return d.positions(d.pdb, partition)
}

func (d *DB) positions(r pebble.Reader, partition int32) ([]Position, error) {
	var out []Position
	err := d.scanMeta(r, &partition, func(_ uint32, tag byte, name string, v []byte) error {
		if tag != tagPosition {
			return nil
		}
		p := Position{Topic: name, Partition: partition}
		out = append(out, p)
		return out[len(out)-1].decode(v)
	})
	return out, err
}

// StreamTimes returns the committed named stream times of a partition, by name.
func (d *DB) StreamTimes(partition int32) ([]StreamTime, error) {
	d.commitMu.Lock()
	defer d.commitMu.Unlock()
	if d.isClosed() {
		return nil, ErrClosed
	}
	var out []StreamTime
	err := d.scanMeta(d.pdb, &partition, func(_ uint32, tag byte, name string, v []byte) error {
		if tag != tagStreamTime {
			return nil
		}
		t, err := decodeStreamTime(v)
		out = append(out, StreamTime{Partition: partition, Name: name, Time: t})
		return err
	})
	return out, err
}

// Meta returns a copy of a free-form entry.
func (d *DB) Meta(partition int32, name string) ([]byte, bool, error) {
	d.commitMu.Lock()
	defer d.commitMu.Unlock()
	if d.isClosed() {
		return nil, false, ErrClosed
	}
	return d.getMeta(metaKey(nil, uint32(partition), tagUser, name))
}

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
	defer d.recoverPanic(&err)
	return d.failure(d.pdb.LogData(nil, pebble.Sync))
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
	defer d.recoverPanic(&err)
	_ = d.batch.Close()
	return d.failure(d.pdb.Close())
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
