package sim

import (
	"bytes"
	"slices"

	"github.com/ksqlgo/ksqlgo/exec/record"
)

// Topic is a list of records for each partition.
type Topic struct {
	Name       string
	partitions [][]Record
	// order tells in which order the records of all partitions came.
	order []place
	// next is the partition of the next record without a key.
	next int32
}

// place is where a record of a topic is.
type place struct {
	partition int32
	offset    int64
}

// Record is a record of a topic.
type Record struct {
	// Key and Value are nil for null. They must not be changed.
	Key, Value []byte
	Timestamp  int64
	Headers    []record.Header
	Partition  int32
	// WindowBytes at the end of Key do not decide the partition.
	WindowBytes int
	Offset      int64
}

// Message is the record as tasks are fed it.
func (r *Record) Message() record.Message {
	return record.Message{
		Key: r.Key, Value: r.Value, Timestamp: r.Timestamp, Offset: r.Offset, LeaderEpoch: -1, Headers: r.Headers,
	}
}

// CreateTopic makes a topic unless it exists.
func (s *Sim) CreateTopic(name string, partitions int) *Topic {
	if t := s.topics[name]; t != nil {
		return t
	}
	t := &Topic{Name: name, partitions: make([][]Record, max(partitions, 1))}
	s.topics[name] = t
	s.order = append(s.order, name)
	return t
}

// Topic finds a topic.
func (s *Sim) Topic(name string) (*Topic, bool) {
	t, ok := s.topics[name]
	return t, ok
}

// TopicNames lists the topics, internal ones too, in the order of their creation.
func (s *Sim) TopicNames() []string { return slices.Clone(s.order) }

// Partitions is the number of partitions.
func (t *Topic) Partitions() int { return len(t.partitions) }

// Partition lists the records of one partition in offset order.
func (t *Topic) Partition(n int32) []Record { return t.partitions[n] }

// Len counts the records of all partitions.
func (t *Topic) Len() int { return len(t.order) }

// Records lists the records of all partitions in order of arrival.
func (t *Topic) Records() []Record { return t.Between(0, t.Len()) }

// Between lists the records of all partitions in order of arrival, from number from to before number to; numbers count from 0.
func (t *Topic) Between(from, to int) []Record {
	to = min(to, len(t.order))
	if from >= to {
		return nil
	}
	out := make([]Record, 0, to-from)
	for _, at := range t.order[from:to] {
		out = append(out, t.partitions[at.partition][at.offset])
	}
	return out
}

// Produce appends a record to a topic, which is made with one partition if it does not exist. With Partition -1 the key
// decides as Kafka's default partitioner does; records without a key go round. The bytes are copied. It returns the
// record with partition and offset set.
func (s *Sim) Produce(topic string, r Record) Record {
	t := s.CreateTopic(topic, 1)
	n := int32(len(t.partitions))
	switch {
	case r.Partition >= 0 && r.Partition < n:
	case r.Key != nil:
		r.Partition = int32(murmur2(r.Key[:len(r.Key)-r.WindowBytes])&0x7fffffff) % n
	default:
		r.Partition = t.next % n
		t.next++
	}
	r.Key, r.Value = bytes.Clone(r.Key), bytes.Clone(r.Value)
	r.Headers = slices.Clone(r.Headers)
	r.Offset = int64(len(t.partitions[r.Partition]))
	t.order = append(t.order, place{r.Partition, r.Offset})
	t.partitions[r.Partition] = append(t.partitions[r.Partition], r)
	return r
}

// murmur2 is Kafka's variant of the hash, which its default partitioner applies to keys.
func murmur2(b []byte) uint32 {
	const m = 0x5bd1e995
	h := uint32(0x9747b28c) ^ uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		k := (uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24) * m
		h = h*m ^ (k^k>>24)*m
	}
	for i := len(b) - 1; i >= 0; i-- {
		h ^= uint32(b[i]) << (8 * i)
	}
	if len(b) > 0 {
		h *= m
	}
	h = (h ^ h>>13) * m
	return h ^ h>>15
}
