package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestARemovedDirectoryIsADiskFailure removes the directory of a DB that is at work on the real disk.
func TestARemovedDirectoryIsADiskFailure(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "q")
	db, err := Open(Options{Dir: dir, Stores: testSpecs(), MemTableBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	task := newTask(t, db, 0)
	if err := faultCommit(db, task, 1); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for n := 2; err == nil && n < 3000; n++ {
		err = faultCommit(db, task, n)
	}
	if !errors.Is(err, ErrDisk) {
		t.Fatalf("got %v", err)
	}
	if err := db.Err(); !errors.Is(err, ErrDisk) {
		t.Errorf("Err: %v", err)
	}
	if err := db.Sync(); !errors.Is(err, ErrDisk) {
		t.Errorf("Sync: %v", err)
	}
	if _, err := db.Snapshot(); !errors.Is(err, ErrDisk) {
		t.Errorf("Snapshot: %v", err)
	}
	if err := db.Close(); !errors.Is(err, ErrDisk) {
		t.Errorf("Close: %v", err)
	}
	db, err = Open(Options{Dir: dir, Stores: testSpecs()})
	if err != nil {
		t.Fatalf("open again: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAFileInTheWayIsADiskFailure(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Dir: filepath.Join(file, "q"), Stores: testSpecs()}); !errors.Is(err, ErrDisk) {
		t.Fatalf("got %v", err)
	}
}

// TestAPanicOfPebbleIsAnError closes Pebble underneath, so that it panics when used.
func TestAPanicOfPebbleIsAnError(t *testing.T) {
	fs := NewMemFS()
	db := openTest(t, fs)
	task := newTask(t, db, 0)
	if err := db.pdb.Close(); err != nil {
		t.Fatal(err)
	}
	task.Keyed(scratchID).Put([]byte("k"), nil, 1)
	err := db.Commit(Commit{Tasks: []*Task{task}})
	if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "panic") {
		t.Fatalf("got %v", err)
	}
	if err := db.Close(); !errors.Is(err, ErrCorrupt) {
		t.Errorf("close: %v", err)
	}
	if db, err = Open(Options{Dir: "q", FS: fs, Stores: testSpecs()}); err != nil {
		t.Fatalf("open again: %v", err)
	}
	_ = db.Close()
}

// TestReadersSeeWholeCommitsWhileTheWriterWorks reads positions and rows in several goroutines.
func TestReadersSeeWholeCommitsWhileTheWriterWorks(t *testing.T) {
	db, err := Open(Options{Dir: "q", FS: NewMemFS(), Stores: testSpecs(), MemTableBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	task := newTask(t, db, 0)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := checkSnapshot(db); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			if err := db.Sync(); err != nil {
				t.Error(err)
			}
			_ = db.Metrics()
		}
	})
	for n := 1; n <= 200; n++ {
		if err := faultCommit(db, task, n); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	wg.Wait()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func checkSnapshot(db *DB) error {
	snap, err := db.Snapshot()
	if err != nil {
		return err
	}
	defer snap.Close()
	pos, err := snap.Positions(0)
	if err != nil {
		return err
	}
	n := 0
	if len(pos) > 0 {
		n = int(pos[0].Offset)
	}
	for key := range faultKeys {
		want, wantOK := faultValue(key, n)
		got, _, ok, err := snap.Get(keyedID, 0, faultKey(key), nil)
		if err != nil || ok != wantOK || string(got) != want {
			return fmt.Errorf("key %d at commit %d: %.20q %v %w", key, n, got, ok, err)
		}
	}
	return nil
}

func TestAnIteratorEndsWhenItsStoreChanges(t *testing.T) {
	db := openTest(t, NewMemFS())
	task := newTask(t, db, 0)
	s := task.Keyed(keyedID)
	for i := range 5 {
		s.Put(faultKey(i), []byte("v"), 1)
	}
	it := s.Range(nil, nil)
	it.Next()
	s.Put(faultKey(1), []byte("w"), 2) // changed already in this interval: the iterator goes on
	if !it.Next() || string(it.Value()) != "w" {
		t.Errorf("got %q", it.Value())
	}
	s.Put(faultKey(9), []byte("new"), 3)
	if it.Next() {
		t.Error("the iterator went on")
	}
	if err := it.Close(); !errors.Is(err, ErrInvariant) {
		t.Errorf("got %v", err)
	}
}

func TestHotReadsAndWritesAllocateNothing(t *testing.T) {
	db := openTest(t, NewMemFS())
	task := newTask(t, db, 0)
	s, w := task.Keyed(keyedID), task.Windowed(windowID)
	keys := make([][]byte, 500)
	for i := range keys {
		keys[i] = faultKey(i)
		s.Put(keys[i], make([]byte, 8), 1)
		w.Put(keys[i], 0, make([]byte, 8), 1)
	}
	commitBench(t, db, task)
	value := make([]byte, 8)
	interval := func() {
		for _, k := range keys {
			if _, _, err := s.Upsert(k, 8, 2); err != nil {
				t.Fatal(err)
			}
			if _, _, _, err := w.Upsert(k, 0, 8, 2); err != nil {
				t.Fatal(err)
			}
			s.Put(k, value, 3)
		}
	}
	interval()
	if n := testing.AllocsPerRun(20, interval); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if task.Size() == 0 || !task.IsDirty() {
		t.Error("nothing to commit")
	}
	commitBench(t, db, task)
	if task.Size() != 0 || task.IsDirty() {
		t.Error("something to commit after a commit")
	}
}
