package forward

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/position"
	"github.com/ksqlgo/ksqlgo/server/peers/wire"
)

const (
	// path is the endpoint of the internal listener.
	path           = "/pull"
	requestVersion = 1
	// maxRequest bounds a request: a plan has as many keys as the statement names, and statements are bounded.
	maxRequest = 64 << 20
	// maxWait bounds how long a server is asked to wait for positions.
	maxWait = time.Hour
)

// request asks a server for the rows of some partitions.
type request struct {
	query string
	// hash is the plan of the query as the sender has it.
	hash uint64
	// plan is the pull plan (physical.EncodePull).
	plan       []byte
	partitions []int32
	standbyLag int64
	noWait     bool
	atLeast    position.Vector
	// wait is how long atLeast is waited for; 0 leaves it to the receiver.
	wait time.Duration
}

func (m *request) append(b []byte) []byte {
	b = append(b, requestVersion)
	b = wire.AppendString(b, m.query)
	b = binary.AppendUvarint(b, m.hash)
	b = wire.AppendBytes(b, m.plan)
	b = appendPartitions(b, m.partitions)
	b = binary.AppendVarint(b, m.standbyLag)
	b = wire.AppendBool(b, m.noWait)
	b = appendVector(b, m.atLeast)
	return binary.AppendVarint(b, min(m.wait, maxWait).Milliseconds())
}

func decodeRequest(data []byte) (*request, error) {
	r := wire.NewReader(data)
	if v := r.Byte(); r.Err() == nil && v != requestVersion {
		return nil, fmt.Errorf("a pull request of version %d; this server knows version %d", v, requestVersion)
	}
	m := &request{query: r.String(), hash: r.Uvarint(), plan: r.Bytes(), partitions: readPartitions(r), standbyLag: r.Varint(),
		noWait: r.Bool(), atLeast: readVector(r)}
	wait := r.Varint()
	if wait < 0 || wait > maxWait.Milliseconds() {
		r.Fail("a wait of %d ms", wait)
	}
	m.wait = time.Duration(wait) * time.Millisecond
	return m, r.Err()
}

// header is the first frame of an answer.
type header struct {
	answered  []int32
	positions position.Vector
	refused   map[int32]exec.Refusal
	// stale: the positions asked for are not there; positions are those that are.
	stale bool
}

func (h *header) append(b []byte) []byte {
	b = appendPartitions(b, h.answered)
	b = appendVector(b, h.positions)
	b = binary.AppendUvarint(b, uint64(len(h.refused)))
	for _, p := range slices.Sorted(maps.Keys(h.refused)) {
		r := h.refused[p]
		b = wire.AppendRecord(b, func(b []byte) []byte {
			b = append(binary.AppendUvarint(b, uint64(p)), byte(r.Kind))
			return wire.AppendString(wire.AppendString(b, r.Reason), r.Owner)
		})
	}
	return wire.AppendBool(b, h.stale)
}

func decodeHeader(data []byte) (*header, error) {
	r := wire.NewReader(data)
	h := &header{answered: readPartitions(r), positions: readVector(r), refused: map[int32]exec.Refusal{}}
	for range r.Count() {
		r.Record(func(r *wire.Reader) {
			p := r.Int32()
			h.refused[p] = exec.Refusal{Kind: exec.RefusalKind(r.Byte()), Reason: r.String(), Owner: r.String()}
		})
	}
	h.stale = r.Bool()
	return h, r.Err()
}

// isFor says whether the header deals with each of the partitions, once.
func (h *header) isFor(partitions []int32) bool {
	seen := map[int32]bool{}
	for _, p := range h.answered {
		if _, refused := h.refused[p]; refused || seen[p] {
			return false
		}
		seen[p] = true
	}
	for _, p := range partitions {
		if _, refused := h.refused[p]; !refused && !seen[p] {
			return false
		}
	}
	return len(seen)+len(h.refused) == len(partitions)
}

func appendPartitions(b []byte, list []int32) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, p := range list {
		b = binary.AppendUvarint(b, uint64(p))
	}
	return b
}

func readPartitions(r *wire.Reader) []int32 {
	n := r.Count()
	out := make([]int32, 0, n)
	for range n {
		out = append(out, r.Int32())
	}
	return out
}

func appendVector(b []byte, v position.Vector) []byte {
	b = binary.AppendUvarint(b, uint64(len(v)))
	for _, topic := range slices.Sorted(maps.Keys(v)) {
		b = wire.AppendString(b, topic)
		b = binary.AppendUvarint(b, uint64(len(v[topic])))
		for _, p := range slices.Sorted(maps.Keys(v[topic])) {
			b = binary.AppendUvarint(b, uint64(p))
			b = binary.AppendVarint(b, v[topic][p])
		}
	}
	return b
}

func readVector(r *wire.Reader) position.Vector {
	v := position.Vector{}
	for range r.Count() {
		topic := r.String()
		for range r.Count() {
			p := r.Int32()
			v.Set(topic, p, r.Varint())
		}
	}
	return v
}
