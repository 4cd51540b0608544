package state

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// CrashFS is a file system in memory that can lose its power and whose writes can fail, for tests and
// simulation. It is safe for concurrent use.
type CrashFS struct {
	vfs.FS
	mem *vfs.MemFS
	// writeErr is what writes fail with.
	writeErr atomic.Pointer[error]
}

// NewCrashFS returns an empty file system that can crash.
func NewCrashFS() *CrashFS { return newCrashFS(vfs.NewCrashableMem()) }

func newCrashFS(mem *vfs.MemFS) *CrashFS { return &CrashFS{FS: mem, mem: mem} }

// Crash returns the file system as a machine finds it that lost its power now: what was synced, and each
// block and each directory entry that was not with a probability of percent/100. 100 is a killed process on
// a machine that lives on. The old file system stays usable by whoever still runs on it; nothing of that
// shows in the new one.
func (c *CrashFS) Crash(percent int, r *rand.Rand) *CrashFS {
	return newCrashFS(c.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: r}))
}

// Fail lets every write, sync and change of a directory fail with err (as syscall.EIO, syscall.ENOSPC),
// until it is called with nil.
func (c *CrashFS) Fail(err error) {
	if err == nil {
		c.writeErr.Store(nil)
		return
	}
	c.writeErr.Store(&err)
}

// failure is the error of an operation that writes, nil while writes succeed.
func (c *CrashFS) failure(op, path string) error {
	if err := c.writeErr.Load(); err != nil {
		return &os.PathError{Op: op, Path: path, Err: *err}
	}
	return nil
}

// Damage flips a byte in the middle of a file below dir, chosen by r among those with a suffix of the list, and
// returns its path, "" when there is none.
func (c *CrashFS) Damage(dir string, r *rand.Rand, suffixes ...string) (string, error) {
	var candidates []string
	var walk func(string) error
	walk = func(at string) error {
		names, err := c.List(at)
		if err != nil {
			return err
		}
		for _, name := range names {
			path := c.PathJoin(at, name)
			info, err := c.Stat(path)
			switch {
			case err != nil:
				return err
			case info.IsDir():
				if err := walk(path); err != nil {
					return err
				}
			case info.Size() > 0 && hasSuffix(name, suffixes):
				candidates = append(candidates, path)
			}
		}
		return nil
	}
	if err := walk(dir); err != nil || len(candidates) == 0 {
		return "", err
	}
	path := candidates[r.IntN(len(candidates))]
	f, err := c.FS.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return "", err
	}
	info, err := f.Stat()
	if err != nil {
		return "", errors.Join(err, f.Close())
	}
	at := r.Int64N(info.Size())
	b := make([]byte, 1)
	if _, err = f.ReadAt(b, at); err == nil || errors.Is(err, io.EOF) {
		b[0] ^= 1 << r.IntN(8)
		_, err = f.WriteAt(b, at)
	}
	return path, errors.Join(err, f.Sync(), f.Close())
}

func hasSuffix(name string, suffixes []string) bool {
	for _, s := range suffixes {
		if filepath.Ext(name) == s {
			return true
		}
	}
	return len(suffixes) == 0
}

// Create implements FS.
func (c *CrashFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := c.failure("create", name); err != nil {
		return nil, err
	}
	return c.file(name)(c.FS.Create(name, category))
}

// OpenReadWrite implements FS.
func (c *CrashFS) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	if err := c.failure("open", name); err != nil {
		return nil, err
	}
	return c.file(name)(c.FS.OpenReadWrite(name, category, opts...))
}

// ReuseForWrite implements FS.
func (c *CrashFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := c.failure("reuse", oldname); err != nil {
		return nil, err
	}
	return c.file(newname)(c.FS.ReuseForWrite(oldname, newname, category))
}

// OpenDir implements FS.
func (c *CrashFS) OpenDir(name string) (vfs.File, error) { return c.file(name)(c.FS.OpenDir(name)) }

// file wraps what an opening operation returned.
func (c *CrashFS) file(path string) func(vfs.File, error) (vfs.File, error) {
	return func(f vfs.File, err error) (vfs.File, error) {
		if err != nil {
			return nil, err
		}
		return &crashFile{File: f, fs: c, path: path}, nil
	}
}

// Link implements FS.
func (c *CrashFS) Link(oldname, newname string) error {
	return c.unless("link", newname, func() error { return c.FS.Link(oldname, newname) })
}

// Rename implements FS.
func (c *CrashFS) Rename(oldname, newname string) error {
	return c.unless("rename", newname, func() error { return c.FS.Rename(oldname, newname) })
}

// MkdirAll implements FS.
func (c *CrashFS) MkdirAll(dir string, perm os.FileMode) error {
	return c.unless("mkdir", dir, func() error { return c.FS.MkdirAll(dir, perm) })
}

// unless carries a write out unless writes fail.
func (c *CrashFS) unless(op, path string, do func() error) error {
	if err := c.failure(op, path); err != nil {
		return err
	}
	return do()
}

// crashFile is an open file of a CrashFS.
type crashFile struct {
	vfs.File
	fs   *CrashFS
	path string
}

// Write implements vfs.File.
func (f *crashFile) Write(p []byte) (int, error) {
	if err := f.fs.failure("write", f.path); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

// WriteAt implements vfs.File.
func (f *crashFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.fs.failure("write", f.path); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, off)
}

// Sync implements vfs.File.
func (f *crashFile) Sync() error { return f.fs.unless("sync", f.path, f.File.Sync) }

// SyncData implements vfs.File.
func (f *crashFile) SyncData() error { return f.fs.unless("sync", f.path, f.File.SyncData) }

// SyncTo implements vfs.File.
func (f *crashFile) SyncTo(length int64) (bool, error) {
	if err := f.fs.failure("sync", f.path); err != nil {
		return false, err
	}
	return f.File.SyncTo(length)
}
