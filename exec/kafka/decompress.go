package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Codec numbers of record batches.
const (
	codecGzip   = 1
	codecSnappy = 2
	codecLZ4    = 3
	codecZstd   = 4
)

var errInflated = fmt.Errorf("a compressed batch grows beyond %d MiB", maxDecompressBytes>>20)

// decompressor expands the bodies of batches to at most limit bytes, whatever
// their headers promise. It keeps its readers, and is not safe for concurrent
// use.
type decompressor struct {
	limit int
	gzip  *gzip.Reader
	lz4   *lz4.Reader
	zstd  *zstd.Decoder
}

// decompress returns the expanded body in memory of its own.
func (d *decompressor) decompress(body []byte, codec uint16) ([]byte, error) {
	switch codec {
	case codecGzip:
		if d.gzip == nil {
			d.gzip = new(gzip.Reader)
		}
		if err := d.gzip.Reset(bytes.NewReader(body)); err != nil {
			return nil, err
		}
		return d.readAll(d.gzip, len(body))
	case codecSnappy:
		return d.snappy(body)
	case codecLZ4:
		if d.lz4 == nil {
			d.lz4 = lz4.NewReader(nil)
		}
		d.lz4.Reset(bytes.NewReader(body))
		return d.readAll(d.lz4, len(body))
	case codecZstd:
		if d.zstd == nil {
			var err error
			d.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(uint64(d.limit)))
			if err != nil {
				return nil, err
			}
		}
		out, err := d.zstd.DecodeAll(body, nil)
		if errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
			err = errInflated
		}
		return out, err
	}
	return nil, fmt.Errorf("compression codec %d is not known", codec)
}

// readAll reads a stream to its end, or to one byte beyond the limit.
func (d *decompressor) readAll(r io.Reader, compressed int) ([]byte, error) {
	out := bytes.NewBuffer(make([]byte, 0, min(4*compressed, d.limit)+bytes.MinRead))
	n, err := out.ReadFrom(io.LimitReader(r, int64(d.limit)+1))
	if err == nil && n > int64(d.limit) {
		err = errInflated
	}
	return out.Bytes(), err
}

// xerialMagic begins the framing Java's snappy library puts around blocks:
// 8 bytes magic, two versions of 4, then blocks after their lengths of 4.
var xerialMagic = []byte{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0}

const xerialHeader = 16

func (d *decompressor) snappy(body []byte) ([]byte, error) {
	if !bytes.HasPrefix(body, xerialMagic) || len(body) < xerialHeader {
		return d.snappyBlock(nil, body)
	}
	var out []byte
	for body = body[xerialHeader:]; len(body) > 0; {
		if len(body) < 4 {
			return nil, errTruncatedRecord
		}
		size := int64(int32(binary.BigEndian.Uint32(body)))
		if body = body[4:]; size < 0 || size > int64(len(body)) {
			return nil, errTruncatedRecord
		}
		var err error
		if out, err = d.snappyBlock(out, body[:size]); err != nil {
			return nil, err
		}
		body = body[size:]
	}
	return out, nil
}

// snappyBlock appends an expanded block to out.
func (d *decompressor) snappyBlock(out, block []byte) ([]byte, error) {
	size, err := s2.DecodedLen(block)
	if err != nil {
		return nil, err
	}
	if size > d.limit-len(out) {
		return nil, errInflated
	}
	expanded, err := s2.Decode(nil, block)
	if err != nil {
		return nil, err
	}
	if out == nil {
		return expanded, nil
	}
	return append(out, expanded...), nil
}
