package rest_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/engine"
	"github.com/ksqlgo/ksqlgo/server/rest"
)

func TestStatementsPassTheRequestOn(t *testing.T) {
	var got engine.Request
	url := serve(t, &fakeEngine{execute: func(_ context.Context, r engine.Request) (api.Entities, error) {
		got = r
		return api.Entities{&api.VariablesList{Base: api.Base{StatementText: "SHOW VARIABLES;"}}}, nil
	}})
	res, body := exchange(t, "POST", url+"/ksql", `{"ksql":"SHOW VARIABLES;","streamsProperties":{"auto.offset.reset":"earliest","num":1.50,"flag":true},
		"sessionVariables":{"env":"dev"},"commandSequenceNumber":12,"requestProperties":{"x":1},"unknown":{}}`,
		"Content-Type", "application/x-www-form-urlencoded")
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("status %d, content type %q", res.StatusCode, res.Header.Get("Content-Type"))
	}
	if want := `[{"@type":"variables","statementText":"SHOW VARIABLES;","warnings":[],"variables":[]}]`; body != want {
		t.Errorf("answer\n%s\nwant\n%s", body, want)
	}
	number := int64(12)
	want := engine.Request{SQL: "SHOW VARIABLES;", Properties: map[string]string{"auto.offset.reset": "earliest", "num": "1.50", "flag": "true"},
		Variables: map[string]string{"env": "dev"}, CommandSequenceNumber: &number, RequestProperties: map[string]string{"x": "1"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("request %+v, want %+v", got, want)
	}
}

func TestStatementWithoutResultAnswersAnEmptyList(t *testing.T) {
	url := serve(t, &fakeEngine{execute: func(context.Context, engine.Request) (api.Entities, error) { return nil, nil }})
	if _, body := exchange(t, "POST", url+"/ksql", `{"ksql":"INSERT INTO s VALUES (1);"}`); body != "[]" {
		t.Errorf("answer %s, want []", body)
	}
}

func TestErrors(t *testing.T) {
	failed := api.NewStatementError("SELEKT `A` <B>;", "line 1:1: Syntax Error\nUnknown statement 'SELEKT'")
	tests := []struct {
		name   string
		err    error
		body   string
		status int
		want   string
	}{
		{"statement", failed, `{"ksql":"x"}`, 400,
			`{"@type":"statement_error","error_code":40001,"message":"line 1:1: Syntax Error\nUnknown statement 'SELEKT'","statementText":"SELEKT ` + "`A`" + ` <B>;","entities":[]}`},
		{"property", api.NewError(api.CodeBadRequest, "no"), `{"ksql":"x"}`, 400, `{"@type":"generic_error","error_code":40000,"message":"no"}`},
		{"denied by Kafka", api.NewError(api.CodeKafkaForbidden, "no"), `{"ksql":"x"}`, 403, `{"@type":"generic_error","error_code":40301,"message":"no"}`},
		{"behind", api.NewError(api.CodeCommandQueueBehind, "no"), `{"ksql":"x"}`, 503, `{"@type":"generic_error","error_code":50301,"message":"no"}`},
		{"wrapped", errors.Join(errors.New("x"), api.NewError(api.CodeTooManyRequests, "no")), `{"ksql":"x"}`, 429,
			`{"@type":"generic_error","error_code":42900,"message":"no"}`},
		{"unexpected", errors.New("a bug"), `{"ksql":"x"}`, 500, `{"@type":"generic_error","error_code":50000,"message":"a bug"}`},
		{"no SQL", nil, `{}`, 400, `{"@type":"generic_error","error_code":40000,"message":"\"ksql\" field must be populated"}`},
		{"null SQL", nil, `{"ksql":null}`, 400, `{"@type":"generic_error","error_code":40000,"message":"\"ksql\" field must be populated"}`},
		{"bad JSON", nil, `{"ksql":`, 400, `"error_code":40000,"message":"Invalid JSON in request: `},
		{"too large", nil, `{"ksql":"` + strings.Repeat("x", 1<<12) + `"}`, 400,
			`{"@type":"generic_error","error_code":40000,"message":"The request is larger than 4096 bytes."}`},
	}
	for _, tt := range tests {
		for _, path := range []string{"/ksql", "/query"} {
			t.Run(tt.name+path, func(t *testing.T) {
				url := serve(t, &fakeEngine{
					execute: func(context.Context, engine.Request) (api.Entities, error) { return nil, tt.err },
					query:   func(context.Context, engine.Request) (*engine.Answer, error) { return nil, tt.err },
				})
				res, body := exchange(t, "POST", url+path, tt.body)
				if res.StatusCode != tt.status || !strings.Contains(body, tt.want) {
					t.Errorf("status %d, body %s; want %d, %s", res.StatusCode, body, tt.status, tt.want)
				}
			})
		}
	}
}

func TestPanicBecomesAnError(t *testing.T) {
	url := serve(t, &fakeEngine{execute: func(context.Context, engine.Request) (api.Entities, error) { panic("broken invariant") }})
	for range 2 {
		res, body := exchange(t, "POST", url+"/ksql", `{"ksql":"x"}`)
		if res.StatusCode != http.StatusInternalServerError || !strings.Contains(body, `"error_code":50000`) {
			t.Errorf("status %d, body %s", res.StatusCode, body)
		}
	}
}

func TestNotReadyYet(t *testing.T) {
	s := rest.New(rest.Config{Engine: &fakeEngine{}, Logger: slog.New(slog.DiscardHandler)})
	url, _ := listen(t, s)
	for _, r := range s.Routes() {
		method, path, _ := strings.Cut(r.Pattern, " ")
		if strings.ContainsAny(path, "{$") {
			continue
		}
		res, body := exchange(t, method, url+path, "{}")
		switch path {
		case "/info", "/healthcheck", "/chc/live":
			if res.StatusCode != http.StatusOK {
				t.Errorf("%s: status %d before the server is ready, want 200", path, res.StatusCode)
			}
		case "/metrics":
		case "/chc/ready":
			if want := `{"ready":false,"notReady":["The command log is being replayed."]}`; res.StatusCode != http.StatusServiceUnavailable || body != want {
				t.Errorf("%s: status %d, %s; want 503, %s", path, res.StatusCode, body, want)
			}
		default:
			if res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, `"error_code":50302,"message":"KSQL is not yet ready to serve requests."`) ||
				res.Header.Get("Retry-After") == "" {
				t.Errorf("%s: status %d, %s; want 503 with code 50302", path, res.StatusCode, body)
			}
		}
	}
}
