package exec

import (
	"encoding/binary"
	"errors"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/exec/state"
)

// Changelogs hold records that are no rows; the first header tells what they are.
const (
	// barrierHeader marks the end of what a restore has to read; see session.resync.
	barrierHeader = "ksqlgo.barrier"
	// positionsHeader marks the source positions that the rows before it contain, written with each commit: so those who
	// follow a changelog know what their rows stand for.
	positionsHeader = "ksqlgo.positions"
)

// The keys of these records are no keys of rows, and the same for all, so that compaction keeps one of each.
var (
	barrierKey   = append([]byte{0}, "barrier"...)
	positionsKey = append([]byte{0}, "positions"...)
)

var (
	barrierHeaders   = []kafka.Header{{Key: barrierHeader, Value: []byte{}}}
	positionsHeaders = []kafka.Header{{Key: positionsHeader, Value: []byte{}}}
)

func isBarrier(m *record.Message) bool {
	return len(m.Headers) > 0 && m.Headers[0].Key == barrierHeader
}

func isPositions(m *record.Message) bool {
	return len(m.Headers) > 0 && m.Headers[0].Key == positionsHeader
}

const positionsVersion = 1

// appendPositions writes the value of a positions record: version, then for each input its topic and next offset.
func appendPositions(b []byte, positions []state.Position) []byte {
	b = append(b, positionsVersion)
	for _, p := range positions {
		b = binary.AppendUvarint(b, uint64(len(p.Topic)))
		b = append(b, p.Topic...)
		b = binary.AppendUvarint(b, uint64(p.Offset))
	}
	return b
}

var errPositions = errors.New("exec: a positions record that cannot be read")

// decodePositions reads what appendPositions wrote; the positions are those of a partition number.
func decodePositions(b []byte, partition int32) ([]state.Position, error) {
	if len(b) == 0 || b[0] != positionsVersion {
		return nil, errPositions
	}
	b = b[1:]
	var out []state.Position
	for len(b) > 0 {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return nil, errPositions
		}
		p := state.Position{Topic: string(b[n : n+int(size)]), Partition: partition, LeaderEpoch: -1}
		b = b[n+int(size):]
		offset, n := binary.Uvarint(b)
		if n <= 0 || offset > 1<<63-1 {
			return nil, errPositions
		}
		p.Offset = int64(offset)
		b = b[n:]
		out = append(out, p)
	}
	return out, nil
}
