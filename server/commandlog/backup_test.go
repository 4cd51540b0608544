package commandlog

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

var (
	oneTopic     = BackupHeader{Topic: "log", TopicID: kafka.TopicID{1}}
	anotherTopic = BackupHeader{Topic: "log", TopicID: kafka.TopicID{2}}
)

// entries are records at the given offsets; the value tells the offset.
func entries(offsets ...int64) []Entry {
	var out []Entry
	for _, o := range offsets {
		out = append(out, Entry{Offset: o, Timestamp: 1000 + o, Key: []byte("key"), Value: []byte(strings.Repeat("v", int(o)+1))})
	}
	return out
}

// backupFile is a whole backup of a topic.
func backupFile(t testing.TB, h BackupHeader, list []Entry) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteBackupHeader(&b, h); err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if err := WriteBackupEntry(&b, e); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// A topic is read with a backup that is there from before: what becomes of the reading, and what the backup is after it.
func TestBackupIsHowTheTopicBegins(t *testing.T) {
	t.Parallel()
	whole := backupFile(t, oneTopic, entries(0, 2, 4))
	flipped := slices.Clone(whole)
	flipped[len(flipped)-1] ^= 1
	changed := entries(0, 2, 4)
	changed[1].Value = []byte("another")
	for name, c := range map[string]struct {
		file      []byte // nil: none
		forgiving bool
		topic     BackupHeader
		restored  bool
		records   []Entry
		corrupted string
		others    int // files beside the backup afterwards
		want      []int64
	}{
		"none":                           {topic: oneTopic, records: entries(0, 2), want: []int64{0, 2}},
		"a prefix":                       {file: whole, topic: oneTopic, records: entries(0, 2, 4, 6, 9), want: []int64{0, 2, 4, 6, 9}},
		"all":                            {file: whole, topic: oneTopic, records: entries(0, 2, 4), want: []int64{0, 2, 4}},
		"torn":                           {file: whole[:len(whole)-3], topic: oneTopic, records: entries(0, 2, 4, 6), want: []int64{0, 2, 4, 6}},
		"torn where the topic ends":      {file: whole[:len(whole)-3], topic: oneTopic, records: entries(0, 2), want: []int64{0, 2}},
		"damaged":                        {file: flipped, topic: oneTopic, records: entries(0, 2, 4, 6), want: []int64{0, 2, 4, 6}},
		"no backup at all":               {file: []byte("something else"), topic: oneTopic, records: entries(0, 2), others: 1, want: []int64{0, 2}},
		"empty":                          {file: []byte{}, topic: oneTopic, records: entries(0, 2), others: 1, want: []int64{0, 2}},
		"the topic was cut off":          {file: whole, topic: oneTopic, records: entries(0, 2), corrupted: "ends before the record at offset 4"},
		"the topic is empty":             {file: whole, topic: oneTopic, corrupted: "ends before the record at offset 0"},
		"the topic lost its start":       {file: whole, topic: oneTopic, records: entries(2, 4), corrupted: "lacks the record at offset 0"},
		"the topic has one more between": {file: whole, topic: oneTopic, records: entries(0, 1, 2), corrupted: "has a record at offset 1"},
		"the topic has another record":   {file: whole, topic: oneTopic, records: changed, corrupted: "at offset 2 of the command topic is not the one"},
		"power loss":                     {file: whole, forgiving: true, topic: oneTopic, records: entries(0, 2), others: 1, want: []int64{0, 2}},
		"power loss of everything":       {file: whole, forgiving: true, topic: oneTopic, others: 1},
		"another topic":                  {file: whole, topic: anotherTopic, records: entries(0, 2, 4), corrupted: "made anew"},
		"another topic, restored":        {file: whole, topic: anotherTopic, restored: true, records: entries(0, 1, 2), others: 1, want: []int64{0, 1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "backup")
			if c.file != nil {
				if err := os.WriteFile(path, c.file, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			b, err := OpenBackup(BackupConfig{Path: path, Durable: true, Forgiving: c.forgiving, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := NewBackupReader(bytes.NewReader(c.file)); b.Exists() != (err == nil) {
				t.Errorf("exists: %v", b.Exists())
			}
			err = readWith(b, c.topic, c.records, c.restored)
			var broken *CorruptedError
			if errors.As(err, &broken) != (c.corrupted != "") || err != nil && !strings.Contains(err.Error(), c.corrupted) {
				t.Fatalf("error %v, want %q", err, c.corrupted)
			}
			if err != nil {
				if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, c.file) {
					t.Errorf("the backup was changed, though the topic is corrupted: %v", err)
				}
				return
			}
			// One more record comes live.
			more := Entry{Offset: 100, Key: []byte("k"), Value: []byte{}}
			if err := b.entry(more); err != nil {
				t.Fatal(err)
			}
			b.sync()
			b.close()
			stored := readFile(t, path)
			var got []int64
			for _, e := range stored.Entries {
				got = append(got, e.Offset)
			}
			if want := append(slices.Clone(c.want), 100); !slices.Equal(got, want) || stored.Header != c.topic {
				t.Errorf("the backup is of %v with %v, want %v", stored.Header, got, want)
			}
			files, err := os.ReadDir(dir)
			if err != nil || len(files) != c.others+1 {
				t.Errorf("files %v: %v; want %d beside the backup", files, err, c.others)
			}
			// The topic is read once more, as after a skip or at the next start.
			if err := readWith(b, c.topic, append(slices.Clone(c.records), more), false); err != nil {
				t.Errorf("the next reading: %v", err)
			}
			b.close()
		})
	}
}

// readWith reads a topic with a backup.
func readWith(b *Backup, h BackupHeader, records []Entry, restored bool) error {
	if err := b.begin(h); err != nil {
		return err
	}
	for _, e := range records {
		if err := b.entry(e); err != nil {
			return err
		}
	}
	return b.caughtUp(func(kafka.TopicID) bool { return restored })
}

func readFile(t testing.TB, path string) *StoredLog {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	stored, err := ReadBackup(f)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// A disk that cannot be written does not stop the server, and does not make a later start think the topic is corrupted.
func TestBackupThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "backup")
	b, err := OpenBackup(BackupConfig{Path: path, Durable: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := readWith(b, oneTopic, entries(0, 2), false); err != nil {
		t.Fatal(err)
	}
	b.file.Close() // As good as a disk that fails.
	for _, e := range entries(4, 6) {
		if err := b.entry(e); err != nil {
			t.Fatal(err)
		}
		b.sync()
	}
	b.close()
	if err := readWith(b, oneTopic, entries(0, 2, 4, 6, 8), false); err != nil {
		t.Fatal(err)
	}
	b.close()
	if n := len(readFile(t, path).Entries); n != 5 {
		t.Errorf("%d records after the disk is well again, want 5", n)
	}
}

// Whatever a file holds, reading it ends, and what was read is written as it was.
func FuzzBackup(f *testing.F) {
	whole := backupFile(f, oneTopic, []Entry{{Offset: 0, Timestamp: -1, Value: []byte("v")}, {Offset: 1 << 40, Key: []byte("k")}})
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add(whole[:10])
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := NewBackupReader(bytes.NewReader(in))
		if err != nil {
			return
		}
		var again bytes.Buffer
		at := r.Offset()
		for {
			e, err := r.Next()
			var damaged *DamagedError
			if errors.As(err, &damaged) && damaged.At != r.Offset() {
				t.Fatalf("damaged at %d, read up to %d", damaged.At, r.Offset())
			}
			if err != nil && !errors.Is(err, io.EOF) && damaged == nil {
				t.Fatal(err)
			}
			if err != nil {
				break
			}
			if e.Offset < 0 {
				t.Fatalf("offset %d", e.Offset)
			}
			if err := WriteBackupEntry(&again, e); err != nil {
				t.Fatal(err)
			}
		}
		first, err := ReadBackup(io.MultiReader(bytes.NewReader(in[:at]), bytes.NewReader(again.Bytes())))
		if err != nil && len(first.Entries) == 0 && again.Len() > 0 {
			t.Fatalf("what was written does not read back: %v", err)
		}
	})
}
