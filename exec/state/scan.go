package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
)

// scanPlan says which rows of one store and partition to visit.
type scanPlan struct {
	mode scanMode
	// lower and upper bound a plain scan, nil means open.
	lower, upper []byte
	// key is the caller's key of a key scan.
	key []byte
	// from and to bound row times, inclusive.
	from, to int64
	// maxStart bounds session starts, inclusive.
	maxStart int64
}

type scanMode uint8

const (
	// scanPlain visits a range of row keys of a Keyed store.
	scanPlain scanMode = iota
	// scanTime visits the buckets of a range of times.
	scanTime
	// scanKey visits one key in each bucket of a range of times.
	scanKey
)

func plainScan(from, to []byte) scanPlan {
	return scanPlan{mode: scanPlain, lower: from, upper: to, maxStart: math.MaxInt64}
}

func timeScan(from, to int64) scanPlan {
	return scanPlan{mode: scanTime, from: from, to: to, maxStart: math.MaxInt64}
}

func keyScan(key []byte, from, to int64) scanPlan {
	return scanPlan{mode: scanKey, key: key, from: from, to: to, maxStart: math.MaxInt64}
}

// scan walks the rows of a plan in order of row keys: the committed ones, overlaid with dirty records if there
// are any. Its buffers are kept between uses.
type scan struct {
	scanPlan
	kind   Kind
	width  int64
	prefix prefix
	base   *baseIter
	over   *overlay
	index  *index

	keyBuf []byte
	// lowerBuf and upperBuf bound the current segment, prefix included.
	lowerBuf, upperBuf []byte
	inSegment, done    bool
	// bucket is the next bucket to visit, last the last one.
	bucket, last int64

	inBase   bool
	pos      indexPos
	stepBase bool
	stepOver bool

	rowKey []byte
	value  []byte
	ts     int64
	err    error
}

// start prepares a scan; over may be nil. Rows expired at streamTime are hidden.
func (s *scan) start(p scanPlan, spec StoreSpec, width int64, pre prefix, streamTime int64,
	it *baseIter, over *overlay) {
	s.scanPlan, s.kind, s.width, s.prefix = p, spec.Kind, width, pre
	s.base, s.over, s.index = it, nil, nil
	if over != nil && len(over.dirty) > 0 {
		s.over, s.index = over, over.ordered()
	}
	s.keyBuf = append(s.keyBuf[:0], p.key...)
	s.key = s.keyBuf
	s.inSegment, s.done, s.err = false, false, nil
	s.rowKey, s.value = nil, nil
	if p.mode == scanPlain {
		s.lowerBuf = append(append(s.lowerBuf[:0], pre[:]...), p.lower...)
		s.upperBuf = append(s.upperBuf[:0], pre[:]...)
		if p.upper == nil {
			s.upperBuf = append(s.upperBuf[:0], pre.end()...)
		} else {
			s.upperBuf = append(s.upperBuf, p.upper...)
		}
		s.done = bytes.Compare(s.lowerBuf, s.upperBuf) >= 0
		return
	}
	// No row is later than the stream time, none visible is earlier than minLive.
	s.from = max(s.from, minLive(spec, streamTime))
	s.to = min(s.to, streamTime)
	if streamTime == noStreamTime || s.from > s.to {
		s.done = true
		return
	}
	s.bucket, s.last = bucketOf(s.from, width), bucketOf(s.to, width)
}

// next moves to the next row and reports whether there is one.
func (s *scan) next() bool {
	for s.err == nil {
		if !s.inSegment {
			if s.done || !s.nextSegment() {
				return false
			}
		}
		if !s.step() {
			s.inSegment = false
			s.done = s.done || s.mode != scanKey
			continue
		}
		if s.wanted() {
			return true
		}
	}
	return false
}

// nextSegment positions both sources at the next range of row keys.
func (s *scan) nextSegment() bool {
	switch s.mode {
	case scanTime:
		s.lowerBuf = appendTime(append(s.lowerBuf[:0], s.prefix[:]...), s.bucket)
		s.upperBuf = appendTime(append(s.upperBuf[:0], s.prefix[:]...), s.last)
		s.upperBuf = append(s.upperBuf[:0], prefixEnd(s.upperBuf)...)
	case scanKey:
		if s.bucket > s.last || !s.skipEmpty() {
			s.done = true
			return false
		}
		s.lowerBuf = appendTime(append(s.lowerBuf[:0], s.prefix[:]...), s.bucket)
		s.lowerBuf = append(s.lowerBuf, s.key...)
		s.upperBuf = append(s.upperBuf[:0], s.lowerBuf...)
		s.lowerBuf = appendTime(s.lowerBuf, s.from)
		s.upperBuf = appendTime(s.upperBuf, s.to)
		if suffixLen(s.kind) > timeLen {
			s.upperBuf = append(s.upperBuf, allOnes[:]...)
		}
		s.upperBuf = append(s.upperBuf, 0)
		s.done = s.bucket == s.last
		s.bucket++
	}
	s.inBase = s.base.SeekGEWithLimit(s.lowerBuf, s.upperBuf)
	if s.index != nil {
		s.pos = s.index.seek(s.lowerBuf[prefixLen:])
	}
	s.stepBase, s.stepOver = false, false
	s.inSegment = true
	return true
}

var allOnes = [timeLen]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// fewBuckets is how many buckets are tried one by one before looking for the next that exists.
const fewBuckets = 8

// skipEmpty moves bucket to the next one that holds any row, if many remain.
func (s *scan) skipEmpty() bool {
	if left := uint64(s.last) - uint64(s.bucket); left <= fewBuckets {
		return true
	}
	s.lowerBuf = appendTime(append(s.lowerBuf[:0], s.prefix[:]...), s.bucket)
	found := int64(math.MaxInt64)
	ok := false
	if s.base.SeekGE(s.lowerBuf) {
		if k := s.base.Key(); len(k) >= prefixLen+timeLen {
			found, ok = decodeTime(k[prefixLen:]), true
		}
	}
	if s.index != nil {
		if pos, there := s.index.get(s.index.seek(s.lowerBuf[prefixLen:])); there {
			if k := s.over.dirtyKey(pos); len(k) >= timeLen {
				found, ok = min(found, decodeTime(k)), true
			}
		}
	}
	if err := s.base.Err(); err != nil {
		s.err = err
		return false
	}
	s.bucket = found
	return ok && found <= s.last
}

// step moves to the next row of the segment.
func (s *scan) step() bool {
	for {
		if s.stepBase {
			s.inBase = s.base.NextWithLimit(s.upperBuf)
		}
		if s.stepOver {
			s.pos = s.index.next(s.pos)
		}
		s.stepBase, s.stepOver = false, false
		var base, over []byte
		if s.inBase {
			base = s.base.Key()[prefixLen:]
		} else if err := s.base.Err(); err != nil {
			s.err = err
			return false
		}
		var rec record
		if s.index != nil {
			if pos, ok := s.index.get(s.pos); ok {
				rec = s.over.cur.arena.at(s.over.dirty[pos])
				if over = rec.key(); s.beyond(over) {
					over, rec = nil, nil
				}
			}
		}
		switch c := compareHeads(base, over, rec != nil); {
		case base == nil && rec == nil:
			return false
		case rec == nil || base != nil && c < 0:
			s.stepBase = true
			return s.takeBase(base)
		default:
			s.stepOver = true
			s.stepBase = base != nil && c == 0
			if rec.has(flagAbsent) {
				continue
			}
			s.rowKey, s.value, s.ts = over, rec.value(), rec.timestamp()
			return true
		}
	}
}

func compareHeads(base, over []byte, haveOver bool) int {
	if base == nil || !haveOver {
		return 0
	}
	return bytes.Compare(base, over)
}

// beyond says whether an overlay key is past the segment.
func (s *scan) beyond(rowKey []byte) bool {
	if c := bytes.Compare(s.prefix[:], s.upperBuf[:min(prefixLen, len(s.upperBuf))]); c != 0 {
		return false // the segment reaches to the end of the store
	}
	return bytes.Compare(rowKey, s.upperBuf[prefixLen:]) >= 0
}

func (s *scan) takeBase(rowKey []byte) bool {
	s.rowKey = rowKey
	s.ts, s.value, s.err = decodeRow(s.base.Value())
	return s.err == nil
}

// wanted says whether the current row belongs to the plan.
func (s *scan) wanted() bool {
	if s.kind == Keyed {
		return true
	}
	if !wellFormed(s.kind, s.rowKey) {
		s.err = fmt.Errorf("%w: row key of %d bytes in a %s store", ErrCorrupt, len(s.rowKey), s.kind)
		return false
	}
	tail := s.rowKey[len(s.rowKey)-suffixLen(s.kind):]
	if t := decodeTime(tail); t < s.from || t > s.to {
		return false
	}
	if s.kind == Session && decodeTime(tail[timeLen:]) > s.maxStart {
		return false
	}
	if s.mode != scanKey {
		return true
	}
	// A longer key may lie between two rows of this one; its length tells.
	return bytes.Equal(s.rowKey[bucketLen(s.kind):len(s.rowKey)-len(tail)], s.key)
}

// Row accessors shared by Iterator and Rows.

func (s *scan) userKey() []byte {
	return s.rowKey[bucketLen(s.kind) : len(s.rowKey)-suffixLen(s.kind)]
}

func (s *scan) windowStart() int64 {
	switch s.kind {
	case Windowed:
		return rowTime(s.kind, s.rowKey)
	case Session:
		return decodeTime(s.rowKey[len(s.rowKey)-timeLen:])
	}
	return 0
}

func (s *scan) end() int64 {
	if s.kind != Session {
		return 0
	}
	return rowTime(s.kind, s.rowKey)
}

func (s *scan) time() int64 {
	if s.kind != Buffer {
		return 0
	}
	return rowTime(s.kind, s.rowKey)
}

func (s *scan) seq() uint64 {
	if s.kind != Buffer {
		return 0
	}
	return binary.BigEndian.Uint64(s.rowKey[len(s.rowKey)-timeLen:])
}
