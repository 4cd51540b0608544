package state

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

var faultPoints = flag.Int("fault.points", 60, "points at which each fault test crashes or fails")

const (
	faultKeys    = 40
	faultCommits = 60
)

// faultValue is the row of a key as of commit n: it names the last commit that wrote it.
func faultValue(key, n int) (string, bool) {
	for ; n > 0; n-- {
		if (n*7+key)%5 == 0 {
			return fmt.Sprintf("commit %d%s", n, strings.Repeat(".", 300)), true
		}
	}
	return "", false
}

func faultKey(i int) []byte { return fmt.Appendf(nil, "key-%03d\x00\x01", i) }

// faultCommit writes commit n: some rows, a window that makes old ones expire, checkpoint and position.
func faultCommit(db *DB, task *Task, n int) error {
	for key := range faultKeys {
		if (n*7+key)%5 == 0 {
			v, _ := faultValue(key, n)
			task.Keyed(keyedID).Put(faultKey(key), []byte(v), int64(n))
		}
	}
	task.Windowed(windowID).Put(faultKey(0), int64(n)*1000, fmt.Append(nil, n), int64(n))
	if err := task.Changes(func(Change) error { return nil }); err != nil {
		return err
	}
	return db.Commit(Commit{
		Tasks:       []*Task{task},
		Checkpoints: []Checkpoint{{Topic: "log", Offset: int64(n)}},
		Positions:   []Position{{Topic: "in", Offset: int64(n)}},
		StreamTimes: []StreamTime{{Name: "op", Time: int64(n)}},
		Meta:        []Meta{{Name: "note", Value: fmt.Append(nil, n)}},
	})
}

// verifyOneCommit opens what is in the file system and checks that all of it is of one commit, which it
// returns.
func verifyOneCommit(t *testing.T, fsys FS, what string) int {
	t.Helper()
	db, err := Open(Options{Dir: "q", FS: fsys, Stores: testSpecs()})
	if err != nil {
		t.Fatalf("%s: open: %v", what, err)
	}
	defer db.Close()
	pos, err := db.Positions(0)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	n := 0
	if len(pos) == 1 {
		n = int(pos[0].Offset)
	}
	if ck := db.Checkpoints(0); n > 0 && (len(ck) != 1 || ck[0].Offset != int64(n)) {
		t.Fatalf("%s: checkpoints %v with position %d", what, ck, n)
	}
	if st, err := db.StreamTimes(0); err != nil || n > 0 && (len(st) != 1 || st[0].Time != int64(n)) {
		t.Fatalf("%s: stream times %v, %v with position %d", what, st, err, n)
	}
	if note, _, err := db.Meta(0, "note"); err != nil || n > 0 && string(note) != fmt.Sprint(n) {
		t.Fatalf("%s: meta %q, %v with position %d", what, note, err, n)
	}
	snap, err := db.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	for key := range faultKeys {
		want, wantOK := faultValue(key, n)
		got, _, ok, err := snap.Get(keyedID, 0, faultKey(key), nil)
		if err != nil || ok != wantOK || string(got) != want {
			t.Fatalf("%s: key %d at commit %d: %.20q %v %v, want %.20q", what, key, n, got, ok, err, want)
		}
	}
	rows, err := snap.ScanTime(windowID, []int32{0}, math.MinInt64, math.MaxInt64)
	windows := drainRows(t, rows, err)
	if len(windows) != min(n, 10) {
		t.Fatalf("%s: %d windows at commit %d: %v", what, len(windows), n, windows)
	}
	return n
}

// runCommits writes the commits and returns how many succeeded, how many of these were synced, and the first
// error; it never leaves the DB open.
func runCommits(fsys FS) (committed, synced int, err error) {
	db, err := Open(Options{Dir: "q", FS: fsys, Stores: testSpecs(), MemTableBytes: 32 << 10})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	task, err := db.NewTask(0, allStores(), TaskOptions{CacheBytes: 1})
	if err != nil {
		return 0, 0, err
	}
	for n := 1; n <= faultCommits; n++ {
		if err := faultCommit(db, task, n); err != nil {
			return committed, synced, err
		}
		committed = n
		if n%10 == 0 {
			if err := db.Sync(); err != nil {
				return committed, synced, err
			}
			synced = n
		}
	}
	return committed, synced, nil
}

// writeOps counts the write operations of an undisturbed run.
func writeOps(t *testing.T) int64 {
	var ops atomic.Int64
	count := errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			ops.Add(1)
		}
		return nil
	})
	n, _, err := runCommits(errorfs.Wrap(vfs.NewMem(), count))
	if err != nil || n != faultCommits {
		t.Fatalf("undisturbed: %d commits, %v", n, err)
	}
	return ops.Load()
}

func TestAfterACrashAtAnyPointTheStateIsOfOneCommit(t *testing.T) {
	total := writeOps(t)
	r := rand.New(rand.NewPCG(11, 12))
	for range *faultPoints {
		at := r.Int64N(total)
		percent := []int{0, 50, 100}[r.IntN(3)]
		mem := vfs.NewCrashableMem()
		var ops, synced atomic.Int64
		var opened atomic.Bool
		var clone *vfs.MemFS
		var syncedAt int64
		var wasOpen bool
		var mu sync.Mutex
		crash := errorfs.InjectorFunc(func(op errorfs.Op) error {
			if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && ops.Add(1) == at+1 {
				mu.Lock()
				defer mu.Unlock()
				syncedAt, wasOpen = synced.Load(), opened.Load()
				clone = mem.CrashClone(vfs.CrashCloneCfg{
					UnsyncedDataPercent: percent, RNG: rand.New(rand.NewPCG(uint64(at), 1)),
				})
			}
			return nil
		})
		fsys := errorfs.Wrap(mem, crash)
		db, err := Open(Options{Dir: "q", FS: fsys, Stores: testSpecs(), MemTableBytes: 32 << 10})
		if err != nil {
			t.Fatal(err)
		}
		opened.Store(true)
		task := newTask(t, db, 0)
		for n := 1; n <= faultCommits; n++ {
			if err := faultCommit(db, task, n); err != nil {
				t.Fatal(err)
			}
			if n%10 == 0 {
				if err := db.Sync(); err != nil {
					t.Fatal(err)
				}
				synced.Store(int64(n))
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		if clone == nil {
			mu.Unlock()
			continue
		}
		what := fmt.Sprintf("crash at operation %d, %d %% of what was not synced", at, percent)
		if !wasOpen && percent < 100 {
			// A power loss while the directory is being created may leave one that does not open, and says so.
			db, err := Open(Options{Dir: "q", FS: clone, Stores: testSpecs()})
			if err == nil {
				err = db.Close()
			}
			if err != nil && !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%s: %v", what, err)
			}
			if err != nil {
				mu.Unlock()
				continue
			}
		}
		if n := verifyOneCommit(t, clone, what); n < int(syncedAt) {
			t.Fatalf("%s: commit %d, but %d was synced", what, n, syncedAt)
		}
		mu.Unlock()
	}
}

func TestWriteErrorsEndInATypedErrorAndAConsistentState(t *testing.T) {
	total := writeOps(t)
	r := rand.New(rand.NewPCG(13, 14))
	for i := range *faultPoints {
		at := r.Int64N(total)
		errno := []error{syscall.ENOSPC, syscall.EIO, syscall.EROFS}[i%3]
		lasting := i%2 == 0
		mem := vfs.NewMem()
		var ops atomic.Int64
		fail := errorfs.InjectorFunc(func(op errorfs.Op) error {
			if op.Kind.ReadOrWrite() != errorfs.OpIsWrite || op.Kind == errorfs.OpRemove {
				return nil
			}
			if n := ops.Add(1); n == at+1 || lasting && n > at {
				return &fs.PathError{Op: "write", Path: op.Path, Err: errno}
			}
			return nil
		})
		what := fmt.Sprintf("%v at operation %d, lasting %v", errno, at, lasting)
		committed, _, err := runCommits(errorfs.Wrap(mem, fail))
		if err == nil {
			if ops.Load() > at {
				t.Fatalf("%s: nobody was told", what)
			}
			continue
		}
		if !errors.Is(err, ErrDisk) || !errors.Is(err, errno) {
			t.Fatalf("%s: %v", what, err)
		}
		if n := verifyOneCommit(t, mem, what); n > committed+1 {
			t.Fatalf("%s: commit %d on disk, %d succeeded", what, n, committed)
		}
	}
}

func TestReadErrorsAreTyped(t *testing.T) {
	mem := vfs.NewMem()
	if _, _, err := runCommits(mem); err != nil {
		t.Fatal(err)
	}
	var on atomic.Bool
	fail := errorfs.InjectorFunc(func(op errorfs.Op) error {
		if on.Load() && op.Kind == errorfs.OpFileReadAt {
			return &fs.PathError{Op: "read", Path: op.Path, Err: syscall.EIO}
		}
		return nil
	})
	pool := NewPool(PoolOptions{CacheBytes: 1})
	defer pool.Close()
	db, err := Open(Options{Dir: "q", FS: errorfs.Wrap(mem, fail), Pool: pool, Stores: testSpecs()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	snap, err := db.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	task := newTask(t, db, 0)
	on.Store(true)
	if _, _, _, err := snap.Get(keyedID, 0, faultKey(1), nil); !errors.Is(err, ErrDisk) {
		t.Fatalf("get: %v", err)
	}
	rows, err := snap.Range(keyedID, []int32{0}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
	}
	if err := rows.Close(); !errors.Is(err, ErrDisk) {
		t.Fatalf("range: %v", err)
	}
	if _, _, _, err := task.Keyed(keyedID).Get(faultKey(2)); !errors.Is(err, ErrDisk) {
		t.Fatalf("task: %v", err)
	}
}
