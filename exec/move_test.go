package exec_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/state"
)

// pauses watches a topic of running counts and notes the longest time between two committed records of each partition.
type pauses struct {
	mu      sync.Mutex
	last    map[int32]time.Time
	longest map[int32]time.Duration
	rows    int
}

// watch reads a topic until ctx ends.
func (p *pauses) watch(ctx context.Context, t *testing.T, w *world, topic string, partitions int32) {
	r, err := w.cluster.NewReader(kafka.ReaderConfig{Name: "watch"})
	if err != nil {
		t.Error(err)
		return
	}
	defer r.Close()
	from := map[kafka.TopicPartition]int64{}
	for i := range partitions {
		from[kafka.TopicPartition{Topic: topic, Partition: i}] = kafka.AtStart
	}
	if err := r.Start(ctx, from); err != nil {
		t.Error(err)
		return
	}
	for {
		batches, err := r.Poll(ctx, time.Second)
		if err != nil {
			return
		}
		now := time.Now()
		p.mu.Lock()
		for _, b := range batches {
			if last, ok := p.last[b.Partition]; ok {
				p.longest[b.Partition] = max(p.longest[b.Partition], now.Sub(last))
			}
			p.last[b.Partition] = now
			p.rows += len(b.Records)
			b.Release()
		}
		p.mu.Unlock()
	}
}

// reset forgets what was seen, and most tells the longest pause since.
func (p *pauses) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last, p.longest = map[int32]time.Time{}, map[int32]time.Duration{}
}

func (p *pauses) most() (d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.longest {
		d = max(d, l)
	}
	return d
}

// trickle produces a record to every partition of e each few milliseconds until ctx ends, and returns how many there were.
func trickle(ctx context.Context, t *testing.T, w *world) int {
	producer, err := w.cluster.NewProducer(context.Background(), kafka.ProducerConfig{Name: "trickle"})
	if err != nil {
		t.Error(err)
		return 0
	}
	defer producer.Close()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; {
		select {
		case <-ctx.Done():
			return n
		case <-tick.C:
		}
		for p := range int32(6) {
			value, _ := json.Marshal(map[string]any{"G": fmt.Sprintf("g%d", n%37), "N": n})
			producer.Produce("e", p, fmt.Append(nil, "k", n), value, int64(n), nil)
			n++
		}
		if err := producer.Flush(context.Background()); err != nil {
			t.Error(err)
			return n
		}
	}
}

// While tasks move to a server that joins, and back from one that drains, no partition of the output stands still for long.
// The bounds are wide for a busy machine; the log has the figures.
func TestMovePauses(t *testing.T) {
	w := newWorld(t)
	plan := w.sql(countByG)
	spec := exec.QuerySpec{Plan: plan, Properties: everyUpdate()}
	a := w.executor("a", state.NewMemFS())
	if err := a.Start(spec); err != nil {
		t.Fatal(err)
	}
	w.eventually("a runs", func() bool { return tasksIn(a, plan.QueryID, exec.TaskRunning) == 12 })
	p := &pauses{}
	p.reset()
	feeding, stop := context.WithCancel(t.Context())
	watching, done := context.WithCancel(t.Context())
	var feeder, watcher sync.WaitGroup
	total := 0
	watcher.Go(func() { p.watch(watching, t, w, "C", 6) })
	feeder.Go(func() { total = trickle(feeding, t, w) })
	w.eventually("something is counted", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return p.rows > 2000 })
	p.reset()
	b := w.executor("b", state.NewMemFS())
	if err := b.Start(spec); err != nil {
		t.Fatal(err)
	}
	w.eventually("b owns its share", func() bool {
		return tasksIn(a, plan.QueryID, exec.TaskRunning) == 6 && tasksIn(b, plan.QueryID, exec.TaskRunning) == 6
	})
	joined := p.most()
	p.reset()
	if err := a.Drain(t.Context(), func(exec.DrainProgress) {}); err != nil {
		t.Fatal(err)
	}
	w.eventually("b owns everything", func() bool { return tasksIn(b, plan.QueryID, exec.TaskRunning) == 12 })
	drained := p.most()
	stop()
	feeder.Wait()
	w.eventually("everything is counted", func() bool { return sum(counts(t, w.records("C"), "N")) == int64(total) })
	done()
	watcher.Wait()
	t.Logf("longest pause of a partition: %v while a server joined, %v while one drained", joined.Round(time.Millisecond), drained.Round(time.Millisecond))
	if joined > 5*time.Second || drained > 5*time.Second {
		t.Errorf("partitions stood still for %v and %v", joined, drained)
	}
}
