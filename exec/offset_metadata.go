package exec

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/exec/task"
)

// offsetMetadata is what is committed beside an offset: the accounting of the input, and with the first input of a task
// the task's stream times. It moves with the offset in the same transaction, so both are exact after any crash and on any
// server that takes the task over.
//
// Text form, version 1: "1|read,emitted,filtered,merged,late,nullKey,errors,outputs,recordErrors|name=ms|name=ms…".
type offsetMetadata struct {
	accounting task.Accounting
	times      []state.StreamTime
}

const offsetMetadataVersion = "1"

// maxOffsetMetadata is Kafka's default limit (offset.metadata.max.bytes).
const maxOffsetMetadata = 4096

func (m *offsetMetadata) encode() string {
	a := &m.accounting
	b := make([]byte, 0, 128)
	b = append(b, offsetMetadataVersion...)
	for i, n := range []int64{a.Read, a.Emitted, a.Filtered, a.Merged, a.Late, a.NullKey, a.Errors, a.Outputs, a.RecordErrors} {
		sep := byte(',')
		if i == 0 {
			sep = '|'
		}
		b = strconv.AppendInt(append(b, sep), n, 10)
	}
	for _, t := range m.times {
		entry := len(t.Name) + 24
		if len(b)+entry > maxOffsetMetadata {
			break // Stream times are in the state as well.
		}
		b = append(append(append(b, '|'), t.Name...), '=')
		b = strconv.AppendInt(b, t.Time, 10)
	}
	return string(b)
}

// decodeOffsetMetadata reads what encode wrote; text of another origin gives nothing.
func decodeOffsetMetadata(text string, partition int32) (offsetMetadata, error) {
	var m offsetMetadata
	if text == "" {
		return m, nil
	}
	parts := strings.Split(text, "|")
	if parts[0] != offsetMetadataVersion || len(parts) < 2 {
		return m, fmt.Errorf("exec: offset metadata of version %q", parts[0])
	}
	a := &m.accounting
	numbers := strings.Split(parts[1], ",")
	fields := []*int64{&a.Read, &a.Emitted, &a.Filtered, &a.Merged, &a.Late, &a.NullKey, &a.Errors, &a.Outputs, &a.RecordErrors}
	if len(numbers) != len(fields) {
		return m, fmt.Errorf("exec: offset metadata with %d counters", len(numbers))
	}
	for i, n := range numbers {
		v, err := strconv.ParseInt(n, 10, 64)
		if err != nil {
			return m, fmt.Errorf("exec: offset metadata: %w", err)
		}
		*fields[i] = v
	}
	for _, p := range parts[2:] {
		i := strings.LastIndexByte(p, '=')
		if i < 0 {
			return m, fmt.Errorf("exec: offset metadata: stream time %q", p)
		}
		v, err := strconv.ParseInt(p[i+1:], 10, 64)
		if err != nil {
			return m, fmt.Errorf("exec: offset metadata: %w", err)
		}
		m.times = append(m.times, state.StreamTime{Partition: partition, Name: p[:i], Time: v})
	}
	return m, nil
}
