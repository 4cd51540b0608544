package broker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// journalName is the file beside kfake's own. It exists while a broker runs on
// the directory, and stays behind when the process is killed.
const journalName = "ksqlgo.journal"

// journal notes, before kfake applies the commit of a transaction, what is
// needed to undo a part of it. It holds one commit, because kfake handles one
// request at a time. Its methods are called from kfake's request loop.
type journal struct {
	file    *os.File
	dir     string
	sync    bool
	pending bool
	logf    func(error)
}

// intent is a commit that kfake was about to apply.
type intent struct {
	// Pending is false when a later request shows that the commit is over.
	Pending       bool
	ProducerID    int64
	ProducerEpoch int16
	// AtMillis is when it began: markers written by it are not older.
	AtMillis int64
	// Groups and PIDs are the logs kfake appends to in the course of a commit,
	// as they were before it.
	Groups, PIDs fileMark
}

// fileMark is the state of a file that is only appended to or replaced.
type fileMark struct {
	// ID is the file's identity on its file system: a file replaced by another
	// of the same name has another.
	ID   uint64
	Size int64
}

// Layout of the journal's one entry, little-endian: 4 bytes magic and version,
// 1 pending, 1 unused, 2 producer epoch, 8 producer id, 8 time in ms, 8 id and
// 8 size of groups.log, 8 id and 8 size of pids.log, 4 CRC-32C of all before.
const (
	journalMagic = 0x31304a4b // "KJ01"
	intentSize   = 4 + 4 + 8 + 8 + 4*8 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errNoIntent = errors.New("no commit is noted")

func (n intent) encode() []byte {
	b := make([]byte, 0, intentSize)
	b = binary.LittleEndian.AppendUint32(b, journalMagic)
	pending := byte(0)
	if n.Pending {
		pending = 1
	}
	b = append(b, pending, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(n.ProducerEpoch))
	b = binary.LittleEndian.AppendUint64(b, uint64(n.ProducerID))
	b = binary.LittleEndian.AppendUint64(b, uint64(n.AtMillis))
	for _, m := range []fileMark{n.Groups, n.PIDs} {
		b = binary.LittleEndian.AppendUint64(b, m.ID)
		b = binary.LittleEndian.AppendUint64(b, uint64(m.Size))
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeIntent(b []byte) (intent, error) {
	if len(b) < intentSize {
		return intent{}, errNoIntent
	}
	body, sum := b[:intentSize-4], binary.LittleEndian.Uint32(b[intentSize-4:])
	if binary.LittleEndian.Uint32(body) != journalMagic || crc32.Checksum(body, castagnoli) != sum {
		return intent{}, errNoIntent
	}
	mark := func(at int) fileMark {
		return fileMark{binary.LittleEndian.Uint64(body[at:]), int64(binary.LittleEndian.Uint64(body[at+8:]))}
	}
	return intent{
		Pending:       body[4] == 1,
		ProducerEpoch: int16(binary.LittleEndian.Uint16(body[6:])),
		ProducerID:    int64(binary.LittleEndian.Uint64(body[8:])),
		AtMillis:      int64(binary.LittleEndian.Uint64(body[16:])),
		Groups:        mark(24),
		PIDs:          mark(40),
	}, nil
}

// openJournal starts an empty journal: whatever the old one said has been
// dealt with.
func openJournal(dir string, sync bool, logf func(error)) (*journal, error) {
	f, err := os.OpenFile(filepath.Join(dir, journalName), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the broker's journal: %w", err)
	}
	return &journal{file: f, dir: dir, sync: sync, logf: logf}, nil
}

// begin notes that kfake is about to handle an EndTxn. Only commits need it:
// an abort that was applied in part is completed on the next start anyway.
func (j *journal) begin(req *kmsg.EndTxnRequest) {
	if !req.Commit {
		j.settle()
		return
	}
	j.pending = true
	j.write(intent{
		Pending: true, ProducerID: req.ProducerID, ProducerEpoch: req.ProducerEpoch,
		AtMillis: time.Now().UnixMilli(),
		Groups:   markFile(filepath.Join(j.dir, groupsLogName)),
		PIDs:     markFile(filepath.Join(j.dir, pidsLogName)),
	})
}

// settle notes that the last commit is over, whether kfake applied or refused
// it. It is called before every request that appends to groups.log, so that
// undoing never takes away what such a request wrote.
func (j *journal) settle() {
	if j.pending {
		j.pending = false
		j.write(intent{})
	}
}

func (j *journal) write(n intent) {
	_, err := j.file.WriteAt(n.encode(), 0)
	if err == nil && j.sync {
		err = j.file.Sync()
	}
	if err != nil {
		j.logf(fmt.Errorf("writing the broker's journal: %w", err))
	}
}

// close removes the journal when the directory needs no repair.
func (j *journal) close(clean bool) error {
	err := j.file.Close()
	if clean {
		err = errors.Join(err, os.Remove(j.file.Name()))
	}
	return err
}

// readJournal returns the last commit noted; running is whether the directory
// was left by a killed process.
func readJournal(dir string) (last intent, running bool, err error) {
	b, err := os.ReadFile(filepath.Join(dir, journalName))
	if errors.Is(err, fs.ErrNotExist) {
		return intent{}, false, nil
	}
	if err != nil {
		return intent{}, false, err
	}
	last, err = decodeIntent(b)
	if err != nil {
		return intent{}, true, nil
	}
	return last, true, nil
}

// markFile is the state of a file; the zero mark when it does not exist.
func markFile(path string) fileMark {
	info, err := os.Stat(path)
	if err != nil {
		return fileMark{}
	}
	return fileMark{ID: fileID(info), Size: info.Size()}
}
