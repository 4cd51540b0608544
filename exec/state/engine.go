package state

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable/block"
)

// Pebble's settings for our load: bursts of sorted writes ten times a second, point reads of hot keys that
// the overlay mostly absorbs, short range reads, range deletes of old buckets.
const (
	defaultMemTable = 16 << 20
	// bloomBits makes about 1 % false positives.
	bloomBits = 10
	// walSyncBytes spreads the writing of the WAL to the disk, so that the sync each second is short.
	walSyncBytes = 1 << 20
	// l0Compact starts compactions of level 0 at this many sublevels; l0Stop is far away on purpose: a
	// commit that waits for compactions would hold up all tasks of the query.
	l0Compact = 8
	l0Stop    = 1000
	// memTableStop bounds the memtables that wait for their flush.
	memTableStop = 4
	// maxRetainedBatch bounds the memory that the commit batch keeps between commits.
	maxRetainedBatch = 8 << 20
	// errorPause slows Pebble's retry of failed background work, which has no back-off of its own.
	errorPause = 50 * time.Millisecond
)

// pebbleOptions returns the settings of one DB.
func pebbleOptions(o Options, fs *freezeFS, log *pebbleLog) *pebble.Options {
	memTable := o.MemTableBytes
	if memTable <= 0 {
		memTable = defaultMemTable
	}
	po := &pebble.Options{
		FS:                          fs,
		Logger:                      log,
		FormatMajorVersion:          pebble.FormatNewest,
		MemTableSize:                uint64(memTable),
		MemTableStopWritesThreshold: memTableStop,
		L0CompactionThreshold:       l0Compact,
		L0StopWritesThreshold:       l0Stop,
		LBaseMaxBytes:               64 << 20,
		WALBytesPerSync:             walSyncBytes,
		BytesPerSync:                walSyncBytes,
		MaxOpenFiles:                256,
		CompactionConcurrencyRange:  func() (lower, upper int) { return 1, 2 },
		EventListener:               log.events(),
	}
	// Level 0 and the first levels are rewritten soon: not compressed. Filters on all levels: most point
	// reads that reach Pebble are of keys seen for the first time.
	for i := range po.Levels {
		profile := block.NoCompression
		if i >= 3 {
			profile = block.SnappyCompression
		}
		po.Levels[i].Compression = func() *block.CompressionProfile { return profile }
		po.Levels[i].FilterPolicy = bloom.FilterPolicy(bloomBits)
		po.Levels[i].BlockSize = 16 << 10
	}
	if o.Pool != nil {
		po.Cache, po.FileCache = o.Pool.cache, o.Pool.files
	} else {
		po.CacheSize = 8 << 20
	}
	return po
}

// pebbleLog receives Pebble's messages and events of one DB. Pebble's own loggers end the process on what
// they call fatal; here it becomes the DB's failure.
type pebbleLog struct {
	dir     string
	logger  *slog.Logger
	failed  *latch
	closing chan struct{}
}

// Infof implements pebble.Logger; routine messages are dropped unless debugging.
func (l *pebbleLog) Infof(format string, args ...any) {
	if l.logger.Enabled(context.Background(), slog.LevelDebug) {
		l.logger.Debug("state: "+fmt.Sprintf(format, args...), "dir", l.dir)
	}
}

// Errorf implements pebble.Logger.
func (l *pebbleLog) Errorf(format string, args ...any) {
	l.logger.Warn("state: "+fmt.Sprintf(format, args...), "dir", l.dir)
}

// Fatalf implements pebble.Logger: it latches the failure, which also freezes the directory, and returns.
func (l *pebbleLog) Fatalf(format string, args ...any) {
	class := ErrDisk
	for _, a := range args {
		if err, ok := a.(error); ok && (pebble.IsCorruptionError(err) || !isDiskError(err)) {
			class = ErrCorrupt
		}
	}
	l.failed.set(fmt.Errorf("%w: %s: %s", class, l.dir, fmt.Sprintf(format, args...)))
}

// events returns the listener that turns background failures into the DB's failure.
func (l *pebbleLog) events() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			l.failed.set(classify(l.dir, err))
			// Called with Pebble's mutex held before the failed work is tried again.
			t := time.NewTimer(errorPause)
			defer t.Stop()
			select {
			case <-l.closing:
			case <-t.C:
			}
		},
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			l.failed.set(fmt.Errorf("%w: %s: %s", ErrCorrupt, l.dir, info))
		},
	}
}
