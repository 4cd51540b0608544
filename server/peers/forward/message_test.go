package forward

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/position"
	"github.com/ksqlgo/ksqlgo/planner/physical"
	"github.com/ksqlgo/ksqlgo/server/peers/wire"
)

func encode(t testing.TB, p *physical.Pull) []byte {
	t.Helper()
	b, err := physical.EncodePull(p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sampleRequest() *request {
	return &request{query: "CTAS_1", hash: 1 << 63, plan: []byte("{}"), partitions: []int32{0, 7}, standbyLag: -1, noWait: true,
		atLeast: position.Vector{"a": {1: 2, 3: 4}, "b": {}}, wait: 3 * time.Second}
}

func sampleHeader() *header {
	return &header{answered: []int32{1, 2}, positions: position.Vector{"t": {1: 5}}, refused: map[int32]exec.Refusal{
		9: {Kind: exec.NotOwner, Reason: "does not own it", Owner: "b"}}, stale: true}
}

func TestMessages(t *testing.T) {
	m, err := decodeRequest(sampleRequest().append(nil))
	want := sampleRequest()
	delete(want.atLeast, "b") // A topic without partitions says nothing.
	if err != nil || !reflect.DeepEqual(m, want) {
		t.Errorf("%+v, %v", m, err)
	}
	h, err := decodeHeader(sampleHeader().append(nil))
	if err != nil || !reflect.DeepEqual(h, sampleHeader()) {
		t.Errorf("%+v, %v", h, err)
	}
	if _, err := decodeRequest([]byte{7}); err == nil {
		t.Error("another version was read")
	}
	for list, want := range map[*[]int32]bool{{1, 2, 9}: true, {9, 2, 1}: true, {1, 2}: false, {1, 2, 3, 9}: false, {1, 9}: false} {
		if h.isFor(*list) != want {
			t.Errorf("isFor(%v)", *list)
		}
	}
	h.answered = []int32{1, 1}
	if h.isFor([]int32{1, 9}) {
		t.Error("a partition was answered twice")
	}
}

func FuzzRequest(f *testing.F) {
	f.Add(sampleRequest().append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := decodeRequest(data)
		if err != nil {
			return
		}
		again, err := decodeRequest(m.append(nil))
		if err != nil || !reflect.DeepEqual(m, again) {
			t.Errorf("%+v became %+v, %v", m, again, err)
		}
	})
}

// FuzzAnswer reads bytes as an answer, the way a router does: it ends, takes no more memory than it is sent, and an answer
// that is taken for whole has as many rows as it says.
func FuzzAnswer(f *testing.F) {
	rows := wire.AppendBytes(wire.AppendBytes(nil, []byte("one")), []byte("two"))
	good := appendFrame([]byte{answerVersion}, frameHeader, sampleHeader().append(nil))
	good = appendFrame(appendFrame(good, frameRows, nil), frameRows, rows)
	f.Add(appendFrame(good, frameEnd, []byte{2}))
	f.Add(appendFrame(good, frameError, []byte("broken")))
	f.Add([]byte{answerVersion, frameRows, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		s := testStream(bytes.NewReader(data))
		defer s.close()
		p, err := s.begin(&request{partitions: []int32{1, 2, 9}})
		if err != nil {
			return
		}
		n := uint64(0)
		for _, held := range p.held {
			k, err := countRows(held)
			if err != nil || k == 0 {
				t.Errorf("rows that cannot be read were taken: %v", err)
			}
			n += k
		}
		if s.ended && n != s.rows {
			t.Errorf("%d rows of %d", n, s.rows)
		}
	})
}
