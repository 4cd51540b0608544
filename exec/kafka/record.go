package kafka

import (
	"sync"

	"github.com/ksqlgo/ksqlgo/exec/record"
)

// TopicPartition names one partition.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// Header and Record are the engine's own message types, so that fetched batches are fed to tasks as they are. A record's
// bytes point into the batch's memory and are valid until Batch.Release.
type (
	Header = record.Header
	Record = record.Message
)

// Batch is what one fetch brought for one partition, in offset order. It may
// hold no records at all and yet move the position: control records and
// aborted transactions are left out.
type Batch struct {
	TopicPartition
	// Records is owned by the batch until Release.
	Records []Record
	// Next is the position after the batch: the offset to continue from, past
	// what was left out. Records with a lower offset will not come again.
	Next int64
	// HighWatermark is the end of the partition when it was fetched;
	// LastStable the end for readers of committed records; LogStart its
	// first offset.
	HighWatermark, LastStable, LogStart int64
	// Err is set instead of records when the partition cannot be read on from
	// its position: [OutOfRange], [TopicGone] or [Corrupt] as told by [KindOf].
	// The partition is not fetched again until it is started anew.
	Err error
	// Skip is set with an Err of kind Corrupt: the offset after the batch of
	// records that cannot be decoded, to go on from by giving it up.
	Skip int64

	headers []Header
	// bytes is how long the decoded bodies are that the records point into.
	bytes  int
	pooled bool
	// generation is the fetch position's, to drop what was fetched before a seek.
	generation uint64
}

// recordBytes is what a Record takes beside the bytes it points to.
const recordBytes = 96

// Size is about how much memory the batch holds, in bytes.
func (b *Batch) Size() int { return b.bytes + len(b.Records)*recordBytes }

var batchPool = sync.Pool{New: func() any { return &Batch{pooled: true} }}

func newBatch(tp TopicPartition) *Batch {
	b := batchPool.Get().(*Batch)
	b.TopicPartition = tp
	return b
}

// maxPooledRecords bounds what a released batch keeps for the next one.
const maxPooledRecords = 1 << 17

// Release gives the batch's memory back. Neither the batch nor anything its
// records point to may be used afterwards.
func (b *Batch) Release() {
	if !b.pooled || cap(b.Records) > maxPooledRecords {
		return
	}
	clear(b.Records)
	clear(b.headers)
	*b = Batch{Records: b.Records[:0], headers: b.headers[:0], pooled: true}
	batchPool.Put(b)
}
