package state

import "encoding/binary"

// ref is the place of a record in an arena: chunk number and offset in units of 8 bytes.
type ref uint32

const (
	refOffsetBits = 17
	maxChunk      = 8 << refOffsetBits // 1 MiB
	minChunk      = 16 << 10
	maxChunks     = 1 << (32 - refOffsetBits)
	cacheLine     = 64
)

// arena hands out records from chunks of memory without pointers, which the collector does not scan.
// Records are never freed one by one; reset starts over with the same chunks.
type arena struct {
	chunks [][]byte
	// cur is the chunk being filled, used how much of it is taken.
	cur, used int
	// bytes is what was handed out since reset.
	bytes int64
}

// alloc returns a zeroed header and room for size bytes of key and value.
func (a *arena) alloc(size int) (ref, record) {
	n := (headerLen + size + 7) &^ 7
	if n > maxChunk {
		// A chunk of its own, longer than any that is filled bit by bit.
		c := make([]byte, n)
		a.bytes += int64(n)
		a.addChunk(c)
		return ref(len(a.chunks)-1) << refOffsetBits, record(c)
	}
	for a.cur >= len(a.chunks) || a.used+n > len(a.chunks[a.cur]) {
		a.nextChunk(n)
	}
	off := a.used
	if end := off&(cacheLine-1) + n; end > cacheLine && n <= cacheLine && off-off&(cacheLine-1)+cacheLine+n <= len(a.chunks[a.cur]) {
		off += cacheLine - off&(cacheLine-1) // a small record stays within one cache line
	}
	a.used = off + n
	a.bytes += int64(n)
	r := record(a.chunks[a.cur][off : off+n : off+n])
	clear(r[:headerLen])
	return ref(a.cur)<<refOffsetBits | ref(off>>3), r
}

// nextChunk moves on to a chunk with room for n bytes.
func (a *arena) nextChunk(n int) {
	for a.cur+1 < len(a.chunks) {
		a.cur++
		a.used = 0
		if c := a.chunks[a.cur]; len(c) <= maxChunk && n <= len(c) {
			return
		}
	}
	size := minChunk
	if len(a.chunks) > 0 {
		size = min(2*len(a.chunks[len(a.chunks)-1]), maxChunk)
	}
	for size < n {
		size *= 2
	}
	a.addChunk(make([]byte, min(size, maxChunk)))
	a.cur, a.used = len(a.chunks)-1, 0
}

func (a *arena) addChunk(c []byte) {
	if len(a.chunks) == maxChunks {
		panic("state: an overlay of more than 32 GiB; the host commits early by Task.Size")
	}
	a.chunks = append(a.chunks, c)
}

// at returns the record at r; it extends to the end of its chunk.
func (a *arena) at(r ref) record {
	return record(a.chunks[r>>refOffsetBits][int(r&(1<<refOffsetBits-1))<<3:])
}

// groupLen is how many records are brought close at once before they are worked on: their cache misses then
// overlap, where record by record each would be waited for.
const groupLen = 16

// bringClose reads the start of each record, so that what follows finds it in the cache. The sum keeps the
// compiler from leaving the reads out.
//
//go:noinline
func (a *arena) bringClose(refs []ref) (sum byte) {
	for _, r := range refs {
		sum += a.chunks[r>>refOffsetBits][int(r&(1<<refOffsetBits-1))<<3]
	}
	return sum
}

// reset forgets all records and keeps up to keep bytes of chunks for reuse.
func (a *arena) reset(keep int64) {
	kept := a.chunks[:0]
	for _, c := range a.chunks {
		if len(c) > maxChunk || int64(len(c)) > keep {
			continue
		}
		keep -= int64(len(c))
		kept = append(kept, c)
	}
	clear(a.chunks[len(kept):])
	a.chunks = kept
	a.cur, a.used, a.bytes = 0, 0, 0
}

// record is one row in an arena: a header, the key, the value.
//
//	0 key length u32 · 4 value length u32 · 8 value capacity u32
//	12 flags (3 bits) and place in the dirty list (29 bits) · 16 timestamp i64 · 24 key, value
type record []byte

const headerLen = 24

const (
	// flagAbsent marks a key without row: deleted, or looked up and not found.
	flagAbsent = 1 << iota
	// flagDirty marks a change since the last commit.
	flagDirty
	// flagUnlogged marks a change that Changes has not visited.
	flagUnlogged

	flagBits = 3
	flagMask = 1<<flagBits - 1
	maxDirty = 1 << (32 - flagBits)
)

func (r record) keyLen() int      { return int(binary.LittleEndian.Uint32(r)) }
func (r record) valueLen() int    { return int(binary.LittleEndian.Uint32(r[4:])) }
func (r record) valueCap() int    { return int(binary.LittleEndian.Uint32(r[8:])) }
func (r record) meta() uint32     { return binary.LittleEndian.Uint32(r[12:]) }
func (r record) timestamp() int64 { return int64(binary.LittleEndian.Uint64(r[16:])) }

func (r record) flags() uint32        { return r.meta() & flagMask }
func (r record) dirtyPos() int        { return int(r.meta() >> flagBits) }
func (r record) has(flag uint32) bool { return r.meta()&flag != 0 }

func (r record) setKeyLen(n int)       { binary.LittleEndian.PutUint32(r, uint32(n)) }
func (r record) setValueLen(n int)     { binary.LittleEndian.PutUint32(r[4:], uint32(n)) }
func (r record) setValueCap(n int)     { binary.LittleEndian.PutUint32(r[8:], uint32(n)) }
func (r record) setMeta(m uint32)      { binary.LittleEndian.PutUint32(r[12:], m) }
func (r record) setTimestamp(ts int64) { binary.LittleEndian.PutUint64(r[16:], uint64(ts)) }

func (r record) setFlags(f uint32)   { r.setMeta(r.meta()&^flagMask | f) }
func (r record) setDirtyPos(pos int) { r.setMeta(r.flags() | uint32(pos)<<flagBits) }

func (r record) key() []byte {
	end := headerLen + r.keyLen()
	return r[headerLen:end:end]
}

func (r record) value() []byte {
	start := headerLen + r.keyLen()
	end := start + r.valueLen()
	return r[start:end:end]
}

// room returns the value's whole capacity.
func (r record) room() []byte {
	start := headerLen + r.keyLen()
	end := start + r.valueCap()
	return r[start:end:end]
}

// size is what the record takes in its arena, for accounting.
func (r record) size() int64 {
	return int64((headerLen + r.keyLen() + r.valueCap() + 7) &^ 7)
}
