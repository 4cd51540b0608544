package state

import (
	"encoding/binary"
	"math"
)

// Key space of a DB, all integers big-endian; docs/formats/state.md is the full account.
//
//	rows:  [store u16 > 0][partition u32] row key
//	meta:  [0 u16][partition u32][tag u8] name
//
// Row keys by kind, k being the caller's key, times sign-flipped so that bytes order like numbers:
//
//	Keyed     k
//	Windowed  [bucket i64] k [start i64]
//	Session   [bucket i64] k [end i64][start i64]
//	Buffer    [bucket i64] k [time i64][seq u64]
const (
	prefixLen = 6
	timeLen   = 8
	// globalPartition is the partition of meta entries that belong to the whole DB.
	globalPartition = math.MaxUint32
)

type prefix [prefixLen]byte

func rowPrefix(store StoreID, partition int32) prefix {
	var p prefix
	binary.BigEndian.PutUint16(p[:], uint16(store))
	binary.BigEndian.PutUint32(p[2:], uint32(partition))
	return p
}

// end returns the exclusive upper bound of all keys with the prefix.
func (p prefix) end() []byte { return prefixEnd(p[:]) }

// prefixEnd returns the smallest key above all keys that start with p, nil if there is none.
func prefixEnd(p []byte) []byte {
	end := append([]byte(nil), p...)
	for i := len(end) - 1; i >= 0; i-- {
		end[i]++
		if end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

func appendTime(b []byte, t int64) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(t)^(1<<63))
}

func decodeTime(b []byte) int64 {
	return int64(binary.BigEndian.Uint64(b) ^ (1 << 63))
}

// bucketOf returns the bucket a time falls in: floor(t/width).
func bucketOf(t, width int64) int64 {
	b := t / width
	if t%width < 0 {
		b--
	}
	return b
}

// suffixLen is how many bytes follow the caller's key in a row key.
func suffixLen(k Kind) int {
	switch k {
	case Windowed:
		return timeLen
	case Session, Buffer:
		return 2 * timeLen
	}
	return 0
}

// bucketLen is how many bytes precede the caller's key in a row key.
func bucketLen(k Kind) int {
	if k == Keyed {
		return 0
	}
	return timeLen
}

// wellFormed says whether a row key is long enough for its kind.
func wellFormed(k Kind, rowKey []byte) bool {
	return len(rowKey) >= bucketLen(k)+suffixLen(k)
}

// rowTime returns the time a row expires by: window start, session end or record time.
func rowTime(k Kind, rowKey []byte) int64 {
	return decodeTime(rowKey[len(rowKey)-suffixLen(k):])
}

// RowKey is a row key taken apart.
type RowKey struct {
	// Key is the caller's key; it aliases what was parsed.
	Key []byte
	// Start is the window or session start in Unix milliseconds.
	Start int64
	// End is the session end; for Windowed stores it is not stored and left 0.
	End int64
	// Time is the record time of a Buffer row.
	Time int64
	// Seq tells Buffer rows of one key and time apart; it grows in order of arrival.
	Seq uint64
}

// ParseRowKey takes a row key apart, as [Change.Key] and changelog records carry it. It reports false for
// bytes that cannot be a row key of that kind.
func ParseRowKey(k Kind, rowKey []byte) (RowKey, bool) {
	if !wellFormed(k, rowKey) {
		return RowKey{}, false
	}
	tail := rowKey[len(rowKey)-suffixLen(k):]
	r := RowKey{Key: rowKey[bucketLen(k) : len(rowKey)-suffixLen(k)]}
	switch k {
	case Windowed:
		r.Start = decodeTime(tail)
	case Session:
		r.End, r.Start = decodeTime(tail), decodeTime(tail[timeLen:])
	case Buffer:
		r.Time, r.Seq = decodeTime(tail), binary.BigEndian.Uint64(tail[timeLen:])
	}
	return r, true
}

func appendWindowKey(b []byte, width int64, key []byte, start int64) []byte {
	b = appendTime(b, bucketOf(start, width))
	b = append(b, key...)
	return appendTime(b, start)
}

func appendSessionKey(b []byte, width int64, key []byte, start, end int64) []byte {
	b = appendTime(b, bucketOf(end, width))
	b = append(b, key...)
	return appendTime(appendTime(b, end), start)
}

func appendBufferKey(b []byte, width int64, key []byte, t int64, seq uint64) []byte {
	b = appendTime(b, bucketOf(t, width))
	b = append(b, key...)
	return binary.BigEndian.AppendUint64(appendTime(b, t), seq)
}
