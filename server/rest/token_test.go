package rest_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/engine"
)

// TestTokensOfRequests: where clients may put what they ask for, on the endpoints that take it.
func TestTokensOfRequests(t *testing.T) {
	const property = `"request.ksql.query.pull.consistency.token":`
	for _, path := range []string{"/query", "/query-stream", "/ksql"} {
		for name, c := range map[string]struct {
			body    string
			headers []string
			want    []string
		}{
			"nothing":             {body: `"requestProperties":{"x":1}`},
			"a property":          {body: `"requestProperties":{` + property + `"abc"}`, want: []string{"abc"}},
			"ksqlDB's first one":  {body: `"requestProperties":{` + property + `""}`, want: []string{""}},
			"a header":            {body: `"requestProperties":{}`, headers: []string{"Ksql-Consistency-Token", "abc"}, want: []string{"abc"}},
			"an empty header":     {body: `"requestProperties":null`, headers: []string{"Ksql-Consistency-Token", ""}, want: []string{""}},
			"both":                {body: `"requestProperties":{` + property + `"def"}`, headers: []string{"ksql-consistency-token", "abc"}, want: []string{"abc", "def"}},
			"switched on":         {body: `"requestProperties":{"ksql.query.pull.consistency.token.enabled":true}`, want: []string{""}},
			"switched off":        {body: `"requestProperties":{"ksql.query.pull.consistency.token.enabled":"false"}`},
			"switched on and one": {body: `"requestProperties":{"ksql.query.pull.consistency.token.enabled":true,` + property + `"abc"}`, want: []string{"abc"}},
		} {
			t.Run(name+path, func(t *testing.T) {
				var got []string
				url := serve(t, &fakeEngine{
					execute: func(_ context.Context, r engine.Request) (api.Entities, error) {
						got = r.Tokens
						return nil, nil
					},
					query: func(_ context.Context, r engine.Request) (*engine.Answer, error) {
						got = r.Tokens
						return orders(true, rowsOf()), nil
					},
				})
				text := "ksql"
				if path == "/query-stream" {
					text = "sql"
				}
				if res, body := exchange(t, "POST", url+path, `{"`+text+`":"x",`+c.body+`}`, c.headers...); res.StatusCode != http.StatusOK {
					t.Fatalf("status %d, %s", res.StatusCode, body)
				}
				if !slices.Equal(got, c.want) || (got == nil) != (c.want == nil) {
					t.Errorf("tokens %q; wanted %q", got, c.want)
				}
			})
		}
	}
}

// TestTokensOfAnswers: the token comes behind the rows and before what ends the answer, in each format.
func TestTokensOfAnswers(t *testing.T) {
	lines := "{\"queryId\":\"q1\",\"columnNames\":[\"ID\",\"NAME\"],\"columnTypes\":[\"INTEGER\",\"STRING\"]}\n[1,\"a\"]\n"
	header := "[{\"header\":{\"queryId\":\"q1\",\"schema\":\"`ID` INTEGER KEY, `NAME` STRING\"}},\n{\"row\":{\"columns\":[1,\"a\"]}},\n"
	stream := "[{\"header\":{\"queryId\":\"q1\",\"schema\":\"`ID` INTEGER, `NAME` STRING\"}},\n{\"row\":{\"columns\":[1,\"a\"]}},\n"
	for _, c := range []struct {
		name, accept string
		pull         bool
		failure      error
		want         string
	}{
		{"table", ksqlJSON, true, nil, header + `{"consistencyToken":{"consistencyToken":"abc"}}]`},
		{"stream", ksqlJSON, false, nil, stream + `{"consistencyToken":{"consistencyToken":"abc"}},` + "\n" + `{"finalMessage":"Query Completed"}]`},
		{"lines", delimited, true, nil, lines + `{"consistencyToken":"abc"}` + "\n"},
		{"array", plainJSON, true, nil, `[{"queryId":"q1","columnNames":["ID","NAME"],"columnTypes":["INTEGER","STRING"]},[1,"a"],{"consistencyToken":"abc"}]`},
		{"failing", ksqlJSON, true, api.NewError(api.CodeServerError, "lost"), header + `{"errorMessage":{"@type":"generic_error","error_code":50000,"message":"lost"}}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := serve(t, &fakeEngine{query: func(context.Context, engine.Request) (*engine.Answer, error) {
				a := orders(c.pull, rowsOf(engine.Row{Values: []any{int32(1), "a"}}))
				a.Token = func() (string, error) { return "abc", c.failure }
				return a, nil
			}})
			if _, body := exchange(t, "POST", url+"/query-stream", `{"sql":"x"}`, "Accept", c.accept); body != c.want {
				t.Errorf("answer\n%s\nwanted\n%s", body, c.want)
			}
		})
	}
}

// TestTokensInHeaders: statements tell theirs in a header, also when one of them fails; a stale answer says how far it is.
func TestTokensInHeaders(t *testing.T) {
	late := api.NewError(api.CodeStale, "too late")
	late.ConsistencyToken = "far"
	for _, c := range []struct {
		name    string
		err     error
		written string
		status  int
		token   string
		body    string
	}{
		{"inserted", nil, "abc", 200, "abc", "[]"},
		{"nothing inserted", nil, "", 200, "", "[]"},
		{"failed behind an insert", api.NewStatementError("x", "bad"), "abc", 400, "abc", `{"@type":"statement_error","error_code":40001,"message":"bad","statementText":"x","entities":[]}`},
		{"stale", errors.Join(late), "", 503, "far", `{"@type":"generic_error","error_code":50305,"message":"too late","consistencyToken":"far"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := serve(t, &fakeEngine{written: c.written, execute: func(context.Context, engine.Request) (api.Entities, error) { return nil, c.err }})
			res, body := exchange(t, "POST", url+"/ksql", `{"ksql":"x"}`)
			if res.StatusCode != c.status || res.Header.Get("Ksql-Consistency-Token") != c.token || body != c.body {
				t.Errorf("status %d, token %q, body %s; wanted %d, %q, %s", res.StatusCode, res.Header.Get("Ksql-Consistency-Token"), body, c.status, c.token, c.body)
			}
		})
	}
}

// TestTokensOfAcks: a stream of inserts that asks for tokens has one in each acknowledgement.
func TestTokensOfAcks(t *testing.T) {
	url := serve(t, inserting(&fakeInserter{}))
	const want = "{\"status\":\"ok\",\"seq\":0,\"consistencyToken\":\"tabc\"}\n{\"status\":\"ok\",\"seq\":1,\"consistencyToken\":\"tabc\"}\n"
	if _, body := exchange(t, "POST", url+"/inserts-stream", "{\"target\":\"orders\"}\n{\"ID\":1}\n{\"ID\":2}\n", "Ksql-Consistency-Token", "abc"); body != want {
		t.Errorf("acknowledgements\n%s\nwanted\n%s", body, want)
	}
}
