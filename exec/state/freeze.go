package state

import (
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// latch holds the first failure of a DB; later ones are consequences.
type latch struct {
	err atomic.Pointer[error]
	// notify is called once, with the error that was latched.
	notify func(error)
}

// set latches err unless an earlier one is held.
func (l *latch) set(err error) {
	if err != nil && l.err.CompareAndSwap(nil, &err) && l.notify != nil {
		l.notify(err)
	}
}

// get returns the latched error or nil.
func (l *latch) get() error {
	if p := l.err.Load(); p != nil {
		return *p
	}
	return nil
}

// freezeFS is the file system that Pebble sees. The first write operation that fails is latched, and from
// then on nothing reaches the disk: writes, renames and removals report success and do nothing.
//
// Why success: Pebble answers a failed write of its WAL or manifest with panics, some of them while it
// gives a mutex back that it does not hold, which ends the process and cannot be recovered. Telling it
// that all is well while the directory stays as it was at the first failure gives exactly the state of a
// crash at that moment, which Pebble recovers from. The DB checks the latch before and after each
// operation, so no caller is ever told that a write succeeded which did not.
type freezeFS struct {
	vfs.FS
	failed *latch

	mu    sync.Mutex
	locks map[*trackedLock]struct{}
}

func newFreezeFS(inner vfs.FS, failed *latch) *freezeFS {
	return &freezeFS{FS: inner, failed: failed, locks: map[*trackedLock]struct{}{}}
}

func (f *freezeFS) frozen() bool { return f.failed.get() != nil }

// guard runs a write operation unless frozen, and swallows and latches its error.
func (f *freezeFS) guard(op func() error) error {
	if !f.frozen() {
		if err := op(); err != nil {
			f.failed.set(err)
		}
	}
	return nil
}

// file wraps what a creating operation returned.
func (f *freezeFS) file(file vfs.File, err error) (vfs.File, error) {
	if err != nil {
		f.failed.set(err)
		return &discardFile{}, nil
	}
	return &freezeFile{File: file, fs: f}, nil
}

func (f *freezeFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if f.frozen() {
		return &discardFile{}, nil
	}
	return f.file(f.FS.Create(name, category))
}

func (f *freezeFS) OpenReadWrite(
	name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption,
) (vfs.File, error) {
	if f.frozen() {
		return &discardFile{}, nil
	}
	return f.file(f.FS.OpenReadWrite(name, category, opts...))
}

func (f *freezeFS) ReuseForWrite(
	oldname, newname string, category vfs.DiskWriteCategory,
) (vfs.File, error) {
	if f.frozen() {
		return &discardFile{}, nil
	}
	return f.file(f.FS.ReuseForWrite(oldname, newname, category))
}

func (f *freezeFS) OpenDir(name string) (vfs.File, error) {
	file, err := f.FS.OpenDir(name)
	if err != nil {
		if f.frozen() {
			return &discardFile{}, nil
		}
		return nil, err
	}
	return &freezeFile{File: file, fs: f}, nil
}

func (f *freezeFS) Link(oldname, newname string) error {
	return f.guard(func() error { return f.FS.Link(oldname, newname) })
}

func (f *freezeFS) Rename(oldname, newname string) error {
	return f.guard(func() error { return f.FS.Rename(oldname, newname) })
}

func (f *freezeFS) MkdirAll(dir string, perm os.FileMode) error {
	return f.guard(func() error { return f.FS.MkdirAll(dir, perm) })
}

// Remove passes failures on: Pebble logs them, and a file too many does no harm.
func (f *freezeFS) Remove(name string) error {
	if f.frozen() {
		return nil
	}
	return f.FS.Remove(name)
}

func (f *freezeFS) RemoveAll(name string) error {
	if f.frozen() {
		return nil
	}
	return f.FS.RemoveAll(name)
}

// GetDiskUsage never fails in another way than "unsupported": the figure is only advice.
func (f *freezeFS) GetDiskUsage(path string) (vfs.DiskUsage, error) {
	usage, err := f.FS.GetDiskUsage(path)
	if err != nil {
		return vfs.DiskUsage{}, vfs.ErrUnsupported
	}
	return usage, nil
}

func (f *freezeFS) Unwrap() vfs.FS { return f.FS }

// Lock keeps hold of the lock, so that releaseLocks works when Pebble itself can no longer be closed.
func (f *freezeFS) Lock(name string) (io.Closer, error) {
	closer, err := f.FS.Lock(name)
	if err != nil {
		var errno syscall.Errno
		if errors.As(err, &errno) && errno != syscall.EAGAIN && errno != syscall.EACCES {
			return nil, err // the disk, not another owner
		}
		return nil, &lockError{err}
	}
	l := &trackedLock{fs: f, inner: closer}
	f.mu.Lock()
	f.locks[l] = struct{}{}
	f.mu.Unlock()
	return l, nil
}

// releaseLocks gives back every lock still held.
func (f *freezeFS) releaseLocks() {
	f.mu.Lock()
	locks := f.locks
	f.locks = map[*trackedLock]struct{}{}
	f.mu.Unlock()
	for l := range locks {
		_ = l.inner.Close()
	}
}

type lockError struct{ cause error }

func (e *lockError) Error() string   { return e.cause.Error() }
func (e *lockError) Unwrap() []error { return []error{ErrLocked, e.cause} }

type trackedLock struct {
	fs    *freezeFS
	inner io.Closer
}

func (l *trackedLock) Close() error {
	l.fs.mu.Lock()
	_, held := l.fs.locks[l]
	delete(l.fs.locks, l)
	l.fs.mu.Unlock()
	if !held {
		return nil
	}
	return l.inner.Close()
}

// freezeFile is a file being written, or a directory opened for syncing.
type freezeFile struct {
	vfs.File
	fs *freezeFS
}

func (f *freezeFile) Write(p []byte) (int, error) {
	if !f.fs.frozen() {
		if _, err := f.File.Write(p); err != nil {
			f.fs.failed.set(err)
		}
	}
	return len(p), nil
}

func (f *freezeFile) WriteAt(p []byte, off int64) (int, error) {
	if !f.fs.frozen() {
		if _, err := f.File.WriteAt(p, off); err != nil {
			f.fs.failed.set(err)
		}
	}
	return len(p), nil
}

func (f *freezeFile) Sync() error     { return f.fs.guard(f.File.Sync) }
func (f *freezeFile) SyncData() error { return f.fs.guard(f.File.SyncData) }

func (f *freezeFile) SyncTo(length int64) (bool, error) {
	full := false
	err := f.fs.guard(func() (err error) {
		full, err = f.File.SyncTo(length)
		return err
	})
	return full, err
}

// Preallocate is a hint; a disk that is full says so at the write.
func (f *freezeFile) Preallocate(off, length int64) error {
	if !f.fs.frozen() {
		_ = f.File.Preallocate(off, length)
	}
	return nil
}

// Close always closes; its error counts like a failed write.
func (f *freezeFile) Close() error {
	if err := f.File.Close(); err != nil {
		f.fs.failed.set(err)
	}
	return nil
}

// discardFile stands for a file that was to be created after the freeze.
type discardFile struct{ size atomic.Int64 }

var errDiscarded = errors.New("file was not written: the directory is frozen")

func (d *discardFile) Write(p []byte) (int, error) {
	d.size.Add(int64(len(p)))
	return len(p), nil
}
func (d *discardFile) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (d *discardFile) Read([]byte) (int, error)               { return 0, errDiscarded }
func (d *discardFile) ReadAt([]byte, int64) (int, error)      { return 0, errDiscarded }
func (d *discardFile) Close() error                           { return nil }
func (d *discardFile) Sync() error                            { return nil }
func (d *discardFile) SyncData() error                        { return nil }
func (d *discardFile) SyncTo(int64) (bool, error)             { return true, nil }
func (d *discardFile) Preallocate(int64, int64) error         { return nil }
func (d *discardFile) Prefetch(int64, int64) error            { return nil }
func (d *discardFile) Fd() uintptr                            { return vfs.InvalidFd }
func (d *discardFile) Stat() (vfs.FileInfo, error)            { return discardInfo{d.size.Load()}, nil }

type discardInfo struct{ size int64 }

func (i discardInfo) Name() string           { return "discarded" }
func (i discardInfo) Size() int64            { return i.size }
func (i discardInfo) Mode() os.FileMode      { return 0o600 }
func (i discardInfo) ModTime() time.Time     { return time.Time{} }
func (i discardInfo) IsDir() bool            { return false }
func (i discardInfo) Sys() any               { return nil }
func (i discardInfo) DeviceID() vfs.DeviceID { return vfs.DeviceID{} }

// isDiskError says whether err came from the operating system rather than from what was read.
func isDiskError(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno) || errors.Is(err, os.ErrNotExist)
}
