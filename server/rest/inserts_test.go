package rest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/engine"
)

func inserting(f *fakeInserter) *fakeEngine {
	return &fakeEngine{inserter: func(_ context.Context, target string, _ map[string]string, tokens []string) (engine.Inserter, error) {
		if target != "orders" {
			return nil, api.NewError(api.CodeBadStatement, "Cannot insert values into an unknown stream/table: %s", target)
		}
		if len(tokens) > 0 {
			return &fakeInserter{taken: f.taken, token: "t" + tokens[0]}, nil
		}
		return f, nil
	}}
}

func TestInsertsStream(t *testing.T) {
	tests := []struct {
		name, accept, body string
		status             int
		want               string
	}{
		{"acks", "", "{\"target\":\"orders\"}\n{\"ID\":1}\n\n{\"ID\":2}\n", 200, "{\"status\":\"ok\",\"seq\":0}\n{\"status\":\"ok\",\"seq\":1}\n"},
		{"last line without its end", "", "{\"target\":\"orders\"}\n{\"ID\":1}", 200, "{\"status\":\"ok\",\"seq\":0}\n"},
		{"no rows", "", "{\"target\":\"orders\"}\n", 200, ""},
		{"array", plainJSON, "{\"target\":\"orders\"}\n{\"ID\":1}\n{\"ID\":2}\n", 200, `[{"status":"ok","seq":0},{"status":"ok","seq":1}]`},
		{"array without rows", plainJSON, "{\"target\":\"orders\"}\n", 200, `[]`},
		{"refused row", "", "{\"target\":\"orders\"}\n{\"ID\":1}\n{\"X\":2}\n{\"ID\":3}\n", 200,
			"{\"status\":\"ok\",\"seq\":0}\n{\"@type\":\"InsertError\",\"status\":\"error\",\"seq\":1,\"error_code\":40000,\"message\":\"Key field must be specified: ID\"}\n"},
		{"broken row", "", "{\"target\":\"orders\"}\n{\"ID\"\n", 200,
			"{\"@type\":\"InsertError\",\"status\":\"error\",\"seq\":0,\"error_code\":40000,\"message\":\"Invalid JSON in inserts stream\"}\n"},
		{"row too long", "", "{\"target\":\"orders\"}\n{\"ID\":\"" + strings.Repeat("x", 5000) + "\"}\n", 200,
			"{\"@type\":\"InsertError\",\"status\":\"error\",\"seq\":0,\"error_code\":40000,\"message\":\"a line of the inserts stream is too long\"}\n"},
		{"unknown target", "", "{\"target\":\"other\"}\n{\"ID\":1}\n", 400,
			`{"@type":"generic_error","error_code":40001,"message":"Cannot insert values into an unknown stream/table: other"}`},
		{"no target", "", "{}\n", 400, `{"@type":"generic_error","error_code":40000,"message":"Invalid JSON in request: the first line must be an object with the target"}`},
		{"nothing", "", "", 400, `{"@type":"generic_error","error_code":40000,"message":"Invalid JSON in request: the first line must be an object with the target"}`},
		{"not acceptable", "text/html", "{\"target\":\"orders\"}\n", 406, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url := serve(t, inserting(&fakeInserter{}))
			var headers []string
			if tt.accept != "" {
				headers = []string{"Accept", tt.accept}
			}
			if res, body := exchange(t, "POST", url+"/inserts-stream", tt.body, headers...); res.StatusCode != tt.status || body != tt.want {
				t.Errorf("status %d, body %s; want %d, %s", res.StatusCode, body, tt.status, tt.want)
			}
		})
	}
}

// TestAcksComeWhileRowsAreSent writes each row only when the one before has been acknowledged, and the target alone first.
func TestAcksComeWhileRowsAreSent(t *testing.T) {
	for _, http2 := range []bool{true, false} {
		t.Run(protocolName(http2), func(t *testing.T) {
			taken := make(chan map[string]json.RawMessage, 3)
			url := serve(t, inserting(&fakeInserter{taken: taken}))
			body, send := io.Pipe()
			defer send.Close()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/inserts-stream", body)
			if err != nil {
				t.Fatal(err)
			}
			go io.WriteString(send, "{\"target\":\"orders\"}\n")
			res, err := clientOf(t, http2).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			acks := bufio.NewReader(res.Body)
			for range 3 {
				if _, err := io.WriteString(send, "{\"ID\":1}\n"); err != nil {
					t.Fatal(err)
				}
				<-taken
				if line, err := acks.ReadString('\n'); err != nil || !strings.HasPrefix(line, `{"status":"ok"`) {
					t.Fatalf("ack %q, %v", line, err)
				}
			}
			send.Close()
			if rest, err := io.ReadAll(acks); err != nil || len(rest) > 0 {
				t.Errorf("after the end: %q, %v", rest, err)
			}
		})
	}
}
