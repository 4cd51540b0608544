package exec

import (
	"context"
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/state"
)

// commitAtLeastOnce closes an interval without a transaction: outputs and changelogs first, then the state, then the
// offsets. A crash in between processes records again that were written; nothing is lost.
func (s *session) commitAtLeastOnce(ctx context.Context, offsets []kafka.OffsetCommit, batch state.Commit) error {
	if err := s.producer.Flush(ctx); err != nil {
		return err
	}
	batch.Checkpoints = s.checkpoints()
	for _, o := range offsets {
		batch.Meta = append(batch.Meta, state.Meta{Partition: o.Partition, Name: metadataName(o.Topic), Value: encodeOwnOffset(o.Offset, o.Metadata)})
	}
	if err := s.db.Commit(batch); err != nil {
		return err
	}
	return s.consumer.CommitOffsets(ctx, offsets)
}

func metadataName(topic string) string { return "offset/" + topic }

// encodeOwnOffset makes the note of a position that this server has committed to its state: offset, space, metadata.
func encodeOwnOffset(offset int64, metadata string) []byte {
	return append(append(strconv.AppendInt(nil, offset, 10), ' '), metadata...)
}

// decodeOwnOffset reads what encodeOwnOffset wrote; ok is false for text of another origin.
func decodeOwnOffset(b []byte) (offset int64, metadata string, ok bool) {
	head, metadata, found := strings.Cut(string(b), " ")
	offset, err := strconv.ParseInt(head, 10, 64)
	return offset, metadata, found && err == nil
}

// adoptLocal lets a task go on from the positions in its state where these are ahead of the committed offsets: a crash
// came between the two. It may only do so if nobody else has written to its changelogs meanwhile, which the restore has
// found; then nothing is counted twice on the same server. A position that this server has not committed itself came with
// somebody else's changelog, perhaps by an earlier restore: that one's outputs may not have been written.
func (s *session) adoptLocal(tasks []*hostedTask, offsets map[kafka.TopicPartition]kafka.GroupOffset) error {
	for _, t := range tasks {
		if len(t.stage.Stores) == 0 || t.local.foreign {
			continue
		}
		positions, err := s.db.Positions(t.partition)
		if err != nil {
			return err
		}
		for _, p := range positions {
			tp := kafka.TopicPartition{Topic: p.Topic, Partition: p.Partition}
			o, ok := offsets[tp]
			if !ok || p.Offset <= o.Offset {
				continue
			}
			note, _, err := s.db.Meta(t.partition, metadataName(p.Topic))
			if err != nil {
				return err
			}
			if own, metadata, ok := decodeOwnOffset(note); ok && own == p.Offset {
				offsets[tp] = kafka.GroupOffset{Offset: p.Offset, LeaderEpoch: p.LeaderEpoch, Metadata: metadata}
				t.adopted = true
			}
		}
	}
	return nil
}
