package rest_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/engine"
	"github.com/ksqlgo/ksqlgo/server/rest"
)

const (
	delimited = "application/vnd.ksqlapi.delimited.v1"
	ksqlJSON  = "application/vnd.ksql.v1+json"
	plainJSON = "application/json"
	protoRows = "application/vnd.ksql.v1+protobuf"
)

func TestFormatsOfAnswers(t *testing.T) {
	rows := []engine.Row{{Values: []any{int32(1), "a"}}, {Values: []any{int32(1), nil}, Tombstone: true}, {Values: []any{int32(2), `<"é">`}}}
	lines := "{\"queryId\":\"q1\",\"columnNames\":[\"ID\",\"NAME\"],\"columnTypes\":[\"INTEGER\",\"STRING\"]}\n[1,\"a\"]\n[2,\"<\\\"é\\\">\"]\n"
	array := `[{"queryId":"q1","columnNames":["ID","NAME"],"columnTypes":["INTEGER","STRING"]},[1,"a"],[2,"<\"é\">"]]`
	push := "[{\"header\":{\"queryId\":\"q1\",\"schema\":\"`ID` INTEGER, `NAME` STRING\"}},\n" +
		"{\"row\":{\"columns\":[1,\"a\"]}},\n{\"row\":{\"columns\":[1,null],\"tombstone\":true}},\n{\"row\":{\"columns\":[2,\"<\\\"é\\\">\"]}},\n"
	pull := strings.TrimSuffix(strings.Replace(push, "INTEGER,", "INTEGER KEY,", 1), ",\n") + "]"
	// The messages are 08 01 12 01 "a" and 08 02 12 06 "<"é">".
	proto := strings.NewReplacer("STRING\"}", `STRING","protoSchema":"syntax = \"proto3\";\n\nmessage ConnectDefault1 {\n  int32 ID = 1;\n  string NAME = 2;\n}\n"}`,
		`"columns":[1,"a"]`, `"protobufBytes":"CAESAWE="`, `"columns":[2,"<\"é\">"]`, `"protobufBytes":"CAISBjwiw6kiPg=="`)
	tests := []struct {
		name, path, accept string
		pull, limit        bool
		failure            error
		contentType, want  string
	}{
		{name: "stream", path: "/query-stream", contentType: delimited, want: lines},
		{name: "stream", path: "/query-stream", accept: "*/*", contentType: delimited, want: lines},
		{name: "stream", path: "/query-stream", accept: delimited, pull: true, contentType: delimited, want: lines},
		{name: "stream", path: "/query-stream", accept: plainJSON, contentType: plainJSON, want: array},
		{name: "stream", path: "/query-stream", accept: plainJSON, pull: true, contentType: plainJSON, want: array},
		{name: "stream", path: "/query-stream", accept: ksqlJSON, contentType: ksqlJSON, want: push + `{"finalMessage":"Query Completed"}]`},
		{name: "stream with limit", path: "/query-stream", accept: ksqlJSON, limit: true, contentType: ksqlJSON, want: push + `{"finalMessage":"Limit Reached"}]`},
		{name: "stream", path: "/query-stream", accept: ksqlJSON, pull: true, contentType: ksqlJSON, want: pull},
		{name: "query", path: "/query", contentType: ksqlJSON, want: push + `{"finalMessage":"Query Completed"}]`},
		{name: "query as ksqlDB's console asks", path: "/query", accept: plainJSON, contentType: ksqlJSON, want: push + `{"finalMessage":"Query Completed"}]`},
		{name: "query", path: "/query", accept: delimited, contentType: delimited, want: lines},
		{name: "weights", path: "/query-stream", accept: plainJSON + ";q=0.5, " + ksqlJSON + ";q=0.9", pull: true, contentType: ksqlJSON, want: pull},
		{name: "stream", path: "/query-stream", accept: protoRows, contentType: protoRows, want: proto.Replace(push) + `{"finalMessage":"Query Completed"}]`},
		{name: "stream with limit", path: "/query-stream", accept: protoRows, limit: true, contentType: protoRows, want: proto.Replace(push) + `{"finalMessage":"Limit Reached"}]`},
		{name: "stream", path: "/query-stream", accept: protoRows, pull: true, contentType: protoRows, want: proto.Replace(pull)},
		{name: "query", path: "/query", accept: protoRows, pull: true, contentType: protoRows, want: proto.Replace(pull)},
		{name: "failing", path: "/query", accept: protoRows, failure: api.NewError(api.CodeServerError, "lost"), contentType: protoRows,
			want: proto.Replace(push) + `{"errorMessage":{"@type":"generic_error","error_code":50000,"message":"lost"}}]`},
		{name: "failing", path: "/query-stream", failure: api.NewError(api.CodeServerError, "lost"), contentType: delimited,
			want: lines + `{"@type":"generic_error","error_code":50000,"message":"lost"}` + "\n"},
		{name: "failing", path: "/query-stream", accept: plainJSON, failure: api.NewError(api.CodeServerError, "lost"), contentType: plainJSON,
			want: strings.TrimSuffix(array, "]") + `,{"@type":"generic_error","error_code":50000,"message":"lost"}]`},
		{name: "failing", path: "/query", failure: api.NewError(api.CodeServerError, "lost"), contentType: ksqlJSON,
			want: push + `{"errorMessage":{"@type":"generic_error","error_code":50000,"message":"lost"}}]`},
		{name: "failing", path: "/query", failure: api.NewError(api.CodeServerError, "lost"), pull: true, contentType: ksqlJSON,
			want: strings.TrimSuffix(pull, "]") + ",\n" + `{"errorMessage":{"@type":"generic_error","error_code":50000,"message":"lost"}}]`},
	}
	for _, tt := range tests {
		t.Run(strings.Join([]string{tt.name, tt.path, tt.accept}, " "), func(t *testing.T) {
			given := rowsOf(rows...)
			given.limit, given.failure = tt.limit, tt.failure
			url := serve(t, &fakeEngine{query: func(context.Context, engine.Request) (*engine.Answer, error) { return orders(tt.pull, given), nil }})
			var headers []string
			if tt.accept != "" {
				headers = []string{"Accept", tt.accept}
			}
			res, body := exchange(t, "POST", url+tt.path, `{"sql":"SELECT 1;","ksql":"SELECT 1;"}`, headers...)
			if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != tt.contentType {
				t.Errorf("status %d, content type %q; want 200, %q", res.StatusCode, res.Header.Get("Content-Type"), tt.contentType)
			}
			if body != tt.want {
				t.Errorf("body\n%s\nwant\n%s", body, tt.want)
			}
			select {
			case <-given.closed:
			default:
				t.Error("the rows were not closed")
			}
		})
	}
}

// Rows of nothing but nulls and defaults have no bytes, and what no message can carry is refused before anything is answered.
func TestProtobufAnswers(t *testing.T) {
	url := serve(t, &fakeEngine{query: func(context.Context, engine.Request) (*engine.Answer, error) {
		return orders(true, rowsOf(engine.Row{Values: []any{int32(0), nil}})), nil
	}})
	if _, body := exchange(t, "POST", url+"/query", `{"ksql":"SELECT 1;"}`, "Accept", protoRows); !strings.HasSuffix(body, ",\n"+`{"row":{"protobufBytes":""}}]`) {
		t.Errorf("a row without bytes: %s", body)
	}
	rows := rowsOf()
	url = serve(t, &fakeEngine{query: func(context.Context, engine.Request) (*engine.Answer, error) {
		return &engine.Answer{Rows: rows, Columns: []types.Column{{Name: "L", Type: types.ArrayOf(types.ArrayOf(types.IntType))}}}, nil
	}})
	res, body := exchange(t, "POST", url+"/query", `{"ksql":"SELECT 1;"}`, "Accept", protoRows)
	if want := "column `L`: an ARRAY of ARRAYs cannot be written"; res.StatusCode != http.StatusBadRequest || !strings.Contains(body, want) {
		t.Errorf("status %d, %s; want 400, %q", res.StatusCode, body, want)
	}
	select {
	case <-rows.closed:
	default:
		t.Error("the rows were not closed")
	}
}

func TestEmptyPullAnswers(t *testing.T) {
	for accept, want := range map[string]string{
		ksqlJSON:  "[{\"header\":{\"queryId\":\"q1\",\"schema\":\"`ID` INTEGER KEY, `NAME` STRING\"}}]",
		plainJSON: `[{"queryId":"q1","columnNames":["ID","NAME"],"columnTypes":["INTEGER","STRING"]}]`,
	} {
		url := serve(t, &fakeEngine{query: func(context.Context, engine.Request) (*engine.Answer, error) { return orders(true, rowsOf()), nil }})
		if _, body := exchange(t, "POST", url+"/query-stream", `{"sql":"SELECT 1;"}`, "Accept", accept); body != want {
			t.Errorf("%s: %s, want %s", accept, body, want)
		}
	}
}

func TestNothingAcceptable(t *testing.T) {
	url := serve(t, &fakeEngine{
		query: func(context.Context, engine.Request) (*engine.Answer, error) {
			t.Error("the query ran")
			return nil, io.EOF
		},
		print: func(context.Context, engine.Request) (engine.Printed, error) {
			t.Error("PRINT ran")
			return nil, io.EOF
		},
	})
	for _, tt := range [][2]string{{`{"sql":"SELECT 1;"}`, "text/html"}, {`{"sql":"SELECT 1;"}`, delimited + ";q=0"}, {`{"sql":"PRINT t;"}`, ksqlJSON}} {
		if res, body := exchange(t, "POST", url+"/query-stream", tt[0], "Accept", tt[1]); res.StatusCode != http.StatusNotAcceptable || body != "" {
			t.Errorf("%s, Accept %s: status %d, body %q; want 406 without a body", tt[0], tt[1], res.StatusCode, body)
		}
	}
}

// TestRowsArriveOneByOne sends a row only after the one before has been read by the client.
func TestRowsArriveOneByOne(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		for _, accept := range []string{delimited, ksqlJSON} {
			t.Run(protocolName(http2)+" "+accept, func(t *testing.T) {
				rows := rowsToCome()
				url := serve(t, &fakeEngine{query: func(context.Context, engine.Request) (*engine.Answer, error) { return orders(false, rows), nil }})
				res := stream(t, http2, url+"/query-stream", accept, `{"sql":"SELECT 1;"}`)
				lines := bufio.NewReader(res.Body)
				header(t, lines)
				for range 3 {
					rows.rows <- engine.Row{Values: []any{int32(7), "x"}}
					if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, `[7,"x"]`) {
						t.Fatalf("line %q, %v", line, err)
					}
				}
				close(rows.rows)
				if _, err := io.ReadAll(lines); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestQueryEndsWithItsClient drops the connection or the stream and expects the rows to be closed.
func TestQueryEndsWithItsClient(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		t.Run(protocolName(http2), func(t *testing.T) {
			rows := rowsToCome()
			url := serve(t, &fakeEngine{query: func(context.Context, engine.Request) (*engine.Answer, error) { return orders(false, rows), nil }})
			res := stream(t, http2, url+"/query-stream", delimited, `{"sql":"SELECT 1;"}`)
			header(t, bufio.NewReader(res.Body))
			res.Body.Close()
			select {
			case <-rows.closed:
			case <-time.After(5 * time.Second):
				t.Fatal("the query goes on without its client")
			}
		})
	}
}

func TestStreamsSayThatTheServerStops(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		t.Run(protocolName(http2), func(t *testing.T) {
			rows := rowsToCome()
			s := rest.New(rest.Config{Logger: slog.New(slog.DiscardHandler), Engine: &fakeEngine{
				query: func(context.Context, engine.Request) (*engine.Answer, error) { return orders(false, rows), nil }}})
			s.Ready()
			url, stop := listen(t, s)
			res := stream(t, http2, url+"/query-stream", delimited, `{"sql":"SELECT 1;"}`)
			lines := bufio.NewReader(res.Body)
			header(t, lines)
			stop()
			if rest, err := io.ReadAll(lines); err != nil || string(rest) != `{"@type":"generic_error","error_code":50303,"message":"The server is shutting down"}`+"\n" {
				t.Errorf("the stream ended with %q, %v", rest, err)
			}
		})
	}
}

func TestPrint(t *testing.T) {
	for path, body := range map[string]string{"/query": `{"ksql":"PRINT t;"}`, "/query-stream": `{"sql":"PRINT t;"}`} {
		url := serve(t, &fakeEngine{print: func(context.Context, engine.Request) (engine.Printed, error) {
			return &fakePrinted{lines: []string{"Key format: JSON", "Value format: JSON", "rowtime: x, key: 1"}}, nil
		}})
		res, text := exchange(t, "POST", url+path, body)
		if want := "Key format: JSON\nValue format: JSON\nrowtime: x, key: 1\n"; res.StatusCode != http.StatusOK || text != want {
			t.Errorf("%s: status %d, %q; want %q", path, res.StatusCode, text, want)
		}
	}
	url := serve(t, &fakeEngine{print: func(context.Context, engine.Request) (engine.Printed, error) {
		return nil, api.NewStatementError("PRINT t;", "Could not find topic 't'")
	}})
	if res, text := exchange(t, "POST", url+"/query", `{"ksql":"PRINT t;"}`); res.StatusCode != http.StatusBadRequest || !strings.Contains(text, "Could not find topic") {
		t.Errorf("status %d, %s", res.StatusCode, text)
	}
}

type fakePrinted struct{ lines []string }

func (f *fakePrinted) Next(context.Context) (string, error) {
	if len(f.lines) == 0 {
		return "", io.EOF
	}
	line := f.lines[0]
	f.lines = f.lines[1:]
	return line, nil
}

func (f *fakePrinted) Close() {}

func protocolName(http2 bool) string {
	if http2 {
		return "h2c"
	}
	return "http/1.1"
}

// stream starts a request and gives its answer, whose body comes later.
func stream(t *testing.T, http2 bool, url, accept, body string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	res, err := clientOf(t, http2).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != http.StatusOK || (res.ProtoMajor == 2) != http2 {
		t.Fatalf("status %d, %s", res.StatusCode, res.Proto)
	}
	return res
}

// header reads the first line, which comes before any row.
func header(t *testing.T, lines *bufio.Reader) {
	t.Helper()
	if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, `"queryId":"q1"`) {
		t.Fatalf("header %q, %v", line, err)
	}
}
