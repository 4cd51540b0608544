package rest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/server/sqltest"
)

// testCase is one case of a file, for one format.
type testCase struct {
	Name       string            `json:"name"`
	Format     []string          `json:"format"`
	Enabled    *bool             `json:"enabled"`
	Statements []string          `json:"statements"`
	Properties map[string]any    `json:"properties"`
	Topics     []json.RawMessage `json:"topics"`
	Inputs     []testRecord      `json:"inputs"`
	Outputs    []testRecord      `json:"outputs"`
	Responses  []response        `json:"responses"`
	Error      *expectedError    `json:"expectedError"`
	// ProtoToo asks every query a second time, for rows in protobuf, after all of them have been asked.
	ProtoToo bool `json:"testPullWithProtoFormat"`

	InputConditions struct {
		WaitForActivePushQuery bool `json:"waitForActivePushQuery"`
	} `json:"inputConditions"`
	OutputConditions struct {
		VerifyOrder bool `json:"verifyOrder"`
	} `json:"outputConditions"`

	// id is file/name - FORMAT.
	id string
}

// response is one entry of a case's responses; one field is set.
type response struct {
	Admin      json.RawMessage   `json:"admin"`
	Query      []json.RawMessage `json:"query"`
	QueryProto []json.RawMessage `json:"queryProto"`
}

type expectedError struct {
	Status    int    `json:"status"`
	Type      string `json:"type"`
	Message   string `json:"message"`
	ErrorCode int    `json:"errorCode"`
}

type testRecord struct {
	Topic     string          `json:"topic"`
	Key       json.RawMessage `json:"key"`
	Value     json.RawMessage `json:"value"`
	Timestamp *int64          `json:"timestamp"`
	Window    *struct {
		Start int64  `json:"start"`
		End   int64  `json:"end"`
		Type  string `json:"type"`
	} `json:"window"`
	Headers []struct {
		Key   string  `json:"KEY"`
		Value *string `json:"VALUE"`
	} `json:"headers"`
}

// record is the record as query tests know it.
func (r *testRecord) record() (sqltest.Record, error) {
	out := sqltest.Record{Topic: r.Topic, Key: r.Key, Value: r.Value, Timestamp: r.Timestamp}
	if r.Window != nil {
		out.Window = &sqltest.Window{Start: r.Window.Start, End: r.Window.End, Session: strings.EqualFold(r.Window.Type, "session")}
	}
	for _, h := range r.Headers {
		header := record.Header{Key: h.Key}
		if h.Value != nil {
			var err error
			if header.Value, err = base64.StdEncoding.DecodeString(*h.Value); err != nil {
				return out, fmt.Errorf("header %s: %w", h.Key, err)
			}
		}
		out.Headers = append(out.Headers, header)
	}
	return out, nil
}

// loadCases reads all files of a folder, one case for each format.
func loadCases(dir string) ([]*testCase, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var out []*testCase
	seen := map[string]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var content struct {
			Tests []json.RawMessage `json:"tests"`
		}
		if err := json.Unmarshal(text, &content); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, raw := range content.Tests {
			cases, err := variants(strings.TrimSuffix(filepath.Base(file), ".json"), raw)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			for _, c := range cases {
				// Some files use a name more than once.
				if seen[c.id]++; seen[c.id] > 1 {
					c.id += " #" + strconv.Itoa(seen[c.id])
				}
				out = append(out, c)
			}
		}
	}
	return out, nil
}

// variants reads a case once for each of its formats.
func variants(file string, raw json.RawMessage) ([]*testCase, error) {
	var plain testCase
	if err := json.Unmarshal(raw, &plain); err != nil {
		return nil, err
	}
	if len(plain.Format) == 0 {
		plain.id = file + "/" + plain.Name
		return []*testCase{&plain}, nil
	}
	var out []*testCase
	for _, f := range plain.Format {
		c := &testCase{}
		if err := json.Unmarshal([]byte(strings.ReplaceAll(string(raw), "{FORMAT}", f)), c); err != nil {
			return nil, err
		}
		c.id = file + "/" + c.Name + " - " + f
		out = append(out, c)
	}
	return out, nil
}

// split gives the statements up to the first SELECT, and the queries.
func (c *testCase) split() (statements, queries []string) {
	i := slices.IndexFunc(c.Statements, func(s string) bool { return strings.HasPrefix(strings.ToUpper(s), "SELECT ") })
	if i < 0 {
		return c.Statements, nil
	}
	return c.Statements[:i], c.Statements[i:]
}

// topic is a topic that exists before the statements run.
type topic struct {
	Name        string                    `json:"name"`
	Partitions  int                       `json:"partitions"`
	KeyFormat   string                    `json:"keyFormat"`
	ValueFormat string                    `json:"valueFormat"`
	KeySchema   json.RawMessage           `json:"keySchema"`
	ValueSchema json.RawMessage           `json:"valueSchema"`
	KeyID       int                       `json:"keySchemaId"`
	ValueID     int                       `json:"valueSchemaId"`
	KeyRefs     []sqltest.SchemaReference `json:"keySchemaReferences"`
	ValueRefs   []sqltest.SchemaReference `json:"valueSchemaReferences"`
}

// registerSchemas registers the schemas that the case gives for the topic.
func (t *topic) registerSchemas(registry schemas.Registry) error {
	key := sqltest.TopicSchema{Format: t.KeyFormat, Schema: t.KeySchema, ID: t.KeyID, References: t.KeyRefs}
	if err := key.Register(registry, schemas.Subject(t.Name, true)); err != nil {
		return err
	}
	value := sqltest.TopicSchema{Format: t.ValueFormat, Schema: t.ValueSchema, ID: t.ValueID, References: t.ValueRefs}
	return value.Register(registry, schemas.Subject(t.Name, false))
}

var (
	createSource   = regexp.MustCompile(`(?is)^\s*CREATE\s+(OR\s+REPLACE\s+)?(SOURCE\s+)?(STREAM|TABLE)\b`)
	asSelect       = regexp.MustCompile(`(?is)\bAS\s+SELECT\b`)
	kafkaTopic     = regexp.MustCompile(`(?i)\bkafka_topic\s*=\s*'([^']*)'`)
	partitionCount = regexp.MustCompile(`(?i)\bpartitions\s*=\s*'?(\d+)`)
)

// defaultPartitions is what ksqlDB's own runner gives to topics whose case does not state it.
const defaultPartitions = 4

// topics lists the topics the case names and those its statements declare.
func (c *testCase) topics() ([]topic, error) {
	var out []topic
	add := func(t topic) {
		if !slices.ContainsFunc(out, func(o topic) bool { return o.Name == t.Name }) {
			if t.Partitions == 0 {
				t.Partitions = defaultPartitions
			}
			out = append(out, t)
		}
	}
	for _, raw := range c.Topics {
		var t topic
		if json.Unmarshal(raw, &t.Name) != nil {
			if err := json.Unmarshal(raw, &t); err != nil {
				return nil, err
			}
		}
		add(t)
	}
	for _, s := range c.Statements {
		name := kafkaTopic.FindStringSubmatch(s)
		if name == nil || !createSource.MatchString(s) || asSelect.MatchString(s) {
			continue
		}
		t := topic{Name: name[1]}
		if n := partitionCount.FindStringSubmatch(s); n != nil {
			t.Partitions, _ = strconv.Atoi(n[1])
		}
		add(t)
	}
	return out, nil
}
