package sqltest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/exec/sim"
)

// pipe hands a record of a topic to all queries that read it, then what they wrote to those that read that, and so on. path holds
// the topics that the record came through.
func (w *World) pipe(topic string, r sim.Record, path []string) error {
	if slices.Contains(path, topic) {
		return fmt.Errorf("Detected illegal cycle in topology: %s", strings.Join(append(path, topic), "->"))
	}
	type result struct {
		topic   string
		records []sim.Record
	}
	var results []result
	for _, q := range w.sim.Queries() {
		if !slices.Contains(sourceOrder(q), topic) {
			continue
		}
		sink := ""
		if s := q.Plan().Sink; s != nil {
			sink = s.Topic
		}
		before := w.count(sink)
		if err := q.Feed(topic, r); err != nil {
			return err
		}
		results = append(results, result{sink, w.records(sink, before, w.count(sink))})
	}
	path = append(slices.Clone(path), topic)
	for _, from := range results {
		for _, r := range from.records {
			if err := w.pipe(from.topic, r, path); err != nil {
				return err
			}
		}
	}
	return nil
}

// count is how many records a topic has had; 0 if there is no such topic.
func (w *World) count(topic string) int {
	t, ok := w.sim.Topic(topic)
	if !ok {
		return 0
	}
	return t.Len()
}

// records are those of a topic in the order in which they came, from number from to before number to.
func (w *World) records(topic string, from, to int) []sim.Record {
	t, ok := w.sim.Topic(topic)
	if !ok {
		return nil
	}
	return t.Between(from, to)
}
