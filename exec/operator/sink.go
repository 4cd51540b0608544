package operator

import (
	"encoding/binary"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// Sink writes rows to the sink topic: tombstones as null values, windows behind the key's bytes.
type Sink struct {
	ctx        *Context
	name       string
	topic      string
	key, value formats.Encoder
	window     types.WindowType
	forwardKey bool
	// at is the row time column, nil to use the record's timestamp.
	at       *timeColumn
	keyBuf   []byte
	valueBuf []byte
}

// NewSink builds the operator.
func NewSink(ctx *Context, n *physical.Sink) (*Sink, error) {
	in := types.NewLayout(n.In.Out().Columns)
	s := &Sink{ctx: ctx, name: n.Name, topic: n.Topic, window: n.Window, forwardKey: n.ForwardKey}
	// Not nil, so that nothing appended is not null.
	s.keyBuf, s.valueBuf = []byte{}, []byte{}
	var err error
	if s.key, err = ctx.encoder(n.Topic, true, n.Key, n.KeyFormat, pick(in, n.KeyIndex)); err != nil {
		return nil, err
	}
	if s.value, err = ctx.encoder(n.Topic, false, n.Value, n.ValueFormat, pick(in, n.ValueIndex)); err != nil {
		return nil, err
	}
	if n.Timestamp != nil {
		if s.at, err = sinkTime(n, in); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// sinkTime finds the TIMESTAMP column among the sink's columns.
func sinkTime(n *physical.Sink, in *types.Layout) (*timeColumn, error) {
	for i, c := range n.Value {
		if c.Name == n.Timestamp.Column {
			return newTimeColumn(in.Locs[n.ValueIndex[i]], c.Type, n.Timestamp.Format)
		}
	}
	for i, c := range n.Key {
		if c.Name == n.Timestamp.Column {
			return newTimeColumn(in.Locs[n.KeyIndex[i]], c.Type, n.Timestamp.Format)
		}
	}
	return nil, fmt.Errorf("sink %s has no column %s for its timestamp", n.Topic, n.Timestamp.Column)
}

// Process implements [Operator].
func (s *Sink) Process(r *record.Record) error {
	out := &s.ctx.out
	*out = Output{Topic: s.topic, Partition: -1, Timestamp: r.Time}
	if s.forwardKey && r.RawKey != nil && s.window == types.NoWindow {
		out.Key = r.RawKey
	} else if !r.NullKey {
		key, null, err := s.key.Append(s.keyBuf[:0], r.Row)
		if err != nil {
			s.ctx.formatFailed(s.name, SerializationError, true, true, err)
			return nil
		}
		if !null {
			n := len(key)
			s.keyBuf = appendWindow(key, s.window, r.Window)
			out.Key, out.WindowBytes = s.keyBuf, len(s.keyBuf)-n
		}
	}
	if !r.Tombstone {
		value, null, err := s.value.Append(s.valueBuf[:0], r.Row)
		if err != nil {
			s.ctx.formatFailed(s.name, SerializationError, false, true, err)
			return nil
		}
		if !null {
			s.valueBuf, out.Value = value, value
		}
		if s.at != nil {
			at, err := s.at.read(r.Row)
			if err != nil {
				s.ctx.fail(s.name, ProcessingError, false, true, err.Error())
				return nil
			}
			out.Timestamp = at
		}
	}
	return s.ctx.emit()
}

// appendWindow adds the window to a key's bytes as Kafka Streams does: the start of a time window; end, then start of a
// session.
func appendWindow(key []byte, t types.WindowType, w types.Window) []byte {
	switch t {
	case types.Tumbling, types.Hopping:
		return binary.BigEndian.AppendUint64(key, uint64(w.Start))
	case types.Session:
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(key, uint64(w.End)), uint64(w.Start))
	}
	return key
}

// splitWindow takes the window off a key's bytes.
func splitWindow(key []byte, t types.WindowType, sizeMs int64) (rest []byte, w types.Window, err error) {
	switch t {
	case types.Tumbling, types.Hopping:
		n := len(key) - 8
		if n < 0 {
			return nil, w, fmt.Errorf("a key of %d bytes holds no window", len(key))
		}
		w.Start = int64(binary.BigEndian.Uint64(key[n:]))
		w.End = w.Start + sizeMs
		return key[:n], w, nil
	case types.Session:
		n := len(key) - 16
		if n < 0 {
			return nil, w, fmt.Errorf("a key of %d bytes holds no session", len(key))
		}
		w.End = int64(binary.BigEndian.Uint64(key[n:]))
		w.Start = int64(binary.BigEndian.Uint64(key[n+8:]))
		return key[:n], w, nil
	}
	return key, w, nil
}
