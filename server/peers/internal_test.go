package peers

import (
	"context"
	"errors"
	"net"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/cluster"
)

func sampleStatus() *Status {
	return &Status{Host: "h:8088", Applied: -3, Queries: []Query{
		{ID: "A", State: exec.Paused},
		{ID: "B", State: exec.Running, Tasks: []Task{
			{TaskSummary: exec.TaskSummary{Stage: 2, Partition: 7, State: exec.TaskStandby, Stores: []exec.Progress{{Position: 5, End: 3}, {Position: 1 << 40, End: 1 << 41}},
				RestoredRows: 9, RestoreTotal: 10, Warmup: true}, Behind: -1},
			{TaskSummary: exec.TaskSummary{State: exec.TaskRunning, Inputs: []exec.Progress{{Position: 1, End: 2}}}, Behind: 3 * time.Second},
		}},
	}}
}

func TestStatusCodec(t *testing.T) {
	want := sampleStatus()
	got, err := decodeStatus(appendStatus(nil, want))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read as %+v, %v", got, err)
	}
	if _, err := decodeStatus([]byte{9}); err == nil {
		t.Error("another version was read")
	}
	data := appendStatus(nil, want)
	for n := range data {
		if _, err := decodeStatus(data[:n]); err == nil {
			t.Errorf("%d of %d bytes were read", n, len(data))
		}
	}
}

func FuzzStatus(f *testing.F) {
	f.Add(appendStatus(nil, sampleStatus()))
	f.Add(appendStatus(nil, &Status{}))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := decodeStatus(data)
		if err != nil {
			return
		}
		again, err := decodeStatus(appendStatus(nil, s))
		if err != nil || !reflect.DeepEqual(s, again) {
			t.Errorf("%+v became %+v, %v", s, again, err)
		}
	})
}

func FuzzBeat(f *testing.F) {
	f.Add(appendBeat(nil, &beat{service: "s", from: Node{ID: "n", Incarnation: 1, Endpoint: "e:1", Zone: "z"}, incarnation: 2, version: 3}))
	f.Add(appendBeatAnswer(nil, &beatAnswer{node: Node{ID: "n"}, version: 3, status: []byte{1, 2}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := decodeBeat(data); err == nil {
			if again, err := decodeBeat(appendBeat(nil, m)); err != nil || *again != *m {
				t.Errorf("%+v became %+v, %v", m, again, err)
			}
		}
		if m, err := decodeBeatAnswer(data); err == nil {
			if again, err := decodeBeatAnswer(appendBeatAnswer(nil, m)); err != nil || again.node != m.node || again.version != m.version {
				t.Errorf("%+v became %+v, %v", m, again, err)
			}
		}
	})
}

// A name server that fails does not matter once the addresses are known.
func TestNamesAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer, fail := []string{"10.0.0.1", "10.0.0.2"}, error(nil)
		asked := 0
		r := &resolver{lookupHost: func(ctx context.Context, host string) ([]string, error) {
			asked++
			if fail != nil {
				<-ctx.Done() // As slow as it can be.
				return nil, fail
			}
			return answer, nil
		}}
		dead := map[string]bool{"10.0.0.1:99": true}
		dial := func(_ context.Context, _, address string) (net.Conn, error) {
			if dead[address] {
				return nil, errors.New("refused")
			}
			c, other := net.Pipe()
			other.Close()
			return c, nil
		}
		try := func() (took time.Duration, err error) {
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			c, err := r.dial(ctx, dial, "tcp", "host:99")
			if err == nil {
				c.Close()
			}
			return time.Since(began), err
		}
		for range 3 {
			if _, err := try(); err != nil {
				t.Fatal(err)
			}
		}
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
		fail = errors.New("no name server")
		time.Sleep(time.Hour)
		if took, err := try(); err != nil || took > lookupTimeout {
			t.Errorf("with a dead name server it took %s, %v", took, err)
		}
		// The host has moved: its name is looked up again, though not long ago.
		fail, answer = nil, []string{"10.0.0.3"}
		dead["10.0.0.2:99"] = true
		if _, err := try(); err != nil {
			t.Errorf("with new addresses: %v", err)
		}
	})
}

// Beats that were never sent, since this process stood still, count against nobody; those that are not answered do.
func TestMissesCountBeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := New(Config{ServiceID: "s", Self: Node{ID: "a"}, Known: func() []cluster.Host { return nil }, Status: func() Status { return Status{} }})
		if err != nil {
			t.Fatal(err)
		}
		pe := newPeer(p, Node{ID: "b", Endpoint: "b:1"})
		p.peers["b"] = pe
		pe.answered(&beatAnswer{node: Node{ID: "b", Incarnation: 1}, version: 1}, &Status{})
		time.Sleep(time.Hour)
		if h, _ := p.Host("b"); !h.Alive {
			t.Error("an hour without a beat is no miss")
		}
		for n := range 3 {
			if h, _ := p.Host("b"); !h.Alive {
				t.Errorf("down after %d misses", n)
			}
			pe.missed(errors.New("nothing"))
		}
		if h, _ := p.Host("b"); h.Alive || h.Reason != "nothing" {
			t.Errorf("after three misses: %+v", h)
		}
		<-p.Down("b")
		pe.answered(&beatAnswer{node: Node{ID: "b", Incarnation: 1}, version: 1}, nil)
		if h, _ := p.Host("b"); !h.Alive || h.Status == nil {
			t.Errorf("after an answer: %+v", h)
		}
	})
}
