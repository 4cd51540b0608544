package rest_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/engine"
	"github.com/ksqlgo/ksqlgo/server/rest"
)

func TestStateEndpoints(t *testing.T) {
	url := serve(t, &fakeEngine{
		statuses: map[string]api.CommandStatus{"stream/`ORDERS`/create": {Status: api.StatusSuccess, Message: "Stream created"}},
		pushes:   map[string]bool{"transient_ORDERS_1": true},
	})
	created := `{"status":"SUCCESS","message":"Stream created","queryId":null}`
	tests := []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/info", "", 200, `{"KsqlServerInfo":{"version":"0.30.0","kafkaClusterId":"kafka","ksqlServiceId":"default_","serverStatus":"RUNNING"}}`},
		{"GET", "/info", "{}", 200, `{"KsqlServerInfo":{"version":"0.30.0","kafkaClusterId":"kafka","ksqlServiceId":"default_","serverStatus":"RUNNING"}}`},
		{"GET", "/healthcheck", "", 200, `{"isHealthy":true,"details":{},"serverState":"READY"}`},
		{"GET", "/chc/ready", "", 200, `{}`},
		{"GET", "/chc/live", "", 200, `{}`},
		{"GET", "/status", "", 200, "{\"commandStatuses\":{\"stream/`ORDERS`/create\":\"SUCCESS\"}}"},
		{"GET", "/status/stream/ORDERS/create", "", 200, created},
		{"GET", "/status/stream/%60ORDERS%60/create", "", 200, created},
		{"GET", "/status/stream/OTHER/create", "", 404, `{"@type":"generic_error","error_code":40400,"message":"Command not found"}`},
		{"GET", "/status/stream/OR%2FDERS/create", "", 404, `{"@type":"generic_error","error_code":40400,"message":"Command not found"}`},
		{"GET", "/status/table", "", 404, "Not Found"},
		{"GET", "/status/table/a/b/drop", "", 404, "Not Found"},
		{"GET", "/clusterStatus", "", 200, `{"clusterStatus":{}}`},
		{"GET", "/cluster", "", 200, `{"serviceId":"default_","ready":true,"notReady":[],"hosts":[],"queries":[]}`},
		{"GET", "/is_valid_property/auto.offset.reset", "", 200, `true`},
		{"GET", "/is_valid_property/ksql.service.id", "", 400, `{"@type":"generic_error","error_code":40000,"message":"prohibited: [ksql.service.id]"}`},
		{"GET", "/v1/metadata/id", "", 200, `{"id":"","scope":{"path":[],"clusters":{"kafka-cluster":"kafka","ksql-cluster":"default_"}}}`},
		{"POST", "/close-query", `{"queryId":"transient_ORDERS_1"}`, 200, ``},
		{"POST", "/close-query", `{"queryId":"other"}`, 400, `{"@type":"generic_error","error_code":40000,"message":"No query with id other"}`},
		{"GET", "/nothing/here", "", 404, "Not Found"},
		{"POST", "/", "", 404, "Not Found"},
	}
	for _, tt := range tests {
		t.Run(tt.method+tt.path, func(t *testing.T) {
			if res, body := exchange(t, tt.method, url+tt.path, tt.body); res.StatusCode != tt.status || body != tt.want {
				t.Errorf("status %d, body %s; want %d, %s", res.StatusCode, body, tt.status, tt.want)
			}
		})
	}
	if res, _ := exchange(t, "GET", url+"/", ""); res.StatusCode != http.StatusTemporaryRedirect || res.Header.Get("Location") != "/info" {
		t.Errorf("GET /: status %d, location %q; want 307 to /info", res.StatusCode, res.Header.Get("Location"))
	}
}

// Endpoints that answer in JSON do so for clients that take it, by any of its names.
func TestJSONIsAccepted(t *testing.T) {
	url := serve(t, &fakeEngine{execute: func(context.Context, engine.Request) (api.Entities, error) { return nil, nil }})
	for _, endpoint := range [][2]string{{"GET", "/info"}, {"GET", "/healthcheck"}, {"POST", "/ksql"}, {"GET", "/status"}, {"GET", "/clusterStatus"},
		{"GET", "/is_valid_property/auto.offset.reset"}, {"GET", "/v1/metadata"}, {"GET", "/v1/metadata/id"}} {
		for accept, want := range map[string]int{plainJSON: 200, ksqlJSON: 200, "text/html, */*;q=0.8": 200, "application/*": 200, "text/html": 406, delimited: 406} {
			res, body := exchange(t, endpoint[0], url+endpoint[1], `{"ksql":"SHOW STREAMS;"}`, "Accept", accept)
			if res.StatusCode != want || (body == "") != (want == 406) {
				t.Errorf("%s %s, Accept %s: status %d, %q; want %d", endpoint[0], endpoint[1], accept, res.StatusCode, body, want)
			}
			if want == 200 && res.Header.Get("Content-Type") != plainJSON {
				t.Errorf("%s: content type %s", endpoint[1], res.Header.Get("Content-Type"))
			}
		}
	}
}

func TestTerminateCluster(t *testing.T) {
	var got [][]string
	url := serve(t, &fakeEngine{terminate: func(topics []string) (api.Entities, error) {
		got = append(got, topics)
		if slices.Contains(topics, "[") {
			return nil, api.NewError(api.CodeBadRequest, "Invalid pattern: [")
		}
		return api.Entities{&api.CommandStatusEntity{Base: api.Base{StatementText: "TERMINATE CLUSTER;"}, CommandID: "cluster/TerminateCluster/terminate",
			CommandStatus: api.CommandStatus{Status: api.StatusSuccess, Message: "gone"}, CommandSequenceNumber: 7}}, nil
	}})
	done := `[{"@type":"currentStatus","statementText":"TERMINATE CLUSTER;","warnings":[],"commandId":"cluster/TerminateCluster/terminate",` +
		`"commandStatus":{"status":"SUCCESS","message":"gone","queryId":null},"commandSequenceNumber":7}]`
	for _, c := range []struct {
		body   string
		status int
		want   string
	}{
		{`{"deleteTopicList":["FOO","bar.*"]}`, 200, done},
		{`{}`, 200, done},
		{`{"deleteTopicList":null,"streamsProperties":{}}`, 200, done},
		{`{"deleteTopicList":["["]}`, 400, `{"@type":"generic_error","error_code":40000,"message":"Invalid pattern: ["}`},
	} {
		if res, body := exchange(t, "POST", url+"/ksql/terminate", c.body); res.StatusCode != c.status || body != c.want {
			t.Errorf("%s: status %d, body %s; want %d, %s", c.body, res.StatusCode, body, c.status, c.want)
		}
	}
	if want := "[[FOO bar.*] [] [] [[]]"; fmt.Sprint(got) != want {
		t.Errorf("the engine got %v, want %s", got, want)
	}
	for _, bad := range []string{``, `{"deleteTopicList":"FOO"}`, `[]`} {
		if res, body := exchange(t, "POST", url+"/ksql/terminate", bad); res.StatusCode != http.StatusBadRequest || !strings.Contains(body, `"error_code":40000`) {
			t.Errorf("%s: status %d, body %s", bad, res.StatusCode, body)
		}
	}
	if len(got) != 4 {
		t.Errorf("a request that cannot be read came to the engine: %v", got)
	}
}

// TestAfterTermination: what wants something of the service is refused, what tells of the server answers.
func TestAfterTermination(t *testing.T) {
	e := &fakeEngine{pushes: map[string]bool{"q": true}}
	url := serve(t, e)
	if res, _ := exchange(t, "GET", url+"/chc/ready", ""); res.StatusCode != http.StatusOK {
		t.Errorf("/chc/ready of a server that works: %d", res.StatusCode)
	}
	e.refusal, e.notReady = api.NewError(api.CodeServerShutDown, "The server is shut down"), []string{"The service was terminated."}
	refused := `{"@type":"generic_error","error_code":50304,"message":"The server is shut down"}`
	for _, path := range []string{"/ksql", "/ksql/terminate", "/query", "/query-stream", "/inserts-stream", "/close-query", "/cluster/drain"} {
		if res, body := exchange(t, "POST", url+path, `{"ksql":"SHOW STREAMS;","sql":"SELECT * FROM s;","queryId":"q"}`); res.StatusCode != http.StatusServiceUnavailable || body != refused {
			t.Errorf("%s: status %d, body %s", path, res.StatusCode, body)
		}
	}
	for path, status := range map[string]int{"/info": 200, "/healthcheck": 200, "/status": 200, "/cluster": 200, "/clusterStatus": 200, "/chc/live": 200, "/chc/ready": 503} {
		if res, body := exchange(t, "GET", url+path, ""); res.StatusCode != status {
			t.Errorf("%s: status %d, body %s", path, res.StatusCode, body)
		}
	}
}

// TestInternalEndpoints: where other servers have their own listener they have no business on the public one.
func TestInternalEndpoints(t *testing.T) {
	for _, path := range []string{"/heartbeat", "/lag"} {
		for _, c := range []struct {
			internal bool
			status   int
			body     string
		}{
			{false, 200, `{"isOk":true}`},
			{true, 400, `{"@type":"generic_error","error_code":40005,"message":"Can't call internal endpoint on public listener"}`},
		} {
			s := rest.New(rest.Config{Engine: &fakeEngine{}, Logger: slog.New(slog.DiscardHandler), HasInternal: c.internal})
			s.Ready()
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader("{}")))
			if w.Code != c.status || w.Body.String() != c.body {
				t.Errorf("%s, internal listener %v: %d %s", path, c.internal, w.Code, w.Body)
			}
		}
	}
}
