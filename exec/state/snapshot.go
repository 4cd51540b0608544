package state

import (
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// Snapshot is the state as of one commit: rows, and the source positions that belong to exactly those
// rows. Uncommitted rows are never in it. It is safe for concurrent use; close it soon, it keeps old
// versions of rows on disk. When the DB is closed, its snapshots end with [ErrClosed].
type Snapshot struct {
	db *DB

	// mu guards what follows; the rows handed out are copies, so Close may come at any time.
	mu   sync.Mutex
	snap *pebble.Snapshot
	// runs are those that snap lacks, or may have already.
	runs []*run
	rows map[*Rows]struct{}
	key  []byte
}

// Snapshot returns the state as of the last commit.
func (d *DB) Snapshot() (*Snapshot, error) {
	if err := d.Err(); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, ErrClosed
	}
	s := &Snapshot{db: d, runs: d.committedRuns(), snap: d.pdb.NewSnapshot()}
	d.snapshots[s] = struct{}{}
	return s, nil
}

// Close ends the snapshot and its open rows. A second Close does nothing.
func (s *Snapshot) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.snap == nil {
		return nil
	}
	var err error
	for r := range s.rows {
		err = errors.Join(err, r.release(ErrClosed))
	}
	if !s.db.wedged.Load() {
		err = errors.Join(err, s.snap.Close())
	}
	s.snap, s.runs = nil, nil
	s.db.mu.Lock()
	delete(s.db.snapshots, s)
	s.db.mu.Unlock()
	return s.db.failure(err)
}

// Positions returns the source positions of a partition that the rows contain, by topic.
func (s *Snapshot) Positions(partition int32) ([]Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.snap == nil {
		return nil, ErrClosed
	}
	return s.db.positions(s.runs, s.snap, partition)
}

// Get appends the row of a key of a Keyed store to dst and returns it with its timestamp.
func (s *Snapshot) Get(store StoreID, partition int32, key, dst []byte) (value []byte, ts int64, ok bool, err error) {
	if err := s.expect(store, Keyed); err != nil {
		return dst, 0, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := rowPrefix(store, partition)
	s.key = append(append(s.key[:0], p[:]...), key...)
	return s.get(dst)
}

// GetWindow appends the row of a key's window to dst.
func (s *Snapshot) GetWindow(
	store StoreID, partition int32, key []byte, start int64, dst []byte,
) (value []byte, ts int64, ok bool, err error) {
	if err := s.expect(store, Windowed); err != nil {
		return dst, 0, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.storeState(store, partition)
	if err != nil || start < minLive(s.db.specs[store], st.streamTime) {
		return dst, 0, false, err
	}
	p := rowPrefix(store, partition)
	s.key = appendWindowKey(append(s.key[:0], p[:]...), s.db.widths[store], key, start)
	return s.get(dst)
}

// get reads s.key.
func (s *Snapshot) get(dst []byte) (value []byte, ts int64, ok bool, err error) {
	if s.snap == nil {
		return dst, 0, false, ErrClosed
	}
	ok, err = s.db.getInto(s.runs, s.snap, s.key, func(v []byte) error {
		t, row, err := decodeRow(v)
		ts, dst = t, append(dst, row...)
		return err
	})
	return dst, ts, ok, err
}

// StreamTime returns the stream time of a store and partition, false if it has seen no row.
func (s *Snapshot) StreamTime(store StoreID, partition int32) (int64, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.storeState(store, partition)
	return st.streamTime, st.streamTime != noStreamTime, err
}

func (s *Snapshot) storeState(store StoreID, partition int32) (storeState, error) {
	st := storeState{streamTime: noStreamTime}
	if s.snap == nil {
		return st, ErrClosed
	}
	s.key = metaKey(s.key[:0], uint32(partition), tagStoreState, storeName(store))
	_, err := s.db.getInto(s.runs, s.snap, s.key, st.decode)
	return st, err
}

// expect checks that a store is declared with a kind.
func (s *Snapshot) expect(store StoreID, kinds ...Kind) error {
	spec, ok := s.db.specs[store]
	for _, k := range kinds {
		if ok && spec.Kind == k {
			return nil
		}
	}
	return fmt.Errorf("%w: %s: store %d is not of kind %v", ErrInvariant, s.db.dir, store, kinds)
}

// Range visits the rows of a Keyed store with from <= key < to in order of key bytes, partition after
// partition as given; nil leaves a side open, so Range(store, all, nil, nil) is a full scan.
func (s *Snapshot) Range(store StoreID, partitions []int32, from, to []byte) (*Rows, error) {
	if err := s.expect(store, Keyed); err != nil {
		return nil, err
	}
	return s.open(store, partitions, plainScan(from, to))
}

// FetchWindows visits the live windows of a key with from <= start <= to in order of start.
func (s *Snapshot) FetchWindows(store StoreID, partition int32, key []byte, from, to int64) (*Rows, error) {
	if err := s.expect(store, Windowed); err != nil {
		return nil, err
	}
	return s.open(store, []int32{partition}, keyScan(key, from, to))
}

// FetchSessions visits the live sessions of a key that end at earliestEnd or later and start at
// latestStart or earlier, in order of end, then start.
func (s *Snapshot) FetchSessions(
	store StoreID, partition int32, key []byte, earliestEnd, latestStart int64,
) (*Rows, error) {
	if err := s.expect(store, Session); err != nil {
		return nil, err
	}
	p := keyScan(key, earliestEnd, math.MaxInt64)
	p.maxStart = latestStart
	return s.open(store, []int32{partition}, p)
}

// ScanTime visits the live rows of a Windowed, Session or Buffer store whose window start, session end or
// record time is in [from, to], partition after partition, within one in order of time bucket, then key.
func (s *Snapshot) ScanTime(store StoreID, partitions []int32, from, to int64) (*Rows, error) {
	if err := s.expect(store, Windowed, Session, Buffer); err != nil {
		return nil, err
	}
	return s.open(store, partitions, timeScan(from, to))
}

func (s *Snapshot) open(store StoreID, partitions []int32, p scanPlan) (*Rows, error) {
	r := &Rows{snap: s, store: store, plan: p, partitions: append([]int32(nil), partitions...)}
	r.plan.key = append([]byte(nil), p.key...)
	r.plan.lower = cloneOpen(p.lower)
	r.plan.upper = cloneOpen(p.upper)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.snap == nil {
		return nil, ErrClosed
	}
	if s.rows == nil {
		s.rows = map[*Rows]struct{}{}
	}
	s.rows[r] = struct{}{}
	return r, nil
}

// cloneOpen copies a bound, keeping nil apart from empty.
func cloneOpen(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append([]byte{}, b...)
}

// Rows visits rows of a snapshot, like [Iterator]. It belongs to one goroutine; what its methods return is
// a copy, valid until the next Next. Close it, or its snapshot.
type Rows struct {
	snap       *Snapshot
	store      StoreID
	plan       scanPlan
	partitions []int32
	current    int32

	scan  scan
	it    *baseIter
	err   error
	ended bool
	// row holds a copy of the current row key and value.
	row []byte
}

// Next moves to the next row and reports whether there is one.
func (r *Rows) Next() bool {
	s := r.snap
	s.mu.Lock()
	defer s.mu.Unlock()
	for r.err == nil && !r.ended {
		if r.it == nil {
			if len(r.partitions) == 0 {
				r.ended = true
				return false
			}
			if r.err = r.openPartition(); r.err != nil {
				return false
			}
		}
		if r.scan.next() {
			r.copyRow()
			return true
		}
		err := r.scan.err
		if cerr := r.it.Close(); err == nil {
			err = cerr
		}
		r.it = nil
		r.err = s.db.failure(err)
	}
	return false
}

// openPartition starts the scan of the next partition.
func (r *Rows) openPartition() error {
	s := r.snap
	if s.snap == nil {
		return ErrClosed
	}
	r.current, r.partitions = r.partitions[0], r.partitions[1:]
	st, err := s.storeState(r.store, r.current)
	if err != nil {
		return err
	}
	p := rowPrefix(r.store, r.current)
	if r.it, err = s.db.newBase(s.runs, s.snap, p[:], p.end()); err != nil {
		return err
	}
	r.scan.start(r.plan, s.db.specs[r.store], s.db.widths[r.store], p, st.streamTime, r.it, nil)
	return nil
}

// copyRow makes the current row independent of Pebble's memory, which may go with a Close elsewhere.
func (r *Rows) copyRow() {
	n := len(r.scan.rowKey)
	r.row = append(append(r.row[:0], r.scan.rowKey...), r.scan.value...)
	r.scan.rowKey, r.scan.value = r.row[:n:n], r.row[n:]
}

// Partition returns the partition of the row.
func (r *Rows) Partition() int32 { return r.current }

// Key returns the caller's key of the row.
func (r *Rows) Key() []byte { return r.scan.userKey() }

// Value returns the row.
func (r *Rows) Value() []byte { return r.scan.value }

// Timestamp returns the row's timestamp.
func (r *Rows) Timestamp() int64 { return r.scan.ts }

// Start returns the window or session start.
func (r *Rows) Start() int64 { return r.scan.windowStart() }

// End returns the session end.
func (r *Rows) End() int64 { return r.scan.end() }

// Time returns the record time of a Buffer row.
func (r *Rows) Time() int64 { return r.scan.time() }

// Err returns the error that stopped Next.
func (r *Rows) Err() error {
	r.snap.mu.Lock()
	defer r.snap.mu.Unlock()
	return r.err
}

// Close ends the visit and returns the error that stopped it, if any. A second Close does nothing more.
func (r *Rows) Close() error {
	r.snap.mu.Lock()
	defer r.snap.mu.Unlock()
	if err := r.release(nil); r.err == nil {
		r.err = err
	}
	delete(r.snap.rows, r)
	return r.err
}

// release gives the Pebble iterator back and leaves cause, if any, for Next to report.
func (r *Rows) release(cause error) error {
	if !r.ended && r.err == nil {
		r.err = cause
	}
	r.ended = true
	it := r.it
	r.it = nil
	if it == nil {
		return nil
	}
	return r.snap.db.failure(it.Close())
}
