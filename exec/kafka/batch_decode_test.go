package kafka

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// testBatch describes a record batch to encode.
type testBatch struct {
	first      int64
	producer   int64
	attributes int16
	records    []kmsg.Record
	codec      kgo.CompressionCodec
}

func (tb testBatch) encode(t testing.TB) []byte {
	t.Helper()
	var body []byte
	for i, r := range tb.records {
		r.OffsetDelta = int32(i)
		r.Length = 0
		r.Length = int32(len(r.AppendTo(nil)) - 1)
		body = r.AppendTo(body)
	}
	batch := kmsg.RecordBatch{
		FirstOffset: tb.first, Magic: 2, Attributes: tb.attributes, LastOffsetDelta: int32(len(tb.records) - 1),
		FirstTimestamp: 1000, MaxTimestamp: 2000, ProducerID: tb.producer, NumRecords: int32(len(tb.records)),
		PartitionLeaderEpoch: 7, Records: body,
	}
	if tb.codec != (kgo.CompressionCodec{}) {
		c, err := kgo.DefaultCompressor(tb.codec)
		if err != nil {
			t.Fatal(err)
		}
		out, codec := c.Compress(new(bytes.Buffer), body)
		batch.Records, batch.Attributes = out, batch.Attributes|int16(codec)
	}
	raw := batch.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-12))
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], castagnoli))
	return raw
}

func values(list ...string) []kmsg.Record {
	var records []kmsg.Record
	for i, v := range list {
		records = append(records, kmsg.Record{TimestampDelta64: int64(i), Key: []byte("k"), Value: []byte(v)})
	}
	return records
}

func marker(commit bool) []kmsg.Record {
	kind := kmsg.ControlRecordKeyTypeAbort
	if commit {
		kind = kmsg.ControlRecordKeyTypeCommit
	}
	key := kmsg.ControlRecordKey{Type: kind}
	return []kmsg.Record{{Key: key.AppendTo(nil), Value: []byte{0, 0, 0, 0, 0, 0}}}
}

const (
	txn     = attributeTransactional
	control = attributeTransactional | attributeControl
)

func TestDecode(t *testing.T) {
	aborted := func(producer, first int64) kmsg.FetchResponseTopicPartitionAbortedTransaction {
		return kmsg.FetchResponseTopicPartitionAbortedTransaction{ProducerID: producer, FirstOffset: first}
	}
	for _, c := range []struct {
		name        string
		batches     []testBatch
		aborted     []kmsg.FetchResponseTopicPartitionAbortedTransaction
		from        int64
		uncommitted bool
		want        []string
		next        int64
	}{
		{name: "plain", batches: []testBatch{{records: values("a", "b")}, {first: 2, records: values("c")}}, want: []string{"a", "b", "c"}, next: 3},
		{name: "from the middle of a batch", batches: []testBatch{{records: values("a", "b", "c")}}, from: 1, want: []string{"b", "c"}, next: 3},
		{name: "gap of compaction", batches: []testBatch{{first: 10, records: values("a")}}, from: 3, want: []string{"a"}, next: 11},
		{name: "committed", batches: []testBatch{
			{producer: 5, attributes: txn, records: values("a")}, {first: 1, producer: 5, attributes: control, records: marker(true)},
		}, want: []string{"a"}, next: 2},
		{name: "aborted, then committed by the same producer", batches: []testBatch{
			{producer: 5, attributes: txn, records: values("a")}, {first: 1, producer: 5, attributes: control, records: marker(false)},
			{first: 2, producer: 5, attributes: txn, records: values("b")}, {first: 3, producer: 5, attributes: control, records: marker(true)},
		}, aborted: []kmsg.FetchResponseTopicPartitionAbortedTransaction{aborted(5, 0)}, want: []string{"b"}, next: 4},
		{name: "interleaved", batches: []testBatch{
			{producer: 5, attributes: txn, records: values("a")}, {first: 1, producer: 6, attributes: txn, records: values("b")},
			{first: 2, producer: -1, records: values("c")}, {first: 3, producer: 6, attributes: control, records: marker(true)},
			{first: 4, producer: 5, attributes: txn, records: values("d")}, {first: 5, producer: 5, attributes: control, records: marker(false)},
		}, aborted: []kmsg.FetchResponseTopicPartitionAbortedTransaction{aborted(5, 0)}, want: []string{"b", "c"}, next: 6},
		{name: "aborted twice", batches: []testBatch{
			{producer: 5, attributes: txn, records: values("a")}, {first: 1, producer: 5, attributes: control, records: marker(false)},
			{first: 2, producer: 5, attributes: txn, records: values("b")}, {first: 3, producer: 5, attributes: control, records: marker(false)},
			{first: 4, records: values("c"), producer: 5, attributes: txn}, {first: 5, producer: 5, attributes: control, records: marker(true)},
		}, aborted: []kmsg.FetchResponseTopicPartitionAbortedTransaction{aborted(5, 2), aborted(5, 0)}, want: []string{"c"}, next: 6},
		{name: "uncommitted read", uncommitted: true, batches: []testBatch{
			{producer: 5, attributes: txn, records: values("a")}, {first: 1, producer: 5, attributes: control, records: marker(false)},
		}, want: []string{"a"}, next: 2},
		{name: "compressed", batches: []testBatch{{records: values("a", "b"), codec: kgo.ZstdCompression()}, {first: 2, records: values("c"), codec: kgo.Lz4Compression()}}, want: []string{"a", "b", "c"}, next: 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := kmsg.FetchResponseTopicPartition{AbortedTransactions: c.aborted}
			for _, tb := range c.batches {
				p.RecordBatches = append(p.RecordBatches, tb.encode(t)...)
			}
			cut := p // what a response cuts off comes with the next fetch
			cut.RecordBatches = append(append([]byte(nil), p.RecordBatches...), testBatch{first: 99, records: values("late")}.encode(t)[:70]...)
			for _, p := range []kmsg.FetchResponseTopicPartition{p, cut} {
				b := newBatch(TopicPartition{"t", 0})
				newBatchDecoder(!c.uncommitted).decode(&p, c.from, b)
				var got []string
				for _, r := range b.Records {
					got = append(got, string(r.Value))
					if r.LeaderEpoch != 7 || r.Timestamp < 1000 || string(r.Key) != "k" {
						t.Errorf("record %+v", r)
					}
				}
				if b.Err != nil || b.Next != c.next || len(got) != len(c.want) {
					t.Fatalf("got %v, next %d, error %v; want %v, next %d", got, b.Next, b.Err, c.want, c.next)
				}
				for i := range got {
					if got[i] != c.want[i] {
						t.Fatalf("got %v, want %v", got, c.want)
					}
				}
				b.Release()
			}
		})
	}
}

func TestDecodeNullsAndHeaders(t *testing.T) {
	raw := testBatch{records: []kmsg.Record{
		{Value: []byte("v")}, {Key: []byte("k")}, {Key: []byte{}, Value: []byte{}},
		{Headers: []kmsg.Header{{Key: "h", Value: []byte("1")}, {Key: "n"}}},
	}}.encode(t)
	b := newBatch(TopicPartition{"t", 0})
	defer b.Release()
	newBatchDecoder(true).decode(&kmsg.FetchResponseTopicPartition{RecordBatches: raw}, 0, b)
	if b.Err != nil || len(b.Records) != 4 {
		t.Fatalf("%d records, error %v", len(b.Records), b.Err)
	}
	r := b.Records
	if r[0].Key != nil || r[1].Value != nil || r[2].Key == nil || r[2].Value == nil {
		t.Errorf("null and empty are mixed up: %v", r)
	}
	if h := r[3].Headers; len(h) != 2 || h[0].Key != "h" || string(h[0].Value) != "1" || h[1].Value != nil {
		t.Errorf("headers %v", h)
	}
}

func TestDecodeCorruptBatch(t *testing.T) {
	good, bad := testBatch{records: values("a")}.encode(t), testBatch{first: 1, records: values("b")}.encode(t)
	bad[len(bad)-1] ^= 1
	b := newBatch(TopicPartition{"t", 3})
	d := newBatchDecoder(true)
	d.decode(&kmsg.FetchResponseTopicPartition{RecordBatches: append(good, bad...)}, 0, b)
	if b.Err != nil || len(b.Records) != 1 || b.Next != 1 {
		t.Fatalf("before the corrupt batch: %d records, next %d, error %v", len(b.Records), b.Next, b.Err)
	}
	b = newBatch(TopicPartition{"t", 3})
	d.decode(&kmsg.FetchResponseTopicPartition{RecordBatches: bad}, 1, b)
	if KindOf(b.Err) != Corrupt || b.Next != 1 || b.Skip != 2 {
		t.Fatalf("the corrupt batch: next %d, skip %d, error %v", b.Next, b.Skip, b.Err)
	}
}

// FuzzDecode gives the decoder bytes as they are, and with a right checksum.
func FuzzDecode(f *testing.F) {
	f.Add(testBatch{records: values("a", "b")}.encode(f))
	f.Add(testBatch{producer: 5, attributes: control, records: marker(false)}.encode(f))
	f.Add(testBatch{records: values("a", "b"), codec: kgo.SnappyCompression()}.encode(f))
	f.Add(append(make([]byte, 8), bytes.Repeat([]byte{0xff}, 80)...)) // a negative length
	f.Fuzz(func(t *testing.T, raw []byte) {
		d := newBatchDecoder(true)
		as := newBatch(TopicPartition{"t", 0})
		d.decode(&kmsg.FetchResponseTopicPartition{RecordBatches: raw}, 0, as)
		as.Release()
		if len(raw) >= batchHeaderSize {
			raw = bytes.Clone(raw)
			binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-12))
			binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], castagnoli))
		}
		b := newBatch(TopicPartition{"t", 0})
		d.decode(&kmsg.FetchResponseTopicPartition{RecordBatches: raw}, 0, b)
		if b.Err != nil && b.Skip <= b.Next {
			t.Errorf("a batch at %d cannot be skipped: %d", b.Next, b.Skip)
		}
		b.Release()
	})
}

func BenchmarkDecode(b *testing.B) {
	const n = 1000
	list := make([]string, n)
	for i := range list {
		list[i] = string(bytes.Repeat([]byte("x"), 250))
	}
	raw := testBatch{records: values(list...)}.encode(b)
	p := kmsg.FetchResponseTopicPartition{RecordBatches: raw}
	d := newBatchDecoder(true)
	b.ReportAllocs()
	b.SetBytes(int64(len(raw) / n))
	b.ResetTimer()
	for i := 0; i < b.N; i += n {
		batch := newBatch(TopicPartition{"t", 0})
		d.decode(&p, 0, batch)
		batch.Release()
	}
}
