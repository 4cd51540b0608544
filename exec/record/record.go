// Package record holds the unit that flows: Kafka messages as tasks receive and emit them, and the records that pass
// from operator to operator.
package record

import "github.com/ksqlgo/ksqlgo/catalog/types"

// Header is one Kafka header. The bytes share the lifetime of the message they came with.
type Header struct {
	Key   string
	Value []byte
}

// Message is one Kafka record as a task is fed it. Key and Value point into the fetch buffer and are valid during the
// call that hands the message over; nil means null.
type Message struct {
	Key, Value []byte
	// Timestamp in milliseconds since 1970.
	Timestamp   int64
	Offset      int64
	LeaderEpoch int32
	Headers     []Header
}

// Record is what flows between operators. It and its rows belong to the operator that passes it on and are valid during
// the call only; whoever keeps a row copies it.
//
// In a stream a record is an event: Row holds its columns, and Tombstone says that the Kafka value was null (key columns
// are set, all others null). In a table it is a change: Row is the new row, or with Tombstone just the key of the row
// that is gone, and Old the row that was there before (nil: there was none).
type Record struct {
	Row *types.Row
	Old *types.Row
	// Tombstone: the value is null (a stream's null value, a table's delete).
	Tombstone bool
	// Time is the record's timestamp (ROWTIME), milliseconds since 1970.
	Time int64
	// Window of records of windowed tables and windowed sources.
	Window types.Window
	// Partition and Offset of the source record this one was made from.
	Partition int32
	Offset    int64
	// RawKey is the key's bytes as read, for operators that pass the key on unchanged; nil when not known or null.
	RawKey []byte
	// NullKey: the key as read was null, as opposed to a key whose columns are all null.
	NullKey bool
	// Headers of the source record.
	Headers []Header
}
