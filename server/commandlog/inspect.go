package commandlog

import (
	"bytes"
	"context"
	"fmt"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// RecordState says what servers make of a record.
type RecordState string

// The states of a record.
const (
	// AppliedRecord has taken effect.
	AppliedRecord RecordState = "applied"
	// SkippedRecord is taken out by a later one.
	SkippedRecord RecordState = "skipped"
	// UndecodableRecord cannot be read by this build, which degrades the servers that are like it.
	UndecodableRecord RecordState = "undecodable"
	// UnappliedRecord stands behind an undecodable one: servers that cannot read that one do not apply it. Behind a terminated
	// service's end all records are so.
	UnappliedRecord RecordState = "unapplied"
)

// Record is a record of the log as people look at it.
type Record struct {
	Entry
	ID string
	// Command is nil when the record cannot be decoded; Problem says why then.
	Command *Command
	Problem error
	State   RecordState
}

// Inspection is all that a command topic holds.
type Inspection struct {
	Header BackupHeader
	// Records are in offset order, fillers of a restored log included.
	Records []Record
	// Start is the first offset, End the one after the last record of the topic, open and aborted transactions counted.
	Start, End int64
}

// Inspect reads the command topic of a service without being a server of it. The error is a *CorruptedError when there is none.
func Inspect(ctx context.Context, cluster *kafka.Cluster, serviceID string) (*Inspection, error) {
	tp := kafka.TopicPartition{Topic: TopicName(serviceID)}
	t := &KafkaTopic{cfg: KafkaTopicConfig{Cluster: cluster, ServiceID: serviceID}, tp: tp}
	id, exists, err := t.id(ctx)
	if err != nil {
		return nil, err
	}
	if !exists {
		return nil, corrupted("there is no command topic %s", tp.Topic)
	}
	starts, err := cluster.Admin().StartOffsets(ctx, tp.Topic)
	if err != nil {
		return nil, err
	}
	ends, err := cluster.Admin().CommittedEndOffsets(ctx, tp.Topic)
	if err != nil {
		return nil, err
	}
	in := &Inspection{Header: BackupHeader{Topic: tp.Topic, TopicID: id}, Start: starts[tp], End: ends[tp]}
	for at := in.Start; at < in.End; {
		next, err := in.read(ctx, cluster, tp, at)
		if err != nil {
			return nil, err
		}
		at = next
	}
	in.judge()
	return in, nil
}

// read reads from an offset to the end, or past a place that cannot be decoded.
func (in *Inspection) read(ctx context.Context, cluster *kafka.Cluster, tp kafka.TopicPartition, from int64) (next int64, err error) {
	reader, err := cluster.NewReader(kafka.ReaderConfig{Name: "command"})
	if err != nil {
		return 0, err
	}
	defer reader.Close()
	if err := reader.Start(ctx, map[kafka.TopicPartition]int64{tp: from}); err != nil {
		return 0, err
	}
	next = from
	for next < in.End {
		batches, err := reader.Poll(ctx, maxPoll)
		if err != nil {
			return 0, err
		}
		for _, b := range batches {
			switch {
			case b.Err != nil && kafka.KindOf(b.Err) == kafka.Corrupt:
				in.Records = append(in.Records, Record{Entry: Entry{Offset: b.Next, Err: b.Err}})
				next = b.Skip
				b.Release()
				return next, nil
			case b.Err != nil:
				err := b.Err
				b.Release()
				return 0, fmt.Errorf("reading the command topic: %w", err)
			}
			for i := range b.Records {
				m := &b.Records[i]
				in.Records = append(in.Records, Record{Entry: Entry{Offset: m.Offset, Timestamp: m.Timestamp,
					Key: bytes.Clone(m.Key), Value: bytes.Clone(m.Value)}})
			}
			next = b.Next
			b.Release()
		}
	}
	return next, nil
}

// judge decides what is in force, as servers do.
func (in *Inspection) judge() {
	skips, ended := map[int64]bool{}, false
	for i := range in.Records {
		r := &in.Records[i]
		r.ID, r.Command, r.Problem = decodeEntry(r.Entry)
		if r.ID == "" && r.Err == nil {
			r.ID, _ = DecodeKey(r.Key)
		}
		c := r.Command
		if c != nil && c.Action == Skip && *c.Target < r.Offset && !ended {
			skips[*c.Target] = true
		}
		ended = ended || c != nil && c.Action == TerminateCluster
	}
	readable := true
	ended = false
	for i := range in.Records {
		r := &in.Records[i]
		switch {
		case ended:
			r.State = UnappliedRecord
		case r.Command != nil && r.Command.Action == TerminateCluster:
			r.State, ended = AppliedRecord, true
		case skips[r.Offset] && (r.Command == nil || r.Command.Action != Skip):
			r.State = SkippedRecord
		case r.Command == nil:
			r.State, readable = UndecodableRecord, false
		case readable || r.Command.Action == Skip:
			r.State = AppliedRecord
		default:
			r.State = UnappliedRecord
		}
	}
}

// At is the record at an offset.
func (in *Inspection) At(offset int64) (*Record, bool) {
	for i := range in.Records {
		if in.Records[i].Offset == offset {
			return &in.Records[i], true
		}
	}
	return nil, false
}
