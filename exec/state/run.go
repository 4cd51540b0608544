package state

import (
	"bytes"
	"encoding/binary"
	"sort"

	"github.com/cockroachdb/pebble/v2"
)

// run holds what one commit wrote, in order of keys, until it goes to Pebble together with the runs of other
// commits: a key that changes ten times a second is then written, flushed and compacted once a second. A run
// does not change once readers see it.
//
// Losing runs with the process is like a crash before their commits: rows, checkpoints, positions and stream
// times of a commit are in the same run, and the changelog has what the checkpoints lack.
type run struct {
	// data holds the entries: key length u32, value length u32 (deletedLen for none), key, value.
	data []byte
	// starts are the entries' places in data.
	starts []uint32
}

const (
	runEntryHeader = 8
	deletedLen     = 1<<32 - 1
)

// Commits gather in runs up to these limits before they are written, and no longer than until [DB.Sync].
const (
	gatherBytes = 8 << 20
	gatherRuns  = 32
)

// newRun makes a run with room for about size bytes and n entries.
func newRun(size, n int) *run {
	return &run{data: make([]byte, 0, size), starts: make([]uint32, 0, n)}
}

// set adds an entry and returns its key and value for writing. Keys come in ascending order.
func (r *run) set(keyLen, valueLen int) (key, value []byte) {
	b := r.entry(keyLen, valueLen, uint32(valueLen))
	return b[:keyLen], b[keyLen:]
}

// delete adds an entry that says that the key is gone.
func (r *run) delete(keyLen int) (key []byte) { return r.entry(keyLen, 0, deletedLen) }

func (r *run) entry(keyLen, valueLen int, mark uint32) []byte {
	at := len(r.data)
	n := runEntryHeader + keyLen + valueLen
	if at+n > cap(r.data) {
		grown := make([]byte, at, 2*cap(r.data)+n)
		copy(grown, r.data)
		r.data = grown
	}
	r.data = r.data[:at+n]
	r.starts = append(r.starts, uint32(at))
	binary.LittleEndian.PutUint32(r.data[at:], uint32(keyLen))
	binary.LittleEndian.PutUint32(r.data[at+4:], mark)
	return r.data[at+runEntryHeader:]
}

// key returns the key of an entry.
func (r *run) key(i int) []byte {
	at := r.starts[i] + runEntryHeader
	end := at + binary.LittleEndian.Uint32(r.data[at-runEntryHeader:])
	return r.data[at:end:end]
}

// value returns the value of an entry, nil if the key is gone.
func (r *run) value(i int) []byte {
	at := r.starts[i]
	n := binary.LittleEndian.Uint32(r.data[at+4:])
	if n == deletedLen {
		return nil
	}
	at += runEntryHeader + binary.LittleEndian.Uint32(r.data[at:])
	return r.data[at : at+n : at+n]
}

// seek returns the first entry whose key is at least key.
func (r *run) seek(key []byte) int {
	return sort.Search(len(r.starts), func(i int) bool { return bytes.Compare(r.key(i), key) >= 0 })
}

// find looks a key up in runs, the last of which is the newest. known says whether one of them has it; value is
// nil if it is gone.
func find(runs []*run, key []byte) (value []byte, known bool) {
	for i := len(runs) - 1; i >= 0; i-- {
		r := runs[i]
		if at := r.seek(key); at < len(r.starts) && bytes.Equal(r.key(at), key) {
			return r.value(at), true
		}
	}
	return nil, false
}

// cursor walks one run.
type cursor struct {
	run *run
	at  int
	// age orders runs: of one key the entry of the highest counts.
	age int
	// key is that of the entry at hand.
	key []byte
}

// next moves on and reports whether there is another entry.
func (c *cursor) next() bool {
	c.at++
	if c.at >= len(c.run.starts) {
		return false
	}
	c.key = c.run.key(c.at)
	return true
}

// merger visits the entries of several runs in order of keys, of each key the newest. It is a heap of cursors.
type merger struct{ heap []cursor }

func newMerger(runs []*run) *merger {
	m := &merger{}
	for age, r := range runs {
		if len(r.starts) > 0 {
			m.heap = append(m.heap, cursor{run: r, age: age, key: r.key(0)})
		}
	}
	for i := len(m.heap)/2 - 1; i >= 0; i-- {
		m.sink(i)
	}
	return m
}

func (m *merger) less(i, j int) bool {
	a, b := &m.heap[i], &m.heap[j]
	if c := bytes.Compare(a.key, b.key); c != 0 {
		return c < 0
	}
	return a.age > b.age
}

func (m *merger) sink(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(m.heap); child++ {
			if m.less(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		m.heap[i], m.heap[least] = m.heap[least], m.heap[i]
		i = least
	}
}

// step moves the first cursor on.
func (m *merger) step() {
	if !m.heap[0].next() {
		last := len(m.heap) - 1
		m.heap[0] = m.heap[last]
		m.heap = m.heap[:last]
	}
	m.sink(0)
}

// appendTo adds all entries to a batch.
func (m *merger) appendTo(b *pebble.Batch) error {
	for len(m.heap) > 0 {
		c := m.heap[0]
		var op *pebble.DeferredBatchOp
		if value := c.run.value(c.at); value != nil {
			op = b.SetDeferred(len(c.key), len(value))
			copy(op.Value, value)
		} else {
			op = b.DeleteDeferred(len(c.key))
		}
		copy(op.Key, c.key)
		if err := op.Finish(); err != nil {
			return err
		}
		for m.step(); len(m.heap) > 0 && bytes.Equal(m.heap[0].key, c.key); {
			m.step()
		}
	}
	return nil
}
