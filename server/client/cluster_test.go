package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/server/api"
)

func TestCluster(t *testing.T) {
	c := serve(t, map[string]http.HandlerFunc{"GET /cluster": func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"serviceId":"s","ready":false,"notReady":["x"],"hosts":[{"host":"a:1","alive":false,"silentMs":5}],"queries":[{"id":"Q",
			"tasks":[{"taskId":"0_1","lagMs":null}]}]}`)
	}})
	have, err := c.Cluster(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(have.Hosts) != 1 || *have.Hosts[0].SilentMs != 5 || len(have.Queries) != 1 || have.Queries[0].Tasks[0].LagMs != nil || have.NotReady[0] != "x" {
		t.Errorf("%+v", have)
	}
}

func TestDrain(t *testing.T) {
	tests := map[string]struct {
		status int
		answer string
		told   int
		err    string
	}{
		"done":          {200, "{\"tasks\":2,\"queries\":1}\n{\"done\":true}\n", 2, ""},
		"refused":       {400, `{"@type":"generic_error","error_code":40000,"message":"nobody else"}`, 0, "nobody else"},
		"fails":         {200, "{\"tasks\":2,\"queries\":1}\n{\"error\":\"no more servers\"}\n", 1, "no more servers"},
		"cut off":       {200, "{\"tasks\":2,\"queries\":1}\n", 1, "unexpected EOF"},
		"another thing": {200, "<html>", 0, "did not answer as a ksqlgo server"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := serve(t, map[string]http.HandlerFunc{"POST /cluster/drain": func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.answer)
			}})
			told := 0
			err := c.Drain(within(t), func(api.DrainProgress) { told++ })
			if told != tt.told || (err == nil) != (tt.err == "") || !strings.Contains(fmt.Sprint(err), tt.err) && tt.err != "" {
				t.Errorf("told %d times, error %v; want %d times, %q", told, err, tt.told, tt.err)
			}
		})
	}
}

// TestDrainIsLeft gives up waiting: the error is the context's.
func TestDrainIsLeft(t *testing.T) {
	c := serve(t, map[string]http.HandlerFunc{"POST /cluster/drain": func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "{\"tasks\":2,\"queries\":1}\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}})
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	if err := c.Drain(ctx, func(api.DrainProgress) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestEndDrain(t *testing.T) {
	ended := 0
	c := serve(t, map[string]http.HandlerFunc{"DELETE /cluster/drain": func(w http.ResponseWriter, _ *http.Request) {
		ended++
		io.WriteString(w, `{"draining":false}`)
	}})
	if err := c.EndDrain(within(t)); err != nil || ended != 1 {
		t.Errorf("error %v, %d requests", err, ended)
	}
}
