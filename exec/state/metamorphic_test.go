package state

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var metamorphicSteps = flag.Int("metamorphic.steps", 4000, "operations of each metamorphic run")

// machine runs random operations on a DB and on the model.
type machine struct {
	t          *testing.T
	r          *rand.Rand
	fs         FS
	cacheBytes int64
	memTable   int
	gather     int
	// scratch: rows without changelog are written too, with which every commit goes to Pebble at once.
	scratch   bool
	db        *DB
	tasks     []*Task
	parts     []*partitionModel
	snap      *Snapshot
	snapModel []*partitionModel
	now       int64
}

func (m *machine) open() {
	var err error
	m.db, err = Open(Options{Dir: "q", FS: m.fs, Stores: testSpecs(), MemTableBytes: m.memTable, GatherBytes: m.gather})
	if err != nil {
		m.t.Fatal(err)
	}
	m.tasks = nil
	for p := range m.parts {
		task, err := m.db.NewTask(int32(p), allStores(), TaskOptions{CacheBytes: m.cacheBytes})
		if err != nil {
			m.t.Fatal(err)
		}
		m.tasks = append(m.tasks, task)
	}
}

func (m *machine) key() []byte {
	return fmt.Appendf(nil, "%c%d\x00\x01", 'a'+m.r.IntN(3), m.r.IntN(12))
}

func (m *machine) value() []byte { return bytes.Repeat([]byte{'v'}, m.r.IntN(40)) }

// time mostly grows, with late ones.
func (m *machine) time() int64 {
	m.now += int64(m.r.IntN(60))
	return m.now - int64(m.r.IntN(4000))
}

func (m *machine) check(what string, got, want []string) {
	m.t.Helper()
	if !slices.Equal(got, want) {
		m.t.Fatalf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func (m *machine) write() {
	p := m.r.IntN(len(m.parts))
	task, part := m.tasks[p], m.parts[p]
	k, v, at := m.key(), m.value(), m.time()
	switch m.r.IntN(12) {
	case 11:
		m.upserts(task, part)
	case 10:
		st := part.stores[foreverID]
		st.streamTime = max(st.streamTime, at)
		if !task.Windowed(foreverID).Put(k, at, v, at) {
			m.t.Fatal("a row of a store without retention is expired")
		}
		st.rows[string(appendWindowKey(nil, st.spec.bucketWidth(), k, at))] = modelRow{string(v), at}
	case 0, 1:
		id := keyedID
		if m.scratch && m.r.IntN(2) == 0 {
			id = scratchID
		}
		task.Keyed(id).Put(k, v, at)
		part.stores[id].rows[string(k)] = modelRow{string(v), at}
	case 2:
		task.Keyed(keyedID).Delete(k, at)
		delete(part.stores[keyedID].rows, string(k))
	case 3:
		m.upsert(task, part.stores[keyedID], k, at)
	case 4, 5:
		st := part.stores[windowID]
		start := at / 1000 * 1000
		st.streamTime = max(st.streamTime, start)
		live := task.Windowed(windowID).Put(k, start, v, at)
		if live != (start >= st.minLive()) {
			m.t.Fatalf("window %d is live: %v", start, live)
		}
		if live {
			st.rows[string(appendWindowKey(nil, st.spec.bucketWidth(), k, start))] = modelRow{string(v), at}
		}
	case 6, 7:
		m.session(task, part.stores[sessionID], k, v, at)
	case 8:
		st := part.stores[bufferID]
		st.streamTime = max(st.streamTime, at)
		seq, live := task.Buffer(bufferID).Add(k, at, v)
		if live != (at >= st.minLive()) || live && seq != st.nextSeq {
			m.t.Fatalf("buffer row at %d: seq %d, live %v, want seq %d", at, seq, live, st.nextSeq)
		}
		if live {
			st.rows[string(appendBufferKey(nil, st.spec.bucketWidth(), k, at, seq))] = modelRow{string(v), at}
			st.nextSeq++
		}
	case 9:
		st := part.stores[windowID]
		start := m.now / 1000 * 1000
		task.Windowed(windowID).Delete(k, start, at)
		delete(st.rows, string(appendWindowKey(nil, st.spec.bucketWidth(), k, start)))
	}
}

func (m *machine) upsert(task *Task, st *modelStore, k []byte, at int64) {
	n := m.r.IntN(50)
	old, had := st.rows[string(k)]
	slot, found, err := task.Keyed(keyedID).Upsert(k, n, at)
	if err != nil || found != had || len(slot) != n {
		m.t.Fatalf("upsert %q: %v %v %d", k, found, err, len(slot))
	}
	want := make([]byte, n)
	copy(want, old.value)
	if !bytes.Equal(slot, want) {
		m.t.Fatalf("upsert %q: %q, want %q", k, slot, want)
	}
	if n > 0 {
		slot[0]++
		want[0]++
	}
	if had {
		at = max(at, old.ts)
	}
	st.rows[string(k)] = modelRow{string(want), at}
}

// session does what a session aggregation does: find, delete, put the merged one.
func (m *machine) session(task *Task, st *modelStore, k, v []byte, at int64) {
	const gap = 700
	s := task.Session(sessionID)
	width := st.spec.bucketWidth()
	start, end := at, at
	type span struct{ start, end int64 }
	var found []span
	it := s.Find(k, at-gap, at+gap)
	for it.Next() {
		found = append(found, span{it.Start(), it.End()})
	}
	if err := it.Close(); err != nil {
		m.t.Fatal(err)
	}
	var want []span
	for _, key := range slices.Sorted(maps.Keys(st.rows)) {
		rk, _ := ParseRowKey(Session, []byte(key))
		if bytes.Equal(rk.Key, k) && rk.End >= max(at-gap, st.minLive()) && rk.Start <= at+gap {
			want = append(want, span{rk.Start, rk.End})
		}
	}
	if !slices.Equal(found, want) {
		m.t.Fatalf("sessions of %q around %d: %v, want %v", k, at, found, want)
	}
	for _, f := range found {
		start, end = min(start, f.start), max(end, f.end)
		s.Delete(k, f.start, f.end, at)
		delete(st.rows, string(appendSessionKey(nil, width, k, f.start, f.end)))
	}
	st.streamTime = max(st.streamTime, end)
	live := s.Put(k, start, end, v, at)
	if live != (end >= st.minLive()) {
		m.t.Fatalf("session to %d is live: %v", end, live)
	}
	if live {
		st.rows[string(appendSessionKey(nil, width, k, start, end))] = modelRow{string(v), at}
	}
}

func (m *machine) read() {
	p := m.r.IntN(len(m.parts))
	task, part := m.tasks[p], m.parts[p]
	k := m.key()
	from, to := m.now-int64(m.r.IntN(12000)), m.now-int64(m.r.IntN(3000))
	inRange := func(t int64) bool { return t >= from && t <= to }
	switch m.r.IntN(7) {
	case 6:
		if m.r.IntN(2) == 0 {
			from, to = math.MinInt64, math.MaxInt64
		}
		m.check("forever", drain(m.t, task.Windowed(foreverID).Fetch(k, from, to)),
			part.stores[foreverID].show(func(r RowKey) bool { return bytes.Equal(r.Key, k) && inRange(r.Start) }))
	case 0:
		v, ts, ok, err := task.Keyed(keyedID).Get(k)
		want, had := part.stores[keyedID].rows[string(k)]
		if err != nil || ok != had || string(v) != want.value || ts != want.ts {
			m.t.Fatalf("get %q: %q %d %v %v, want %v", k, v, ts, ok, err, want)
		}
	case 1:
		end := m.key()
		m.check("range", drain(m.t, task.Keyed(keyedID).Range(k, end)), part.stores[keyedID].show(func(r RowKey) bool {
			return bytes.Compare(r.Key, k) >= 0 && bytes.Compare(r.Key, end) < 0
		}))
	case 2:
		m.check("fetch", drain(m.t, task.Windowed(windowID).Fetch(k, from, to)),
			part.stores[windowID].show(func(r RowKey) bool { return bytes.Equal(r.Key, k) && inRange(r.Start) }))
	case 3:
		m.check("scan", drain(m.t, task.Windowed(windowID).Scan(from, to)),
			part.stores[windowID].show(func(r RowKey) bool { return inRange(r.Start) }))
	case 4:
		m.check("buffer", drain(m.t, task.Buffer(bufferID).Fetch(k, from, to)),
			part.stores[bufferID].show(func(r RowKey) bool { return bytes.Equal(r.Key, k) && inRange(r.Time) }))
	case 5:
		start := m.now / 1000 * 1000
		v, _, ok, err := task.Windowed(windowID).Get(k, start)
		st := part.stores[windowID]
		want, had := st.rows[string(appendWindowKey(nil, st.spec.bucketWidth(), k, start))]
		if err != nil || ok != had || string(v) != want.value {
			m.t.Fatalf("window of %q at %d: %q %v %v, want %v", k, start, v, ok, err, want)
		}
	}
}

// upserts counts up in a group of rows, some of them the same.
func (m *machine) upserts(task *Task, part *partitionModel) {
	keyed, windows := task.Keyed(keyedID).Upserts(), task.Windowed(windowID).Upserts()
	var keyedRows, windowRows []string
	st := part.stores[windowID]
	for range 1 + m.r.IntN(UpsertGroup) {
		k, at := m.key(), m.time()
		keyed.Add(k, at)
		keyedRows = append(keyedRows, string(k))
		start := at / 1000 * 1000
		st.streamTime = max(st.streamTime, start)
		if live := windows.AddWindow(k, start, at); live != (start >= st.minLive()) {
			m.t.Fatalf("window %d is live: %v", start, live)
		} else if live {
			windowRows = append(windowRows, string(appendWindowKey(nil, st.spec.bucketWidth(), k, start)))
		}
	}
	m.countUp(keyed, part.stores[keyedID], keyedRows)
	m.countUp(windows, st, windowRows)
}

// countUp runs a group of upserts against the rows that it is about.
func (m *machine) countUp(u *Upserts, st *modelStore, keys []string) {
	next := 0
	err := u.Run(9, func(i int, value []byte, found bool) error {
		old, had := st.rows[keys[i]]
		want := make([]byte, 9)
		copy(want, old.value)
		if i != next || found != had || !bytes.Equal(value, want) {
			m.t.Fatalf("row %d (%d is next), found %v: %q, want %q", i, next, found, value, want)
		}
		next++
		value[8]++
		want[8]++
		at := u.times[i]
		if had {
			at = max(at, old.ts)
		}
		st.rows[keys[i]] = modelRow{string(want), at}
		return nil
	})
	if err != nil || next != len(keys) || u.Len() != 0 {
		m.t.Fatalf("%d of %d rows, %d left: %v", next, len(keys), u.Len(), err)
	}
}

// commit flushes and commits some or all tasks.
func (m *machine) commit() {
	var c Commit
	for p, task := range m.tasks {
		if m.r.IntN(4) == 0 {
			continue
		}
		part := m.parts[p]
		last := []byte(nil)
		var store StoreID
		err := task.Changes(func(ch Change) error {
			if ch.Store == store && !ch.Expired && bytes.Compare(last, ch.Key) >= 0 {
				m.t.Fatalf("changes out of order: %x after %x", ch.Key, last)
			}
			store, last = ch.Store, bytes.Clone(ch.Key)
			if ch.Expired {
				last = nil
			}
			if ch.Value == nil {
				delete(part.changelog[ch.Store], string(ch.Key))
			} else {
				part.changelog[ch.Store][string(ch.Key)] = modelRow{string(ch.Value), ch.Timestamp}
			}
			return nil
		})
		if err != nil {
			m.t.Fatal(err)
		}
		part.position++
		c.Tasks = append(c.Tasks, task)
		c.Positions = append(c.Positions, Position{Topic: "in", Partition: int32(p), Offset: part.position})
		part.save()
	}
	if err := m.db.Commit(c); err != nil {
		m.t.Fatal(err)
	}
}

// restore wipes one partition and rebuilds it from its changelog.
func (m *machine) restore() {
	p := m.r.IntN(len(m.parts))
	part := m.parts[p]
	m.db.Abort(m.tasks[p])
	m.tasks[p].Close()
	logged := []StoreID{keyedID, windowID, sessionID, bufferID, foreverID}
	if err := m.db.Wipe(int32(p), append(logged, scratchID), []string{"log"}, nil); err != nil {
		m.t.Fatal(err)
	}
	task, err := m.db.NewTask(int32(p), allStores(), TaskOptions{CacheBytes: m.cacheBytes})
	if err != nil {
		m.t.Fatal(err)
	}
	m.tasks[p] = task
	part.abort()
	for _, id := range logged {
		st := part.stores[id]
		logged := &modelStore{spec: st.spec, rows: part.changelog[id], streamTime: st.streamTime}
		everything := func(RowKey) bool { return true }
		m.check("changelog", logged.show(everything), st.show(everything))
		st.rows, st.streamTime, st.nextSeq = map[string]modelRow{}, math.MinInt64, 0
		for k, r := range part.changelog[id] {
			st.rows[k] = r
			if id != keyedID {
				st.streamTime = max(st.streamTime, rowTime(st.spec.Kind, []byte(k)))
			}
			if id == bufferID {
				rk, _ := ParseRowKey(Buffer, []byte(k))
				st.nextSeq = max(st.nextSeq, rk.Seq+1)
			}
			if err := task.Restore(id, []byte(k), []byte(r.value), r.ts); err != nil {
				m.t.Fatal(err)
			}
		}
		if err := task.Restore(id, appendWindowKey(nil, 1, m.key(), 0), nil, 0); err != nil && id != bufferID && id != sessionID {
			m.t.Fatal(err)
		}
	}
	part.stores[scratchID].rows = map[string]modelRow{}
	part.save()
	if err := m.db.Commit(Commit{Tasks: []*Task{task}}); err != nil {
		m.t.Fatal(err)
	}
}

// compareAll compares everything there is with the model.
func (m *machine) compareAll(all func(StoreID, int) []string, parts []*partitionModel) {
	for p, part := range parts {
		for _, id := range allStores() {
			m.check(fmt.Sprintf("store %d partition %d", id, p), all(id, p),
				part.stores[id].show(func(RowKey) bool { return true }))
		}
	}
}

func (m *machine) fromTask(id StoreID, p int) []string {
	switch id {
	case windowID, foreverID:
		return drain(m.t, m.tasks[p].Windowed(id).All())
	case sessionID:
		return drain(m.t, m.tasks[p].Session(id).All())
	case bufferID:
		return drain(m.t, m.tasks[p].Buffer(id).All())
	}
	return drain(m.t, m.tasks[p].Keyed(id).Range(nil, nil))
}

func (m *machine) fromSnapshot(id StoreID, p int) []string {
	parts := []int32{int32(p)}
	if id == keyedID || id == scratchID {
		rows, err := m.snap.Range(id, parts, nil, nil)
		return drainRows(m.t, rows, err)
	}
	rows, err := m.snap.ScanTime(id, parts, math.MinInt64, math.MaxInt64)
	return drainRows(m.t, rows, err)
}

// snapshot compares the open snapshot with the model as of its making, and takes a new one.
func (m *machine) snapshot() {
	m.closeSnapshot()
	var err error
	if m.snap, err = m.db.Snapshot(); err != nil {
		m.t.Fatal(err)
	}
	m.snapModel = nil
	for _, part := range m.parts {
		c := &partitionModel{stores: map[StoreID]*modelStore{}, position: part.position}
		for id, s := range part.saved {
			c.stores[id] = s.clone()
		}
		m.snapModel = append(m.snapModel, c)
	}
}

func (m *machine) closeSnapshot() {
	if m.snap == nil {
		return
	}
	m.compareAll(m.fromSnapshot, m.snapModel)
	for p, part := range m.snapModel {
		pos, err := m.snap.Positions(int32(p))
		if err != nil || part.position > 0 && (len(pos) != 1 || pos[0].Offset != part.position) {
			m.t.Fatalf("positions %v %v, want %d", pos, err, part.position)
		}
	}
	if err := m.snap.Close(); err != nil {
		m.t.Fatal(err)
	}
	m.snap = nil
}

func TestRandomOperationsAgreeWithTheModel(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 77))
			m := &machine{
				t: t, r: r, fs: NewMemFS(), now: 10_000,
				cacheBytes: []int64{1, 4 << 10, 64 << 10, 16 << 20}[r.IntN(4)],
				memTable:   []int{64 << 10, 1 << 20}[r.IntN(2)],
				gather:     []int{-1, 4 << 10, 0, 0}[r.IntN(4)],
				scratch:    r.IntN(3) == 0,
				parts:      []*partitionModel{newPartitionModel(), newPartitionModel()},
			}
			m.open()
			for range *metamorphicSteps {
				switch n := r.IntN(1000); {
				case n < 700:
					m.write()
				case n < 950:
					m.read()
				case n < 970:
					m.commit()
				case n < 978:
					m.db.Abort(m.tasks...)
					for _, p := range m.parts {
						p.abort()
					}
				case n < 988:
					m.snapshot()
				case n < 990:
					if err := m.db.Sync(); err != nil {
						t.Fatal(err)
					}
				case n < 994:
					m.compareAll(m.fromTask, m.parts)
				case n < 997:
					m.restore()
				default:
					m.closeSnapshot()
					if err := m.db.Close(); err != nil {
						t.Fatal(err)
					}
					for _, p := range m.parts {
						p.abort()
					}
					m.open()
				}
			}
			m.closeSnapshot()
			m.compareAll(m.fromTask, m.parts)
			if err := m.db.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
