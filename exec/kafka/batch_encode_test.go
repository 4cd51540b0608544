package kafka

import (
	"bytes"
	"math"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func decodeOne(t testing.TB, raw []byte) *Batch {
	t.Helper()
	b := newBatch(TopicPartition{"t", 0})
	newBatchDecoder(true).decode(&kmsg.FetchResponseTopicPartition{RecordBatches: raw}, 0, b)
	if b.Err != nil {
		t.Fatal(b.Err)
	}
	return b
}

func TestEncodedBatchDecodes(t *testing.T) {
	records := []Record{
		{Key: []byte("k"), Value: []byte("v"), Timestamp: 1000},
		{Timestamp: -1}, {Key: []byte{}, Value: bytes.Repeat([]byte("x"), 70000), Timestamp: math.MaxInt32},
		{Value: []byte("h"), Timestamp: 5, Headers: []Header{{Key: "a", Value: []byte("1")}, {}}},
	}
	var builder batchBuilder
	for _, r := range records {
		builder.add(r.Key, r.Value, r.Timestamp, r.Headers)
	}
	builder.seal(77, 3, 12, true)
	checksum(builder.buf)

	var kb kmsg.RecordBatch
	if err := kb.ReadFrom(builder.buf); err != nil {
		t.Fatal(err)
	}
	if kb.ProducerID != 77 || kb.ProducerEpoch != 3 || kb.FirstSequence != 12 || kb.NumRecords != 4 || kb.LastOffsetDelta != 3 ||
		kb.FirstTimestamp != 1000 || kb.MaxTimestamp != math.MaxInt32 || kb.Attributes != attributeTransactional || int(kb.Length) != len(builder.buf)-12 {
		t.Errorf("header %+v", kb)
	}
	b := decodeOne(t, builder.buf)
	defer b.Release()
	if len(b.Records) != len(records) || b.Next != 4 {
		t.Fatalf("%d records, next %d", len(b.Records), b.Next)
	}
	for i, got := range b.Records {
		want := records[i]
		if !bytes.Equal(got.Key, want.Key) || (got.Key == nil) != (want.Key == nil) || !bytes.Equal(got.Value, want.Value) ||
			(got.Value == nil) != (want.Value == nil) || got.Timestamp != want.Timestamp || got.Offset != int64(i) || len(got.Headers) != len(want.Headers) {
			t.Errorf("record %d: got %v, want %v", i, got, want)
		}
	}
}

func FuzzEncode(f *testing.F) {
	f.Add([]byte("k"), []byte("v"), int64(1), int64(2))
	f.Add([]byte(nil), []byte(nil), int64(-1), int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, key, value []byte, t1, t2 int64) {
		var builder batchBuilder
		builder.add(key, value, t1, nil)
		builder.add(value, key, t2, []Header{{Key: string(key), Value: value}})
		builder.seal(1, 1, 0, false)
		checksum(builder.buf)
		b := decodeOne(t, builder.buf)
		if r := b.Records; len(r) != 2 || !bytes.Equal(r[0].Key, key) || !bytes.Equal(r[1].Headers[0].Value, value) || r[0].Timestamp != t1 || r[1].Timestamp != t2 {
			t.Errorf("decoded %v", r)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	key, value := []byte("user_12345"), bytes.Repeat([]byte("x"), 250)
	var builder batchBuilder
	b.ReportAllocs()
	for i := range b.N {
		if len(builder.buf) > 500<<10 {
			builder.seal(1, 1, 0, true)
			checksum(builder.buf)
			builder = batchBuilder{buf: builder.buf}
		}
		builder.add(key, value, int64(i), nil)
	}
}
