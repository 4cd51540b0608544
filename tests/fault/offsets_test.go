package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// forensics finds out how records of the joined topic came to be there twice: which transactions wrote them, and what these and
// their neighbours committed for the partition of the inputs. It returns a few cases in full.
func (k *trio) forensics(ctx context.Context) ([]string, error) {
	written, err := k.copies(ctx, "joined", kgo.ReadCommitted())
	if err != nil {
		return nil, err
	}
	inputs, err := k.copies(ctx, "inputs", kgo.ReadUncommitted())
	if err != nil {
		return nil, err
	}
	commits, err := k.commits(ctx, "CSAS_JOINED")
	if err != nil {
		return nil, err
	}
	var out []string
	told := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(written)) {
		list := written[id]
		if len(list) < 2 || len(out) > 5 {
			continue
		}
		in := inputs[id][0]
		at := fmt.Sprintf("inputs-%d", in.Partition)
		text := fmt.Sprintf("input %d, offset %d of %s, is in joined %d times", id, in.Offset, at, len(list))
		pair := at
		for _, r := range list {
			text += fmt.Sprintf("\n  offset %d of joined-%d by producer %d, epoch %d", r.Offset, r.Partition, r.ProducerID, r.ProducerEpoch)
			pair += fmt.Sprint(" ", r.ProducerID, r.ProducerEpoch)
		}
		if told[pair] {
			continue
		}
		told[pair] = true
		// The commits from before the first that passes the input to after those of the writers.
		from, to := len(commits[at]), 0
		for i, c := range commits[at] {
			mine := slices.ContainsFunc(list, func(r *kgo.Record) bool { return r.ProducerID == c.ProducerID && r.ProducerEpoch == c.ProducerEpoch })
			if mine || committedOffset(c) > in.Offset {
				from = min(from, i-3)
			}
			if mine {
				to = max(to, i+2)
			}
		}
		for i := max(from, 0); i < min(to, len(commits[at]), max(from, 0)+25); i++ {
			text += "\n    " + describeCommit(commits[at][i])
		}
		story, err := k.story(ctx, list[0].Topic, list[0].Partition, list[0].Offset-1, list[len(list)-1].Offset+5000)
		if err != nil {
			return out, err
		}
		out = append(out, text+story)
	}
	return out, nil
}

// story tells who wrote which offsets of a partition, and how their transactions ended.
func (k *trio) story(ctx context.Context, topic string, partition int32, from, to int64) (string, error) {
	var text strings.Builder
	var first, last *kgo.Record
	end := func() {
		if first != nil {
			fmt.Fprintf(&text, "\n    %s-%d %d to %d written by producer %d, epoch %d", topic, partition, first.Offset, last.Offset, first.ProducerID, first.ProducerEpoch)
		}
		first = nil
	}
	err := k.readAll(ctx, topic, kgo.ReadUncommitted(), func(r *kgo.Record) {
		switch {
		case r.Partition != partition || r.Offset < from-2000 || r.Offset > to:
		case r.Attrs.IsControl():
			end()
			kind := "abort"
			if len(r.Key) == 4 && r.Key[3] == 1 {
				kind = "commit"
			}
			fmt.Fprintf(&text, "\n    %s-%d %d %s of producer %d, epoch %d at %s", topic, partition, r.Offset, kind, r.ProducerID, r.ProducerEpoch, r.Timestamp.UTC().Format(time.StampMilli))
		default:
			if first != nil && (first.ProducerID != r.ProducerID || first.ProducerEpoch != r.ProducerEpoch) {
				end()
			}
			if first == nil {
				first = r
			}
			last = r
		}
	})
	end()
	return text.String(), err
}

// copies reads the records of a topic of inputs' ids, by id.
func (k *trio) copies(ctx context.Context, topic string, level kgo.IsolationLevel) (map[int64][]*kgo.Record, error) {
	out := map[int64][]*kgo.Record{}
	err := k.readAll(ctx, topic, level, func(r *kgo.Record) {
		var v struct{ ID *int64 }
		if !r.Attrs.IsControl() && json.Unmarshal(r.Value, &v) == nil && v.ID != nil {
			out[*v.ID] = append(out[*v.ID], r)
		}
	})
	return out, err
}

// commits reads what the group of a query has committed, by partition, in order.
func (k *trio) commits(ctx context.Context, query string) (map[string][]*kgo.Record, error) {
	out := map[string][]*kgo.Record{}
	err := k.readAll(ctx, "__consumer_offsets", kgo.ReadCommitted(), func(r *kgo.Record) {
		var key kmsg.OffsetCommitKey
		if r.Attrs.IsControl() || key.ReadFrom(r.Key) != nil || key.Version > 1 || !strings.Contains(key.Group, serviceID) || !strings.Contains(key.Group, query) {
			return
		}
		at := fmt.Sprintf("%s-%d", key.Topic, key.Partition)
		out[at] = append(out[at], r)
	})
	return out, err
}

// readAll hands over the records of a topic up to its present end, those that end transactions included.
func (k *trio) readAll(ctx context.Context, topic string, level kgo.IsolationLevel, fn func(*kgo.Record)) error {
	ends, err := k.admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return err
	}
	from, left := map[int32]kgo.Offset{}, map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			from[o.Partition], left[o.Partition] = kgo.NewOffset().AtStart(), o.Offset
		}
	})
	cl, err := kgo.NewClient(kgo.SeedBrokers(k.BootstrapServers()...), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}),
		kgo.FetchIsolationLevel(level), kgo.KeepControlRecords(), kgo.ConsumeResetOffset(kgo.NoResetOffset()))
	if err != nil {
		return err
	}
	defer cl.Close()
	for len(left) > 0 && ctx.Err() == nil {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset >= left[r.Partition]-1 {
				delete(left, r.Partition)
			}
			fn(r)
		})
	}
	return ctx.Err()
}

// committedOffset is the offset in a record of __consumer_offsets, -1 for one that forgets it.
func committedOffset(r *kgo.Record) int64 {
	var value kmsg.OffsetCommitValue
	if r.Value == nil || value.ReadFrom(r.Value) != nil {
		return -1
	}
	return value.Offset
}

// describeCommit says what was committed, when and by whom.
func describeCommit(r *kgo.Record) string {
	how := "plainly"
	if r.ProducerID >= 0 {
		how = fmt.Sprintf("by producer %d, epoch %d", r.ProducerID, r.ProducerEpoch)
	}
	return fmt.Sprintf("committed %d at %s %s (offset %d)", committedOffset(r), r.Timestamp.UTC().Format(time.StampMilli), how, r.Offset)
}
