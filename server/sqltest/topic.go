package sqltest

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/exec/sim"
)

// Record is a record of a test file. Key and Value are JSON in the shape the topic's own format gives them: DELIMITED is
// one string, KAFKA a primitive, JSON itself; absent or null is null.
type Record struct {
	Topic      string
	Key, Value json.RawMessage
	// Timestamp is 0 for an input, and not compared for an output, when nil.
	Timestamp *int64
	Window    *Window
	Headers   []record.Header
}

// Window is the window of a key.
type Window struct {
	Start, End int64
	Session    bool
}

// Produce writes a record into its topic in the topic's own format.
func (w *World) Produce(r Record) (Input, error) {
	src, _ := w.SourceOf(r.Topic)
	out := sim.Record{Partition: -1, Headers: r.Headers}
	if r.Timestamp != nil {
		out.Timestamp = *r.Timestamp
	}
	var err error
	if out.Key, err = w.codec(src, r.Topic, true).bytes(r.Key); err != nil {
		return Input{}, fmt.Errorf("key: %w", err)
	}
	if out.Value, err = w.codec(src, r.Topic, false).bytes(r.Value); err != nil {
		return Input{}, fmt.Errorf("value: %w", err)
	}
	if r.Window != nil && out.Key != nil {
		out.Key = r.Window.append(out.Key)
	}
	return Input{Topic: r.Topic, Record: w.sim.Produce(r.Topic, out)}, nil
}

// append adds the window to a key's bytes.
func (w *Window) append(key []byte) []byte {
	if w.Session {
		key = binary.BigEndian.AppendUint64(key, uint64(w.End))
	}
	return binary.BigEndian.AppendUint64(key, uint64(w.Start))
}

// CompareTopic compares the records of a topic with the expected ones, in order.
func (w *World) CompareTopic(name string, want []Record, got []sim.Record) error {
	for i := range want {
		if i >= len(got) {
			return fmt.Errorf("topic %s: %d records, want %d; the first missing has key %s, value %s",
				name, len(got), len(want), want[i].Key, want[i].Value)
		}
		if err := w.compareRecord(name, &want[i], &got[i]); err != nil {
			return fmt.Errorf("topic %s, record %d: %w", name, i+1, err)
		}
	}
	if len(got) > len(want) {
		extra := got[len(want)]
		return fmt.Errorf("topic %s: %d records, want %d; the first too many has key %q, value %q, time %d",
			name, len(got), len(want), extra.Key, extra.Value, extra.Timestamp)
	}
	return nil
}

func (w *World) compareRecord(topic string, want *Record, got *sim.Record) error {
	src, _ := w.SourceOf(topic)
	key, window := got.Key, (*Window)(nil)
	if src != nil && key != nil {
		key, window = splitWindow(key, src.Window, src.WindowSizeMs)
	}
	if want.Window != nil && window != nil {
		if want.Window.Start != window.Start || src.WindowSizeMs+boolToInt(window.Session) > 0 && want.Window.End != window.End ||
			want.Window.Session != window.Session {
			return fmt.Errorf("window %+v, want %+v", *window, *want.Window)
		}
	} else if want.Window != nil {
		return fmt.Errorf("no window, want %+v", *want.Window)
	}
	if err := compare(w.codec(src, topic, true), want.Key, key); err != nil {
		return fmt.Errorf("key: %w", err)
	}
	if err := compare(w.codec(src, topic, false), want.Value, got.Value); err != nil {
		return fmt.Errorf("value (key %s): %w", want.Key, err)
	}
	if want.Timestamp != nil && *want.Timestamp != got.Timestamp {
		return fmt.Errorf("timestamp %d, want %d (key %s, value %s)", got.Timestamp, *want.Timestamp, want.Key, want.Value)
	}
	return compareHeaders(want.Headers, got.Headers)
}

// Show reads a record of a topic as a test file would have it; what cannot be read is shown as text.
func (w *World) Show(topic string, r *sim.Record) Record {
	src, _ := w.SourceOf(topic)
	key, window := r.Key, (*Window)(nil)
	if src != nil && key != nil {
		key, window = splitWindow(key, src.Window, src.WindowSizeMs)
	}
	return Record{
		Topic: topic, Key: shown(w.codec(src, topic, true), key), Value: shown(w.codec(src, topic, false), r.Value),
		Timestamp: &r.Timestamp, Window: window, Headers: r.Headers,
	}
}

func shown(c codec, b []byte) json.RawMessage {
	if b == nil {
		return json.RawMessage("null")
	}
	text, err := c.text(b)
	switch {
	case err == nil && text == nil:
		return json.RawMessage("null")
	case err == nil && json.Valid(text):
		return text
	}
	return jsonText(string(b))
}

func boolToInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// codec writes and reads one side of a topic as test files have it.
type codec interface {
	// bytes are what a JSON text stands for; nil for null.
	bytes(raw json.RawMessage) ([]byte, error)
	// text is what bytes are as JSON; nil for null.
	text(b []byte) (json.RawMessage, error)
	// shape is the type of the whole side; nil when it is not known.
	shape() *types.Type
}

func (w *World) codec(src *catalog.Source, topic string, isKey bool) codec {
	if r, ok := w.registered(src, topic, isKey); ok {
		return r
	}
	return sideOf(src, isKey)
}

func compare(s codec, want json.RawMessage, got []byte) error {
	text, err := s.text(got)
	if err != nil {
		return err
	}
	var v, w any
	if text != nil {
		if v, err = Parse(text); err != nil {
			return err
		}
	}
	if !isNull(want) {
		if w, err = Parse(want); err != nil {
			return err
		}
	}
	return Compare(w, v, s.shape())
}

func compareHeaders(want, got []record.Header) error {
	if len(want) != len(got) {
		return fmt.Errorf("%d headers, want %d", len(got), len(want))
	}
	for i := range want {
		if want[i].Key != got[i].Key || !bytes.Equal(want[i].Value, got[i].Value) {
			return fmt.Errorf("header %d is %s=%x, want %s=%x", i, got[i].Key, got[i].Value, want[i].Key, want[i].Value)
		}
	}
	return nil
}

// splitWindow takes the window off a key's bytes.
func splitWindow(key []byte, t types.WindowType, sizeMs int64) ([]byte, *Window) {
	at := func(i int) int64 { return int64(binary.BigEndian.Uint64(key[i:])) }
	switch n := len(key); {
	case t == types.Session && n >= 16:
		return key[:n-16], &Window{End: at(n - 16), Start: at(n - 8), Session: true}
	case (t == types.Tumbling || t == types.Hopping) && n >= 8:
		return key[:n-8], &Window{Start: at(n - 8), End: at(n-8) + sizeMs}
	}
	return key, nil
}
