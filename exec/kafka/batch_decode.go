package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Layout of a record batch of magic 2: byte positions of its header's fields,
// and the bits of its attributes.
const (
	batchLengthAt          = 8
	batchLeaderEpochAt     = 12
	batchMagicAt           = 16
	batchCRCAt             = 17
	batchAttributesAt      = 21
	batchLastOffsetDeltaAt = 23
	batchFirstTimestampAt  = 27
	batchMaxTimestampAt    = 35
	batchProducerIDAt      = 43
	batchProducerEpochAt   = 51
	batchFirstSequenceAt   = 53
	batchCountAt           = 57
	batchHeaderSize        = 61

	attributeCodec         = 0x07
	attributeLogAppendTime = 0x08
	attributeTransactional = 0x10
	attributeControl       = 0x20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errTruncatedRecord = errors.New("a record reaches past the end of its batch")

// batchDecoder turns the bytes of a fetch into records. It is not safe for
// concurrent use.
type batchDecoder struct {
	// committed leaves out the records of aborted transactions.
	committed bool
	inflate   decompressor
	aborted   abortedTransactions
}

func newBatchDecoder(committed bool) *batchDecoder {
	return &batchDecoder{committed: committed, inflate: decompressor{limit: maxDecompressBytes}}
}

// decode appends to b the records of one partition's fetch response at or
// after offset from, and sets its position and watermarks. What the response
// cuts off at its end is left for the next fetch. A batch that is corrupt ends
// decoding; it becomes b.Err when it is the first one.
func (d *batchDecoder) decode(p *kmsg.FetchResponseTopicPartition, from int64, b *Batch) {
	b.Next = from
	b.HighWatermark, b.LastStable, b.LogStart = p.HighWatermark, p.LastStableOffset, p.LogStartOffset
	d.aborted.reset(p.AbortedTransactions)
	for in := p.RecordBatches; len(in) >= batchMagicAt+1; {
		size := int64(int32(binary.BigEndian.Uint32(in[batchLengthAt:]))) + batchLengthAt + 4
		if size > int64(len(in)) {
			return
		}
		err := d.batch(in, size, from, b)
		if err != nil {
			if len(b.Records) == 0 && b.Next == from {
				b.Skip = skipOffset(in, from)
				b.Err = &Error{Kind: Corrupt, Op: fmt.Sprintf("decoding the batch at offset %d", b.Next),
					Topic: b.Topic, Partition: b.Partition, Err: err}
			}
			return
		}
		in = in[size:]
	}
}

// skipOffset is the offset after a batch that cannot be decoded, as far as its
// header tells; at least the next one.
func skipOffset(in []byte, from int64) int64 {
	next := from + 1
	if len(in) >= batchHeaderSize && in[batchMagicAt] == 2 {
		first := int64(binary.BigEndian.Uint64(in))
		delta := int64(int32(binary.BigEndian.Uint32(in[batchLastOffsetDeltaAt:])))
		next = max(next, first+max(delta, 0)+1)
	}
	return next
}

// batch decodes the batch of the given size at the start of in.
func (d *batchDecoder) batch(in []byte, size, from int64, b *Batch) error {
	if magic := in[batchMagicAt]; magic != 2 {
		return fmt.Errorf("message format %d is not supported", magic)
	}
	if size < batchHeaderSize {
		return errors.New("the batch is shorter than its header")
	}
	in = in[:size]
	if crc32.Checksum(in[batchAttributesAt:], castagnoli) != binary.BigEndian.Uint32(in[batchCRCAt:]) {
		return kerr.CorruptMessage
	}
	var (
		first      = int64(binary.BigEndian.Uint64(in))
		last       = first + int64(int32(binary.BigEndian.Uint32(in[batchLastOffsetDeltaAt:])))
		attributes = binary.BigEndian.Uint16(in[batchAttributesAt:])
		producer   = int64(binary.BigEndian.Uint64(in[batchProducerIDAt:]))
	)
	if last < from {
		return nil
	}
	body := in[batchHeaderSize:]
	d.aborted.advance(last)
	switch {
	case attributes&attributeControl != 0:
		if controlIsAbort(body) {
			d.aborted.end(producer)
		}
	case d.committed && attributes&attributeTransactional != 0 && d.aborted.contains(producer):
	default:
		var err error
		if codec := attributes & attributeCodec; codec != 0 {
			if body, err = d.inflate.decompress(body, codec); err != nil {
				return err
			}
		}
		records, headers := len(b.Records), len(b.headers)
		if err := decodeRecords(body, batchHead{
			first: first, from: from,
			timestamp:   int64(binary.BigEndian.Uint64(in[batchFirstTimestampAt:])),
			maxTime:     int64(binary.BigEndian.Uint64(in[batchMaxTimestampAt:])),
			appendTime:  attributes&attributeLogAppendTime != 0,
			leaderEpoch: int32(binary.BigEndian.Uint32(in[batchLeaderEpochAt:])),
			count:       int32(binary.BigEndian.Uint32(in[batchCountAt:])),
		}, b); err != nil {
			b.Records, b.headers = b.Records[:records], b.headers[:headers]
			return err
		}
		b.bytes += len(body)
	}
	b.Next = last + 1
	return nil
}

// controlIsAbort reports whether a control batch ends an aborted transaction;
// an unreadable one counts as an abort.
func controlIsAbort(body []byte) bool {
	b := Batch{}
	if err := decodeRecords(body, batchHead{count: 1}, &b); err != nil || len(b.Records) != 1 || len(b.Records[0].Key) < 4 {
		return true
	}
	return binary.BigEndian.Uint16(b.Records[0].Key[2:]) == 0
}

// batchHead is what the records of a batch are relative to.
type batchHead struct {
	first, from, timestamp, maxTime int64
	appendTime                      bool
	leaderEpoch, count              int32
}

// decodeRecords appends the records of an uncompressed batch body to b. Keys,
// values and header values point into body.
func decodeRecords(body []byte, h batchHead, b *Batch) error {
	if h.count < 0 {
		return fmt.Errorf("a batch of %d records", h.count)
	}
	// A record takes at least 7 bytes: the count cannot ask for more memory
	// than the body can fill.
	b.Records = slices.Grow(b.Records, min(int(h.count), len(body)/7+1))
	for range h.count {
		length, n := varint(body)
		if n == 0 || length < 0 || length > int64(len(body)-n) {
			return errTruncatedRecord
		}
		rec := body[n : n+int(length)]
		body = body[n+int(length):]
		if len(rec) == 0 {
			return errTruncatedRecord
		}
		rec = rec[1:] // attributes, unused
		timeDelta, n := varint(rec)
		if n == 0 {
			return errTruncatedRecord
		}
		rec = rec[n:]
		offsetDelta, n := varint(rec)
		if n == 0 {
			return errTruncatedRecord
		}
		rec = rec[n:]
		key, rec, ok := varbytes(rec)
		if !ok {
			return errTruncatedRecord
		}
		value, rec, ok := varbytes(rec)
		if !ok {
			return errTruncatedRecord
		}
		headers, n := varint(rec)
		if n == 0 || headers < 0 {
			return errTruncatedRecord
		}
		offset := h.first + offsetDelta
		if offset < h.from {
			continue
		}
		r := Record{Key: key, Value: value, Timestamp: h.timestamp + timeDelta, Offset: offset, LeaderEpoch: h.leaderEpoch}
		if h.appendTime {
			r.Timestamp = h.maxTime
		}
		if headers > 0 {
			if r.Headers, ok = b.decodeHeaders(rec[n:], headers); !ok {
				return errTruncatedRecord
			}
		}
		b.Records = append(b.Records, r)
	}
	return nil
}

// decodeHeaders decodes n headers into the batch's own memory.
func (b *Batch) decodeHeaders(rec []byte, n int64) ([]Header, bool) {
	at := len(b.headers)
	for range n {
		var key, value []byte
		var ok bool
		if key, rec, ok = varbytes(rec); !ok {
			return nil, false
		}
		if value, rec, ok = varbytes(rec); !ok {
			return nil, false
		}
		b.headers = append(b.headers, Header{Key: string(key), Value: value})
	}
	return b.headers[at:len(b.headers):len(b.headers)], true
}

// varint decodes a zigzag varint; n is 0 when b is too short or the number
// too long.
func varint(b []byte) (v int64, n int) {
	if len(b) > 0 && b[0] < 0x80 {
		u := uint64(b[0])
		return int64(u>>1) ^ -int64(u&1), 1
	}
	if len(b) > 1 && b[1] < 0x80 {
		u := uint64(b[0]&0x7f) | uint64(b[1])<<7
		return int64(u>>1) ^ -int64(u&1), 2
	}
	return longVarint(b)
}

func longVarint(b []byte) (int64, int) {
	v, n := binary.Varint(b)
	return v, max(n, 0)
}

// varbytes decodes a length and that many bytes; a negative length is null.
func varbytes(b []byte) (data, rest []byte, ok bool) {
	length, n := varint(b)
	if n == 0 || length > int64(len(b)-n) {
		return nil, nil, false
	}
	b = b[n:]
	if length < 0 {
		return nil, b, true
	}
	return b[:length:length], b[length:], true
}

// abortedTransactions follows which producers have an aborted transaction open
// at the place being decoded: the broker lists the transactions by their first
// offsets, and their abort markers in the log end them.
type abortedTransactions struct {
	pending []kmsg.FetchResponseTopicPartitionAbortedTransaction
	open    []int64
}

func (a *abortedTransactions) reset(list []kmsg.FetchResponseTopicPartitionAbortedTransaction) {
	a.open = a.open[:0]
	slices.SortFunc(list, func(x, y kmsg.FetchResponseTopicPartitionAbortedTransaction) int {
		if x.FirstOffset < y.FirstOffset {
			return -1
		}
		return 1
	})
	a.pending = list
}

// advance opens the aborted transactions that begin at or before an offset.
func (a *abortedTransactions) advance(last int64) {
	for len(a.pending) > 0 && a.pending[0].FirstOffset <= last {
		if id := a.pending[0].ProducerID; !slices.Contains(a.open, id) {
			a.open = append(a.open, id)
		}
		a.pending = a.pending[1:]
	}
}

// contains reports whether the producer's transaction at this place is an
// aborted one.
func (a *abortedTransactions) contains(producer int64) bool {
	return slices.Contains(a.open, producer)
}

// end closes the producer's aborted transaction.
func (a *abortedTransactions) end(producer int64) {
	if i := slices.Index(a.open, producer); i >= 0 {
		a.open = slices.Delete(a.open, i, i+1)
	}
}
