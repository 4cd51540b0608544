package position

import (
	"context"
	"errors"
	"time"
)

// Offsets is what is asked of Kafka. Methods are safe for concurrent use.
type Offsets interface {
	// Committed gives the positions that the consumer group of a query has committed for the partitions named in of;
	// partitions without one are left out. What it names does not come back: no transaction is open that holds it.
	Committed(ctx context.Context, query string, of Vector) (Vector, error)
	// Ends gives the end of every partition of the topics: the offset after the last record that is written, whether its
	// transaction is decided or not.
	Ends(ctx context.Context, topics ...string) (Vector, error)
}

// Pauses between two looks at a group's positions: short at first, since most waits are short.
const (
	firstPause = 2 * time.Millisecond
	lastPause  = 50 * time.Millisecond
)

// Await waits until all that the queries of the graph make of the records in want, on their way to the topics, is written
// to the topics, and returns the positions of the topics that contain it: those of want itself for topics that it names,
// and the ends of those that are written on the way. Other topics of want do not matter.
//
// It goes from stage to stage: once the group of a stage has committed what is wanted of its inputs, whichever server runs
// it, all it has made of them lies below the end of the topic it writes, since outputs are written before the transaction
// that commits the positions ends. The end must be that of all records: positions can be seen before the transaction's
// markers are, and until then a reader of committed records does not see the outputs.
//
// When ctx ends by its deadline the error is a *[Behind] that says how far the query is that was waited for.
func (g *Graph) Await(ctx context.Context, o Offsets, topics []string, want Vector) (Vector, error) {
	order, err := g.between(want, topics)
	if err != nil {
		return nil, err
	}
	w := walk{offsets: o, want: want, written: map[string]Vector{}}
	for _, s := range order {
		need, err := w.need(ctx, s.inputs)
		if err != nil {
			return nil, err
		}
		if err := w.await(ctx, s.query, need); err != nil {
			return nil, err
		}
		w.written[s.output] = nil
	}
	return w.need(ctx, topics)
}

// walk is one Await.
type walk struct {
	offsets Offsets
	want    Vector
	// written are the ends of the topics whose writers have done what was wanted; nil until they are asked for.
	written map[string]Vector
}

// need is what a reader of the topics has to have read.
func (w *walk) need(ctx context.Context, topics []string) (Vector, error) {
	need := w.want.Of(topics...)
	for _, topic := range topics {
		ends, ok := w.written[topic]
		if !ok {
			continue
		}
		if ends == nil {
			var err error
			if ends, err = w.offsets.Ends(ctx, topic); err != nil {
				return nil, overdue(ctx, err, &Behind{Want: need})
			}
			w.written[topic] = ends
		}
		need.Raise(ends)
	}
	return need, nil
}

// await waits until a query's group has committed what is needed.
func (w *walk) await(ctx context.Context, query string, need Vector) error {
	behind := &Behind{Query: query, Want: need}
	pause := time.NewTimer(0)
	defer pause.Stop()
	for next := firstPause; ; next = min(next*3/2, lastPause) {
		select {
		case <-ctx.Done():
			return overdue(ctx, ctx.Err(), behind)
		case <-pause.C:
		}
		have, err := w.offsets.Committed(ctx, query, need)
		if err != nil {
			return overdue(ctx, err, behind)
		}
		if have.Covers(need) {
			return nil
		}
		behind.Have = have
		pause.Reset(next)
	}
}

// overdue is behind if the time was up, else the error.
func overdue(ctx context.Context, err error, behind *Behind) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return behind
	}
	return err
}
