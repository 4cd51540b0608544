package state

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"log/slog"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Open opens or creates the state of a query. Errors are of the classes [ErrDisk], [ErrCorrupt],
// [ErrVersion], [ErrLayout], [ErrLocked] and [ErrInvariant].
func Open(o Options) (*DB, error) {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.GatherBytes == 0 {
		o.GatherBytes = gatherBytes
	}
	d := &DB{
		dir:         o.Dir,
		gather:      o.GatherBytes,
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
		if d.pdb != nil {
			// Pebble took the failure of the disk for success (see freezeFS) and runs.
			_ = d.Close()
		}
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
	return d.scanMeta(nil, d.pdb, nil, func(partition uint32, tag byte, name string, v []byte) error {
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
