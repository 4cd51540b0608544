package avro

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/tests/ratchet"
)

// topicSide is what a case of the conformance suite says of a topic's schemas.
type topicSide struct {
	KeySchema, ValueSchema json.RawMessage
	KeyFormat, ValueFormat json.RawMessage
}

// side is the schema of one side, if it is AVRO, whether it is unwrapped, and the full name that it was given.
type side struct {
	text      string
	unwrapped bool
	full      string
}

func sideOf(schema, format json.RawMessage) (side, bool) {
	var f struct {
		Format     string
		Features   []string
		Properties struct{ FullSchemaName string }
	}
	if json.Unmarshal(format, &f) != nil {
		_ = json.Unmarshal(format, &f.Format)
	}
	return side{string(schema), slices.Contains(f.Features, "UNWRAP_SINGLES"), f.Properties.FullSchemaName}, f.Format == "AVRO" && len(schema) > 0
}

// TestSchemasOfTheConformanceCases reads the columns out of every AVRO schema of the suite, and registers those of the
// topics that queries made: the schema must be the same again.
func TestSchemasOfTheConformanceCases(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(ratchet.Folder(t, "CONFORMANCE_DIR", "conformance", "query-validation-tests"), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	made, read := 0, 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var content struct {
			Tests []struct {
				Name   string
				Topics []json.RawMessage
				Post   struct {
					Topics struct{ Topics []topicSide }
				}
			}
		}
		if err := json.Unmarshal(text, &content); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, c := range content.Tests {
			where := filepath.Base(file) + ": " + c.Name
			for _, raw := range c.Topics {
				var topic topicSide
				if json.Unmarshal(raw, &topic) != nil {
					continue // only a name
				}
				for _, p := range [][2]json.RawMessage{{topic.KeySchema, topic.KeyFormat}, {topic.ValueSchema, topic.ValueFormat}} {
					if s, ok := sideOf(p[0], p[1]); ok {
						read++
						if _, err := New(nil).Columns(avroSchema(s.text), nil, true, ""); err != nil {
							t.Errorf("%s: %s: %v", where, s.text, err)
						}
					}
				}
			}
			for _, topic := range c.Post.Topics.Topics {
				for _, p := range [][2]json.RawMessage{{topic.KeySchema, topic.KeyFormat}, {topic.ValueSchema, topic.ValueFormat}} {
					if s, ok := sideOf(p[0], p[1]); ok {
						made++
						checkMade(t, where, s)
					}
				}
			}
		}
	}
	if made < 9 || read < 20 {
		t.Errorf("only %d schemas of queries and %d others were found", made, read)
	}
}

func checkMade(t *testing.T, where string, s side) {
	t.Helper()
	columns, err := New(nil).Columns(avroSchema(s.text), nil, s.unwrapped, "")
	if err != nil {
		t.Errorf("%s: %s: %v", where, s.text, err)
		return
	}
	spec, _ := specOf(columns)
	if spec.Unwrapped = s.unwrapped; s.unwrapped {
		columns[0].Name = "K"
	}
	if s.full != "" {
		spec.Properties[formats.PropertySchemaFullName] = s.full
	}
	got, err := New(nil).Schema(spec)
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	if got, want := shape(t, got.Text, s.text), shape(t, s.text, s.text); !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %v\nwant %v", where, got, want)
	}
}

// shape is a schema as JSON, without the attributes of Connect where the wanted one has none.
func shape(t *testing.T, text, wanted string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(wanted, `"connect.`) {
		return v
	}
	var strip func(v any)
	strip = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				strip(x)
			}
		case map[string]any:
			for k, x := range v {
				if strings.HasPrefix(k, "connect.") {
					delete(v, k)
				}
				strip(x)
			}
		}
	}
	strip(v)
	return v
}
