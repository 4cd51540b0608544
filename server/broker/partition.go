package broker

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// partitionLog is what the repair finds in the files of one partition.
type partitionLog struct {
	dir string
	topicPartition
	segments []segmentFile

	next        int64 // the high watermark
	start       int64
	leaderEpoch int32
	createdAt   time.Time
	maxTime     int64
	open        map[int64]*openTransaction // by producer
	aborted     []abortedTransaction
	windows     map[int64]*sequenceWindow // by producer
	recent      []int64                   // the windows' producers, oldest first
	epochs      map[int64]int16           // highest epoch seen, by producer
	damaged     int64                     // bytes cut off
}

type segmentFile struct {
	base  int64
	size  int64
	index []byte // the index file as it should be
	minEpoch,
	maxEpoch int32
}

type openTransaction struct {
	first int64
	epoch int16
}

// abortedTransaction and the types below are kfake's snapshot of a partition.
type abortedTransaction struct {
	ProducerID  int64 `json:"producer_id"`
	FirstOffset int64 `json:"first_offset"`
	LastOffset  int64 `json:"last_offset"`
}

type partitionSnapshot struct {
	Version          int                  `json:"version"`
	HighWatermark    int64                `json:"high_watermark"`
	LastStableOffset int64                `json:"last_stable_offset"`
	LogStartOffset   int64                `json:"log_start_offset"`
	Epoch            int32                `json:"epoch"`
	MaxTimestamp     int64                `json:"max_timestamp"`
	CreatedAt        time.Time            `json:"created_at"`
	AbortedTxns      []abortedTransaction `json:"aborted_txns,omitempty"`
	Segments         []segmentSnapshot    `json:"segments"`
}

type segmentSnapshot struct {
	BaseOffset int64 `json:"base_offset"`
	Size       int64 `json:"size"`
	MinEpoch   int32 `json:"min_epoch,omitempty"`
	MaxEpoch   int32 `json:"max_epoch,omitempty"`
}

const (
	snapshotName   = "snapshot.json"
	indexEntrySize = 15
	// maxWindows bounds the producers whose repeated batches are known, by
	// partition; the latest count.
	maxWindows = 256
)

func (p *partitionLog) segmentPath(base int64) string {
	return filepath.Join(p.dir, strconv.FormatInt(base, 10)+".dat")
}

func (p *partitionLog) indexPath(base int64) string {
	return filepath.Join(p.dir, strconv.FormatInt(base, 10)+".idx")
}

// bases lists the partition's segments in order.
func (p *partitionLog) bases() ([]int64, error) {
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return nil, err
	}
	var bases []int64
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".dat"); ok {
			if base, err := strconv.ParseInt(name, 10, 64); err == nil {
				bases = append(bases, base)
			}
		}
	}
	slices.Sort(bases)
	return bases, nil
}

// trim cuts off what the last write left half done: a torn batch, and the
// marker of the torn commit, which can only be the last batch. torn is nil
// when no commit was torn. It reports whether it took a marker away.
func (p *partitionLog) trim(torn *intent) (undone bool, err error) {
	bases, err := p.bases()
	if err != nil || len(bases) == 0 {
		return false, err
	}
	base := bases[len(bases)-1]
	var size, keep int64
	err = mapFile(p.segmentPath(base), func(data []byte) error {
		size = int64(len(data))
		var last int64
		var h batchHeader
		for keep < size {
			next, ok := parseBatch(data[keep:])
			if !ok {
				break
			}
			last, h = keep, next
			keep += next.size
		}
		switch {
		case keep == 0:
		case !h.intact(data[last:]):
			keep = last
		case torn != nil && h.control() && h.isCommit(data[last:]) && h.producerID == torn.ProducerID &&
			h.producerEpoch == torn.ProducerEpoch && h.firstTime >= torn.AtMillis:
			keep, undone = last, true
		}
		return nil
	})
	switch {
	case err != nil:
		return false, err
	case keep == 0:
		p.next = base // an empty file has no other trace of it
		err = errors.Join(os.Remove(p.segmentPath(base)), removeIfThere(p.indexPath(base)))
	case keep < size:
		err = os.Truncate(p.segmentPath(base), keep)
	}
	return undone, err
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// scan reads the heads of all batches.
func (p *partitionLog) scan() error {
	p.open = make(map[int64]*openTransaction)
	p.windows = make(map[int64]*sequenceWindow)
	p.epochs = make(map[int64]int16)
	p.start = -1
	bases, err := p.bases()
	if err != nil {
		return err
	}
	for i, base := range bases {
		s := segmentFile{base: base}
		whole := false
		err := mapFile(p.segmentPath(base), func(data []byte) error {
			for s.size < int64(len(data)) {
				h, ok := parseBatch(data[s.size:])
				if !ok {
					break
				}
				p.batch(h, data[s.size:])
				s.add(h, p.maxTime)
			}
			whole = s.size == int64(len(data))
			p.damaged += int64(len(data)) - s.size
			return nil
		})
		if err != nil {
			return err
		}
		p.segments = append(p.segments, s)
		if !whole {
			return p.cut(s, bases[i+1:])
		}
	}
	return nil
}

// cut ends the log after what is left of a damaged segment.
func (p *partitionLog) cut(s segmentFile, after []int64) error {
	err := os.Truncate(p.segmentPath(s.base), s.size)
	for _, base := range after {
		if info, statErr := os.Stat(p.segmentPath(base)); statErr == nil {
			p.damaged += info.Size()
		}
		err = errors.Join(err, os.Remove(p.segmentPath(base)), removeIfThere(p.indexPath(base)))
	}
	return err
}

// batch takes one batch into account.
func (p *partitionLog) batch(h batchHeader, data []byte) {
	if p.start < 0 {
		p.start = h.first
		p.createdAt = time.UnixMilli(h.firstTime)
		p.maxTime = h.maxTime
	}
	p.next = h.last() + 1
	p.leaderEpoch = h.leaderEpoch
	p.maxTime = max(p.maxTime, h.maxTime)
	if h.producerID >= 0 {
		p.epochs[h.producerID] = max(p.epochs[h.producerID], h.producerEpoch)
	}
	switch {
	case h.control():
		if t := p.open[h.producerID]; t != nil && !h.isCommit(data) {
			p.aborted = append(p.aborted, abortedTransaction{h.producerID, t.first, h.first})
		}
		delete(p.open, h.producerID)
	case h.producerID < 0:
	case h.transactional():
		if p.open[h.producerID] == nil {
			p.open[h.producerID] = &openTransaction{first: h.first}
		}
		p.open[h.producerID].epoch = h.producerEpoch
	default:
		p.window(h.producerID).add(h)
	}
}

// window returns the sequence window of an idempotent producer, and makes it
// the latest.
func (p *partitionLog) window(pid int64) *sequenceWindow {
	w := p.windows[pid]
	if w == nil {
		w = &sequenceWindow{PID: pid, Topic: p.topic, Part: p.partition}
		p.windows[pid] = w
		p.recent = append(p.recent, pid)
	} else if last := len(p.recent) - 1; p.recent[last] != pid {
		i := slices.Index(p.recent, pid)
		p.recent = append(slices.Delete(p.recent, i, i+1), pid)
	}
	if len(p.recent) > maxWindows {
		delete(p.windows, p.recent[0])
		p.recent = p.recent[1:]
	}
	return w
}

// add appends a batch to what the segment's index should be. Layout of an
// entry: version, checksum (low byte of the CRC-32C of the rest), 4 bytes
// leader epoch, 8 bytes highest timestamp so far, flags (1: transactional).
func (s *segmentFile) add(h batchHeader, maxTime int64) {
	var e [indexEntrySize]byte
	e[0] = 1
	binary.LittleEndian.PutUint32(e[2:], uint32(h.leaderEpoch))
	binary.LittleEndian.PutUint64(e[6:], uint64(maxTime))
	if h.transactional() && !h.control() {
		e[14] = 1
	}
	e[1] = byte(crc32.Checksum(e[2:], castagnoli))
	if s.size == 0 {
		s.minEpoch, s.maxEpoch = h.leaderEpoch, h.leaderEpoch
	}
	s.minEpoch, s.maxEpoch = min(s.minEpoch, h.leaderEpoch), max(s.maxEpoch, h.leaderEpoch)
	s.index = append(s.index, e[:]...)
	s.size += h.size
}

// abortOpen ends the transactions that were open, with a marker in the log as
// every other abort.
func (p *partitionLog) abortOpen(now time.Time) error {
	pids := make([]int64, 0, len(p.open))
	for pid := range p.open {
		pids = append(pids, pid)
	}
	slices.Sort(pids)
	for _, pid := range pids {
		if err := p.append(abortMarker(pid, p.open[pid].epoch, p.next, p.leaderEpoch, now.UnixMilli())); err != nil {
			return err
		}
	}
	return nil
}

// keepNext makes sure that the next offset is at least this one, though the
// records before it are gone: a marker that ends nothing holds the place.
func (p *partitionLog) keepNext(offset int64, now time.Time) error {
	offset = max(offset, p.next)
	if offset == 0 || (offset == p.next && len(p.segments) > 0) {
		return nil
	}
	p.next = offset
	return p.append(abortMarker(0, 0, p.next, p.leaderEpoch, now.UnixMilli()))
}

// append writes a batch to the end of the partition.
func (p *partitionLog) append(raw []byte) error {
	h, ok := parseBatch(raw)
	if !ok {
		return errors.New("the repair built a bad batch")
	}
	if len(p.segments) == 0 {
		p.segments = append(p.segments, segmentFile{base: h.first})
	}
	s := &p.segments[len(p.segments)-1]
	f, err := os.OpenFile(p.segmentPath(s.base), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	p.batch(h, raw)
	s.add(h, p.maxTime)
	return nil
}

// finish writes the index files that are wrong and a snapshot, as kfake's own
// clean shutdown leaves them.
func (p *partitionLog) finish(now time.Time) error {
	snap := partitionSnapshot{
		Version: 1, HighWatermark: p.next, LastStableOffset: p.next, LogStartOffset: max(p.start, 0),
		Epoch: p.leaderEpoch, MaxTimestamp: p.maxTime, CreatedAt: p.createdAt, AbortedTxns: p.aborted,
		Segments: []segmentSnapshot{},
	}
	if y := snap.CreatedAt.Year(); y < 1 || y > 9999 {
		snap.CreatedAt = now // JSON cannot hold the record's time
	}
	if old, ok := p.oldSnapshot(); ok && old.LogStartOffset <= p.next {
		snap.LogStartOffset = max(snap.LogStartOffset, old.LogStartOffset)
	}
	for _, s := range p.segments {
		snap.Segments = append(snap.Segments, segmentSnapshot{s.base, s.size, s.minEpoch, s.maxEpoch})
		if err := p.fixIndex(s); err != nil {
			return err
		}
	}
	return writeJSON(filepath.Join(p.dir, snapshotName), snap)
}

// fixIndex rewrites an index file whose length or flags do not fit the
// segment. The highest timestamps are not compared: kfake computes them anew.
func (p *partitionLog) fixIndex(s segmentFile) error {
	path := p.indexPath(s.base)
	have, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	same := len(have) == len(s.index)
	for at := 0; same && at < len(have); at += indexEntrySize {
		e := have[at : at+indexEntrySize]
		same = e[14] == s.index[at+14] && e[1] == byte(crc32.Checksum(e[2:], castagnoli))
	}
	if same {
		return nil
	}
	return os.WriteFile(path, s.index, 0o644)
}

func (p *partitionLog) oldSnapshot() (snap partitionSnapshot, ok bool) {
	raw, err := os.ReadFile(filepath.Join(p.dir, snapshotName))
	return snap, err == nil && json.Unmarshal(raw, &snap) == nil
}

// writeJSON replaces a file by the JSON of v, at once or not at all.
func writeJSON(path string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return replaceFile(path, data)
}

func replaceFile(path string, data []byte) error {
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
