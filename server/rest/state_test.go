package rest_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/server/api"
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
