package state

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

const (
	keyedID StoreID = iota + 1
	windowID
	sessionID
	bufferID
	scratchID
	foreverID
)

// testSpecs declares one store of each kind and one without changelog.
func testSpecs() []StoreSpec {
	return []StoreSpec{
		{ID: keyedID, Name: "keyed", Kind: Keyed},
		{ID: windowID, Name: "windows", Kind: Windowed, Window: time.Second, Retention: 10 * time.Second},
		{ID: sessionID, Name: "sessions", Kind: Session, Window: time.Second, Retention: 10 * time.Second},
		{ID: bufferID, Name: "buffer", Kind: Buffer, Window: time.Second, Retention: 5 * time.Second},
		{ID: scratchID, Name: "scratch", Kind: Keyed, NoChangelog: true},
		{ID: foreverID, Name: "forever", Kind: Windowed, Bucket: 50 * time.Millisecond},
	}
}

func allStores() []StoreID {
	return []StoreID{keyedID, windowID, sessionID, bufferID, scratchID, foreverID}
}

func openTest(t testing.TB, fs FS) *DB {
	t.Helper()
	db, err := Open(Options{Dir: "q", FS: fs, Stores: testSpecs()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func newTask(t testing.TB, db *DB, partition int32) *Task {
	t.Helper()
	task, err := db.NewTask(partition, allStores(), TaskOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// flush visits the changes and commits.
func flush(t testing.TB, db *DB, task *Task) []string {
	t.Helper()
	var out []string
	err := task.Changes(func(c Change) error {
		out = append(out, showChange(c))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Commit(Commit{Tasks: []*Task{task}}); err != nil {
		t.Fatal(err)
	}
	return out
}

func showChange(c Change) string {
	kinds := map[StoreID]Kind{keyedID: Keyed, foreverID: Windowed, windowID: Windowed, sessionID: Session, bufferID: Buffer}
	k, _ := ParseRowKey(kinds[c.Store], c.Key)
	value := "-"
	if c.Value != nil {
		value = string(c.Value)
	}
	if c.Expired {
		value = "expired"
	}
	return fmt.Sprintf("%d %s %d/%d/%d#%d=%s@%d", c.Store, k.Key, k.Start, k.End, k.Time, k.Seq, value, c.Timestamp)
}

func drain(t testing.TB, it *Iterator) []string {
	t.Helper()
	var out []string
	for it.Next() {
		out = append(out, fmt.Sprintf("%s %d/%d/%d=%s@%d",
			it.Key(), it.Start(), it.End(), it.Time(), it.Value(), it.Timestamp()))
	}
	if err := it.Close(); err != nil {
		t.Fatal(err)
	}
	return out
}

func drainRows(t testing.TB, r *Rows, err error) []string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for r.Next() {
		out = append(out, fmt.Sprintf("%s %d/%d/%d=%s@%d",
			r.Key(), r.Start(), r.End(), r.Time(), r.Value(), r.Timestamp()))
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return out
}

func wantRows(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func TestReadsSeeOwnWritesAndSnapshotsOnlyCommittedOnes(t *testing.T) {
	db := openTest(t, NewMemFS())
	task := newTask(t, db, 3)
	s := task.Keyed(keyedID)
	s.Put([]byte("a"), []byte("1"), 10)
	s.Put([]byte("c"), []byte("3"), 30)
	wantRows(t, "own", drain(t, s.Range(nil, nil)), "a 0/0/0=1@10", "c 0/0/0=3@30")

	snap, err := db.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, ok, err := snap.Get(keyedID, 3, []byte("a"), nil); ok || err != nil {
		t.Fatalf("uncommitted row seen: %v %v", ok, err)
	}
	wantRows(t, "changes", flush(t, db, task), "1 a 0/0/0#0=1@10", "1 c 0/0/0#0=3@30")
	if _, _, ok, _ := snap.Get(keyedID, 3, []byte("a"), nil); ok {
		t.Fatal("an older snapshot sees a later commit")
	}
	if err := snap.Close(); err != nil {
		t.Fatal(err)
	}

	s.Put([]byte("b"), []byte("2"), 20)
	s.Delete([]byte("a"), 21)
	v, found, err := s.Upsert([]byte("c"), 3, 5)
	if err != nil || !found || string(v) != "3\x00\x00" {
		t.Fatalf("upsert: %q %v %v", v, found, err)
	}
	copy(v, "xyz")
	wantRows(t, "own", drain(t, s.Range(nil, []byte("d"))), "b 0/0/0=2@20", "c 0/0/0=xyz@30")
	db.Abort(task)
	wantRows(t, "aborted", drain(t, s.Range([]byte("a"), []byte("c"))), "a 0/0/0=1@10")
	if v, _, ok, err := s.Get([]byte("c")); !ok || err != nil || string(v) != "3" {
		t.Fatalf("after abort: %q %v %v", v, ok, err)
	}

	s.Delete([]byte("a"), 40)
	wantRows(t, "changes", flush(t, db, task), "1 a 0/0/0#0=-@40")
	snap, err = db.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	rows, err := snap.Range(keyedID, []int32{0, 3}, nil, nil)
	wantRows(t, "snapshot", drainRows(t, rows, err), "c 0/0/0=3@30")
}

func TestWindowsExpireByStreamTime(t *testing.T) {
	db := openTest(t, NewMemFS())
	task := newTask(t, db, 0)
	w := task.Windowed(windowID)
	k := []byte("k")
	for i := range int64(12) {
		if !w.Put(k, i*1000, fmt.Append(nil, i), i*1000+1) {
			t.Fatalf("window %d refused", i)
		}
	}
	// Stream time 11000, retention 10000: what starts at 1000 or before is gone.
	wantRows(t, "fetch", drain(t, w.Fetch(k, 0, 3000)), "k 2000/0/0=2@2001", "k 3000/0/0=3@3001")
	if w.Put(k, 1000, []byte("late"), 1) {
		t.Error("an expired window was written")
	}
	if _, _, ok, _ := w.Get(k, 1000); ok {
		t.Error("an expired window was read")
	}
	got := flush(t, db, task)
	if len(got) != 12 {
		t.Errorf("changes: %q", got)
	}
	// One bucket is 2500 ms: at 20000 all starts up to 10000 are expired, buckets below 4 are dropped.
	w.Put([]byte("z"), 20000, []byte("new"), 20000)
	got = flush(t, db, task)
	if len(got) != 11 || got[0] != "2 z 20000/0/0#0=new@20000" || got[1] != "2 k 0/0/0#0=expired@20000" ||
		got[10] != "2 k 9000/0/0#0=expired@20000" {
		t.Errorf("changes: %q", got)
	}
	wantRows(t, "all", drain(t, w.All()), "k 11000/0/0=11@11001", "z 20000/0/0=new@20000")
	snap, err := db.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	rows, err := snap.ScanTime(windowID, []int32{0}, -1<<63, 1<<63-1)
	wantRows(t, "snapshot", drainRows(t, rows, err), "k 11000/0/0=11@11001", "z 20000/0/0=new@20000")
	rows, err = snap.FetchWindows(windowID, 0, k, 0, 1<<63-1)
	wantRows(t, "fetch", drainRows(t, rows, err), "k 11000/0/0=11@11001")
	if _, _, ok, err := snap.GetWindow(windowID, 0, k, 10000, nil); ok || err != nil {
		t.Errorf("expired window: %v %v", ok, err)
	}
	if n := len(flush(t, db, task)); n != 0 {
		t.Errorf("%d changes without writes", n)
	}
}

func TestSessionsAreFoundByGap(t *testing.T) {
	db := openTest(t, NewMemFS())
	task := newTask(t, db, 0)
	s := task.Session(sessionID)
	k := []byte("k")
	s.Put(k, 0, 500, []byte("a"), 500)
	s.Put(k, 2000, 2000, []byte("b"), 2000)
	s.Put([]byte("kk"), 900, 1000, []byte("other"), 1000)
	flush(t, db, task)
	s.Put(k, 3500, 4000, []byte("c"), 4000)
	wantRows(t, "gap around 1200", drain(t, s.Find(k, 200, 2200)), "k 0/500/0=a@500", "k 2000/2000/0=b@2000")
	wantRows(t, "gap around 3000", drain(t, s.Find(k, 2000, 4000)), "k 2000/2000/0=b@2000", "k 3500/4000/0=c@4000")
	s.Delete(k, 0, 500, 1200)
	s.Delete(k, 2000, 2000, 1200)
	s.Put(k, 0, 2000, []byte("ab"), 2000)
	wantRows(t, "merged", drain(t, s.Find(k, 0, 9000)), "k 0/2000/0=ab@2000", "k 3500/4000/0=c@4000")
	wantRows(t, "changes", flush(t, db, task),
		"3 k 0/500/0#0=-@1200", "3 k 0/2000/0#0=ab@2000", "3 k 2000/2000/0#0=-@1200", "3 k 3500/4000/0#0=c@4000")
}

func TestBufferKeepsDuplicatesInOrder(t *testing.T) {
	fs := NewMemFS()
	db := openTest(t, fs)
	task := newTask(t, db, 0)
	b := task.Buffer(bufferID)
	k := []byte("k")
	for i, at := range []int64{1000, 1000, -1, 2500} {
		b.Add(k, at, fmt.Append(nil, i))
	}
	flush(t, db, task)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = openTest(t, fs)
	task = newTask(t, db, 0)
	b = task.Buffer(bufferID)
	if seq, live := b.Add(k, 1000, []byte("again")); seq != 4 || !live {
		t.Fatalf("seq %d, live %v", seq, live)
	}
	wantRows(t, "fetch", drain(t, b.Fetch(k, -1, 2000)),
		"k 0/0/-1=2@-1", "k 0/0/1000=0@1000", "k 0/0/1000=1@1000", "k 0/0/1000=again@1000")
	b.Delete(k, 1000, 0)
	wantRows(t, "fetch", drain(t, b.Fetch(k, 0, 2500)),
		"k 0/0/1000=1@1000", "k 0/0/1000=again@1000", "k 0/0/2500=3@2500")
}

func TestCommitRefusesWhatBreaksInvariants(t *testing.T) {
	db := openTest(t, NewMemFS())
	task := newTask(t, db, 0)
	task.Keyed(keyedID).Put([]byte("a"), nil, 1)
	if err := db.Commit(Commit{Tasks: []*Task{task}}); !errors.Is(err, ErrInvariant) {
		t.Errorf("unvisited changes: %v", err)
	}
	if _, err := db.NewTask(0, []StoreID{keyedID}, TaskOptions{}); !errors.Is(err, ErrInvariant) {
		t.Errorf("second task: %v", err)
	}
	ck := Checkpoint{Topic: "log", Partition: 0, TopicID: [16]byte{1}, Offset: 10}
	if err := db.Commit(Commit{Checkpoints: []Checkpoint{ck}}); err != nil {
		t.Fatal(err)
	}
	back := ck
	back.Offset = 9
	if err := db.Commit(Commit{Checkpoints: []Checkpoint{back}}); !errors.Is(err, ErrInvariant) {
		t.Errorf("checkpoint going back: %v", err)
	}
	if err := db.Wipe(0, []StoreID{keyedID}, []string{"log"}, nil); !errors.Is(err, ErrInvariant) {
		t.Errorf("wipe of a store in use: %v", err)
	}
	task.Close()
	if err := db.Wipe(0, []StoreID{keyedID}, []string{"log"}, nil); err != nil {
		t.Fatal(err)
	}
	if err := db.Commit(Commit{Checkpoints: []Checkpoint{back}}); err != nil {
		t.Errorf("checkpoint after a wipe: %v", err)
	}
}

func TestChangedVisitsWhatChangesHasNotSeen(t *testing.T) {
	db := openTest(t, NewMemFS())
	task := newTask(t, db, 0)
	s, w := task.Keyed(keyedID), task.Windowed(windowID)
	s.Put([]byte("b"), []byte("1"), 1)
	s.Delete([]byte("a"), 2)
	s.Put([]byte("b"), []byte("2"), 3)
	w.Put([]byte("k"), 0, []byte("old"), 4)
	w.Put([]byte("k"), 10_000, []byte("new"), 5) // the first one is expired now
	var got []string
	visit := func() {
		got = nil
		err := s.Changed(func(key, value []byte, ts int64, deleted bool) error {
			got = append(got, fmt.Sprintf("%s=%s@%d %v", key, value, ts, deleted))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		err = w.Changed(func(key []byte, start int64, value []byte, ts int64, deleted bool) error {
			got = append(got, fmt.Sprintf("%s/%d=%s@%d %v", key, start, value, ts, deleted))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	visit()
	wantRows(t, "changed", got, "b=2@3 false", "a=@2 true", "k/0=old@4 false", "k/10000=new@5 false")
	flush(t, db, task)
	visit()
	wantRows(t, "after the commit", got)
}
