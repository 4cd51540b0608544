package rest

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	formats "github.com/ksqlgo/ksqlgo/catalog/formats/builtin"
	functions "github.com/ksqlgo/ksqlgo/catalog/functions/builtin"
	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/sqltest"
	"github.com/ksqlgo/ksqlgo/tests/ratchet"
	"github.com/ksqlgo/ksqlgo/tests/settle"
)

var update = flag.Bool("update", false, "take the cases that pass off the list of failing ones")

// caseTimeout bounds one case; what waits for a row that never comes waits so long.
const caseTimeout = 20 * time.Second

func TestMain(m *testing.M) {
	flag.Parse()
	// The cases wait more than they compute.
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = flag.Set("test.parallel", "8")
	}
	os.Exit(m.Run())
}

func TestRestQueryValidation(t *testing.T) {
	const folder = "rest-query-validation-tests"
	cases, err := loadCases(ratchet.Folder(t, "CONFORMANCE_DIR", "conformance", folder))
	if err != nil {
		t.Fatal(err)
	}
	list := ratchet.Open(t, filepath.Join("testdata", "failing-"+folder+".txt"), "conformance "+folder, *update)
	for _, c := range cases {
		t.Run(c.id, func(t *testing.T) {
			if c.Enabled != nil && !*c.Enabled {
				list.Skip()
				t.Skip("not enabled")
			}
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), caseTimeout)
			defer cancel()
			list.Case(t, c.id, c.run(ctx))
		})
	}
}

// run executes a case; nil means that it passes.
func (c *testCase) run(ctx context.Context) error {
	w, err := newWorld(ctx, c.Properties)
	if err != nil {
		return err
	}
	defer w.close()
	// The simulation has the server's schemas: it is there to write and read records as the server does.
	registry := importInto(w.server)
	shadow := sqltest.New(sqltest.Config{
		Functions: functions.Registry(), Formats: formats.Registry(registry), Schemas: registry, ServiceID: "some.ksql.service.id",
		Properties: map[string]string{"auto.offset.reset": "earliest", "ksql.headers.columns.enabled": "true"},
	})
	defer shadow.Close()
	topics, err := c.topics()
	if err != nil {
		return err
	}
	if err := w.createTopics(ctx, topics); err != nil {
		return err
	}
	for _, t := range topics {
		if err := t.registerSchemas(registry); err != nil {
			return err
		}
		shadow.Sim().CreateTopic(t.Name, t.Partitions)
	}
	got, err := c.drive(ctx, w, shadow)
	if c.Error != nil {
		return c.Error.check(err)
	}
	if err != nil {
		return err
	}
	if err := c.checkResponses(got); err != nil {
		return err
	}
	return c.checkOutputs(ctx, w, shadow)
}

// answer is what came for one response: an entity, or the objects of a query, with rows in JSON or in protobuf.
type answer struct {
	entity  any
	objects []any
	isQuery bool
	isProto bool
}

func (c *testCase) drive(ctx context.Context, w *world, shadow *sqltest.World) ([]answer, error) {
	var out []answer
	statements, queries := c.split()
	entities, err := w.execute(ctx, statements)
	if err != nil {
		return nil, err
	}
	for _, e := range entities {
		out = append(out, answer{entity: e})
	}
	declare(shadow, statements)
	produced := false
	feed := func() error {
		produced = true
		return c.produce(ctx, w, shadow)
	}
	if !c.InputConditions.WaitForActivePushQuery {
		if err := feed(); err != nil {
			return out, err
		}
	}
	if err := settle.Wait(ctx, w.server); err != nil {
		return out, err
	}
	for i, q := range queries {
		var started func()
		inputs := make(chan error, 1)
		if !produced {
			started = func() { inputs <- feed() }
		} else {
			inputs <- nil
		}
		objects, err := w.query(ctx, q, api.MediaKsqlJSON, c.objectsOf(len(entities)+i), started)
		if err != nil {
			return out, fmt.Errorf("%s: %w", q, err)
		}
		select {
		case err := <-inputs:
			if err != nil {
				return out, err
			}
		default:
			return out, errors.New("the query ended without an answer")
		}
		out = append(out, answer{objects: objects, isQuery: true})
	}
	if !c.ProtoToo {
		return out, nil
	}
	for _, q := range queries {
		objects, err := w.query(ctx, q, api.MediaProtobuf, 0, nil)
		if err != nil {
			return out, fmt.Errorf("%s, in protobuf: %w", q, err)
		}
		out = append(out, answer{objects: objects, isProto: true})
	}
	return out, nil
}

// declare runs the statements that make sources in the simulation, which knows how to write and read their topics.
func declare(shadow *sqltest.World, statements []string) {
	for _, s := range statements {
		parsed, err := grammar.Parse(s, grammar.Options{OptionalSemicolon: true})
		if err != nil {
			return
		}
		for _, st := range parsed {
			if _, insert := st.Statement.(*ast.InsertValues); insert {
				continue
			}
			// What the simulation cannot do is nothing the server is judged by.
			_ = shadow.Run(st.Statement)
		}
	}
}

func (c *testCase) produce(ctx context.Context, w *world, shadow *sqltest.World) error {
	for i := range c.Inputs {
		r, err := c.Inputs[i].record()
		if err != nil {
			return err
		}
		in, err := shadow.Produce(r)
		if err != nil {
			return fmt.Errorf("input %d: %w", i+1, err)
		}
		if err := w.produce(ctx, in.Topic, in.Record); err != nil {
			return fmt.Errorf("input %d: %w", i+1, err)
		}
	}
	return nil
}

// objectsOf tells after how many objects a query is stopped: one that says how it ends is not.
func (c *testCase) objectsOf(response int) int {
	if response >= len(c.Responses) {
		return 0
	}
	objects := c.Responses[response].Query
	for _, o := range objects {
		if strings.Contains(string(o), `"finalMessage"`) {
			return 0
		}
	}
	if _, queries := c.split(); !strings.Contains(strings.ToUpper(strings.Join(queries, " ")), "EMIT") {
		return 0
	}
	return len(objects)
}

func (c *testCase) checkResponses(got []answer) error {
	for i, want := range c.Responses {
		if i >= len(got) {
			return fmt.Errorf("%d responses, want %d", len(got), len(c.Responses))
		}
		if err := c.checkResponse(want, got[i]); err != nil {
			return fmt.Errorf("response %d: %w", i+1, err)
		}
	}
	return nil
}

func (c *testCase) checkResponse(want response, got answer) error {
	isEntity := !got.isQuery && !got.isProto
	switch {
	case want.QueryProto != nil && !got.isProto || want.Query != nil && !got.isQuery:
		return fmt.Errorf("want rows, got %s", show(got.entity))
	case want.QueryProto != nil:
		expected, err := objects(want.QueryProto)
		if err != nil {
			return err
		}
		if expected, err = protoRows(expected); err != nil {
			return fmt.Errorf("the case: %w", err)
		}
		rows, err := protoRows(got.objects)
		if err != nil {
			return err
		}
		return matchRows(expected, rows, c.OutputConditions.VerifyOrder)
	case want.Query != nil:
		expected, err := objects(want.Query)
		if err != nil {
			return err
		}
		return matchRows(expected, got.objects, c.OutputConditions.VerifyOrder)
	case !isEntity:
		return fmt.Errorf("want %s, got rows", want.Admin)
	}
	entity, _ := got.entity.(map[string]any)
	text, _ := entity["statementText"].(string)
	quoted, err := json.Marshal(text)
	if err != nil {
		return err
	}
	raw := strings.ReplaceAll(string(want.Admin), `{STATEMENT}`, strings.Trim(string(quoted), `"`))
	var expected any
	if err := decode(strings.NewReader(raw), &expected); err != nil {
		return err
	}
	return match(expected, got.entity, false)
}

// objects decodes the objects of a response.
func objects(list []json.RawMessage) ([]any, error) {
	out := make([]any, len(list))
	for i, raw := range list {
		if err := decode(strings.NewReader(string(raw)), &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *testCase) checkOutputs(ctx context.Context, w *world, shadow *sqltest.World) error {
	byTopic := map[string][]sqltest.Record{}
	for i := range c.Outputs {
		r, err := c.Outputs[i].record()
		if err != nil {
			return err
		}
		byTopic[r.Topic] = append(byTopic[r.Topic], r)
	}
	for name, want := range byTopic {
		got, err := w.read(ctx, name, len(want))
		if err != nil {
			return err
		}
		if err := shadow.CompareTopic(name, want, got); err != nil {
			return err
		}
	}
	return nil
}

// check compares an error with the expected one.
func (e *expectedError) check(err error) error {
	var f *failure
	if err == nil {
		return fmt.Errorf("no error, want %q", e.Message)
	}
	if !errors.As(err, &f) {
		return fmt.Errorf("want the error %q: %w", e.Message, err)
	}
	message, _ := f.body["message"].(string)
	kind, _ := f.body["@type"].(string)
	code, _ := f.body["error_code"].(json.Number)
	switch {
	case !strings.Contains(message, e.Message):
		return fmt.Errorf("the error is %q, want %q", message, e.Message)
	case e.Status != 0 && e.Status != f.status:
		return fmt.Errorf("the status is %d, want %d", f.status, e.Status)
	// A statement error is an error too.
	case strings.HasSuffix(e.Type, ".KsqlStatementErrorMessage") && kind != "statement_error":
		return fmt.Errorf("the error is a %s, want %s", kind, e.Type)
	case e.ErrorCode != 0 && code.String() != fmt.Sprint(e.ErrorCode):
		return fmt.Errorf("the error's code is %s, want %d", code, e.ErrorCode)
	}
	return nil
}
