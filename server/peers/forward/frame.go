package forward

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// An answer is a byte that holds the version, and frames: a byte for the kind, the length of the payload as a varint, the
// payload. The first frame is a header or an error; the last one is an end or an error.
const (
	answerVersion = 1

	// frameHeader says which partitions are answered, and why others are not.
	frameHeader = 'H'
	// frameRows holds rows, each behind its length. Without rows it says that the answer is still being worked on.
	frameRows = 'R'
	// frameEnd holds the number of rows of the answer.
	frameEnd = 'E'
	// frameError holds a message; the answer is not whole.
	frameError = 'X'

	// maxFrame bounds a frame; a row is less.
	maxFrame = 128 << 20
	// readStep is how much memory is taken for a frame before so much of it has come.
	readStep = 1 << 20
)

var (
	// errCut is the error of an answer that stops in the middle.
	errCut = errors.New("the connection was cut in the middle of the answer")
	// errGarbage is the error of bytes that are no answer.
	errGarbage = errors.New("the answer is not to be understood")
)

func appendFrame(b []byte, kind byte, payload []byte) []byte {
	b = append(b, kind)
	b = binary.AppendUvarint(b, uint64(len(payload)))
	return append(b, payload...)
}

// frameReader reads frames. It belongs to one goroutine.
type frameReader struct {
	in     *bufio.Reader
	opened bool
}

func newFrameReader(r io.Reader) *frameReader {
	return &frameReader{in: bufio.NewReaderSize(r, 16<<10)}
}

// next reads a frame; its payload is the caller's. A stream that ends where a frame should begin or in one is cut.
func (f *frameReader) next() (kind byte, payload []byte, err error) {
	if !f.opened {
		v, err := f.in.ReadByte()
		if err != nil {
			return 0, nil, cut(err)
		}
		if v != answerVersion {
			return 0, nil, fmt.Errorf("%w: version %d; this server knows version %d", errGarbage, v, answerVersion)
		}
		f.opened = true
	}
	if kind, err = f.in.ReadByte(); err != nil {
		return 0, nil, cut(err)
	}
	switch kind {
	case frameHeader, frameRows, frameEnd, frameError:
	default:
		return 0, nil, fmt.Errorf("%w: a frame of kind %d", errGarbage, kind)
	}
	n, err := binary.ReadUvarint(f.in)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return 0, nil, cut(err)
	case err != nil:
		return 0, nil, err
	case n > maxFrame:
		return 0, nil, fmt.Errorf("%w: a frame of %d bytes", errGarbage, n)
	}
	for left := int(n); left > 0; {
		step := min(left, readStep)
		at := len(payload)
		payload = append(payload, make([]byte, step)...)
		if _, err := io.ReadFull(f.in, payload[at:]); err != nil {
			return 0, nil, cut(err)
		}
		left -= step
	}
	return kind, payload, nil
}

func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return err
}
