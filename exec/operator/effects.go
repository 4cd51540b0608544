package operator

import (
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
)

// Output is one record to be produced. All its bytes are valid during the call that hands it over only.
type Output struct {
	Topic string
	// Partition is -1 when the key decides: murmur2 of PartitionKey as Kafka's default partitioner does, and any partition
	// for a null key.
	Partition int32
	// WindowBytes is how many bytes at the end of Key are its window. They do not decide the partition, as in Kafka
	// Streams: all windows of a key are in one.
	WindowBytes int
	// Key and Value are nil for null.
	Key, Value []byte
	// Timestamp in milliseconds since 1970.
	Timestamp int64
	Headers   []record.Header
}

// PartitionKey is the part of the key that decides the partition; nil for a null key.
func (o *Output) PartitionKey() []byte {
	if o.Key == nil {
		return nil
	}
	return o.Key[:len(o.Key)-o.WindowBytes]
}

// ErrorKind is the kind of a record error, with the numbers of ksqlDB's processing log.
type ErrorKind uint8

// The kinds of record errors.
const (
	// DeserializationError: key or value could not be read; the record is skipped.
	DeserializationError ErrorKind = 0
	// ProcessingError: an expression failed (column null), or the record cannot be used (null primary key, timestamp).
	ProcessingError ErrorKind = 1
	// SerializationError: the row could not be written in the topic's format; it is left out.
	SerializationError ErrorKind = 3
)

// String names the kind as the processing log does.
func (k ErrorKind) String() string {
	switch k {
	case DeserializationError:
		return "deserializationError"
	case SerializationError:
		return "serializationError"
	}
	return "recordProcessingError"
}

// RecordError tells what was wrong with one record. One record may have several (one for each failing column).
type RecordError struct {
	// Stage of the plan and Step, the name of the operator.
	Stage int
	Step  string
	Kind  ErrorKind
	// Topic, Partition and Offset of the record of the source (or repartition) topic that was being processed.
	Topic     string
	Partition int32
	Offset    int64
	// Reason is the error's text, with the column it concerns.
	Reason string
	// IsKey: the key, not the value, could not be read or written.
	IsKey bool
	// Skipped: the record went no further, as opposed to one column being null.
	Skipped bool
}

// Row is one row for the subscriber of a push query. Valid during the call only.
type Row struct {
	// Row holds Plan.Output.Columns in Layout; of a Tombstone only the columns at Output.KeyPositions are set.
	Row    *types.Row
	Layout *types.Layout
	// Tombstone: the table's row is gone.
	Tombstone bool
	// Time is ROWTIME in milliseconds.
	Time int64
	// Partition and Offset of the source record that brought the row.
	Partition int32
	Offset    int64
}

// Effects is what operators do to the world; the host of a task implements it. Calls come from the task's goroutine, in
// the order in which effects happen; nothing passed may be kept without a copy.
type Effects interface {
	// Output produces a record. It may leave at once inside the open transaction. An error stops the task.
	Output(o *Output) error
	// Row hands a row to the subscriber of a push query; it may leave the process only after the commit of the interval.
	Row(r *Row) error
	// RecordError reports an error in a record; the record has been accounted for.
	RecordError(e *RecordError)
}
