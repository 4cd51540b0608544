package state

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func benchKeys(n int) [][]byte {
	keys := make([][]byte, n)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "\x01customer-%07d\x00\x00", i*7919%n)
	}
	return keys
}

func benchTask(b *testing.B, n int) (*DB, *Task, [][]byte) {
	b.Helper()
	db, err := Open(Options{Dir: b.TempDir(), Stores: testSpecs()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	task, err := db.NewTask(0, allStores(), TaskOptions{CacheBytes: 128 << 20})
	if err != nil {
		b.Fatal(err)
	}
	keys := benchKeys(n)
	s := task.Keyed(keyedID)
	for i, k := range keys {
		s.Put(k, binary.BigEndian.AppendUint64(nil, uint64(i)), int64(i))
	}
	commitBench(b, db, task)
	return db, task, keys
}

func commitBench(b testing.TB, db *DB, task *Task) {
	b.Helper()
	if err := commitAll(db, task); err != nil {
		b.Fatal(err)
	}
}

func commitAll(db *DB, task *Task) error {
	if err := task.Changes(func(Change) error { return nil }); err != nil {
		return err
	}
	return db.Commit(Commit{Tasks: []*Task{task}})
}

// keyStream lays keys out one after the other in random order, as a fetch buffer does; all have one length.
func keyStream(keys [][]byte) (stream []byte, width int) {
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(len(keys)) {
		stream = append(stream, keys[i]...)
	}
	return stream, len(keys[0])
}

// BenchmarkCount is a count by key over 100 k keys in random order, without commits.
func BenchmarkCount(b *testing.B) {
	_, task, keys := benchTask(b, 100_000)
	s := task.Keyed(keyedID)
	stream, width := keyStream(keys)
	key := func(i int) []byte {
		at := i % len(keys) * width
		return stream[at : at+width]
	}
	b.Run("Upsert", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			slot, _, err := s.Upsert(key(i), 8, int64(i))
			if err != nil {
				b.Fatal(err)
			}
			binary.BigEndian.PutUint64(slot, binary.BigEndian.Uint64(slot)+1)
		}
	})
	b.Run("Upserts", func(b *testing.B) {
		b.ReportAllocs()
		u := s.Upserts()
		add := func(_ int, value []byte, _ bool) error {
			binary.BigEndian.PutUint64(value, binary.BigEndian.Uint64(value)+1)
			return nil
		}
		for i := 0; b.Loop(); i++ {
			if u.Add(key(i), int64(i)); u.Full() {
				if err := u.Run(8, add); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("GetPut", func(b *testing.B) {
		b.ReportAllocs()
		var buf [8]byte
		for i := 0; b.Loop(); i++ {
			k := key(i)
			v, _, _, err := s.Get(k)
			if err != nil {
				b.Fatal(err)
			}
			binary.BigEndian.PutUint64(buf[:], binary.BigEndian.Uint64(v)+1)
			s.Put(k, buf[:], int64(i))
		}
	})
	w := task.Windowed(windowID)
	b.Run("WindowUpsert", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			slot, _, _, err := w.Upsert(key(i), 60_000, 8, int64(i))
			if err != nil {
				b.Fatal(err)
			}
			binary.BigEndian.PutUint64(slot, binary.BigEndian.Uint64(slot)+1)
		}
	})
}

// BenchmarkGather is a second of a count: ten commits of 40 k of 100 k keys each, and the batch they become.
func BenchmarkGather(b *testing.B) {
	db, task, keys := benchTask(b, 100_000)
	s := task.Keyed(keyedID)
	r := rand.New(rand.NewPCG(1, 2))
	b.ReportAllocs()
	for b.Loop() {
		for range 10 {
			b.StopTimer()
			for range 40_000 {
				slot, _, _ := s.Upsert(keys[r.IntN(len(keys))], 8, 1)
				slot[0]++
			}
			b.StartTimer()
			commitBench(b, db, task)
		}
		if err := db.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCommit is an interval that changes 100 k keys: visit of the changes, batch, write-back.
func BenchmarkCommit(b *testing.B) {
	db, task, keys := benchTask(b, 100_000)
	s := task.Keyed(keyedID)
	var changes, commit time.Duration
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		for _, k := range keys {
			slot, _, _ := s.Upsert(k, 8, int64(i))
			slot[0]++
		}
		b.StartTimer()
		t0 := time.Now()
		if err := task.Changes(func(Change) error { return nil }); err != nil {
			b.Fatal(err)
		}
		t1 := time.Now()
		if err := db.Commit(Commit{Tasks: []*Task{task}}); err != nil {
			b.Fatal(err)
		}
		changes, commit = changes+t1.Sub(t0), commit+time.Since(t1)
	}
	perKey := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / float64(b.N) / float64(len(keys)) }
	b.ReportMetric(perKey(changes), "ns/key-visit")
	b.ReportMetric(perKey(commit), "ns/key-commit")
}

// BenchmarkRestore applies changelog rows of 100 bytes with distinct keys, a checkpoint each 64 k rows.
func BenchmarkRestore(b *testing.B) {
	db, err := Open(Options{Dir: b.TempDir(), Stores: testSpecs()})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	task, err := db.NewTask(0, allStores(), TaskOptions{})
	if err != nil {
		b.Fatal(err)
	}
	value := make([]byte, 80)
	key := make([]byte, 20)
	b.ReportAllocs()
	i := uint64(0)
	for ; b.Loop(); i++ {
		binary.BigEndian.PutUint64(key, i*0x9e3779b97f4a7c15)
		if err := task.Restore(keyedID, key, value, int64(i)); err != nil {
			b.Fatal(err)
		}
		if i%65536 == 65535 {
			ck := Checkpoint{Topic: "log", Offset: int64(i)}
			if err := db.Commit(Commit{Tasks: []*Task{task}, Checkpoints: []Checkpoint{ck}}); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkSnapshotGet is a pull query by key while nothing else runs.
func BenchmarkSnapshotGet(b *testing.B) {
	db, _, keys := benchTask(b, 100_000)
	var took []time.Duration
	var dst []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		t0 := time.Now()
		snap, err := db.Snapshot()
		if err != nil {
			b.Fatal(err)
		}
		v, _, ok, err := snap.Get(keyedID, 0, keys[i*31%len(keys)], dst[:0])
		if err != nil || !ok {
			b.Fatal(ok, err)
		}
		dst = v
		_ = snap.Close()
		took = append(took, time.Since(t0))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "ns-p99")
}

// BenchmarkBufferJoin is one side of a stream-stream join: add a row, fetch the other side's.
func BenchmarkBufferJoin(b *testing.B) {
	db, task, keys := benchTask(b, 10_000)
	buf := task.Buffer(bufferID)
	value := make([]byte, 64)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		k := keys[i*31%len(keys)]
		buf.Add(k, int64(i/100), value)
		it := buf.Fetch(k, int64(i/100)-1000, int64(i/100)+1000)
		for it.Next() {
			_ = it.Value()
		}
		if err := it.Close(); err != nil {
			b.Fatal(err)
		}
		if i%20_000 == 19_999 {
			commitBench(b, db, task)
		}
	}
}

// BenchmarkSnapshotGetWhileCommitting is a pull query by key while an interval of 20 k keys is committed
// again and again.
func BenchmarkSnapshotGetWhileCommitting(b *testing.B) {
	db, task, keys := benchTask(b, 100_000)
	stop := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s := task.Keyed(keyedID)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			for i := range 20_000 {
				if _, _, err := s.Upsert(keys[(n*20_000+i)%len(keys)], 8, int64(n)); err != nil {
					b.Error(err)
					return
				}
			}
			if err := commitAll(db, task); err != nil {
				b.Error(err)
				return
			}
		}
	}()
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		t0 := time.Now()
		snap, err := db.Snapshot()
		if err != nil {
			b.Fatal(err)
		}
		if _, _, ok, err := snap.Get(keyedID, 0, keys[i*31%len(keys)], nil); err != nil || !ok {
			b.Fatal(ok, err)
		}
		if _, err := snap.Positions(0); err != nil {
			b.Fatal(err)
		}
		_ = snap.Close()
		took = append(took, time.Since(t0))
	}
	close(stop)
	<-stopped
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
}
