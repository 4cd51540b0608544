// Package wire writes and reads the fields of messages between servers: numbers as varints, texts and bytes behind their
// length. A message starts with its version; what a reader does not know at the end of a record it leaves unread.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrCorrupt is the error of bytes that are no message, or were cut off.
var ErrCorrupt = errors.New("a message between servers is damaged")

// AppendString appends a text.
func AppendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// AppendBytes appends bytes.
func AppendBytes(b, v []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

// AppendBool appends a byte that is 0 or 1.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// AppendRecord appends what fill appends to an empty slice, behind its length, so that a reader can pass over what a later
// version adds to it.
func AppendRecord(b []byte, fill func([]byte) []byte) []byte { return AppendBytes(b, fill(nil)) }

// Reader takes fields from the front of a message. After the first error it gives zero values, so that only Err has to be
// looked at. It keeps the slice it reads.
type Reader struct {
	buf []byte
	err error
}

// NewReader reads b, which must not change meanwhile.
func NewReader(b []byte) *Reader { return &Reader{buf: b} }

// Err is the first error: one that is ErrCorrupt.
func (r *Reader) Err() error { return r.err }

// Len is how many bytes are left.
func (r *Reader) Len() int { return len(r.buf) }

// Fail notes that what was read makes no sense.
func (r *Reader) Fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
	}
	r.buf = nil
}

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if len(r.buf) == 0 {
		r.Fail("cut off")
		return 0
	}
	b := r.buf[0]
	r.buf = r.buf[1:]
	return b
}

// Bool reads a byte that is 0 or 1.
func (r *Reader) Bool() bool { return r.Byte() == 1 }

// Uvarint reads an unsigned number.
func (r *Reader) Uvarint() uint64 {
	v, n := binary.Uvarint(r.buf)
	if n <= 0 {
		r.Fail("cut off in a number")
		return 0
	}
	r.buf = r.buf[n:]
	return v
}

// Varint reads a signed number.
func (r *Reader) Varint() int64 {
	v, n := binary.Varint(r.buf)
	if n <= 0 {
		r.Fail("cut off in a number")
		return 0
	}
	r.buf = r.buf[n:]
	return v
}

// Int32 reads a number from 0 to the largest int32.
func (r *Reader) Int32() int32 {
	v := r.Uvarint()
	if v > 1<<31-1 {
		r.Fail("%d is too large", v)
		return 0
	}
	return int32(v)
}

// Count reads the number of elements that follow, each of at least one byte.
func (r *Reader) Count() int {
	n := r.Uvarint()
	if n > uint64(len(r.buf)) {
		r.Fail("%d elements in %d bytes", n, len(r.buf))
		return 0
	}
	return int(n)
}

// Bytes reads bytes, which are part of the message.
func (r *Reader) Bytes() []byte {
	n := r.Count()
	b := r.buf[:n:n]
	r.buf = r.buf[n:]
	return b
}

// String reads a text.
func (r *Reader) String() string { return string(r.Bytes()) }

// Record reads what AppendRecord wrote. An error in it is one of r, too.
func (r *Reader) Record(read func(*Reader)) {
	inner := NewReader(r.Bytes())
	if r.err != nil {
		return
	}
	read(inner)
	if inner.err != nil {
		r.err, r.buf = inner.err, nil
	}
}
