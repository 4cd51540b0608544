package commandlog

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// backupMagic begins a backup file; the last byte is the format's version.
var backupMagic = [8]byte{'K', 'S', 'Q', 'L', 'C', 'M', 'D', 1}

// maxBackupFrame bounds what a length in a backup file can make a reader allocate. Records of the topic are smaller.
const maxBackupFrame = 128 << 20

// BackupHeader says which log a backup is of.
type BackupHeader struct {
	// Topic is the command topic's name, TopicID its incarnation.
	Topic   string
	TopicID kafka.TopicID
}

// backupHeader is a BackupHeader as it is written.
type backupHeader struct {
	Topic   string `json:"topic"`
	TopicID string `json:"topicId"`
}

// DamagedError says that a backup is cut off or changed behind what was read of it.
type DamagedError struct {
	// At is the length of what is whole, in bytes.
	At int64
	// What is wrong there.
	What string
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("the backup is damaged from byte %d on: %s", e.At, e.What)
}

// BackupReader reads a backup from its beginning.
type BackupReader struct {
	Header BackupHeader
	r      *bufio.Reader
	frame  []byte
	at     int64
}

// NewBackupReader reads the header of a backup. The error is a *DamagedError at 0 when there is no whole header.
func NewBackupReader(r io.Reader) (*BackupReader, error) {
	b := &BackupReader{r: bufio.NewReaderSize(r, 64<<10)}
	var magic [len(backupMagic)]byte
	if _, err := io.ReadFull(b.r, magic[:]); err != nil {
		return nil, b.damaged(err, "it has no header")
	}
	if magic != backupMagic {
		if magic[7] > backupMagic[7] && string(magic[:7]) == string(backupMagic[:7]) {
			return nil, &DamagedError{What: fmt.Sprintf("its format version is %d, this program knows %d", magic[7], backupMagic[7])}
		}
		return nil, &DamagedError{What: "it is not a backup of a command log"}
	}
	payload, err := b.next()
	if errors.Is(err, io.EOF) {
		err = &DamagedError{What: "it has no header"}
	}
	if err != nil {
		return nil, err
	}
	var h backupHeader
	if err := json.Unmarshal(payload, &h); err != nil {
		return nil, &DamagedError{What: "its header cannot be read: " + err.Error()}
	}
	if b.Header.TopicID, err = kafka.ParseTopicID(h.TopicID); err != nil {
		return nil, &DamagedError{What: "its header cannot be read: " + err.Error()}
	}
	b.Header.Topic = h.Topic
	b.at = int64(len(backupMagic)+backupFrameHead) + int64(len(payload))
	return b, nil
}

// Next returns the next record; its bytes are valid until the call after. At the end the error is io.EOF, behind damage a
// *DamagedError; others are of the file.
func (b *BackupReader) Next() (Entry, error) {
	payload, err := b.next()
	if err != nil {
		return Entry{}, err
	}
	e, ok := decodeBackupEntry(payload)
	if !ok {
		return Entry{}, &DamagedError{At: b.at, What: "a record cannot be read"}
	}
	b.at += int64(backupFrameHead + len(payload))
	return e, nil
}

// Offset is how far the file was read: the length of what is whole, in bytes.
func (b *BackupReader) Offset() int64 { return b.at }

// backupFrameHead is the length of what stands before a frame's payload: its length and its checksum.
const backupFrameHead = 8

// next reads a frame.
func (b *BackupReader) next() ([]byte, error) {
	var head [backupFrameHead]byte
	if n, err := io.ReadFull(b.r, head[:]); err != nil {
		if n == 0 && errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		return nil, b.damaged(err, "it ends within a record")
	}
	size := int(binary.BigEndian.Uint32(head[:]))
	if size > maxBackupFrame {
		return nil, &DamagedError{At: b.at, What: fmt.Sprintf("a record of %d bytes", size)}
	}
	// The length may be wrong: memory is taken as bytes come.
	b.frame = b.frame[:0]
	for len(b.frame) < size {
		from := len(b.frame)
		b.frame = append(b.frame, make([]byte, min(size-from, 1<<20))...)
		if _, err := io.ReadFull(b.r, b.frame[from:]); err != nil {
			return nil, b.damaged(err, "it ends within a record")
		}
	}
	if crc32.Checksum(b.frame, castagnoli) != binary.BigEndian.Uint32(head[4:]) {
		return nil, &DamagedError{At: b.at, What: "a record fails its checksum"}
	}
	return b.frame, nil
}

// damaged is the error for what ended too early; errors of the file itself stay what they are.
func (b *BackupReader) damaged(err error, what string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &DamagedError{At: b.at, What: what}
	}
	return err
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// WriteBackupHeader begins a backup file.
func WriteBackupHeader(w io.Writer, h BackupHeader) error {
	payload, err := json.Marshal(backupHeader{Topic: h.Topic, TopicID: h.TopicID.String()})
	if err != nil {
		return err
	}
	_, err = w.Write(appendFrame(append([]byte(nil), backupMagic[:]...), payload))
	return err
}

// WriteBackupEntry appends a record to a backup.
func WriteBackupEntry(w io.Writer, e Entry) error {
	_, err := w.Write(appendFrame(nil, appendBackupEntry(nil, e)))
	return err
}

func appendFrame(out, payload []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(payload)))
	out = binary.BigEndian.AppendUint32(out, crc32.Checksum(payload, castagnoli))
	return append(out, payload...)
}

func appendBackupEntry(out []byte, e Entry) []byte {
	out = binary.AppendUvarint(out, uint64(e.Offset))
	out = binary.AppendVarint(out, e.Timestamp)
	out = appendNullable(out, e.Key)
	return appendNullable(out, e.Value)
}

// appendNullable writes bytes after their length and one, or 0 for null.
func appendNullable(out, b []byte) []byte {
	if b == nil {
		return binary.AppendUvarint(out, 0)
	}
	return append(binary.AppendUvarint(out, uint64(len(b))+1), b...)
}

// decodeBackupEntry reads a frame's payload, all of it. The entry's bytes point into it.
func decodeBackupEntry(in []byte) (e Entry, ok bool) {
	offset, n := binary.Uvarint(in)
	if n <= 0 || offset > 1<<62 {
		return e, false
	}
	in = in[n:]
	e.Offset = int64(offset)
	if e.Timestamp, n = binary.Varint(in); n <= 0 {
		return e, false
	}
	if e.Key, in, ok = nullable(in[n:]); !ok {
		return e, false
	}
	e.Value, in, ok = nullable(in)
	return e, ok && len(in) == 0
}

func nullable(in []byte) (b, rest []byte, ok bool) {
	size, n := binary.Uvarint(in)
	if n <= 0 || size > uint64(len(in)-n)+1 {
		return nil, nil, false
	}
	in = in[n:]
	if size == 0 {
		return nil, in, true
	}
	return in[: size-1 : size-1], in[size-1:], true
}
