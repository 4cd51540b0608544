package kafka

import (
	"encoding/binary"
	"hash/crc32"
)

// batchBuilder encodes records into one record batch as they are produced.
// The zero value with a buffer is ready for use.
type batchBuilder struct {
	// buf holds the batch: the header is left blank until seal.
	buf       []byte
	count     int32
	firstTime int64
	maxTime   int64
}

// recordOverhead bounds what a record takes beside key, value and headers.
const recordOverhead = 32

// empty reports whether there are no records.
func (b *batchBuilder) empty() bool { return b.count == 0 }

// add encodes a record.
func (b *batchBuilder) add(key, value []byte, timestamp int64, headers []Header) {
	if b.count == 0 {
		b.firstTime, b.maxTime = timestamp, timestamp
		b.buf = append(b.buf[:0], make([]byte, batchHeaderSize)...)
	}
	b.maxTime = max(b.maxTime, timestamp)
	timeDelta, offsetDelta := timestamp-b.firstTime, int64(b.count)
	size := 1 + varintSize(timeDelta) + varintSize(offsetDelta) + varbytesSize(key) + varbytesSize(value) + varintSize(int64(len(headers)))
	for i := range headers {
		size += varintSize(int64(len(headers[i].Key))) + len(headers[i].Key) + varbytesSize(headers[i].Value)
	}
	buf := appendVarint(b.buf, int64(size))
	buf = append(buf, 0) // attributes
	buf = appendVarint(buf, timeDelta)
	buf = appendVarint(buf, offsetDelta)
	buf = appendVarbytes(buf, key)
	buf = appendVarbytes(buf, value)
	buf = appendVarint(buf, int64(len(headers)))
	for i := range headers {
		buf = appendVarint(buf, int64(len(headers[i].Key)))
		buf = append(buf, headers[i].Key...)
		buf = appendVarbytes(buf, headers[i].Value)
	}
	b.buf = buf
	b.count++
}

// seal writes the batch's header, all but the checksum. producerID is -1 for
// no idempotence.
func (b *batchBuilder) seal(producerID int64, epoch int16, firstSequence int32, transactional bool) {
	h := b.buf
	binary.BigEndian.PutUint64(h, 0)
	binary.BigEndian.PutUint32(h[batchLengthAt:], uint32(len(h)-batchLengthAt-4))
	binary.BigEndian.PutUint32(h[batchLeaderEpochAt:], ^uint32(0))
	h[batchMagicAt] = 2
	attributes := uint16(0)
	if transactional {
		attributes = attributeTransactional
	}
	binary.BigEndian.PutUint16(h[batchAttributesAt:], attributes)
	binary.BigEndian.PutUint32(h[batchLastOffsetDeltaAt:], uint32(b.count-1))
	binary.BigEndian.PutUint64(h[batchFirstTimestampAt:], uint64(b.firstTime))
	binary.BigEndian.PutUint64(h[batchMaxTimestampAt:], uint64(b.maxTime))
	binary.BigEndian.PutUint64(h[batchProducerIDAt:], uint64(producerID))
	binary.BigEndian.PutUint16(h[batchProducerEpochAt:], uint16(epoch))
	binary.BigEndian.PutUint32(h[batchFirstSequenceAt:], uint32(firstSequence))
	binary.BigEndian.PutUint32(h[batchCountAt:], uint32(b.count))
}

// checksum completes a sealed batch.
func checksum(batch []byte) {
	binary.BigEndian.PutUint32(batch[batchCRCAt:], crc32.Checksum(batch[batchAttributesAt:], castagnoli))
}

func appendVarint(b []byte, v int64) []byte {
	u := uint64(v<<1) ^ uint64(v>>63)
	if u < 0x80 {
		return append(b, byte(u))
	}
	return binary.AppendUvarint(b, u)
}

func varintSize(v int64) int {
	u := uint64(v<<1) ^ uint64(v>>63)
	n := 1
	for u >= 0x80 {
		u >>= 7
		n++
	}
	return n
}

// appendVarbytes encodes a length and the bytes, -1 for null.
func appendVarbytes(b, data []byte) []byte {
	if data == nil {
		return append(b, 1) // zigzag of -1
	}
	return append(appendVarint(b, int64(len(data))), data...)
}

func varbytesSize(data []byte) int {
	if data == nil {
		return 1
	}
	return varintSize(int64(len(data))) + len(data)
}
