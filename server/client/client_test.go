package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/server/api"
)

// serve starts a server for HTTP/1.1 and HTTP/2 with prior knowledge.
func serve(t *testing.T, routes map[string]http.HandlerFunc) *Client {
	t.Helper()
	mux := http.NewServeMux()
	for pattern, handler := range routes {
		mux.HandleFunc(pattern, handler)
	}
	server := httptest.NewUnstartedServer(mux)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	c, err := New(Config{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestExecuteSendsTheRequestAndDecodesEntities(t *testing.T) {
	var got api.KsqlRequest
	c := serve(t, map[string]http.HandlerFunc{"POST /ksql": func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		io.WriteString(w, `[{"@type":"streams","statementText":"SHOW STREAMS;","streams":[],"warnings":[]}]`)
	}})
	after := int64(7)
	entities, err := c.Execute(within(t), Request{
		SQL: "SHOW STREAMS;", Properties: api.Properties{"auto.offset.reset": "earliest"},
		Variables: map[string]string{"env": "dev"}, AfterCommand: &after,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(entities) != 1 || entities[0].Type() != "streams" {
		t.Errorf("entities %v", entities)
	}
	if *got.SQL != "SHOW STREAMS;" || got.StreamsProperties["auto.offset.reset"] != "earliest" ||
		got.SessionVariables["env"] != "dev" || *got.CommandSequenceNumber != 7 {
		t.Errorf("request %+v", got)
	}
}

func TestErrorsAreTyped(t *testing.T) {
	tests := map[string]struct {
		status int
		body   string
		want   Error
	}{
		"statement": {400, `{"@type":"statement_error","error_code":40001,"message":"line 1:1: no","statementText":"X;","entities":[]}`,
			Error{HTTPStatus: 400, Code: api.CodeBadStatement, Message: "line 1:1: no", StatementText: "X;", Entities: api.Entities{}}},
		"generic": {503, `{"@type":"generic_error","error_code":50302,"message":"KSQL is not yet ready to serve requests."}`,
			Error{HTTPStatus: 503, Code: api.CodeServerNotReady, Message: "KSQL is not yet ready to serve requests."}},
		"plain": {404, "Not Found\n", Error{HTTPStatus: 404, Code: api.CodeNotFound, Message: "Not Found"}},
		"empty": {406, "", Error{HTTPStatus: 406, Code: 40600, Message: "Not Acceptable"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := serve(t, map[string]http.HandlerFunc{"POST /ksql": func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				io.WriteString(w, test.body)
			}})
			_, err := c.Execute(within(t), Request{SQL: "X;"})
			var got *Error
			if !errors.As(err, &got) {
				t.Fatalf("error %T %v", err, err)
			}
			if !reflect.DeepEqual(*got, test.want) {
				t.Errorf("got %+v\nwant %+v", *got, test.want)
			}
		})
	}
}

func TestUnreachableServer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	address := server.URL
	server.Close()
	c, err := New(Config{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Info(within(t))
	var unreachable *UnreachableError
	if !errors.As(err, &unreachable) || unreachable.URL != address {
		t.Errorf("error %T %v", err, err)
	}
}

// TestRowsArriveOneByOne holds each row back until the one before was read.
func TestRowsArriveOneByOne(t *testing.T) {
	read := make(chan struct{})
	c := serve(t, map[string]http.HandlerFunc{"POST /query": func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "[{\"header\":{\"queryId\":\"q1\",\"schema\":\"`ID` INTEGER, `A` ARRAY<STRING>\"}}")
		for i := range 3 {
			fmt.Fprintf(w, ",\n{\"row\":{\"columns\":[%d,[\"x\"]]}}", i)
			w.(http.Flusher).Flush()
			select {
			case <-read:
			case <-r.Context().Done():
				return
			}
		}
		io.WriteString(w, ",\n{\"finalMessage\":\"Limit Reached\"}]")
	}})
	rows, err := c.Query(within(t), Request{SQL: "SELECT * FROM A EMIT CHANGES LIMIT 3;"})
	if err != nil {
		t.Fatal(err)
	}
	want := []Column{{Name: "ID", Type: "INTEGER"}, {Name: "A", Type: "ARRAY<STRING>"}}
	if rows.QueryID != "q1" || !reflect.DeepEqual(rows.Columns, want) {
		t.Errorf("header %q %v", rows.QueryID, rows.Columns)
	}
	n := 0
	for row, err := range rows.All() {
		if err != nil {
			t.Fatal(err)
		}
		if string(row.Values[0]) != fmt.Sprint(n) {
			t.Errorf("row %d is %s", n, row.Values)
		}
		n++
		read <- struct{}{}
	}
	if n != 3 || rows.Final() != api.FinalLimitReached || rows.Err() != nil {
		t.Errorf("%d rows, final %q, err %v", n, rows.Final(), rows.Err())
	}
}

func TestRowsEnds(t *testing.T) {
	header := "[{\"header\":{\"queryId\":\"q\",\"schema\":\"`A` INTEGER KEY\"}}"
	tests := map[string]struct {
		body    string
		rows    int
		err     string
		refused bool
	}{
		"empty pull":    {body: header + "]"},
		"keep-alives":   {body: header + ",\n\n\n{\"row\":{\"columns\":[1]}}\n\n]", rows: 1},
		"tokens":        {body: header + ",\n{\"consistencyToken\":{\"consistencyToken\":\"t\"}},\n{\"row\":{\"columns\":[1]}}]", rows: 1},
		"error at end":  {body: header + ",\n{\"row\":{\"columns\":[1]}},\n{\"errorMessage\":{\"@type\":\"generic_error\",\"error_code\":50000,\"message\":\"boom\"}}]", rows: 1, err: "boom"},
		"cut":           {body: header + ",\n{\"row\":{\"columns\":[1]}},\n", rows: 1, err: "closed the connection"},
		"cut in object": {body: header + ",\n{\"row\":{\"col", err: "closed the connection"},
		"not an array":  {body: "{}", refused: true, err: "array"},
		"no header":     {body: "[]", refused: true, err: "header"},
		"error first":   {body: "[{\"errorMessage\":{\"@type\":\"generic_error\",\"error_code\":50000,\"message\":\"early\"}}]", refused: true, err: "early"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := serve(t, map[string]http.HandlerFunc{"POST /query-stream": func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, test.body)
			}})
			rows, err := c.QueryStream(within(t), Request{SQL: "SELECT 1;"})
			if test.refused {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v, want %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, ok := rows.Next(); ok; _, ok = rows.Next() {
				n++
			}
			if n != test.rows {
				t.Errorf("%d rows, want %d", n, test.rows)
			}
			if got := fmt.Sprint(rows.Err()); test.err == "" && rows.Err() != nil || !strings.Contains(got, test.err) {
				t.Errorf("err %v, want %q", rows.Err(), test.err)
			}
		})
	}
}

func TestCancellingEndsTheQueryOnTheServer(t *testing.T) {
	gone := make(chan struct{})
	c := serve(t, map[string]http.HandlerFunc{"POST /query": func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "[{\"header\":{\"queryId\":\"q\",\"schema\":\"`A` INTEGER\"}},\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(gone)
	}})
	ctx, cancel := context.WithCancel(within(t))
	rows, err := c.Query(ctx, Request{SQL: "SELECT * FROM A EMIT CHANGES;"})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, ok := rows.Next(); ok || !errors.Is(rows.Err(), context.Canceled) {
		t.Errorf("next %v, err %v", ok, rows.Err())
	}
	select {
	case <-gone:
	case <-within(t).Done():
		t.Error("the server was not told")
	}
}

func TestPrintSkipsKeepAlives(t *testing.T) {
	c := serve(t, map[string]http.HandlerFunc{"POST /query": func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "Key format: JSON\nValue format: JSON\n\n\nrowtime: 1, key: 2\n")
	}})
	lines, err := c.Print(within(t), Request{SQL: "PRINT t LIMIT 1;"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line, ok := lines.Next(); ok; line, ok = lines.Next() {
		got = append(got, line)
	}
	if want := []string{"Key format: JSON", "Value format: JSON", "rowtime: 1, key: 2"}; !reflect.DeepEqual(got, want) || lines.Err() != nil {
		t.Errorf("got %q, %v", got, lines.Err())
	}
}

// acknowledge answers /inserts-stream as ksqlDB does; a row without ID fails.
func acknowledge(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor != 2 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	in := bufio.NewScanner(r.Body)
	in.Scan()
	var args api.InsertsStreamArgs
	if err := json.Unmarshal(in.Bytes(), &args); err != nil || args.Target != "ORDERS" {
		w.WriteHeader(http.StatusBadRequest)
		body, _ := json.Marshal(api.NewError(api.CodeBadStatement, "Cannot insert values into an unknown stream/table: `%s`", args.Target))
		w.Write(body)
		return
	}
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	out := json.NewEncoder(w)
	for seq := int64(0); in.Scan(); seq++ {
		var row map[string]any
		if json.Unmarshal(in.Bytes(), &row) != nil || row["ID"] == nil {
			out.Encode(api.InsertFailed(seq, api.CodeBadRequest, "Key field must be specified: ID"))
			return
		}
		out.Encode(api.InsertOK(seq))
		w.(http.Flusher).Flush()
	}
}

func TestInsertStream(t *testing.T) {
	c := serve(t, map[string]http.HandlerFunc{"POST /inserts-stream": acknowledge})
	in, err := c.InsertStream(within(t), "ORDERS", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		if err := in.Insert(map[string]any{"ID": i}); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.Close(); err != nil || in.Acked() != 1000 {
		t.Errorf("acked %d, err %v", in.Acked(), err)
	}
}

// TestConsistencyGoesAlong: a session's token goes out with each request and is replaced by what comes back.
func TestConsistencyGoesAlong(t *testing.T) {
	sent := ""
	note := func(r *http.Request) {
		sent = "none"
		if list, ok := r.Header[api.HeaderConsistencyToken]; ok {
			sent = strings.Join(list, "+")
		}
	}
	stale := api.NewError(api.CodeStale, "late")
	stale.ConsistencyToken = "far"
	c := serve(t, map[string]http.HandlerFunc{
		"POST /ksql": func(w http.ResponseWriter, r *http.Request) {
			note(r)
			w.Header().Set(api.HeaderConsistencyToken, "written")
			w.WriteHeader(http.StatusBadRequest)
			body, _ := json.Marshal(api.NewStatementError("x", "the second statement is wrong"))
			w.Write(body)
		},
		"POST /query": func(w http.ResponseWriter, r *http.Request) {
			note(r)
			io.WriteString(w, "[{\"header\":{\"queryId\":\"q\",\"schema\":\"`A` INTEGER\"}},\n{\"row\":{\"columns\":[1]}},\n"+
				`{"consistencyToken":{"consistencyToken":"read"}}]`)
		},
		"POST /query-stream": func(w http.ResponseWriter, r *http.Request) {
			note(r)
			w.Header().Set(api.HeaderConsistencyToken, stale.ConsistencyToken)
			w.WriteHeader(http.StatusServiceUnavailable)
			body, _ := json.Marshal(stale)
			w.Write(body)
		},
	})
	session := &Consistency{}
	check := func(step, wantSent, want string) {
		t.Helper()
		if sent != wantSent || session.Token() != want {
			t.Errorf("%s: sent %q, token %q; wanted %q, %q", step, sent, session.Token(), wantSent, want)
		}
	}
	if _, err := c.Execute(within(t), Request{SQL: "x", Consistency: session}); err == nil {
		t.Error("no error of the failing statement")
	}
	check("statements", "", "written")
	rows, err := c.Query(within(t), Request{SQL: "x", Consistency: session})
	if err != nil {
		t.Fatal(err)
	}
	check("before the rows", "written", "written")
	for _, err := range rows.All() {
		if err != nil {
			t.Fatal(err)
		}
	}
	if rows.Token() != "read" {
		t.Errorf("token of the rows %q", rows.Token())
	}
	check("behind the rows", "written", "read")
	var failed *Error
	if _, err := c.QueryStream(within(t), Request{SQL: "x", Consistency: session}); !errors.As(err, &failed) || failed.Code != api.CodeStale || failed.Token != "far" {
		t.Errorf("stale answer: %#v", err)
	}
	check("a stale answer", "read", "read")
	if _, err := c.Query(within(t), Request{SQL: "x"}); err != nil {
		t.Fatal(err)
	}
	check("without", "none", "read")
}

// TestInsertStreamToken: the token of a stream of inserts is that of the last acknowledgement.
func TestInsertStreamToken(t *testing.T) {
	c := serve(t, map[string]http.HandlerFunc{"POST /inserts-stream": func(w http.ResponseWriter, r *http.Request) {
		in := bufio.NewScanner(r.Body)
		in.Scan()
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		for seq := int64(0); in.Scan(); seq++ {
			ack := api.InsertOK(seq)
			ack.Token = fmt.Sprintf("t%d", seq)
			json.NewEncoder(w).Encode(ack)
		}
	}})
	in, err := c.InsertStream(within(t), "ORDERS", api.Properties{api.PropertyConsistencyTokens: true})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := in.Insert(map[string]any{"ID": 1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.Close(); err != nil || in.Token() != "t2" {
		t.Errorf("token %q, err %v", in.Token(), err)
	}
}

func TestInsertStreamErrors(t *testing.T) {
	c := serve(t, map[string]http.HandlerFunc{"POST /inserts-stream": acknowledge})
	var refused *Error
	if _, err := c.InsertStream(within(t), "NOPE", nil); !errors.As(err, &refused) || refused.Code != api.CodeBadStatement {
		t.Errorf("unknown target: %v", err)
	}
	in, err := c.InsertStream(within(t), "ORDERS", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Insert(map[string]any{"AMOUNT": 1}); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); !errors.As(err, &refused) || refused.Message != "Key field must be specified: ID" {
		t.Errorf("bad row: %v", err)
	}
}

func TestStateEndpoints(t *testing.T) {
	text := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }
	}
	closed, deleted := "", []string(nil)
	c := serve(t, map[string]http.HandlerFunc{
		"GET /info":          text(`{"KsqlServerInfo":{"version":"7.9.0","kafkaClusterId":"k","ksqlServiceId":"default_","serverStatus":"RUNNING"}}`),
		"GET /healthcheck":   text(`{"isHealthy":true,"details":{"kafka":{"isHealthy":true}},"serverState":"READY"}`),
		"GET /clusterStatus": text(`{"clusterStatus":{"a:8088":{"hostAlive":true}}}`),
		"GET /status":        text("{\"commandStatuses\":{\"stream/`O`/create\":\"SUCCESS\"}}"),
		"GET /status/{type}/{entity}/{action}": func(w http.ResponseWriter, r *http.Request) {
			if r.PathValue("entity") != "`a /b`" {
				w.WriteHeader(http.StatusNotFound)
			}
			io.WriteString(w, `{"status":"SUCCESS","message":"Stream created","queryId":null}`)
		},
		"GET /is_valid_property/{name}": func(w http.ResponseWriter, r *http.Request) {
			if r.PathValue("name") == "ksql.service.id" {
				w.WriteHeader(http.StatusBadRequest)
				io.WriteString(w, `{"@type":"generic_error","error_code":40000,"message":"prohibited"}`)
				return
			}
			io.WriteString(w, "true")
		},
		"POST /close-query": func(_ http.ResponseWriter, r *http.Request) {
			var args api.CloseQueryArgs
			json.NewDecoder(r.Body).Decode(&args)
			closed = args.QueryID
		},
		"POST /ksql/terminate": func(w http.ResponseWriter, r *http.Request) {
			var args api.ClusterTerminateRequest
			json.NewDecoder(r.Body).Decode(&args)
			deleted = args.DeleteTopicList
			io.WriteString(w, `[{"@type":"currentStatus","statementText":"TERMINATE CLUSTER;","commandId":"cluster/TerminateCluster/terminate",`+
				`"commandStatus":{"status":"SUCCESS","message":"","queryId":null},"commandSequenceNumber":3,"warnings":[]}]`)
		},
	})
	ctx := within(t)
	if info, err := c.Info(ctx); err != nil || info.Version != "7.9.0" {
		t.Errorf("info %+v %v", info, err)
	}
	if health, err := c.Healthcheck(ctx); err != nil || !health.IsHealthy || !health.Details["kafka"].IsHealthy {
		t.Errorf("health %+v %v", health, err)
	}
	if cluster, err := c.ClusterStatus(ctx); err != nil || !cluster["a:8088"].HostAlive {
		t.Errorf("cluster %+v %v", cluster, err)
	}
	if all, err := c.Statuses(ctx); err != nil || all["stream/`O`/create"] != api.StatusSuccess {
		t.Errorf("statuses %+v %v", all, err)
	}
	if one, err := c.Status(ctx, "stream/`a /b`/create"); err != nil || one.Status != api.StatusSuccess {
		t.Errorf("status %+v %v", one, err)
	}
	if err := c.IsValidProperty(ctx, "auto.offset.reset"); err != nil {
		t.Errorf("valid property: %v", err)
	}
	if err := c.IsValidProperty(ctx, "ksql.service.id"); err == nil {
		t.Error("a forbidden property was taken")
	}
	if err := c.CloseQuery(ctx, "transient_A_1"); err != nil || closed != "transient_A_1" {
		t.Errorf("close: %q %v", closed, err)
	}
	entities, err := c.TerminateCluster(ctx, []string{"A", "b.*"})
	if err != nil || len(entities) != 1 || !slices.Equal(deleted, []string{"A", "b.*"}) {
		t.Fatalf("terminate: %v %v %v", entities, deleted, err)
	}
	if status, ok := entities[0].(*api.CommandStatusEntity); !ok || status.CommandSequenceNumber != 3 {
		t.Errorf("terminate answered %+v", entities[0])
	}
}

func TestParseURL(t *testing.T) {
	tests := map[string]string{
		"":                    "http://localhost:8088",
		"host:1":              "http://host:1",
		"https://host/base/":  "https://host/base",
		"http://host:8088/?q": "http://host:8088",
		"ftp://host":          "",
		"http://":             "",
	}
	for in, want := range tests {
		got, err := ParseURL(in)
		switch {
		case want == "" && err == nil:
			t.Errorf("%q was taken as %s", in, got)
		case want != "" && (err != nil || got.String() != want):
			t.Errorf("%q: %v, %v, want %s", in, got, err, want)
		}
	}
}

func TestParseSchema(t *testing.T) {
	tests := map[string][]Column{
		"":                             nil,
		"`ID` INTEGER KEY, `A` DOUBLE": {{"ID", "INTEGER", true}, {"A", "DOUBLE", false}},
		"`a, b` STRUCT<`x>` INTEGER, `y` DECIMAL(4, 2)>, `q``q` MAP<STRING, BIGINT>": {
			{"a, b", "STRUCT<`x>` INTEGER, `y` DECIMAL(4, 2)>", false}, {"q`q", "MAP<STRING, BIGINT>", false}},
		"`K` STRING PRIMARY KEY": {{"K", "STRING", true}},
	}
	for in, want := range tests {
		if got, err := ParseSchema(in); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"ID INTEGER", "`ID", "`ID`", "`ID` , `B` INTEGER"} {
		if got, err := ParseSchema(in); err == nil {
			t.Errorf("%q was taken as %v", in, got)
		}
	}
}

func FuzzParseSchema(f *testing.F) {
	f.Add("`ID` INTEGER KEY, `A` ARRAY<STRING>")
	f.Add("`a``b` DECIMAL(4, 2)")
	f.Fuzz(func(t *testing.T, text string) {
		columns, err := ParseSchema(text)
		if err == nil && len(columns) > len(text) {
			t.Errorf("%d columns of %q", len(columns), text)
		}
	})
}
