package state

import (
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// FS is the file system below a DB.
type FS = vfs.FS

// DiskFS returns the file system of the operating system.
func DiskFS() FS { return vfs.Default }

// NewMemFS returns an empty file system in memory, for tests and simulation.
func NewMemFS() FS { return vfs.NewMem() }

// Pool is what the DBs of one process share: the block cache and the cache of open files. It is safe for
// concurrent use.
type Pool struct {
	cache *pebble.Cache
	files *pebble.FileCache
}

// PoolOptions sizes a Pool; zero values mean the defaults.
type PoolOptions struct {
	// CacheBytes bounds the block cache, default 64 MiB. Memtables are accounted in it too.
	CacheBytes int64
	// OpenFiles bounds the files kept open, default 1000.
	OpenFiles int
}

// NewPool returns a pool; close it after the DBs that use it.
func NewPool(o PoolOptions) *Pool {
	if o.CacheBytes <= 0 {
		o.CacheBytes = 64 << 20
	}
	if o.OpenFiles <= 0 {
		o.OpenFiles = 1000
	}
	return &Pool{
		cache: pebble.NewCache(o.CacheBytes),
		files: pebble.NewFileCache(4, o.OpenFiles),
	}
}

// Close gives the caches back. The DBs opened with the pool must have been closed.
func (p *Pool) Close() {
	p.files.Unref()
	p.cache.Unref()
}

// Options says how a DB is opened.
type Options struct {
	// Dir is the directory of the query's state; it is created when it does not exist.
	Dir string
	// FS is the file system, default [DiskFS].
	FS FS
	// Pool is shared between the DBs of a process; nil gives the DB caches of its own.
	Pool *Pool
	// Stores declares the stores of the query.
	Stores []StoreSpec
	// Fingerprint, if not empty, identifies the plan that the rows belong to (its hash). It is recorded
	// when the directory is created; another one does not open ([ErrLayout]).
	Fingerprint []byte
	// MemTableBytes is the size a memtable may grow to, default 16 MiB; it starts at 256 KiB, so an idle
	// DB is cheap. A commit larger than half of it goes straight to a table of its own.
	MemTableBytes int
	// GatherBytes is how much may be committed before it goes to disk at once rather than with [DB.Sync],
	// default 8 MiB; below zero every commit does.
	GatherBytes int
	// Logger receives what Pebble reports; default discards it.
	Logger *slog.Logger
}
