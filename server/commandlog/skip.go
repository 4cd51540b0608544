package commandlog

import (
	"context"
	"fmt"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// WriteSkip appends a record that takes the one at target out on all servers, and returns its offset. It can be called
// where no server runs; servers that run take note of it. What makes sense to skip is the caller's to know: see [Inspect].
func WriteSkip(ctx context.Context, t *KafkaTopic, target int64) (int64, error) {
	return t.Append(ctx, &skipWriter{topic: t, target: target})
}

// skipWriter is the Writer of a skip: nothing needs to be applied before it but that it is decided.
type skipWriter struct {
	topic  *KafkaTopic
	target int64
}

// Await implements Writer.
func (w *skipWriter) Await(ctx context.Context, offset int64) error {
	for {
		stable, err := w.topic.cfg.Cluster.Admin().CommittedEndOffsets(ctx, w.topic.tp.Topic)
		if err != nil {
			return err
		}
		if stable[w.topic.tp] >= offset {
			return nil
		}
		if !sleep(ctx, pollEvery) {
			return ctx.Err()
		}
	}
}

// Build implements Writer.
func (w *skipWriter) Build(_ context.Context, offset int64) (key, value []byte, err error) {
	if w.target < 0 || w.target >= offset {
		return nil, nil, fmt.Errorf("there is no record at offset %d of the command topic", w.target)
	}
	return encodeRecord(ID{"command", fmt.Sprint(w.target), "skip"}, &Command{Action: Skip, Target: &w.target,
		Statement: fmt.Sprintf("-- skips the record at offset %d", w.target)})
}

// RunningMembers lists the members of a service's query groups: what there is of them says that servers run.
func RunningMembers(ctx context.Context, cluster *kafka.Cluster, groupPrefix string) ([]string, error) {
	names, err := cluster.Admin().Groups(ctx, groupPrefix)
	if err != nil {
		return nil, err
	}
	var members []string
	for _, name := range names {
		g, err := cluster.Admin().Group(ctx, name)
		if err != nil {
			return nil, err
		}
		for _, m := range g.Members {
			members = append(members, fmt.Sprintf("%s (%s) in %s", m.ClientID, m.ClientHost, name))
		}
	}
	return members, nil
}
