package state

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestFlippedBytesAreCorruption(t *testing.T) {
	for _, ext := range []string{".sst", "MANIFEST", ".log"} {
		t.Run(ext, func(t *testing.T) {
			mem := vfs.NewMem()
			if _, _, err := runCommits(mem); err != nil {
				t.Fatal(err)
			}
			flipped := flip(t, mem, ext)
			db, err := Open(Options{Dir: "q", FS: mem, Stores: testSpecs()})
			if err == nil {
				err = readAll(db)
				_ = db.Close()
			}
			if !flipped {
				t.Fatalf("no file %s", ext)
			}
			// A log or manifest may be cut off at the damage: an earlier commit. Never anything else.
			if err == nil && ext != ".sst" {
				verifyOneCommit(t, mem, "flipped "+ext)
				return
			}
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("got %v", err)
			}
			to, err := Quarantine(mem, "q", "1")
			if err != nil || to != "q.corrupt-1" {
				t.Fatalf("%q, %v", to, err)
			}
			if n := verifyOneCommit(t, mem, "fresh"); n != 0 {
				t.Fatalf("commit %d in a fresh directory", n)
			}
		})
	}
}

// flip changes bytes in the middle of the files whose names contain ext.
func flip(t *testing.T, mem *vfs.MemFS, ext string) bool {
	t.Helper()
	names, err := mem.List("q")
	if err != nil {
		t.Fatal(err)
	}
	done := false
	for _, name := range names {
		if !strings.Contains(name, ext) || strings.Contains(name, "marker") {
			continue
		}
		data, err := mem.UnsafeGetFileDataBuffer("q/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for i := len(data) / 3; i < len(data)/2; i++ {
			data[i] ^= 0x5a
			done = true
		}
	}
	return done
}

func readAll(db *DB) error {
	snap, err := db.Snapshot()
	if err != nil {
		return err
	}
	defer snap.Close()
	rows, err := snap.Range(keyedID, []int32{0}, nil, nil)
	if err != nil {
		return err
	}
	for rows.Next() {
	}
	return rows.Close()
}

func TestOpenRefusesWhatDoesNotFit(t *testing.T) {
	mem := vfs.NewMem()
	open := func(change func(*Options)) error {
		o := Options{Dir: "q", FS: mem, Stores: testSpecs(), Fingerprint: []byte("plan 1")}
		change(&o)
		db, err := Open(o)
		if err == nil {
			err = db.Close()
		}
		return err
	}
	if err := open(func(*Options) {}); err != nil {
		t.Fatal(err)
	}
	db, err := Open(Options{Dir: "q", FS: mem, Stores: testSpecs()})
	if err != nil {
		t.Fatal(err)
	}
	if err := open(func(*Options) {}); !errors.Is(err, ErrLocked) {
		t.Errorf("second open: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(func(o *Options) { o.Fingerprint = []byte("plan 2") }); !errors.Is(err, ErrLayout) {
		t.Errorf("other plan: %v", err)
	}
	if err := open(func(o *Options) { o.Stores[0].Kind = Buffer }); !errors.Is(err, ErrLayout) {
		t.Errorf("other kind: %v", err)
	}
	if err := open(func(o *Options) { o.Stores[0].ID = 0 }); !errors.Is(err, ErrInvariant) {
		t.Errorf("store 0: %v", err)
	}
	if err := open(func(o *Options) { o.Stores[1].Retention *= 100 }); err != nil {
		t.Errorf("other retention: %v", err)
	}
	// A format from the future.
	quiet := &pebbleLog{logger: slog.New(slog.DiscardHandler), failed: &latch{}}
	pdb, err := pebble.Open("q", &pebble.Options{FS: mem, Logger: quiet, FormatMajorVersion: pebble.FormatNewest})
	if err != nil {
		t.Fatal(err)
	}
	future := sealMeta(nil, func(b []byte) []byte { return append(b, formatVersion+1) })
	if err := pdb.Set(metaKey(nil, globalPartition, tagFormat, ""), future, pebble.Sync); err != nil {
		t.Fatal(err)
	}
	if err := pdb.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(func(*Options) {}); !errors.Is(err, ErrVersion) {
		t.Errorf("newer format: %v", err)
	}
	if err := Destroy(mem, "q"); err != nil {
		t.Fatal(err)
	}
	if err := open(func(o *Options) { o.Fingerprint = []byte("plan 2") }); err != nil {
		t.Errorf("after destroy: %v", err)
	}
}

func TestCloseEndsSnapshotsInUse(t *testing.T) {
	mem := vfs.NewMem()
	if _, _, err := runCommits(mem); err != nil {
		t.Fatal(err)
	}
	db, err := Open(Options{Dir: "q", FS: mem, Stores: testSpecs()})
	if err != nil {
		t.Fatal(err)
	}
	snap, err := db.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := snap.Range(keyedID, []int32{0}, nil, nil)
	if err != nil || !rows.Next() {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if len(rows.Value()) == 0 {
		t.Error("the row at hand is gone")
	}
	if rows.Next() || !errors.Is(rows.Close(), ErrClosed) {
		t.Errorf("rows after close: %v", rows.Err())
	}
	if _, _, _, err := snap.Get(keyedID, 0, faultKey(1), nil); !errors.Is(err, ErrClosed) {
		t.Errorf("get after close: %v", err)
	}
	if _, err := db.Snapshot(); !errors.Is(err, ErrClosed) {
		t.Errorf("snapshot after close: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
	if err := db.Commit(Commit{}); !errors.Is(err, ErrClosed) {
		t.Errorf("commit after close: %v", err)
	}
	if err := db.Sync(); err != nil && !errors.Is(err, ErrClosed) {
		t.Errorf("sync after close: %v", err)
	}
}
