package state

import "encoding/binary"

// ref is the place of a record in an arena: chunk number and offset in units of 8 bytes. 0 and 1 are never
// places.
type ref uint64

const (
	refOffsetBits = 17
	maxChunk      = 8 << refOffsetBits // 1 MiB
	minChunk      = 16 << 10
	firstOffset   = 16
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
	if n > maxChunk-firstOffset {
		// A chunk of its own, longer than any that is filled bit by bit.
		if len(a.chunks) == 0 {
			a.nextChunk(minChunk / 2)
		}
		c := make([]byte, max(n, maxChunk+8))
		a.bytes += int64(n)
		a.chunks = append(a.chunks, c)
		return ref(len(a.chunks)-1) << refOffsetBits, record(c)
	}
	for a.cur >= len(a.chunks) || a.used+n > len(a.chunks[a.cur]) {
		a.nextChunk(n)
	}
	off := a.used
	a.used += n
	a.bytes += int64(n)
	r := record(a.chunks[a.cur][off : off+n : off+n])
	clear(r[:headerLen])
	return ref(a.cur)<<refOffsetBits | ref(off>>3), r
}

// nextChunk moves on to a chunk with room for n bytes.
func (a *arena) nextChunk(n int) {
	for a.cur+1 < len(a.chunks) {
		a.cur++
		a.used = firstOffset
		if c := a.chunks[a.cur]; len(c) <= maxChunk && firstOffset+n <= len(c) {
			return
		}
	}
	size := minChunk
	if len(a.chunks) > 0 {
		size = min(2*len(a.chunks[len(a.chunks)-1]), maxChunk)
	}
	for size < firstOffset+n {
		size *= 2
	}
	a.chunks = append(a.chunks, make([]byte, min(size, maxChunk)))
	a.cur, a.used = len(a.chunks)-1, firstOffset
}

// at returns the record at r; it extends to the end of its chunk.
func (a *arena) at(r ref) record {
	return record(a.chunks[r>>refOffsetBits][(r&(1<<refOffsetBits-1))<<3:])
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
	a.cur, a.used, a.bytes = 0, firstOffset, 0
}

// record is one row in an arena: a header, the key, the value.
//
//	0 hash u32 · 4 key length u32 · 8 value length u32 · 12 value capacity u32 · 16 timestamp i64
//	24 flags u32 · 28 place in the dirty list u32 · 32 key, value
type record []byte

const headerLen = 32

const (
	// flagAbsent marks a key without row: deleted, or looked up and not found.
	flagAbsent = 1 << iota
	// flagDirty marks a change since the last commit.
	flagDirty
	// flagUnlogged marks a change that Changes has not visited.
	flagUnlogged
)

func (r record) hash() uint32     { return binary.LittleEndian.Uint32(r) }
func (r record) keyLen() int      { return int(binary.LittleEndian.Uint32(r[4:])) }
func (r record) valueLen() int    { return int(binary.LittleEndian.Uint32(r[8:])) }
func (r record) valueCap() int    { return int(binary.LittleEndian.Uint32(r[12:])) }
func (r record) timestamp() int64 { return int64(binary.LittleEndian.Uint64(r[16:])) }
func (r record) flags() uint32    { return binary.LittleEndian.Uint32(r[24:]) }
func (r record) dirtyPos() int    { return int(binary.LittleEndian.Uint32(r[28:])) }

func (r record) setHash(h uint32)      { binary.LittleEndian.PutUint32(r, h) }
func (r record) setKeyLen(n int)       { binary.LittleEndian.PutUint32(r[4:], uint32(n)) }
func (r record) setValueLen(n int)     { binary.LittleEndian.PutUint32(r[8:], uint32(n)) }
func (r record) setValueCap(n int)     { binary.LittleEndian.PutUint32(r[12:], uint32(n)) }
func (r record) setTimestamp(ts int64) { binary.LittleEndian.PutUint64(r[16:], uint64(ts)) }
func (r record) setFlags(f uint32)     { binary.LittleEndian.PutUint32(r[24:], f) }
func (r record) setDirtyPos(pos int)   { binary.LittleEndian.PutUint32(r[28:], uint32(pos)) }

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

func (r record) has(flag uint32) bool { return r.flags()&flag != 0 }

// size is what the record takes in its arena, for accounting.
func (r record) size() int64 {
	return int64((headerLen + r.keyLen() + r.valueCap() + 7) &^ 7)
}
