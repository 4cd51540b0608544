package kafka_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// reader starts a reader of partition 0 of a topic.
func (e env) reader(t testing.TB, topic string, offset int64) (*kafka.Reader, kafka.TopicPartition) {
	t.Helper()
	r, err := e.NewReader(kafka.ReaderConfig{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	tp := kafka.TopicPartition{Topic: topic}
	if err := r.Start(timeout(t), map[kafka.TopicPartition]int64{tp: offset}); err != nil {
		t.Fatal(err)
	}
	return r, tp
}

// next polls until a batch comes.
func next(t testing.TB, r *kafka.Reader) *kafka.Batch {
	t.Helper()
	ctx := timeout(t)
	for {
		batches, err := r.Poll(ctx, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if len(batches) > 0 {
			return batches[0]
		}
	}
}

// quiet fails if a batch comes.
func quiet(t testing.TB, r *kafka.Reader) {
	t.Helper()
	batches, err := r.Poll(timeout(t), 250*time.Millisecond)
	if err != nil || len(batches) > 0 {
		t.Fatalf("got %v, %v; want nothing", batches, err)
	}
}

func TestAbortedRecordsMoveThePosition(t *testing.T) {
	e := start(t)
	e.topic(t, "in", 1)
	ctx := timeout(t)
	p := e.producer(t, "txn")
	p.Produce("in", 0, nil, []byte("aborted"), 0, nil)
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	r, tp := e.reader(t, "in", kafka.AtStart)
	quiet(t, r) // open: beyond the last stable offset
	if err := p.AbortTransaction(ctx); err != nil {
		t.Fatal(err)
	}
	for at := int64(0); at < 2; { // Some brokers answer with the aborted record before they have the marker.
		b := next(t, r)
		if len(b.Records) != 0 || b.Next <= at || b.Next > 2 || b.Err != nil {
			t.Fatalf("batch %+v, want the position past the marker", b)
		}
		at = b.Next
	}
	// A barrier after it is reached, as at the end of a restore.
	plain, err := e.Plain()
	if err != nil {
		t.Fatal(err)
	}
	barrier, err := plain.Produce(ctx, tp, []byte("barrier"), nil, 1, nil)
	if err != nil || barrier != 2 {
		t.Fatalf("barrier at %d, %v", barrier, err)
	}
	seen := 0
	err = e.ReadRange(ctx, tp, 0, barrier+1, func(b *kafka.Batch) error { seen += len(b.Records); return nil })
	if err != nil || seen != 1 {
		t.Errorf("read %d records, %v", seen, err)
	}
}

func TestReaderStartsWhereTold(t *testing.T) {
	e := start(t)
	e.topic(t, "in", 1)
	e.write(t, "in", 1, 0, 10)
	for _, c := range []struct {
		offset int64
		first  string
	}{{kafka.AtStart, "value-0"}, {0, "value-0"}, {7, "value-7"}, {kafka.AtEnd, "value-10"}} {
		r, _ := e.reader(t, "in", c.offset)
		if c.offset == kafka.AtEnd {
			quiet(t, r)
			e.write(t, "in", 1, 10, 1)
		}
		if b := next(t, r); string(b.Records[0].Value) != c.first {
			t.Errorf("from %d: first is %s, want %s", c.offset, b.Records[0].Value, c.first)
		}
	}
}

func TestPauseHoldsAndSeekDrops(t *testing.T) {
	e := start(t)
	e.topic(t, "in", 1)
	r, tp := e.reader(t, "in", 0)
	r.Pause(tp)
	e.write(t, "in", 1, 0, 3)
	quiet(t, r)
	r.Resume(tp)
	b := next(t, r)
	if b.Records[0].Offset != 0 {
		t.Errorf("resumed at %d", b.Records[0].Offset)
	}
	b.Release()
	if err := r.Start(timeout(t), map[kafka.TopicPartition]int64{tp: 1}); err != nil {
		t.Fatal(err)
	}
	if b := next(t, r); b.Records[0].Offset != 1 || len(b.Records) != 2 {
		t.Errorf("after the seek: %v", b.Records)
	}
	r.Remove(tp)
	e.write(t, "in", 1, 3, 3)
	quiet(t, r)
}

func TestWakeEndsPoll(t *testing.T) {
	e := start(t)
	e.topic(t, "in", 1)
	r, _ := e.reader(t, "in", 0)
	began := time.Now()
	time.AfterFunc(20*time.Millisecond, r.Wake)
	if batches, err := r.Poll(timeout(t), 20*time.Second); err != nil || len(batches) > 0 || time.Since(began) > 10*time.Second {
		t.Errorf("poll returned %v, %v after %v", batches, err, time.Since(began))
	}
}

func TestUnreadablePositions(t *testing.T) {
	e := start(t)
	e.topic(t, "in", 1)
	e.write(t, "in", 1, 0, 10)
	ctx := timeout(t)
	t.Run("beyond the end", func(t *testing.T) {
		r, _ := e.reader(t, "in", 99)
		if b := next(t, r); kafka.KindOf(b.Err) != kafka.OutOfRange || b.Next != 99 {
			t.Errorf("batch %+v", b)
		}
		quiet(t, r)
	})
	t.Run("deleted", func(t *testing.T) {
		if err := e.Admin().DeleteRecords(ctx, map[kafka.TopicPartition]int64{{Topic: "in"}: 5}); err != nil {
			t.Fatal(err)
		}
		r, tp := e.reader(t, "in", 2)
		b := next(t, r)
		if kafka.KindOf(b.Err) != kafka.OutOfRange {
			t.Fatalf("batch %+v", b)
		}
		starts, err := e.Admin().StartOffsets(ctx, "in")
		if err != nil || starts[tp] != 5 {
			t.Fatalf("starts %v, %v", starts, err)
		}
		if err := r.Start(ctx, starts); err != nil {
			t.Fatal(err)
		}
		if b := next(t, r); b.Records[0].Offset != 5 {
			t.Errorf("went on at %d", b.Records[0].Offset)
		}
	})
	t.Run("topic recreated", func(t *testing.T) {
		r, _ := e.reader(t, "in", kafka.AtEnd)
		quiet(t, r)
		if err := e.Admin().DeleteTopics(ctx, "in"); err != nil {
			t.Fatal(err)
		}
		e.topic(t, "in", 1)
		if b := next(t, r); kafka.KindOf(b.Err) != kafka.TopicGone {
			t.Errorf("batch %+v", b)
		}
	})
	t.Run("no such topic", func(t *testing.T) {
		r, err := e.NewReader(kafka.ReaderConfig{Name: "none"})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		err = r.Start(ctx, map[kafka.TopicPartition]int64{{Topic: "none"}: kafka.AtStart})
		if kafka.KindOf(err) != kafka.TopicGone {
			t.Errorf("error %v", err)
		}
	})
}

// TestLargeValue writes and reads a value of 50 MB, among small ones.
func TestLargeValue(t *testing.T) {
	e := start(t)
	ctx := timeout(t)
	if _, err := e.Admin().CreateTopic(ctx, kafka.TopicSpec{Name: "in", Partitions: 1, Configs: map[string]string{"max.message.bytes": "60000000"}}); err != nil {
		t.Fatal(err)
	}
	plain, err := e.Plain()
	if err != nil {
		t.Fatal(err)
	}
	large := make([]byte, 50_000_000)
	tp := kafka.TopicPartition{Topic: "in"}
	for _, v := range [][]byte{[]byte("small"), large, []byte("small")} {
		if _, err := plain.Produce(ctx, tp, nil, v, 0, nil); err != nil {
			t.Fatal(err)
		}
	}
	p := e.producer(t, "txn")
	p.Produce("in", 0, nil, large, 0, nil)
	p.Produce("in", 0, nil, []byte("small"), 0, nil)
	if err := p.CommitTransaction(ctx, kafka.Member{}, nil); err != nil {
		t.Fatal(err)
	}
	var sizes []int
	err = e.ReadRange(ctx, tp, 0, 5, func(b *kafka.Batch) error {
		for _, r := range b.Records {
			sizes = append(sizes, len(r.Value))
		}
		return nil
	})
	if want := []int{5, 50_000_000, 5, 50_000_000, 5}; err != nil || !slices.Equal(sizes, want) {
		t.Errorf("read %v, %v; want %v", sizes, err, want)
	}
}

func TestReadRangeEndsWithTheCallersError(t *testing.T) {
	e := start(t)
	e.topic(t, "in", 1)
	e.write(t, "in", 1, 0, 3)
	stop := errors.New("stop")
	err := e.ReadRange(timeout(t), kafka.TopicPartition{Topic: "in"}, 0, 3, func(*kafka.Batch) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("error %v", err)
	}
}

func TestEnsureTopic(t *testing.T) {
	e := start(t)
	ctx := timeout(t)
	spec := kafka.TopicSpec{Name: "t", Partitions: 3, Configs: map[string]string{"cleanup.policy": "compact"}}
	created, err := e.Admin().EnsureTopic(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	again, err := e.Admin().EnsureTopic(ctx, spec)
	if err != nil || again.ID != created.ID || again.Partitions != 3 {
		t.Errorf("again: %+v, %v; first %+v", again, err, created)
	}
	var mismatch *kafka.TopicMismatchError
	spec.Partitions = 4
	if _, err := e.Admin().EnsureTopic(ctx, spec); !errors.As(err, &mismatch) || mismatch.What != "partitions" {
		t.Errorf("other count: %v", err)
	}
	spec.Partitions, spec.Configs["cleanup.policy"] = 3, "delete"
	if _, err := e.Admin().EnsureTopic(ctx, spec); !errors.As(err, &mismatch) || mismatch.What != "cleanup.policy" {
		t.Errorf("other policy: %v", err)
	}
	if _, err := e.Admin().CreateTopic(ctx, spec); kafka.KindOf(err) != kafka.TopicExists {
		t.Errorf("create: %v", err)
	}
	if configs, err := e.Admin().TopicConfigs(ctx, "t"); err != nil || configs["retention.ms"] != "-1" {
		t.Errorf("a compacted topic keeps its rows for %q, %v", configs["retention.ms"], err)
	}
	if topics, err := e.Admin().Topics(ctx, "t", "none"); err != nil || len(topics) != 1 {
		t.Errorf("topics %v, %v", topics, err)
	}
}
