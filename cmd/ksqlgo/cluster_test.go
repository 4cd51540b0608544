package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ksqlgo/ksqlgo/server/api"
)

// fakeServer answers what a test has put into it.
type fakeServer struct {
	// clusters are the answers of GET /cluster, the last one again and again; nil is a server that is not ready yet.
	clusters []*api.Cluster
	asked    atomic.Int64
	// drain are the lines of POST /cluster/drain; with hang it does not end.
	drain  string
	status int
	hang   bool
	ended  atomic.Int64
}

func (f *fakeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method + r.URL.Path {
	case "GET/cluster":
		n := min(f.asked.Add(1), int64(len(f.clusters))) - 1
		if f.clusters[n] == nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(`{"@type":"generic_error","error_code":50302,"message":"KSQL is not yet ready to serve requests."}`))
			return
		}
		_ = json.NewEncoder(w).Encode(f.clusters[n])
	case "POST/cluster/drain":
		if f.status != 0 {
			w.WriteHeader(f.status)
		}
		_, _ = w.Write([]byte(f.drain))
		if f.hang {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
	case "DELETE/cluster/drain":
		f.ended.Add(1)
		_, _ = w.Write([]byte(`{"draining":false}`))
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// try runs the program against the server.
func (f *fakeServer) try(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	s := httptest.NewServer(f)
	defer s.Close()
	var o, e strings.Builder
	code = run(append(args, "--server", s.URL), &streams{out: &o, err: &e})
	return code, o.String(), e.String()
}

func ready(hosts int) *api.Cluster {
	return &api.Cluster{ServiceID: "s_", Ready: true, Hosts: make([]api.ClusterHost, hosts)}
}

func TestCluster(t *testing.T) {
	t.Parallel()
	lag := int64(1500)
	c := &api.Cluster{ServiceID: "s_", NotReady: []string{"A task is on its way."}, Hosts: []api.ClusterHost{{Host: "a:8088", Alive: true}},
		Queries: []api.ClusterQuery{{ID: "CTAS_T_1", Tasks: []api.TaskInfo{{TaskID: "0_0", Host: "a:8088", State: "RUNNING", Lag: 3, LagMs: &lag}}}}}
	f := &fakeServer{clusters: []*api.Cluster{c}}
	code, out, errs := f.try(t, "cluster")
	if code != 0 || errs != "" || !strings.Contains(out, "| 1.5 s") || !strings.Contains(out, "A task is on its way.") || strings.Contains(out, "\x1b") {
		t.Errorf("code %d, %s\n%s", code, errs, out)
	}
	code, out, _ = f.try(t, "cluster", "--output", "json")
	var back api.Cluster
	if err := json.Unmarshal([]byte(out), &back); code != 0 || err != nil || back.Queries[0].Tasks[0].Lag != 3 {
		t.Errorf("code %d, %v\n%s", code, err, out)
	}
	if code, out, _ = f.try(t, "cluster", "show", "--query", "NONE"); code != 0 || !strings.Contains(out, "0 queries") {
		t.Errorf("code %d\n%s", code, out)
	}
	if code, _, errs = (&fakeServer{clusters: []*api.Cluster{nil}}).try(t, "cluster"); code != 1 || !strings.Contains(errs, "not yet ready") {
		t.Errorf("a server that starts: code %d, %s", code, errs)
	}
	if code = run([]string{"cluster", "--server", "127.0.0.1:1"}, &streams{out: &strings.Builder{}, err: &strings.Builder{}}); code != 1 {
		t.Errorf("no server there: code %d", code)
	}
}

func TestWaitReady(t *testing.T) {
	waiting := &api.Cluster{NotReady: []string{"The task 0_0 of Q is on no server.", "x"}, Hosts: make([]api.ClusterHost, 2)}
	tests := map[string]struct {
		clusters []*api.Cluster
		args     []string
		code     int
		out, err string
	}{
		"at once":         {[]*api.Cluster{ready(2)}, nil, 0, "Ready: 2 servers, 0 queries.\n", ""},
		"after a while":   {[]*api.Cluster{nil, waiting, ready(2)}, nil, 0, "Ready: 2 servers", ""},
		"never":           {[]*api.Cluster{waiting}, []string{"--timeout", "600ms"}, 3, "The task 0_0 of Q is on no server. (and 1 more)\n", "not ready after"},
		"too few servers": {[]*api.Cluster{ready(2)}, []string{"--timeout", "600ms", "--servers", "3"}, 3, "There are 2 servers of 3.\n", "There are 2 servers of 3."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := (&fakeServer{clusters: tt.clusters}).try(t, append([]string{"cluster", "wait-ready"}, tt.args...)...)
			if code != tt.code || !strings.Contains(out, tt.out) || !strings.Contains(errs, tt.err) {
				t.Errorf("code %d, %q, %q; want %d, %q, %q", code, out, errs, tt.code, tt.out, tt.err)
			}
		})
	}
}

func TestClusterDrain(t *testing.T) {
	tests := map[string]struct {
		server   *fakeServer
		args     []string
		code     int
		out, err string
	}{
		"done": {&fakeServer{drain: "{\"tasks\":2,\"queries\":1}\n{\"done\":true}\n"}, nil, 0, "it may be stopped", ""},
		"only server": {&fakeServer{status: 400, drain: `{"@type":"generic_error","error_code":40000,"message":"The server is not drained: nobody else."}`},
			nil, 1, "", "The server is not drained"},
		"time runs out": {&fakeServer{drain: "{\"tasks\":2,\"queries\":1}\n", hang: true}, []string{"--timeout", "300ms"}, 3,
			"tasks still on the server: 2, of queries: 1\n", "2 tasks are still on the server after 300ms; it goes on draining"},
		"cancelled": {&fakeServer{}, []string{"--cancel"}, 0, "takes tasks again", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := tt.server.try(t, append([]string{"cluster", "drain"}, tt.args...)...)
			if code != tt.code || !strings.Contains(out, tt.out) || !strings.Contains(errs, tt.err) {
				t.Errorf("code %d, %q, %q; want %d, %q, %q", code, out, errs, tt.code, tt.out, tt.err)
			}
			if name == "cancelled" && tt.server.ended.Load() != 1 {
				t.Error("the server was not told")
			}
		})
	}
}
