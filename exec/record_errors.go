package exec

import (
	"context"
	"log/slog"
)

// errorRing holds the last record errors, up to a bound, and counts those it has dropped.
type errorRing struct {
	list []RecordError
	next int
	all  int
}

func (r *errorRing) add(e RecordError) {
	r.all++
	if len(r.list) < keptRecordErrors {
		r.list = append(r.list, e)
		return
	}
	r.list[r.next] = e
	r.next = (r.next + 1) % keptRecordErrors
}

// take empties the ring: its errors, oldest first, and how many there were in all.
func (r *errorRing) take() (list []RecordError, all int) {
	list, all = append(append(list, r.list[r.next:]...), r.list[:r.next]...), r.all
	*r = errorRing{list: r.list[:0]}
	return list, all
}

// loggedErrors bounds how many record errors of one interval are logged each by itself.
const loggedErrors = 10

// logRecordErrors writes record errors to the processing log: the first few whole, the others by number. All are counted
// in the accounting, and the last of them are kept in the status.
func (x *Executor) logRecordErrors(queryID string, list []RecordError, all int) {
	for i := range list {
		if i == loggedErrors {
			break
		}
		e := &list[i]
		x.cfg.Logger.Log(context.Background(), slog.LevelWarn, "record error", "logger", "processing."+queryID+"."+e.Step,
			"kind", e.Kind.String(), "topic", e.Topic, "partition", e.Partition, "offset", e.Offset, "reason", e.Reason, "skipped", e.Skipped)
	}
	if more := all - loggedErrors; more > 0 {
		x.cfg.Logger.Warn("more record errors in the same interval", "query", queryID, "count", more)
	}
}
