package api

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// sameJSON compares two documents as values.
func sameJSON(t *testing.T, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("got is not JSON: %v\n%s", err, got)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("want is not JSON: %v\n%s", err, want)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("JSON differs\n got %s\nwant %s", got, want)
	}
}

// TestEntitiesRoundTrip reads every sample of testdata/entities, one document
// a file, and expects the same document back from the decoded Go value.
func TestEntitiesRoundTrip(t *testing.T) {
	files, err := filepath.Glob("testdata/entities/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			e, err := DecodeEntity(text)
			if err != nil {
				t.Fatal(err)
			}
			if _, unknown := e.(*UnknownEntity); unknown {
				t.Fatalf("%q was not recognised", e.Type())
			}
			seen[e.Type()] = true
			out, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			sameJSON(t, string(out), string(text))
			if !strings.HasPrefix(string(out), `{"@type":"`+e.Type()+`"`) {
				t.Errorf("@type is not first: %s", out)
			}
		})
	}
	for _, name := range Types() {
		if !seen[name] {
			t.Errorf("testdata/entities has no sample of %q", name)
		}
	}
}

func TestEmptyEntitiesHaveNoNullLists(t *testing.T) {
	for _, name := range Types() {
		e := NewEntity(name)
		if e == nil || e.Type() != name {
			t.Fatalf("NewEntity(%q) = %v", name, e)
		}
		out, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(out), `"warnings":[]`) {
			t.Errorf("%s: warnings must be written as []: %s", name, out)
		}
		back, err := DecodeEntity(out)
		if err != nil || back.Type() != name {
			t.Errorf("%s: decode of own output: %v, %v", name, back, err)
		}
	}
	if NewEntity("no such type") != nil {
		t.Error("NewEntity made something of an unknown type")
	}
}

func TestUnknownEntityIsKept(t *testing.T) {
	const text = `[{"@type":"later","statementText":"X;","warnings":[{"message":"w"}],"n":1}]`
	var es Entities
	if err := json.Unmarshal([]byte(text), &es); err != nil {
		t.Fatal(err)
	}
	if es[0].Type() != "later" || es[0].Meta().Warnings[0].Message != "w" {
		t.Errorf("decoded %+v", es[0])
	}
	out, err := json.Marshal(es)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, string(out), text)
}

func TestErrorBodies(t *testing.T) {
	samples := []string{
		`{"@type":"statement_error","error_code":40001,"message":"line 1:1: Syntax Error","statementText":"SELEKT 1;","entities":[]}`,
		`{"@type":"generic_error","error_code":40000,"message":"\"ksql\" field must be populated"}`,
		`{"@type":"statement_error","error_code":40001,"message":"no","statementText":"B;","entities":[{"@type":"warning_entity","statementText":"A;","warnings":[],"message":"m"}]}`,
	}
	for _, text := range samples {
		body, err := DecodeError([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		out, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		sameJSON(t, string(out), text)
		if body.ErrorCode().HTTPStatus() != 400 {
			t.Errorf("status of %d is %d", body.ErrorCode(), body.ErrorCode().HTTPStatus())
		}
	}
	if _, err := DecodeError([]byte(`{"hello":1}`)); err == nil {
		t.Error("a document without error_code was taken for an error body")
	}
}

func TestStreamedRows(t *testing.T) {
	samples := []string{
		"{\"header\":{\"queryId\":\"query_1\",\"schema\":\"`ID` INTEGER KEY, `AMOUNT` DOUBLE\"}}",
		`{"row":{"columns":[1,9.50,"x",null,{"A":[1]}]}}`,
		`{"row":{"columns":[null,10],"tombstone":true}}`,
		`{"header":{"queryId":"q","schema":"","protoSchema":"message A {}"}}`,
		`{"row":{"protobufBytes":"CAE="}}`,
		`{"row":{"protobufBytes":""}}`,
		`{"errorMessage":{"@type":"generic_error","error_code":50000,"message":"boom"}}`,
		`{"finalMessage":"Limit Reached"}`,
		`{"row":{"columns":[1]},"sourceHost":"a:8088"}`,
		`{"continuationToken":{"continuationToken":"t"}}`,
	}
	for _, text := range samples {
		var row StreamedRow
		if err := json.Unmarshal([]byte(text), &row); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		out, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		if string(out) != text {
			t.Errorf("got %s\nwant %s", out, text)
		}
	}
}

func TestRequestsKeepNumbersAsWritten(t *testing.T) {
	var req KsqlRequest
	text := `{"ksql":"X;","streamsProperties":{"a":10000000,"b":"t","c":true,"d":1.50},"later":1}`
	if err := json.Unmarshal([]byte(text), &req); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"a": "10000000", "b": "t", "c": "true", "d": "1.50"}
	if got := req.StreamsProperties.Strings(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if req.CommandSequenceNumber != nil {
		t.Error("a missing commandSequenceNumber must stay nil")
	}
}

func TestInsertAcks(t *testing.T) {
	ok, _ := json.Marshal(InsertOK(0))
	if string(ok) != `{"status":"ok","seq":0}` {
		t.Errorf("got %s", ok)
	}
	failed, _ := json.Marshal(InsertFailed(2, CodeBadRequest, "Key field must be specified: ID"))
	if string(failed) != `{"@type":"InsertError","status":"error","seq":2,"error_code":40000,"message":"Key field must be specified: ID"}` {
		t.Errorf("got %s", failed)
	}
}

func FuzzDecodeEntity(f *testing.F) {
	for _, name := range Types() {
		out, _ := json.Marshal(NewEntity(name))
		f.Add(out)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := DecodeEntity(data)
		if err != nil {
			return
		}
		if _, err := json.Marshal(e); err != nil {
			t.Errorf("decoded entity cannot be written: %v", err)
		}
	})
}

func FuzzStreamedRow(f *testing.F) {
	f.Add([]byte(`{"row":{"columns":[1,"a"]}}`))
	f.Add([]byte(`{"errorMessage":{"error_code":50000,"message":"x"}}`))
	f.Add([]byte(`{"row":{"columns":[1]},"sourceHost":"a:1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var row StreamedRow
		if json.Unmarshal(data, &row) != nil {
			return
		}
		if _, err := json.Marshal(row); err != nil {
			t.Errorf("decoded row cannot be written: %v", err)
		}
	})
}
