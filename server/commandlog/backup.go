package commandlog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// BackupConfig says where a server keeps its backup of the command log.
type BackupConfig struct {
	// Path is the file; its directory is made when it is missing.
	Path string
	// Durable waits for the disk after each command.
	Durable bool
	// Forgiving is for a topic that may lose its end with the machine's power, as the embedded broker's does when it does
	// not wait for the disk: commands that the topic does not have are given up, with a warning. Otherwise they mean that
	// the topic was tampered with.
	Forgiving bool
	Logger    *slog.Logger
}

// Backup is a server's own copy of the command log, record for record. Each time the log is read from its start it is
// compared with the copy, which must be how the log begins; what the copy lacks is appended. It is for one goroutine.
type Backup struct {
	cfg BackupConfig

	// had says which log the file was of when it was opened.
	had  BackupHeader
	have bool

	// replaces is set while reading a topic that the file is not of.
	replaces bool
	state    backupState
	file     *os.File
	out      *bufio.Writer
	reader   *BackupReader
}

// backupState is what a Backup does with the next record.
type backupState int

const (
	// backupOff does nothing: not begun, or the disk failed.
	backupOff backupState = iota
	// backupComparing wants the record to be the next of the file.
	backupComparing
	// backupAppending writes the record to the file.
	backupAppending
	// backupReplacing writes the record to a new file, since the old one is of another topic. Whether the new one takes
	// its place is decided when all has been read.
	backupReplacing
)

// OpenBackup looks at the backup of the last run, if there is one.
func OpenBackup(cfg BackupConfig) (*Backup, error) {
	if err := os.MkdirAll(filepath.Dir(cfg.Path), 0o755); err != nil {
		return nil, fmt.Errorf("backup of the command log: %w", err)
	}
	b := &Backup{cfg: cfg}
	f, err := os.Open(cfg.Path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return b, nil
	case err != nil:
		return nil, fmt.Errorf("backup of the command log: %w", err)
	}
	defer f.Close()
	if r, err := NewBackupReader(f); err == nil {
		b.had, b.have = r.Header, true
	}
	return b, nil
}

// Exists says whether there was a backup when it was opened: the topic must exist, too, then.
func (b *Backup) Exists() bool { return b != nil && b.have }

// isOf says whether the backup is of a topic.
func (b *Backup) isOf(id kafka.TopicID) bool { return b.Exists() && b.had.TopicID == id }

// Terminated says whether the log that the backup is of ended with the service. former are the ids of the topics that it was
// of, as kafka.TopicID prints them: whose backups are of one of those can begin anew, too.
func (b *Backup) Terminated() (former []string, err error) {
	if !b.Exists() {
		return nil, nil
	}
	f, err := os.Open(b.cfg.Path)
	if err != nil {
		return nil, fmt.Errorf("backup of the command log: %w", err)
	}
	defer f.Close()
	r, err := NewBackupReader(f)
	if err != nil {
		return nil, fmt.Errorf("backup of the command log: %w", err)
	}
	return terminatedIn(r), nil
}

// terminatedIn reads a backup on to its end, or to where it is damaged, and returns the topics that it is of if the service
// ends in it, nil if not.
func terminatedIn(r *BackupReader) []string {
	former := []string{r.Header.TopicID.String()}
	for {
		e, err := r.Next()
		if err != nil {
			return nil
		}
		_, c, err := decodeEntry(e)
		switch {
		case err != nil:
		case c.Action == Restored, c.Action == Begun:
			former = append(former, c.Former...)
		case c.Action == TerminateCluster:
			return former
		}
	}
}

// begin prepares for reading the topic from its start.
func (b *Backup) begin(h BackupHeader) error {
	b.close()
	b.replaces = false
	f, err := os.OpenFile(b.cfg.Path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		b.create(b.cfg.Path, h, backupAppending)
		return nil
	}
	if err != nil {
		return fmt.Errorf("backup of the command log: %w", err)
	}
	r, err := NewBackupReader(f)
	var damaged *DamagedError
	switch {
	case errors.As(err, &damaged):
		f.Close()
		b.cfg.Logger.Warn("the backup of the command log cannot be read; it is put aside and made anew", "file", b.cfg.Path, "error", err)
		if err := os.Rename(b.cfg.Path, b.aside("unreadable")); err != nil {
			return fmt.Errorf("backup of the command log: %w", err)
		}
		b.create(b.cfg.Path, h, backupAppending)
		return nil
	case err != nil:
		f.Close()
		return fmt.Errorf("backup of the command log: %w", err)
	case r.Header.TopicID != h.TopicID && terminatedIn(r) != nil:
		f.Close()
		b.have = false
		kept := b.aside("terminated")
		if err := os.Rename(b.cfg.Path, kept); err != nil {
			return fmt.Errorf("backup of the command log: %w", err)
		}
		b.cfg.Logger.Info("the service was terminated and begins anew; the backup of the command log before is kept", "file", kept)
		b.create(b.cfg.Path, h, backupAppending)
		return nil
	case r.Header.TopicID != h.TopicID:
		f.Close()
		b.had, b.have, b.replaces = r.Header, true, true
		b.create(b.cfg.Path+".new", h, backupReplacing)
		return nil
	}
	b.file, b.reader, b.state = f, r, backupComparing
	return nil
}

// create begins a file.
func (b *Backup) create(path string, h BackupHeader, state backupState) {
	f, err := os.Create(path)
	if err == nil {
		b.file, b.out, b.state = f, bufio.NewWriterSize(f, 64<<10), state
		err = WriteBackupHeader(b.out, h)
	}
	b.check(err)
}

// aside names a file that a damaged backup is kept under.
func (b *Backup) aside(why string) string {
	return fmt.Sprintf("%s.%s-%s", b.cfg.Path, why, time.Now().UTC().Format("20060102T150405.000"))
}

// entry takes a record in. The error is a *CorruptedError when the record is not the one that the backup has.
func (b *Backup) entry(e Entry) error {
	if b.state == backupComparing {
		have, err := b.reader.Next()
		if err == nil {
			return b.compare(have, e)
		}
		if err := b.appendFrom(err); err != nil {
			return err
		}
	}
	if b.state == backupAppending || b.state == backupReplacing {
		b.check(WriteBackupEntry(b.out, e))
	}
	return nil
}

func (b *Backup) compare(have, e Entry) error {
	switch {
	case have.Offset < e.Offset:
		return corrupted("the command topic lacks the record at offset %d, which the backup %s has", have.Offset, b.cfg.Path)
	case have.Offset > e.Offset:
		return corrupted("the command topic has a record at offset %d, which the backup %s does not have", e.Offset, b.cfg.Path)
	case !bytes.Equal(have.Key, e.Key) || !bytes.Equal(have.Value, e.Value):
		return corrupted("the record at offset %d of the command topic is not the one that the backup %s has", e.Offset, b.cfg.Path)
	}
	return nil
}

// appendFrom goes over from comparing to appending, where reading the file ended with an error: its end or damage.
func (b *Backup) appendFrom(end error) error {
	var damaged *DamagedError
	switch {
	case errors.Is(end, io.EOF):
	case errors.As(end, &damaged):
		// The last record of a process that was killed may be there in part.
		b.cfg.Logger.Warn("the backup of the command log is damaged; it is cut off and written anew from the topic", "file", b.cfg.Path, "error", end)
	default:
		return fmt.Errorf("backup of the command log: %w", end)
	}
	if err := b.file.Truncate(b.reader.Offset()); err != nil {
		return fmt.Errorf("backup of the command log: %w", err)
	}
	if _, err := b.file.Seek(b.reader.Offset(), io.SeekStart); err != nil {
		return fmt.Errorf("backup of the command log: %w", err)
	}
	b.out, b.reader, b.state = bufio.NewWriterSize(b.file, 64<<10), nil, backupAppending
	return nil
}

// caughtUp ends the comparison: everything that was in the topic has come. restored says whether the topic was made from
// a backup of the one given. The error is a *CorruptedError when the topic is not what the backup stands for.
func (b *Backup) caughtUp(restored func(kafka.TopicID) bool) error {
	if b.replaces && !restored(b.had.TopicID) {
		had := b.had.TopicID
		b.close()
		_ = os.Remove(b.cfg.Path + ".new")
		return gone("the command topic was made anew: its id is not %s, which the backup %s is of", had, b.cfg.Path)
	}
	switch b.state {
	case backupOff, backupAppending:
	case backupReplacing:
		b.sync()
		return b.replace()
	case backupComparing:
		have, err := b.reader.Next()
		if err != nil {
			if err := b.appendFrom(err); err != nil {
				return err
			}
			break
		}
		if !b.cfg.Forgiving {
			return corrupted("the command topic ends before the record at offset %d, which the backup %s has", have.Offset, b.cfg.Path)
		}
		return b.giveUp(have)
	}
	b.sync()
	return nil
}

// replace puts the backup of a restored topic in the place of the old one.
func (b *Backup) replace() error {
	if b.state == backupOff {
		return nil // It could not be written. The old one stays, and is replaced at the next start.
	}
	kept := b.aside("replaced")
	if err := os.Rename(b.cfg.Path, kept); err != nil {
		return err
	}
	if err := os.Rename(b.cfg.Path+".new", b.cfg.Path); err != nil {
		return err
	}
	b.cfg.Logger.Info("the command topic stands for the one before, whose backup is kept", "file", kept)
	b.replaces = false
	b.state = backupAppending
	return nil
}

// giveUp cuts off what the topic has lost, and keeps a copy.
func (b *Backup) giveUp(first Entry) error {
	// The reader is past the record: the file is read once more up to it.
	kept := b.aside("lost")
	whole, err := os.ReadFile(b.cfg.Path)
	if err == nil {
		err = os.WriteFile(kept, whole, 0o644)
	}
	if err != nil {
		return fmt.Errorf("backup of the command log: %w", err)
	}
	r, err := NewBackupReader(bytes.NewReader(whole))
	for err == nil {
		at := r.Offset()
		var e Entry
		if e, err = r.Next(); err == nil && e.Offset == first.Offset {
			r.at = at
			break
		}
	}
	if err != nil {
		return fmt.Errorf("backup of the command log: %w", err)
	}
	b.cfg.Logger.Error("the command topic has lost its last commands, as it may when the power fails; they are not in force any more",
		"first offset", first.Offset, "command", string(first.Key), "kept in", kept)
	b.reader = r
	if err := b.appendFrom(io.EOF); err != nil {
		return err
	}
	b.sync()
	return nil
}

// sync writes out what was taken in.
func (b *Backup) sync() {
	if b.out == nil {
		return
	}
	err := b.out.Flush()
	if err == nil && b.cfg.Durable {
		err = b.file.Sync()
	}
	b.check(err)
}

// check turns the backup off when it cannot be written: it stays how the log begins, and the server goes on.
func (b *Backup) check(err error) {
	if err == nil {
		return
	}
	b.cfg.Logger.Error("the backup of the command log cannot be written and is not kept up until the server starts anew", "file", b.cfg.Path, "error", err)
	b.out = nil
	b.close()
}

// close writes out what was taken in and closes the file.
func (b *Backup) close() {
	if b.out != nil {
		out := b.out
		b.out = nil
		if err := out.Flush(); err != nil {
			b.cfg.Logger.Error("the backup of the command log cannot be written", "file", b.cfg.Path, "error", err)
		}
	}
	if b.file != nil {
		b.file.Close()
	}
	b.file, b.reader, b.state = nil, nil, backupOff
}
