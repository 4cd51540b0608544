package rest_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/engine"
	"github.com/ksqlgo/ksqlgo/server/rest"
)

// fakeEngine answers what a test has put into it.
type fakeEngine struct {
	execute func(ctx context.Context, r engine.Request) (api.Entities, error)
	// written is the token of what execute has inserted.
	written  string
	query    func(ctx context.Context, r engine.Request) (*engine.Answer, error)
	print    func(ctx context.Context, r engine.Request) (engine.Printed, error)
	inserter func(ctx context.Context, target string, properties map[string]string, tokens []string) (engine.Inserter, error)
	statuses map[string]api.CommandStatus
	pushes   map[string]bool
	notReady []string
	// refusal is what a terminated service answers.
	refusal   error
	terminate func(topics []string) (api.Entities, error)

	drain       func(ctx context.Context, progress func(api.DrainProgress)) error
	drainsEnded int
}

func (f *fakeEngine) Execute(ctx context.Context, r engine.Request) (engine.Result, error) {
	entities, err := f.execute(ctx, r)
	return engine.Result{Entities: entities, Token: f.written}, err
}

func (f *fakeEngine) Query(ctx context.Context, r engine.Request) (*engine.Answer, error) {
	return f.query(ctx, r)
}

func (f *fakeEngine) Print(ctx context.Context, r engine.Request) (engine.Printed, error) {
	return f.print(ctx, r)
}

func (f *fakeEngine) IsPrint(sql string) bool { return strings.HasPrefix(sql, "PRINT") }

func (f *fakeEngine) Inserter(ctx context.Context, target string, properties map[string]string, tokens []string) (engine.Inserter, error) {
	return f.inserter(ctx, target, properties, tokens)
}

func (f *fakeEngine) CloseQuery(id string) bool { return f.pushes[id] }

func (f *fakeEngine) TerminateCluster(_ context.Context, topics []string) (api.Entities, error) {
	return f.terminate(topics)
}

func (f *fakeEngine) Refusal() error { return f.refusal }

func (f *fakeEngine) Info() api.ServerInfo {
	return api.ServerInfo{Version: "0.30.0", KafkaClusterID: "kafka", KsqlServiceID: "default_", ServerStatus: "RUNNING"}
}

func (f *fakeEngine) Health() api.HealthCheckResponse {
	return api.HealthCheckResponse{IsHealthy: true, ServerState: "READY"}
}

func (f *fakeEngine) CommandStatuses() map[string]api.CommandStatus { return f.statuses }

func (f *fakeEngine) ClusterStatus() api.ClusterStatusResponse { return api.ClusterStatusResponse{} }

func (f *fakeEngine) Cluster(context.Context) api.Cluster {
	return api.Cluster{ServiceID: "default_", Ready: true}
}

func (f *fakeEngine) Readiness() api.Readiness {
	return api.Readiness{Ready: len(f.notReady) == 0, NotReady: f.notReady}
}

func (f *fakeEngine) Drain(ctx context.Context, progress func(api.DrainProgress)) error {
	return f.drain(ctx, progress)
}

func (f *fakeEngine) EndDrain() { f.drainsEnded++ }

func (f *fakeEngine) CheckProperty(name string) error {
	if name == "ksql.service.id" {
		return api.NewError(api.CodeBadRequest, "prohibited: [%s]", name)
	}
	return nil
}

// fakeRows gives rows that the test sends, and then ends.
type fakeRows struct {
	rows    chan engine.Row
	limit   bool
	failure error
	once    sync.Once
	closed  chan struct{}
}

// rowsOf are rows that are all there.
func rowsOf(rows ...engine.Row) *fakeRows {
	f := &fakeRows{rows: make(chan engine.Row, len(rows)), closed: make(chan struct{})}
	for _, r := range rows {
		f.rows <- r
	}
	close(f.rows)
	return f
}

// rowsToCome are rows the test sends one by one.
func rowsToCome() *fakeRows {
	return &fakeRows{rows: make(chan engine.Row), closed: make(chan struct{})}
}

func (f *fakeRows) Next(ctx context.Context) (engine.Row, error) {
	select {
	case r, ok := <-f.rows:
		if ok {
			return r, nil
		}
		if f.failure != nil {
			return engine.Row{}, f.failure
		}
		return engine.Row{}, io.EOF
	case <-ctx.Done():
		return engine.Row{}, ctx.Err()
	}
}

func (f *fakeRows) TryNext() (engine.Row, bool) {
	select {
	case r, ok := <-f.rows:
		return r, ok
	default:
		return engine.Row{}, false
	}
}

func (f *fakeRows) LimitReached() bool { return f.limit }

func (f *fakeRows) Close() { f.once.Do(func() { close(f.closed) }) }

// orders is an answer with two columns, the first one its key.
func orders(pull bool, rows engine.Rows) *engine.Answer {
	return &engine.Answer{QueryID: "q1", Pull: pull, Rows: rows, KeyPositions: []int{0},
		Columns: []types.Column{{Name: "ID", Type: types.IntType}, {Name: "NAME", Type: types.StringType}}}
}

// fakeInserter takes rows, but not those without an ID.
type fakeInserter struct {
	taken chan map[string]json.RawMessage
	token string
}

func (f *fakeInserter) Insert(_ context.Context, row map[string]json.RawMessage) (string, error) {
	if _, ok := row["ID"]; !ok {
		return "", api.NewError(api.CodeBadRequest, "Key field must be specified: ID")
	}
	if f.taken != nil {
		f.taken <- row
	}
	return f.token, nil
}

// serve runs a server on a port of its own and gives its URL.
func serve(t *testing.T, e rest.Engine) string {
	t.Helper()
	s := rest.New(rest.Config{Engine: e, Logger: slog.New(slog.DiscardHandler), MaxBodyBytes: 1 << 12})
	s.Ready()
	url, _ := listen(t, s)
	return url
}

// listen serves until the test ends or stop is called.
func listen(t *testing.T, s *rest.Server) (url string, stop context.CancelFunc) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String(), stop
}

// clientOf speaks HTTP/1.1, or HTTP/2 with prior knowledge.
func clientOf(t *testing.T, http2 bool) *http.Client {
	t.Helper()
	var p http.Protocols
	if http2 {
		p.SetUnencryptedHTTP2(true)
	} else {
		p.SetHTTP1(true)
	}
	transport := &http.Transport{Protocols: &p}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// exchange sends a request and reads the whole answer.
func exchange(t *testing.T, method, url, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := clientOf(t, false).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(text)
}
