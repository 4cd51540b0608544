package fault

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// watcher reads outputs from outside as they are committed and knows when each partition moved last. For a strike it tells
// how long it took until every partition had outputs of inputs that were written after it.
type watcher struct {
	client *kgo.Client
	done   sync.WaitGroup

	mu sync.Mutex
	// last is when a record of a partition was seen last, longest the longest time between two since rest was called.
	last    map[place]time.Time
	longest map[place]time.Duration
	seen    int64
	// quiet are the places at which nothing has been seen yet.
	quiet   map[place]bool
	waiting []*recovery
	over    []*recovery
}

// place is a partition of an output topic.
type place struct {
	topic     string
	partition int32
}

// recovery is the time from a strike until all partitions move again.
type recovery struct {
	kind  string
	began time.Time
	// after is the id of the first input written after the strike.
	after int64
	left  map[place]bool
	took  time.Duration
}

// watched are the topics whose rows carry the id of an input: a stateless join, and a count behind a repartition.
var watched = map[string][]byte{"joined": []byte(`"ID":`), "counts": []byte(`"LAST_ID":`)}

// watch reads until the context ends.
func watch(ctx context.Context, broker string) (*watcher, error) {
	from := map[string]map[int32]kgo.Offset{}
	w := &watcher{last: map[place]time.Time{}, longest: map[place]time.Duration{}, quiet: map[place]bool{}}
	for topic := range watched {
		from[topic] = map[int32]kgo.Offset{}
		for p := range int32(partitions) {
			from[topic][p] = kgo.NewOffset().AtStart()
			w.last[place{topic, p}], w.quiet[place{topic, p}] = time.Now(), true
		}
	}
	var err error
	w.client, err = kgo.NewClient(kgo.SeedBrokers(strings.Split(broker, ",")...), kgo.ClientID("watcher"), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()), kgo.ConsumePartitions(from), kgo.FetchMaxWait(100*time.Millisecond), kgo.MetadataMinAge(100*time.Millisecond),
		kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond }))
	if err != nil {
		return nil, err
	}
	w.done.Go(func() {
		defer w.client.Close()
		for ctx.Err() == nil {
			fetches := w.client.PollFetches(ctx)
			now := time.Now()
			w.mu.Lock()
			fetches.EachRecord(func(r *kgo.Record) { w.saw(r, now) })
			w.mu.Unlock()
		}
	})
	return w, nil
}

// saw takes in a record. w.mu is held.
func (w *watcher) saw(r *kgo.Record, now time.Time) {
	at := place{r.Topic, r.Partition}
	w.longest[at] = max(w.longest[at], now.Sub(w.last[at]))
	w.last[at] = now
	delete(w.quiet, at)
	w.seen++
	if len(w.waiting) == 0 {
		return
	}
	_, rest, ok := bytes.Cut(r.Value, watched[r.Topic])
	if !ok {
		return
	}
	id, err := strconv.ParseInt(string(rest[:bytes.IndexAny(rest, ",}")]), 10, 64)
	if err != nil {
		return
	}
	kept := w.waiting[:0]
	for _, x := range w.waiting {
		if id >= x.after {
			delete(x.left, at)
		}
		if len(x.left) > 0 {
			kept = append(kept, x)
			continue
		}
		x.took = now.Sub(x.began)
		w.over = append(w.over, x)
	}
	w.waiting = kept
}

// flows says whether every partition has had outputs.
func (w *watcher) flows() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.quiet) == 0
}

// open is how many strikes not all partitions have recovered from.
func (w *watcher) open() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.waiting)
}

// struck notes a strike; after is the id of the next input.
func (w *watcher) struck(kind string, after int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	x := &recovery{kind: kind, began: time.Now(), after: after, left: map[place]bool{}}
	for at := range w.last {
		x.left[at] = true
	}
	w.waiting = append(w.waiting, x)
}

// recovered are the recoveries so far by kind of strike.
func (w *watcher) recovered() (byKind map[string][]time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	byKind = map[string][]time.Duration{}
	for _, x := range w.over {
		byKind[x.kind] = append(byKind[x.kind], x.took)
	}
	return byKind
}

// count is how many records were seen.
func (w *watcher) count() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// rest begins to measure gaps anew.
func (w *watcher) rest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.longest)
}

// gap is the longest time for which any partition stood still since rest was called, up to now.
func (w *watcher) gap() (longest time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for at, last := range w.last {
		longest = max(longest, w.longest[at], time.Since(last))
	}
	return longest
}

// silence is the longest time since any partition moved.
func (w *watcher) silence() (longest time.Duration, where place) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for at, last := range w.last {
		if d := time.Since(last); d > longest {
			longest, where = d, at
		}
	}
	return longest, where
}
