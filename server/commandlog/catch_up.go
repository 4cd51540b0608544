package commandlog

import "context"

// CatchUp implements Topic.
func (t *KafkaTopic) CatchUp(ctx context.Context) error {
	ends, err := t.cluster.Admin().EndOffsets(ctx, t.tp.Topic)
	if err != nil {
		return err
	}
	return t.waitFor(ctx, ends[t.tp])
}

// CatchUp waits until everything that is in the log now has been applied here, or ctx ends.
func (l *Log) CatchUp(ctx context.Context) error { return l.topic.CatchUp(ctx) }
