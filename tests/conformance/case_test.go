package conformance

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/ksqlgo/ksqlgo/server/sqltest"
)

// testCase is one case of a query-validation file, for one format and one value of its configuration.
type testCase struct {
	Name       string            `json:"name"`
	Statements []string          `json:"statements"`
	Format     []string          `json:"format"`
	Config     []string          `json:"config"`
	Enabled    *bool             `json:"enabled"`
	Properties map[string]any    `json:"properties"`
	Topics     []json.RawMessage `json:"topics"`
	Inputs     []testRecord      `json:"inputs"`
	Outputs    []testRecord      `json:"outputs"`
	Post       *post             `json:"post"`
	Expected   *expectedError    `json:"expectedException"`

	// id is file/name - FORMAT.
	id string
	// specs are Topics, read.
	specs []topicSpec
}

type testRecord struct {
	Topic     string          `json:"topic"`
	Key       json.RawMessage `json:"key"`
	Value     json.RawMessage `json:"value"`
	Timestamp *int64          `json:"timestamp"`
	Window    *window         `json:"window"`
	Headers   []header        `json:"headers"`
}

type window struct {
	Start int64  `json:"start"`
	End   int64  `json:"end"`
	Type  string `json:"type"`
}

type header struct {
	Key   string  `json:"KEY"`
	Value *string `json:"VALUE"`
}

type topicSpec struct {
	Name        string                    `json:"name"`
	Partitions  int                       `json:"partitions"`
	KeySchema   json.RawMessage           `json:"keySchema"`
	ValueSchema json.RawMessage           `json:"valueSchema"`
	KeyFormat   string                    `json:"keyFormat"`
	ValueFormat string                    `json:"valueFormat"`
	KeyID       int                       `json:"keySchemaId"`
	ValueID     int                       `json:"valueSchemaId"`
	KeyRefs     []sqltest.SchemaReference `json:"keySchemaReferences"`
	ValueRefs   []sqltest.SchemaReference `json:"valueSchemaReferences"`
}

type expectedError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

type post struct {
	Sources []postSource `json:"sources"`
	Topics  struct {
		Blacklist string      `json:"blacklist"`
		Topics    []postTopic `json:"topics"`
	} `json:"topics"`
}

type postSource struct {
	Name          string          `json:"name"`
	Type          string          `json:"type"`
	Schema        string          `json:"schema"`
	KeyFormat     *postFormat     `json:"keyFormat"`
	ValueFormat   json.RawMessage `json:"valueFormat"`
	KeyFeatures   *[]string       `json:"keyFeatures"`
	ValueFeatures *[]string       `json:"valueFeatures"`
	IsSource      *bool           `json:"isSource"`
}

type postFormat struct {
	Format     string `json:"format"`
	WindowType string `json:"windowType"`
	WindowSize int64  `json:"windowSize"`
}

type postTopic struct {
	Name        string          `json:"name"`
	KeyFormat   *postFormat     `json:"keyFormat"`
	ValueFormat *postFormat     `json:"valueFormat"`
	Partitions  int             `json:"partitions"`
	KeySchema   json.RawMessage `json:"keySchema"`
	ValueSchema json.RawMessage `json:"valueSchema"`
}

// loadCases reads all files of a folder, one case for each format and configuration.
func loadCases(dir string) ([]testCase, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	sort.Strings(files)
	var out []testCase
	seen := map[string]int{}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var file struct {
			Tests []testCase `json:"tests"`
		}
		if err := json.Unmarshal(raw, &file); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		base := strings.TrimSuffix(filepath.Base(name), ".json")
		for _, c := range file.Tests {
			for _, v := range c.variants(base) {
				// Some files use a name twice.
				if seen[v.id]++; seen[v.id] > 1 {
					v.id = fmt.Sprintf("%s #%d", v.id, seen[v.id])
				}
				out = append(out, v)
			}
		}
	}
	return out, nil
}

// variants multiplies a case by its formats and configurations.
func (c testCase) variants(file string) []testCase {
	formats, configs := c.Format, c.Config
	if len(formats) == 0 {
		formats = []string{""}
	}
	if len(configs) == 0 {
		configs = []string{""}
	}
	var out []testCase
	for _, f := range formats {
		for _, cfg := range configs {
			v := c
			v.id = file + "/" + strings.TrimSpace(c.Name)
			v.Statements = make([]string, len(c.Statements))
			for i, s := range c.Statements {
				v.Statements[i] = strings.ReplaceAll(s, "{FORMAT}", f)
			}
			if f != "" {
				v.id += " - " + f
				v.substitute(f)
			}
			if cfg != "" {
				v.id += " - " + cfg
				v.Properties = map[string]any{}
				for name, value := range c.Properties {
					if value == "{CONFIG}" {
						value = cfg
					}
					v.Properties[name] = value
				}
			}
			out = append(out, v)
		}
	}
	return out
}

// substitute puts the format into what must hold afterwards and into the expected error.
func (c *testCase) substitute(format string) {
	if c.Expected != nil {
		e := *c.Expected
		e.Message = strings.ReplaceAll(e.Message, "{FORMAT}", format)
		c.Expected = &e
	}
	if c.Post == nil {
		return
	}
	raw, err := json.Marshal(c.Post)
	if err != nil {
		return
	}
	var p post
	if json.Unmarshal([]byte(strings.ReplaceAll(string(raw), "{FORMAT}", format)), &p) == nil {
		c.Post = &p
	}
}
