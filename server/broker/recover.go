package broker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Recovery says what was repaired in a data directory.
type Recovery struct {
	// Needed is whether the last process on the directory was killed.
	Needed bool
	// UndoneCommit is whether the commit of a transaction was applied in part
	// and has been undone.
	UndoneCommit bool
	// DamagedBytes counts what was cut off behind damage to the log; a kill
	// does none, a power loss may.
	DamagedBytes int64
	// AbortedTransactions counts the open transactions that were aborted.
	AbortedTransactions int
	// Partitions counts the partitions looked at, Took is the time it took.
	Partitions int
	Took       time.Duration
}

// LogValue implements slog.LogValuer.
func (r Recovery) LogValue() slog.Value {
	return slog.GroupValue(slog.Bool("undone_commit", r.UndoneCommit), slog.Int("aborted_transactions", r.AbortedTransactions),
		slog.Int64("damaged_bytes", r.DamagedBytes), slog.Int("partitions", r.Partitions), slog.Duration("took", r.Took))
}

// repair is one run over a data directory.
type repair struct {
	dir        string
	now        time.Time
	torn       *intent // the commit that was applied in part, nil when none
	pids       map[int64]*producerState
	commits    map[topicPartition]int64
	partitions []*partitionLog
	result     Recovery
}

// recoverDir brings a data directory that a killed process left into the state
// of a clean shutdown; the package comment says why that is exact. Interrupted,
// it can be run again.
func recoverDir(dir string, now time.Time) (Recovery, error) {
	last, running, err := readJournal(dir)
	if err != nil || !running {
		return Recovery{}, err
	}
	began := time.Now()
	r := repair{dir: dir, now: now, result: Recovery{Needed: true}}
	for _, step := range []func() error{
		func() error { return r.readLogs(last) },
		r.openPartitions,
		r.trimPartitions,
		r.repairPartitions,
		r.writeState,
	} {
		if err := step(); err != nil {
			return r.result, err
		}
	}
	r.result.Took = time.Since(began)
	return r.result, nil
}

// readLogs reads the logs of producers and groups, and finds out whether the
// last commit came to its end: kfake notes that in pids.log after all else.
func (r *repair) readLogs(last intent) error {
	pidsPath, groupsPath := filepath.Join(r.dir, pidsLogName), filepath.Join(r.dir, groupsLogName)
	pids, err := readLog(pidsPath)
	if err != nil {
		return err
	}
	r.pids = replayPIDs(pids)
	if last.Pending && markFile(pidsPath).ID == last.PIDs.ID {
		torn, err := unfinished(pidsPath, last)
		if err != nil {
			return err
		}
		// A commit of an older epoch was refused, or answered as a repetition.
		if s := r.pids[last.ProducerID]; torn && s != nil && s.epoch <= last.ProducerEpoch {
			r.torn = &last
		}
	}
	if groups := markFile(groupsPath); r.torn != nil && groups.ID == last.Groups.ID && groups.Size > last.Groups.Size {
		if err := os.Truncate(groupsPath, last.Groups.Size); err != nil {
			return err
		}
		r.result.UndoneCommit = true
	} else if r.torn != nil && last.Groups.ID == 0 && groups.ID != 0 {
		// The torn commit wrote the first entries of all.
		if err := os.Remove(groupsPath); err != nil {
			return err
		}
		r.result.UndoneCommit = true
	}
	groups, err := readLog(groupsPath)
	r.commits = highestCommits(groups)
	return err
}

// unfinished reports whether pids.log lacks the end of a commit.
func unfinished(path string, last intent) (bool, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	if int64(len(raw)) < last.PIDs.Size {
		return false, nil
	}
	entries, _ := frames(raw[last.PIDs.Size:])
	for _, data := range entries {
		var e pidEntry
		if json.Unmarshal(data, &e) == nil && e.Type == "endtx" && e.PID == last.ProducerID {
			return false, nil
		}
	}
	return true, nil
}

// openPartitions lists the partitions of the topics that exist, and removes
// the files of those that do not.
func (r *repair) openPartitions() error {
	var topics struct {
		Topics []struct {
			Name       string `json:"name"`
			Partitions int32  `json:"partitions"`
		} `json:"topics"`
	}
	raw, err := os.ReadFile(filepath.Join(r.dir, "topics.json"))
	if err == nil {
		err = json.Unmarshal(raw, &topics)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the list of topics: %w", err)
	}
	counts := make(map[string]int32)
	for _, t := range topics.Topics {
		counts[t.Name] = t.Partitions
	}
	root := filepath.Join(r.dir, "partitions")
	entries, err := os.ReadDir(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		tp, ok := parsePartitionDir(e.Name())
		if !ok {
			continue
		}
		dir := filepath.Join(root, e.Name())
		if tp.partition >= counts[tp.topic] {
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
			continue
		}
		r.partitions = append(r.partitions, &partitionLog{dir: dir, topicPartition: tp})
	}
	for tp := range r.commits {
		if tp.partition < counts[tp.topic] {
			r.addMissing(root, tp)
		}
	}
	r.result.Partitions = len(r.partitions)
	return nil
}

// addMissing adds a partition that groups have read and that has no folder.
func (r *repair) addMissing(root string, tp topicPartition) {
	for _, p := range r.partitions {
		if p.topicPartition == tp {
			return
		}
	}
	name := url.PathEscape(tp.topic) + "-" + strconv.Itoa(int(tp.partition))
	r.partitions = append(r.partitions, &partitionLog{dir: filepath.Join(root, name), topicPartition: tp})
}

// parsePartitionDir reads a folder name: the escaped topic, a dash, the number.
func parsePartitionDir(name string) (topicPartition, bool) {
	i := strings.LastIndexByte(name, '-')
	if i < 0 {
		return topicPartition{}, false
	}
	n, err := strconv.ParseInt(name[i+1:], 10, 32)
	if err != nil {
		return topicPartition{}, false
	}
	topic, err := url.PathUnescape(name[:i])
	return topicPartition{topic, int32(n)}, err == nil
}

// trimPartitions takes the torn ends off all partitions, before anything is
// appended to any.
func (r *repair) trimPartitions() error {
	for _, p := range r.partitions {
		if err := os.MkdirAll(p.dir, 0o755); err != nil {
			return err
		}
		undone, err := p.trim(r.torn)
		if err != nil {
			return err
		}
		r.result.UndoneCommit = r.result.UndoneCommit || undone
	}
	return nil
}

// repairPartitions ends the transactions left open, and writes what kfake
// keeps beside the segments.
func (r *repair) repairPartitions() error {
	open := make(map[int64]bool)
	for _, p := range r.partitions {
		if err := p.scan(); err != nil {
			return err
		}
		for pid := range p.open {
			open[pid] = true
		}
		if err := p.abortOpen(r.now); err != nil {
			return err
		}
		floor := r.commits[p.topicPartition]
		if old, ok := p.oldSnapshot(); ok {
			floor = max(floor, old.HighWatermark)
		}
		if err := p.keepNext(floor, r.now); err != nil {
			return err
		}
		if err := p.finish(r.now); err != nil {
			return err
		}
		r.learnProducers(p)
		r.result.DamagedBytes += p.damaged
	}
	for pid := range open {
		r.fence(pid)
	}
	if r.torn != nil && !open[r.torn.ProducerID] {
		r.fence(r.torn.ProducerID) // its transaction held offsets only
	}
	r.result.AbortedTransactions = len(open)
	return nil
}

// learnProducers adds the idempotent producers of a partition: kfake takes a
// sequence window only of a producer that pids.log has.
func (r *repair) learnProducers(p *partitionLog) {
	for pid, epoch := range p.epochs {
		s := r.pids[pid]
		if s == nil && p.windows[pid] != nil {
			s = &producerState{}
			r.pids[pid] = s
		}
		if s != nil {
			s.epoch = max(s.epoch, epoch)
		}
	}
}

// fence makes the next epoch the current one of a producer whose transaction
// was aborted: a client that survived can neither go on with it nor be told
// that it was committed.
func (r *repair) fence(pid int64) {
	if s := r.pids[pid]; s != nil && s.epoch < math.MaxInt16 {
		s.epoch++
		s.lastWasCommit = false
	}
}

// writeState writes the state of producers last: until then the directory
// still counts as not repaired.
func (r *repair) writeState() error {
	windows := struct {
		Version int               `json:"version"`
		Windows []*sequenceWindow `json:"windows"`
	}{1, []*sequenceWindow{}}
	for _, p := range r.partitions {
		for _, pid := range p.recent {
			windows.Windows = append(windows.Windows, p.windows[pid])
		}
	}
	if err := writeJSON(filepath.Join(r.dir, "seq_windows.json"), windows); err != nil {
		return err
	}
	pids, err := encodePIDs(r.pids)
	if err != nil {
		return err
	}
	if err := replaceFile(filepath.Join(r.dir, pidsLogName), pids); err != nil {
		return err
	}
	return removeIfThere(filepath.Join(r.dir, "session_state.json"))
}
