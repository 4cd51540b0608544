package sim

import (
	"bytes"
	"slices"

	"github.com/ksqlgo/ksqlgo/exec/operator"
)

// host collects the effects of a query's tasks in its open interval.
type host struct{ query *Query }

// Output implements [operator.Effects].
func (h *host) Output(o *operator.Output) error {
	h.query.pending.outputs = append(h.query.pending.outputs, pendingOutput{o.Topic, Record{
		Key: bytes.Clone(o.Key), Value: bytes.Clone(o.Value), Timestamp: o.Timestamp, Headers: slices.Clone(o.Headers),
		Partition: o.Partition, WindowBytes: o.WindowBytes,
	}})
	return nil
}

// Row implements [operator.Effects].
func (h *host) Row(r *operator.Row) error {
	values := make([]any, len(r.Layout.Columns))
	for i, c := range r.Layout.Columns {
		values[i] = r.Row.Boxed(r.Layout.Locs[i], c.Type)
	}
	h.query.pending.rows = append(h.query.pending.rows, Row{Values: values, Tombstone: r.Tombstone, Time: r.Time})
	return nil
}

// RecordError implements [operator.Effects].
func (h *host) RecordError(e *operator.RecordError) {
	h.query.pending.errors = append(h.query.pending.errors, *e)
}
