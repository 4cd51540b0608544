package details_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/cluster"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/server/peers"
	"github.com/ksqlgo/ksqlgo/server/peers/details"
)

// source is what a server knows of its queries.
type source []exec.QueryStatus

func (s source) Statuses() []exec.QueryStatus { return slices.Clone(s) }

func (s source) Status(id string) (exec.QueryStatus, bool) {
	for _, q := range s {
		if q.ID == id {
			return q, true
		}
	}
	return exec.QueryStatus{}, false
}

// fleet is some servers that know each other.
type fleet struct {
	list []*details.Details
	stop []context.CancelFunc
}

// start starts a server for each source; extra endpoints of a server may take the place of its own.
func start(t *testing.T, sources ...source) *fleet {
	t.Helper()
	f := &fleet{}
	var hosts []cluster.Host
	var listeners []net.Listener
	for i := range sources {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners = append(listeners, l)
		hosts = append(hosts, cluster.Host{NodeID: fmt.Sprint("node", i), Endpoint: l.Addr().String()})
	}
	for i, s := range sources {
		p, err := peers.New(peers.Config{ServiceID: "s", Self: peers.Node{ID: hosts[i].NodeID, Incarnation: 1, Endpoint: hosts[i].Endpoint},
			Known: func() []cluster.Host { return hosts }, Status: func() peers.Status { return peers.Status{Host: hosts[i].NodeID} },
			Interval: 20 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		if s == nil {
			p.Handle("/details", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"At":"yesterday"}`)) }))
			f.list = append(f.list, nil)
		} else {
			f.list = append(f.list, details.New(p, s))
		}
		ctx, stop := context.WithCancel(t.Context())
		f.stop = append(f.stop, stop)
		var wg sync.WaitGroup
		wg.Go(func() { p.Run(ctx) })
		wg.Go(func() {
			if err := p.Serve(ctx, listeners[i]); err != nil {
				t.Error(err)
			}
		})
		t.Cleanup(func() { stop(); wg.Wait() })
	}
	return f
}

// await waits until the first server sees n others alive.
func (f *fleet) await(t *testing.T, n int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		alive := 0
		for _, h := range f.list[0].Snapshot() {
			if h.Alive && !h.Self {
				alive++
			}
		}
		if alive == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d other servers are alive, want %d", alive, n)
		}
		<-tick.C
	}
}

func TestAsk(t *testing.T) {
	t.Parallel()
	full := exec.QueryStatus{ID: "Q", State: exec.Running, Commits: 12, RecordErrors: make([]exec.RecordError, 5), Tasks: []exec.TaskStatus{{Stage: 1, Partition: 2,
		State: exec.TaskRunning, Inputs: []exec.InputStatus{{TopicPartition: kafka.TopicPartition{Topic: "t", Partition: 2}, Committed: 3, End: 9}},
		Stores: []exec.StoreStatus{{Store: "S", Position: 4, End: 5}}}}}
	f := start(t, source{{ID: "Q"}, {ID: "R"}}, source{full}, nil)
	f.await(t, 2)
	reports := f.list[0].Ask(t.Context(), "Q")
	if len(reports) != 3 {
		t.Fatalf("%d reports", len(reports))
	}
	if _, ok := reports[0].Query("R"); ok || len(reports[0].Queries) != 1 || !reports[0].Server.Self || reports[0].At.IsZero() {
		t.Errorf("the own report: %+v", reports[0])
	}
	q, ok := reports[1].Query("Q")
	if !ok || reports[1].Err != nil || q.Commits != 12 || len(q.RecordErrors) != 0 || time.Since(reports[1].At) > time.Minute {
		t.Fatalf("the other's report: %+v", reports[1])
	}
	if in := q.Tasks[0].Inputs[0]; in.Topic != "t" || in.Partition != 2 || in.Lag() != 6 || q.Tasks[0].Partition != 2 || q.Tasks[0].Lag() != 1 {
		t.Errorf("the other's task: %+v", q.Tasks[0])
	}
	if reports[2].Err == nil || !strings.Contains(reports[2].Err.Error(), "cannot be read") || len(reports[2].Queries) != 0 {
		t.Errorf("the report of a server that talks rubbish: %+v", reports[2])
	}
	if all := f.list[0].Ask(t.Context()); len(all[0].Queries) != 2 || len(all[1].Queries) != 1 {
		t.Errorf("reports of all queries: %+v", all)
	}
}

func TestAskOneThatIsDown(t *testing.T) {
	t.Parallel()
	f := start(t, source{{ID: "Q"}}, source{{ID: "Q"}})
	f.await(t, 1)
	f.stop[1]()
	f.await(t, 0)
	began := time.Now()
	reports := f.list[0].Ask(t.Context(), "Q")
	if reports[1].Err == nil || len(reports[1].Queries) != 0 || reports[0].Err != nil || len(reports[0].Queries) != 1 {
		t.Errorf("reports %+v", reports)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("asking took %v: a server that is down is not waited for", took)
	}
}

func TestAlone(t *testing.T) {
	t.Parallel()
	d := details.Alone(peers.Node{ID: "n"}, func() peers.Status { return peers.Status{Host: "h:1"} }, source{{ID: "Q"}})
	if list := d.Snapshot(); len(list) != 1 || !list[0].Self || !list[0].Alive || list[0].Status.Host != "h:1" {
		t.Errorf("servers %+v", list)
	}
	if list := d.Ask(t.Context(), "Q"); len(list) != 1 || list[0].Err != nil || len(list[0].Queries) != 1 {
		t.Errorf("reports %+v", list)
	}
}
