package broker

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"slices"
)

// kfake's logs of groups and producers: entries framed as 4 bytes length, 4
// bytes CRC-32C, 2 bytes version (both covered), then JSON; little-endian.
const (
	groupsLogName   = "groups.log"
	pidsLogName     = "pids.log"
	frameHeaderSize = 10
	frameVersion    = 1
)

// frames returns the entries of a log up to the first torn one, and the length
// of what it read.
func frames(raw []byte) (entries [][]byte, valid int64) {
	for len(raw) >= frameHeaderSize {
		length := binary.LittleEndian.Uint32(raw)
		if length < 2 || uint64(length) > uint64(len(raw)-8) {
			break
		}
		body := raw[8 : 8+length]
		if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(raw[4:]) {
			break
		}
		entries = append(entries, body[2:])
		valid += int64(8 + length)
		raw = raw[8+length:]
	}
	return entries, valid
}

// appendFrame frames an entry.
func appendFrame(b, data []byte) []byte {
	at := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(2+len(data)))
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint16(b, frameVersion)
	b = append(b, data...)
	binary.LittleEndian.PutUint32(b[at+4:], crc32.Checksum(b[at+8:], castagnoli))
	return b
}

// readLog reads a log and cuts a torn entry off its end: kfake would append
// after it, and then never read what follows.
func readLog(path string) (entries [][]byte, err error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entries, valid := frames(raw)
	if valid < int64(len(raw)) {
		err = os.Truncate(path, valid)
	}
	return entries, err
}

// pidEntry is an entry of pids.log.
type pidEntry struct {
	Type    string `json:"type"` // init, endtx, timeout
	PID     int64  `json:"pid"`
	Epoch   int16  `json:"epoch"`
	TxID    string `json:"txid,omitempty"`
	Timeout int32  `json:"timeout,omitempty"`
	Commit  *bool  `json:"commit,omitempty"`
}

// producerState is what kfake must know of a producer when it starts.
type producerState struct {
	epoch         int16
	txnID         string
	timeoutMillis int32
	// lastWasCommit answers a client that asks again how its transaction ended.
	lastWasCommit bool
	// endedEpoch is the epoch of the last transaction that ended, -1 at first.
	endedEpoch int16
}

// replayPIDs folds pids.log. Unlike kfake it keeps how the last transaction
// ended over the bump of the epoch that follows each end.
func replayPIDs(entries [][]byte) map[int64]*producerState {
	states := make(map[int64]*producerState)
	for _, raw := range entries {
		var e pidEntry
		if json.Unmarshal(raw, &e) != nil {
			continue
		}
		old := states[e.PID]
		switch e.Type {
		case "init":
			s := &producerState{epoch: e.Epoch, txnID: e.TxID, timeoutMillis: e.Timeout, endedEpoch: -1}
			switch {
			case e.Commit != nil:
				s.lastWasCommit = *e.Commit
			case old != nil && old.endedEpoch >= 0 && e.Epoch == old.endedEpoch+1:
				s.lastWasCommit = old.lastWasCommit
			}
			states[e.PID] = s
		case "endtx", "timeout":
			if old == nil {
				continue
			}
			old.epoch, old.endedEpoch = e.Epoch, e.Epoch
			old.lastWasCommit = e.Commit != nil && *e.Commit
		}
	}
	return states
}

// encodePIDs writes the states as a compacted pids.log.
func encodePIDs(states map[int64]*producerState) ([]byte, error) {
	var b []byte
	for _, pid := range slices.Sorted(maps.Keys(states)) {
		s := states[pid]
		e := pidEntry{Type: "init", PID: pid, Epoch: s.epoch, TxID: s.txnID, Timeout: s.timeoutMillis}
		if s.txnID != "" {
			e.Commit = &s.lastWasCommit
		}
		data, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		b = appendFrame(b, data)
	}
	return b, nil
}

// groupEntry is what the repair reads of an entry of groups.log.
type groupEntry struct {
	Type   string `json:"type"`
	Group  string `json:"g"`
	Topic  string `json:"t"`
	Part   int32  `json:"p"`
	Offset int64  `json:"o"`
}

type topicPartition struct {
	topic     string
	partition int32
}

// highestCommits is the highest offset any group has committed, by partition.
func highestCommits(entries [][]byte) map[topicPartition]int64 {
	type key struct {
		group string
		topicPartition
	}
	commits := make(map[key]int64)
	for _, raw := range entries {
		var e groupEntry
		if json.Unmarshal(raw, &e) != nil {
			continue
		}
		k := key{e.Group, topicPartition{e.Topic, e.Part}}
		switch e.Type {
		case "commit":
			commits[k] = e.Offset
		case "delete":
			delete(commits, k)
		}
	}
	highest := make(map[topicPartition]int64)
	for k, offset := range commits {
		highest[k.topicPartition] = max(highest[k.topicPartition], offset)
	}
	return highest
}

// sequenceWindow is an entry of seq_windows.json: the last batches of an
// idempotent producer on a partition, by which a repeated one is known.
type sequenceWindow struct {
	PID     int64            `json:"pid"`
	Topic   string           `json:"topic"`
	Part    int32            `json:"partition"`
	Entries [5]sequenceEntry `json:"entries,omitempty"`
	Count   uint8            `json:"count,omitempty"`
	At      uint8            `json:"at"`
	Epoch   int16            `json:"epoch"`
	Seen    bool             `json:"seen,omitempty"`
	NextSeq int32            `json:"next_seq,omitempty"`
}

type sequenceEntry struct {
	FirstSeq int32 `json:"first_seq"`
	NextSeq  int32 `json:"next_seq"`
	Offset   int64 `json:"offset"`
}

// add takes a batch into the window as kfake does when it is produced.
func (w *sequenceWindow) add(h batchHeader) {
	next := int32((int64(h.firstSequence) + int64(h.count)) % (1<<31 - 1))
	e := sequenceEntry{h.firstSequence, next, h.first}
	if !w.Seen || h.producerEpoch != w.Epoch {
		*w = sequenceWindow{PID: w.PID, Topic: w.Topic, Part: w.Part, Epoch: h.producerEpoch, Seen: true}
	}
	w.NextSeq = next
	w.Entries[w.At] = e
	w.At = (w.At + 1) % uint8(len(w.Entries))
	w.Count = min(w.Count+1, uint8(len(w.Entries)))
}
