package commandlog

import (
	"context"
	"errors"
)

// beginAnew lets an empty topic begin with a record that says which logs were terminated before it. So servers that were
// down when that happened, and have backups of one of those, know that this topic is right. A topic that has something in it
// is left alone.
func (t *KafkaTopic) beginAnew(ctx context.Context, terminated []string) error {
	if end, err := t.End(ctx); err != nil || end > 0 {
		return err
	}
	_, err := t.Append(ctx, &beginWriter{skipWriter{topic: t}, terminated})
	if errors.Is(err, errNotEmpty) {
		return nil
	}
	return err
}

// errNotEmpty says that somebody else has begun the log.
var errNotEmpty = errors.New("commandlog: the log has begun already")

// beginWriter is the Writer of the first record of a log.
type beginWriter struct {
	skipWriter
	terminated []string
}

// Build implements Writer.
func (w *beginWriter) Build(_ context.Context, offset int64) (key, value []byte, err error) {
	if offset > 0 {
		return nil, nil, errNotEmpty
	}
	return encodeRecord(ID{"command", "topic", "begin"}, &Command{Action: Begun, Former: w.terminated,
		Statement: "-- the service was terminated and begins anew"})
}
