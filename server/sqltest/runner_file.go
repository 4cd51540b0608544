package sqltest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ksqlgo/ksqlgo/exec/record"
)

// fileRecord is a record of a file of inputs or outputs.
type fileRecord struct {
	Topic     string          `json:"topic"`
	Key       json.RawMessage `json:"key"`
	Value     json.RawMessage `json:"value"`
	Timestamp *int64          `json:"timestamp"`
	Window    *fileWindow     `json:"window"`
	Headers   []fileHeader    `json:"headers"`
	// line is where it stands in the file.
	line int
}

type fileWindow struct {
	Start int64 `json:"start"`
	End   int64 `json:"end"`
	// Type is TIME or SESSION.
	Type string `json:"type"`
}

type fileHeader struct {
	Key   string  `json:"KEY"`
	Value *string `json:"VALUE"`
}

// record is the record as worlds take it.
func (r *fileRecord) record() Record {
	out := Record{Topic: r.Topic, Key: r.Key, Value: r.Value, Timestamp: r.Timestamp}
	if r.Window != nil {
		out.Window = &Window{Start: r.Window.Start, End: r.Window.End, Session: strings.EqualFold(r.Window.Type, "session")}
	}
	for _, h := range r.Headers {
		header := record.Header{Key: h.Key}
		if h.Value != nil {
			header.Value, _ = base64.StdEncoding.DecodeString(*h.Value) // readRecords has looked at it.
		}
		out.Headers = append(out.Headers, header)
	}
	return out
}

// toFile is the opposite of record.
func toFile(r Record) fileRecord {
	out := fileRecord{Topic: r.Topic, Key: r.Key, Value: r.Value, Timestamp: r.Timestamp}
	if r.Window != nil {
		out.Window = &fileWindow{Start: r.Window.Start, End: r.Window.End, Type: "TIME"}
		if r.Window.Session {
			out.Window.Type = "SESSION"
		}
	}
	for _, h := range r.Headers {
		header := fileHeader{Key: h.Key}
		if h.Value != nil {
			text := base64.StdEncoding.EncodeToString(h.Value)
			header.Value = &text
		}
		out.Headers = append(out.Headers, header)
	}
	return out
}

// check finds what is wrong with a record of a file.
func (r *fileRecord) check() error {
	if r.Topic == "" {
		return errors.New("the record has no topic")
	}
	for _, h := range r.Headers {
		if h.Value == nil {
			continue
		}
		if _, err := base64.StdEncoding.DecodeString(*h.Value); err != nil {
			return fmt.Errorf("the value of header %s is no base64: %w", h.Key, err)
		}
	}
	if r.Window != nil && !strings.EqualFold(r.Window.Type, "session") && !strings.EqualFold(r.Window.Type, "time") {
		return fmt.Errorf("the type of a window is TIME or SESSION, not %q", r.Window.Type)
	}
	return nil
}

// text is the record as a line of a file has it, without the topic.
func (r *fileRecord) text() string {
	var b strings.Builder
	b.WriteString(`{"key": ` + rawText(r.Key) + `, "value": ` + rawText(r.Value))
	if r.Timestamp != nil {
		fmt.Fprintf(&b, `, "timestamp": %d`, *r.Timestamp)
	}
	if r.Window != nil {
		fmt.Fprintf(&b, `, "window": {"start": %d, "end": %d, "type": %s}`, r.Window.Start, r.Window.End, jsonText(r.Window.Type))
	}
	if len(r.Headers) > 0 {
		b.WriteString(`, "headers": ` + string(jsonText(r.Headers)))
	}
	b.WriteString("}")
	return b.String()
}

// ksqlDB is the record as ksqlDB's messages have it; timestamp stands for one that the record does not say.
func (r *fileRecord) ksqlDB(timestamp *int64) string {
	if r.Timestamp != nil {
		timestamp = r.Timestamp
	}
	var at int64
	if timestamp != nil {
		at = *timestamp
	}
	headers := make([]string, len(r.Headers))
	for i, h := range r.Headers {
		value := ""
		if h.Value != nil {
			value = *h.Value
		}
		headers[i] = fmt.Sprintf("{KEY=%s,VALUE=%s}", h.Key, value)
	}
	return fmt.Sprintf("<%s, %s> with timestamp=%d and headers=[%s]", rawText(r.Key), rawText(r.Value), at, strings.Join(headers, ", "))
}

// rawText is JSON on one line.
func rawText(raw json.RawMessage) string {
	if len(raw) == 0 {
		return "null"
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}

// jsonText is a value as JSON, characters as they are.
func jsonText(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return json.RawMessage("null") // Text, numbers and lists of them always have a JSON form.
	}
	return bytes.TrimSpace(b.Bytes())
}

// readRecords reads the records of a file: the list in its field of that name. side is input or output.
func readRecords(file, text, field, side string) ([]fileRecord, *Failure) {
	failed := func(offset int64, format string, args ...any) *Failure {
		return &Failure{File: file, Line: lineAt(text, offset), Message: fmt.Sprintf(format, args...)}
	}
	var whole any
	if err := json.Unmarshal([]byte(text), &whole); err != nil {
		var syntax *json.SyntaxError
		offset := int64(len(text))
		if errors.As(err, &syntax) {
			offset = syntax.Offset
		}
		f := failed(offset, "The file is no JSON: %v", err)
		f.Diff = []DiffLine{{' ', strings.TrimSpace(lineOf(text, f.Line))}}
		return nil, f
	}
	top, ok := whole.(map[string]any)
	if !ok {
		return nil, failed(0, "The file holds no JSON object with a field '%s'.", field)
	}
	switch list, isList := top[field].([]any); {
	case top[field] == nil:
		return nil, failed(0, "No '%s' field in the %s file.", field, side)
	case !isList:
		return nil, failed(0, "The field '%s' is no list.", field)
	case len(list) == 0:
		return nil, failed(0, "%ss cannot be empty.", strings.ToUpper(side[:1])+side[1:])
	}
	out, offset, err := decodeRecords(text, field)
	if err != nil {
		return nil, failed(offset, "%s %d: %v", strings.ToUpper(side[:1])+side[1:], len(out)+1, err)
	}
	for i := range out {
		out[i].line = lineAt(text, int64(out[i].line))
	}
	return out, nil
}

// decodeRecords reads the list in a field of an object, which is known to be one. Lines are offsets still; the offset that comes with
// an error is that of the record behind the last good one.
func decodeRecords(text, field string) (out []fileRecord, offset int64, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	if _, err := d.Token(); err != nil {
		return nil, 0, err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, d.InputOffset(), err
		}
		if name != field {
			var skipped json.RawMessage
			if err := d.Decode(&skipped); err != nil {
				return nil, d.InputOffset(), err
			}
			continue
		}
		out = nil // Of a field that is there twice the last one counts.
		if _, err := d.Token(); err != nil {
			return nil, d.InputOffset(), err
		}
		for d.More() {
			var raw json.RawMessage
			if err := d.Decode(&raw); err != nil {
				return out, d.InputOffset(), err
			}
			start := d.InputOffset() - int64(len(raw))
			r := fileRecord{line: int(start)}
			if err := json.Unmarshal(raw, &r); err != nil {
				return out, start, err
			}
			if err := r.check(); err != nil {
				return out, start, err
			}
			out = append(out, r)
		}
		if _, err := d.Token(); err != nil && !errors.Is(err, io.EOF) {
			return out, d.InputOffset(), err
		}
	}
	return out, 0, nil
}

// lineAt is the line of a place in a text.
func lineAt(text string, offset int64) int {
	return 1 + strings.Count(text[:min(max(offset, 0), int64(len(text)))], "\n")
}

// lineOf is a line of a text.
func lineOf(text string, line int) string {
	lines := strings.Split(text, "\n")
	return lines[min(max(line, 1), len(lines))-1]
}
