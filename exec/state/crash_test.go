package state

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
)

// A crash keeps what was synced; what was not it may lose, and the old file system does not show in the new one.
func TestCrashFSKeepsWhatWasSynced(t *testing.T) {
	t.Parallel()
	for _, percent := range []int{0, 50, 100} {
		r := rand.New(rand.NewPCG(uint64(percent), 1))
		old := NewCrashFS()
		db, err := Open(Options{Dir: "q", FS: old, Stores: testSpecs(), MemTableBytes: 32 << 10})
		if err != nil {
			t.Fatal(err)
		}
		task := newTask(t, db, 0)
		for n := 1; n <= 20; n++ {
			if err := faultCommit(db, task, n); err != nil {
				t.Fatal(err)
			}
			if n == 10 {
				if err := db.Sync(); err != nil {
					t.Fatal(err)
				}
			}
		}
		found := old.Crash(percent, r)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if n := verifyOneCommit(t, found, "after the crash"); n < 10 || n > 20 {
			t.Errorf("%d %%: commit %d, want 10 to 20", percent, n)
		}
	}
}

// Writes fail as told, with the error told, and succeed again afterwards.
func TestCrashFSFails(t *testing.T) {
	fs := NewCrashFS()
	if n, _, err := runCommits(fs); err != nil || n != faultCommits {
		t.Fatalf("%d commits, %v", n, err)
	}
	fs.Fail(syscall.ENOSPC)
	if _, _, err := runCommits(fs); !errors.Is(err, ErrDisk) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("on a full disk: %v", err)
	}
	// What failed to open is closed: nothing of it runs on.
	before := runtime.NumGoroutine()
	for range 20 {
		if _, err := Open(Options{Dir: "q", FS: fs, Stores: testSpecs()}); !errors.Is(err, ErrDisk) {
			t.Fatalf("opening on a full disk: %v", err)
		}
	}
	if n := runtime.NumGoroutine(); n > before+20 {
		t.Errorf("%d goroutines before, %d after 20 failed opens", before, n)
	}
	fs.Fail(nil)
	if n := verifyOneCommit(t, fs, "afterwards"); n != faultCommits {
		t.Errorf("commit %d of %d", n, faultCommits)
	}
}

// A flipped byte in the tables is found or harmless, never a wrong row.
func TestCrashFSDamageIsFound(t *testing.T) {
	t.Parallel()
	corrupt := 0
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 2))
		fs := NewCrashFS()
		if _, _, err := runCommits(fs); err != nil {
			t.Fatal(err)
		}
		path, err := fs.Damage("q", r, ".sst")
		if err != nil || path == "" {
			t.Fatalf("nothing damaged: %q, %v", path, err)
		}
		db, err := Open(Options{Dir: "q", FS: fs, Stores: testSpecs()})
		if errors.Is(err, ErrCorrupt) {
			corrupt++
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		snap, err := db.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		for key := range faultKeys {
			want, _ := faultValue(key, faultCommits)
			got, _, _, err := snap.Get(keyedID, 0, faultKey(key), nil)
			if errors.Is(err, ErrCorrupt) {
				corrupt++
				break
			}
			if err != nil || string(got) != want {
				t.Fatalf("%s: key %d: %.20q, %v", path, key, got, err)
			}
		}
		_ = snap.Close()
		_ = db.Close()
	}
	if corrupt == 0 {
		t.Error("no damage was found")
	}
}
