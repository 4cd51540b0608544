package broker

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	batchHeaderSize = 61

	attributeTransactional = 0x10
	attributeControl       = 0x20
)

// batchHeader is the head of a record batch in a segment file.
type batchHeader struct {
	size          int64 // of the whole batch
	first         int64 // offset
	lastDelta     int32
	leaderEpoch   int32
	attributes    uint16
	firstTime     int64
	maxTime       int64
	producerID    int64
	producerEpoch int16
	firstSequence int32
	count         int32
}

// parseBatch reads the head of the batch that b begins with; ok is false when
// b does not hold the whole batch.
func parseBatch(b []byte) (h batchHeader, ok bool) {
	if len(b) < batchHeaderSize {
		return h, false
	}
	length := int32(binary.BigEndian.Uint32(b[8:]))
	h = batchHeader{
		size:          int64(length) + 12,
		first:         int64(binary.BigEndian.Uint64(b)),
		leaderEpoch:   int32(binary.BigEndian.Uint32(b[12:])),
		attributes:    binary.BigEndian.Uint16(b[21:]),
		lastDelta:     int32(binary.BigEndian.Uint32(b[23:])),
		firstTime:     int64(binary.BigEndian.Uint64(b[27:])),
		maxTime:       int64(binary.BigEndian.Uint64(b[35:])),
		producerID:    int64(binary.BigEndian.Uint64(b[43:])),
		producerEpoch: int16(binary.BigEndian.Uint16(b[51:])),
		firstSequence: int32(binary.BigEndian.Uint32(b[53:])),
		count:         int32(binary.BigEndian.Uint32(b[57:])),
	}
	return h, h.size >= batchHeaderSize && h.size <= int64(len(b)) && b[16] == 2
}

func (h batchHeader) last() int64         { return h.first + int64(h.lastDelta) }
func (h batchHeader) control() bool       { return h.attributes&attributeControl != 0 }
func (h batchHeader) transactional() bool { return h.attributes&attributeTransactional != 0 }

// intact reports whether the checksum of the batch b begins with is right.
func (h batchHeader) intact(b []byte) bool {
	return crc32.Checksum(b[21:h.size], castagnoli) == binary.BigEndian.Uint32(b[17:])
}

// isCommit reports whether a control batch is a commit marker.
func (h batchHeader) isCommit(b []byte) bool {
	var rec kmsg.Record
	if rec.ReadFrom(b[batchHeaderSize:h.size]) != nil || len(rec.Key) < 4 {
		return false
	}
	return kmsg.ControlRecordKeyType(binary.BigEndian.Uint16(rec.Key[2:])) == kmsg.ControlRecordKeyTypeCommit
}

// abortMarker builds the control batch that ends a producer's transaction on
// one partition.
func abortMarker(producerID int64, producerEpoch int16, offset int64, leaderEpoch int32, atMillis int64) []byte {
	key := kmsg.ControlRecordKey{Type: kmsg.ControlRecordKeyTypeAbort}
	marker := kmsg.EndTxnMarker{}
	rec := kmsg.Record{Key: key.AppendTo(nil), Value: marker.AppendTo(nil)}
	rec.Length = int32(len(rec.AppendTo(nil)) - 1) // the length itself takes one byte
	batch := kmsg.RecordBatch{
		FirstOffset:          offset,
		PartitionLeaderEpoch: leaderEpoch,
		Magic:                2,
		Attributes:           attributeTransactional | attributeControl,
		FirstTimestamp:       atMillis,
		MaxTimestamp:         atMillis,
		ProducerID:           producerID,
		ProducerEpoch:        producerEpoch,
		FirstSequence:        -1,
		NumRecords:           1,
		Records:              rec.AppendTo(nil),
	}
	raw := batch.AppendTo(nil)
	batch.Length = int32(len(raw) - 12)
	batch.CRC = int32(crc32.Checksum(raw[21:], castagnoli))
	return batch.AppendTo(nil)
}
