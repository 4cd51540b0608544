package cluster

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
)

// What members tell each other is a frame: the version of the writer, the oldest version of a reader that understands it,
// fields, and a CRC-32C of all that. A field is a number, a length and so many bytes; readers skip fields they do not know.
// A number is never used for anything else again.
const (
	// version is what this code writes at most, and oldest what it writes for at least.
	version, oldest = 1, 1

	headerBytes   = 2
	checksumBytes = 4
	// maxFrame bounds what is decoded; Kafka keeps a whole group in one record of at most 1 MiB.
	maxFrame = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrCorrupt is the error of data that was damaged on its way or is none of ours.
var ErrCorrupt = errors.New("damaged group data")

// VersionError says that data is of a version that this server does not understand.
type VersionError struct {
	// Needed is the oldest version of a server that does.
	Needed int
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("group data needs version %d of the assignment protocol; this server has %d: upgrade it", e.Needed, version)
}

// frameWriter builds a frame.
type frameWriter struct{ buf []byte }

func newFrame(version, oldest byte) *frameWriter {
	return &frameWriter{buf: []byte{version, oldest}}
}

// field appends a field; an empty one is left out, readers take it for the zero value.
func (w *frameWriter) field(number uint64, payload []byte) {
	if len(payload) == 0 {
		return
	}
	w.buf = binary.AppendUvarint(w.buf, number)
	w.buf = binary.AppendUvarint(w.buf, uint64(len(payload)))
	w.buf = append(w.buf, payload...)
}

// number appends a field that holds one number.
func (w *frameWriter) number(number, value uint64) {
	if value != 0 {
		w.field(number, binary.AppendUvarint(nil, value))
	}
}

// seal appends the checksum and returns the frame.
func (w *frameWriter) seal() []byte {
	return binary.LittleEndian.AppendUint32(w.buf, crc32.Checksum(w.buf, castagnoli))
}

// openFrame checks a frame and calls fn for its fields in order.
func openFrame(b []byte, fn func(number uint64, payload *reader)) (writer int, err error) {
	if len(b) < headerBytes+checksumBytes || len(b) > maxFrame {
		return 0, fmt.Errorf("%w: %d bytes", ErrCorrupt, len(b))
	}
	body, sum := b[:len(b)-checksumBytes], binary.LittleEndian.Uint32(b[len(b)-checksumBytes:])
	if crc32.Checksum(body, castagnoli) != sum {
		return 0, fmt.Errorf("%w: wrong checksum", ErrCorrupt)
	}
	if needed := int(body[1]); needed > version {
		return 0, &VersionError{needed}
	}
	r := &reader{buf: body[headerBytes:]}
	for len(r.buf) > 0 && r.err == nil {
		number := r.uvarint()
		payload := &reader{buf: r.bytes()}
		if r.err == nil {
			fn(number, payload)
			r.err = payload.err
		}
	}
	return int(body[0]), r.err
}

// reader takes values from the front of a payload; after the first error it returns zero values.
type reader struct {
	buf []byte
	err error
}

func (r *reader) fail() {
	if r.err == nil {
		r.err = fmt.Errorf("%w: cut off", ErrCorrupt)
	}
	r.buf = nil
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.buf)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.buf = r.buf[n:]
	return v
}

// count is the number of elements that follow, each of at least one byte.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.buf)) {
		r.fail()
		return 0
	}
	return int(n)
}

// number31 is a number that fits an int32 and is not negative.
func (r *reader) number31() int32 {
	v := r.uvarint()
	if v > 1<<31-1 {
		r.fail()
		return 0
	}
	return int32(v)
}

// number63 is a number that fits an int64 and is not negative.
func (r *reader) number63() int64 {
	v := r.uvarint()
	if v > 1<<63-1 {
		r.fail()
		return 0
	}
	return int64(v)
}

// bytes is a length and so many bytes, which belong to the frame.
func (r *reader) bytes() []byte {
	n := r.count()
	b := r.buf[:n]
	r.buf = r.buf[n:]
	return b
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// appendTasks writes tasks: their partitions as differences, with the stage.
func appendTasks(b []byte, tasks []TaskID) []byte {
	b = binary.AppendUvarint(b, uint64(len(tasks)))
	last := int32(0)
	for _, t := range slices.SortedFunc(slices.Values(tasks), TaskID.Compare) {
		b = appendTask(b, t, &last)
	}
	return b
}

func appendTask(b []byte, t TaskID, last *int32) []byte {
	b = binary.AppendUvarint(b, uint64(t.Partition-*last))
	*last = t.Partition
	return binary.AppendUvarint(b, uint64(t.Stage))
}

func (r *reader) tasks() []TaskID {
	n := r.count()
	var out []TaskID
	last := int32(0)
	for range n {
		if t := r.task(&last); r.err == nil {
			out = append(out, t)
		}
	}
	return out
}

func (r *reader) task(last *int32) TaskID {
	d := r.number31()
	if int64(*last)+int64(d) > 1<<31-1 {
		r.fail()
		return TaskID{}
	}
	*last += d
	return TaskID{Partition: *last, Stage: r.number31()}
}
