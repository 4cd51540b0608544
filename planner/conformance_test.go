package planner_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/planner"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// conformanceCase is what planning needs of a case of ../../shared/conformance.
type conformanceCase struct {
	Name       string         `json:"name"`
	Enabled    *bool          `json:"enabled"`
	Statements []string       `json:"statements"`
	Format     []string       `json:"format"`
	Config     []string       `json:"config"`
	Properties map[string]any `json:"properties"`
	Topics     []struct {
		Name       string `json:"name"`
		Partitions int    `json:"partitions"`
	} `json:"topics"`
	Expected *struct {
		Message string `json:"message"`
	} `json:"expectedException"`
	Post *struct {
		Sources []struct {
			Name, Type, Schema string
		} `json:"sources"`
		Topics *struct {
			Blacklist string `json:"blacklist"`
			Topics    []struct {
				Name string `json:"name"`
			} `json:"topics"`
		} `json:"topics"`
	} `json:"post"`
}

// notExecuted finds statements that are out of what is planned today.
var notExecuted = regexp.MustCompile(`(?is)avro|protobuf|json_sr|\bheaders?\b\s*(\(|,|\))|\bconnector\b|^\s*assert|or\s+replace|^\s*alter|run\s+script|_schema_id`)

// TestConformancePlanning plans the statements of the conformance cases that use nothing but what is executed, and checks
// the errors that are expected. It informs (go test -v): the whole truth is in tests/conformance.
func TestConformancePlanning(t *testing.T) {
	dir := os.Getenv("CONFORMANCE_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "conformance")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "query-validation-tests", "*.json"))
	if len(files) == 0 {
		t.Skipf("SKIPPED: no conformance cases in %s", dir)
	}
	var planned, failed, refused, missed, skipped int
	reasons := map[string]int{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Tests []conformanceCase `json:"tests"`
		}
		if err := json.Unmarshal(data, &doc); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, c := range doc.Tests {
			for _, format := range append(c.Format[:len(c.Format):len(c.Format)], "")[:max(1, len(c.Format))] {
				name := strings.TrimSuffix(filepath.Base(file), ".json") + "/" + c.Name + " " + format
				all := strings.ReplaceAll(strings.Join(c.Statements, "\n"), "{FORMAT}", format)
				if c.Enabled != nil && !*c.Enabled || notExecuted.MatchString(all) {
					skipped++
					continue
				}
				err := planCase(c, format)
				switch {
				case c.Expected == nil && err == nil:
					planned++
				case c.Expected == nil:
					failed++
					text := strings.SplitN(err.Error(), "\n", 2)[0]
					reasons[text]++
					t.Logf("FAIL %s: %s", name, err)
				case err != nil && strings.Contains(err.Error(), c.Expected.Message):
					refused++
				default:
					missed++
					t.Logf("MISS %s:\n    want %q\n    got  %v", name, c.Expected.Message, err)
				}
			}
		}
	}
	texts := make([]string, 0, len(reasons))
	for r := range reasons {
		texts = append(texts, r)
	}
	sort.Slice(texts, func(i, j int) bool { return reasons[texts[i]] > reasons[texts[j]] })
	for _, r := range texts {
		t.Logf("%4d %s", reasons[r], r)
	}
	t.Logf("planned %d, failed %d; errors as expected %d, not %d; skipped %d", planned, failed, refused, missed, skipped)
}

// planCase plans the statements of a case and checks sources and topics.
func planCase(c conformanceCase, format string) error {
	w := newWorld()
	for name, value := range c.Properties {
		w.env.Properties[strings.TrimPrefix(name, "ksql.streams.")] = fmt.Sprint(value)
	}
	for _, st := range c.Statements {
		for _, topic := range kafkaTopics(st) {
			if !strings.Contains(strings.ToUpper(st), "PARTITIONS") {
				w.topic(topic, 1)
			}
		}
	}
	for _, topic := range c.Topics {
		w.topic(topic.Name, max(1, topic.Partitions))
	}
	var names []string
	outcomes, err := w.sql(strings.ReplaceAll(strings.Join(c.Statements, "\n"), "{FORMAT}", format))
	if err != nil && !errors.Is(err, errOther) {
		return err
	}
	for _, o := range outcomes {
		if o.query != nil && o.query.Plan != nil {
			names = append(names, internalTopics(o.query)...)
			if err := checkPlan(o.query.Plan); err != nil {
				return err
			}
		}
	}
	if c.Post == nil {
		return nil
	}
	for _, s := range c.Post.Sources {
		src, ok := w.env.Catalog.Source(s.Name)
		if !ok {
			return fmt.Errorf("post: there is no source %s", s.Name)
		}
		if s.Schema != "" {
			if got := src.Schema.String(); !sameSchema(got, s.Schema) {
				return fmt.Errorf("post: schema of %s is %s, not %s", s.Name, got, s.Schema)
			}
		}
		if s.Type != "" && !strings.EqualFold(s.Type, src.Kind.String()) {
			return fmt.Errorf("post: %s is a %s", s.Name, src.Kind)
		}
	}
	if c.Post.Topics == nil {
		return nil
	}
	if c.Post.Topics.Blacklist != "" {
		black := regexp.MustCompile("^(?:" + c.Post.Topics.Blacklist + ")$")
		for _, n := range names {
			if black.MatchString(n) {
				return fmt.Errorf("post: topic %s is on the blacklist", n)
			}
		}
	}
	for _, topic := range c.Post.Topics.Topics {
		if !strings.HasPrefix(topic.Name, "_confluent") {
			continue
		}
		found := false
		for _, n := range names {
			found = found || n == topic.Name
		}
		if !found {
			return fmt.Errorf("post: topic %s is missing; there are %v", topic.Name, names)
		}
	}
	return nil
}

// checkPlan takes a plan through its stored form.
func checkPlan(p *physical.Plan) error {
	data, err := physical.Encode(p)
	if err != nil {
		return err
	}
	again, err := physical.Decode(data)
	if err != nil {
		return err
	}
	second, err := physical.Encode(again)
	if err != nil {
		return err
	}
	if string(data) != string(second) {
		return fmt.Errorf("the plan changes when it is stored")
	}
	return nil
}

func internalTopics(q *planner.QueryPlan) []string {
	var out []string
	for _, s := range q.Plan.Stages {
		for _, in := range s.Inputs {
			if in.Repartition {
				out = append(out, in.Topic)
			}
		}
		for _, st := range s.Stores {
			out = append(out, st.Changelog)
		}
	}
	return out
}

// sameSchema compares schemas as people write them: quotes, spaces and synonyms do not matter.
func sameSchema(a, b string) bool { return plainSchema(a) == plainSchema(b) }

func plainSchema(s string) string {
	s = strings.NewReplacer("`", "", " PRIMARY KEY", " KEY", "\n", " ").Replace(strings.ToUpper(s))
	s = strings.ReplaceAll(s, " ", "")
	s = regexp.MustCompile(`VARCHAR(\(STRING\))?`).ReplaceAllString(s, "STRING")
	return regexp.MustCompile(`INTEGER`).ReplaceAllString(s, "INT")
}
