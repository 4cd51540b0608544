package state

import (
	"fmt"
	"runtime"
	"testing"
)

// TestAHundredIdleDatabasesAreCheap opens as many DBs as a busy server has queries.
func TestAHundredIdleDatabasesAreCheap(t *testing.T) {
	pool := NewPool(PoolOptions{})
	defer pool.Close()
	fs := NewMemFS()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	goroutines := runtime.NumGoroutine()
	var dbs []*DB
	for i := range 100 {
		db, err := Open(Options{Dir: fmt.Sprintf("q%d", i), FS: fs, Pool: pool, Stores: testSpecs()})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		dbs = append(dbs, db)
		task := newTask(t, db, 0)
		if err := faultCommit(db, task, 1); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	perDB := (int64(after.Sys) - int64(before.Sys)) / int64(len(dbs))
	var memTables uint64
	for _, db := range dbs {
		memTables += db.Metrics().MemTableBytes
	}
	t.Logf("a DB: %d KiB from the system, %d KiB memtable, %.1f goroutines",
		perDB>>10, memTables/uint64(len(dbs))>>10, float64(runtime.NumGoroutine()-goroutines)/float64(len(dbs)))
	if perDB > 2<<20 || memTables > 100<<20 {
		t.Errorf("an idle DB takes %d bytes and %d of memtables", perDB, memTables/100)
	}
}
