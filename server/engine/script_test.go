package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/tests/apache"
	"github.com/ksqlgo/ksqlgo/tests/settle"
)

// TestScripts runs each file of testdata against a server of its own. The commands:
//
//	topic name=t partitions=2      creates a topic
//	schema subject=s kind=AVRO     registers a schema and prints its number
//	ksql [set=(name=value,…)]      sends statements to /ksql: a line for each entity, or the error
//	query [rows=n]                 sends a SELECT or PRINT to /query; it is stopped after n rows, if it does not end
//	settle                         waits until the queries have processed all there is
//
// Times, generated numbers and ports are hidden.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			s := startServer(t)
			datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				out, err := s.run(ctx, t, d)
				if err != nil {
					d.Fatalf(t, "%v", err)
				}
				return hide(out)
			})
		})
	}
}

type script struct {
	*server.Server
}

func startServer(t *testing.T) *script {
	t.Helper()
	bootstrap, registry := apache.Servers(t, nil), ""
	if len(bootstrap) > 0 {
		registry = startRegistry(t)
	}
	s, err := server.Start(t.Context(), server.Config{Listener: "http://127.0.0.1:0", BrokerListener: "127.0.0.1:0",
		BootstrapServers: bootstrap, SchemaRegistryURL: registry,
		Properties: map[string]string{"ksql.streams.commit.interval.ms": "20", "ksql.streams.auto.offset.reset": "earliest",
			"ksql.streams.cache.max.bytes.buffering": "0"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return &script{s}
}

// startRegistry starts the schema registry of another server.
func startRegistry(t *testing.T) string {
	t.Helper()
	s, err := server.Start(t.Context(), server.Config{Listener: "http://127.0.0.1:0", BrokerListener: "127.0.0.1:0", SchemaRegistryListener: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s.SchemaRegistryURL()
}

func (s *script) run(ctx context.Context, t *testing.T, d *datadriven.TestData) (string, error) {
	switch d.Cmd {
	case "topic":
		var name string
		var partitions int
		d.ScanArgs(t, "name", &name)
		d.ScanArgs(t, "partitions", &partitions)
		_, err := s.Kafka().Admin().EnsureTopic(ctx, kafka.TopicSpec{Name: name, Partitions: int32(partitions)})
		return "", err
	case "schema":
		var subject, kind string
		d.ScanArgs(t, "subject", &subject)
		d.ScanArgs(t, "kind", &kind)
		id, err := s.Schemas().Register(subject, schemas.Schema{Kind: schemas.Kind(kind), Text: d.Input})
		return fmt.Sprintln(id), err
	case "ksql":
		return s.statements(ctx, d)
	case "query":
		rows := 0
		d.MaybeScanArgs(t, "rows", &rows)
		return s.query(ctx, d.Input, rows)
	case "settle":
		return "", settle.Wait(ctx, s.Server)
	}
	return "", fmt.Errorf("unknown command %s", d.Cmd)
}

// answerError is an error answer of the server.
type answerError struct {
	status int
	body   api.ErrorBody
}

func (e *answerError) Error() string {
	text := fmt.Sprintf("%d %d\n%s\n", e.status, e.body.ErrorCode(), strings.TrimRight(e.body.Error(), "\n"))
	var st *api.StatementError
	if errors.As(e.body, &st) {
		text += "statement: " + st.StatementText + "\n"
		for _, entity := range st.Entities {
			text += "done before: " + entityLine(entity)
		}
	}
	return text
}

func (s *script) post(ctx context.Context, path string, request map[string]any) (io.ReadCloser, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL()+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode == http.StatusOK {
		if err != nil {
			return nil, err
		}
		return res.Body, nil
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	refused, err := api.DecodeError(text)
	if err != nil {
		return nil, fmt.Errorf("status %d: %s: %w", res.StatusCode, text, err)
	}
	return nil, &answerError{res.StatusCode, refused}
}

func (s *script) statements(ctx context.Context, d *datadriven.TestData) (string, error) {
	properties := map[string]string{}
	if arg, ok := d.Arg("set"); ok {
		for _, v := range arg.Vals {
			name, value, _ := strings.Cut(v, "=")
			properties[name] = value
		}
	}
	body, err := s.post(ctx, "/ksql", map[string]any{"ksql": d.Input, "streamsProperties": properties})
	var refused *answerError
	if errors.As(err, &refused) {
		return refused.Error(), nil
	}
	if err != nil {
		return "", err
	}
	defer body.Close()
	var entities api.Entities
	if err := json.NewDecoder(body).Decode(&entities); err != nil {
		return "", err
	}
	var out strings.Builder
	for _, e := range entities {
		out.WriteString(entityLine(e))
	}
	if len(entities) == 0 {
		return "(nothing)\n", nil
	}
	return out.String(), nil
}

// entityLine prints an entity: commands in words, others as JSON.
func entityLine(e api.Entity) string {
	var warnings string
	for _, w := range e.Meta().Warnings {
		warnings += " (warning: " + w.Message + ")"
	}
	switch e := e.(type) {
	case *api.CommandStatusEntity:
		query := ""
		if e.CommandStatus.QueryID != nil {
			query = " query " + *e.CommandStatus.QueryID
		}
		return fmt.Sprintf("%s %s: %s%s%s\n", e.CommandStatus.Status, e.CommandID, e.CommandStatus.Message, query, warnings)
	case *api.WarningEntity:
		return "warning: " + e.Message + "\n"
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(e); err != nil {
		return err.Error() + "\n"
	}
	return b.String()
}

func (s *script) query(ctx context.Context, sql string, rows int) (string, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	body, err := s.post(ctx, "/query", map[string]any{"ksql": sql})
	var refused *answerError
	if errors.As(err, &refused) {
		return refused.Error(), nil
	}
	if err != nil {
		return "", err
	}
	defer body.Close()
	var out strings.Builder
	if strings.HasPrefix(sql, "PRINT") {
		_, err := io.Copy(&out, body)
		return out.String(), err
	}
	d := json.NewDecoder(body)
	if _, err := d.Token(); err != nil {
		return "", err
	}
	for n := 0; d.More(); n++ {
		var object json.RawMessage
		if err := d.Decode(&object); err != nil {
			return "", fmt.Errorf("%w after\n%s", err, out.String())
		}
		out.Write(object)
		out.WriteByte('\n')
		if rows > 0 && n == rows {
			break
		}
	}
	return out.String(), nil
}

var hidden = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{3} Z`), "<time>"},
	{regexp.MustCompile(`\bquery_\d+\b`), "query_<n>"},
	{regexp.MustCompile(`(\.(?:transactions|transactions-aborted|state-bytes) : +)\d+`), "${1}<n>"},
	{regexp.MustCompile(`(\.(?:transactions|transactions-aborted|state-bytes)",\s+"value": )\d+`), "${1}<n>"},
	{regexp.MustCompile(`("lagMs": )(?:\d+|null)`), "${1}<ms>"},
	{regexp.MustCompile(`\b1[6-9]\d{11}\b`), "<ms>"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "<host>"},
	{regexp.MustCompile(`\b(transient_\w*?|SCALABLE_PUSH_QUERY_\w*?)_\d+\b`), "${1}_<n>"},
}

// hide replaces what differs from run to run.
func hide(text string) string {
	for _, h := range hidden {
		text = h.pattern.ReplaceAllString(text, h.with)
	}
	return text
}
