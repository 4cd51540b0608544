package conformance

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/planner/physical"
	"github.com/ksqlgo/ksqlgo/server/sqltest"
)

var (
	kafkaTopicProperty = regexp.MustCompile(`(?i)kafka_topic\s*=\s*'([^']+)'`)
	partitionsProperty = regexp.MustCompile(`(?i)\bpartitions\s*=`)
	asSelect           = regexp.MustCompile(`(?i)\bAS\s+SELECT\b`)
)

// declaredTopics lists the topics that plain sources name and no statement makes: they exist before the case. made are those
// that statements make.
func declaredTopics(statements []string) (named []string, made map[string]bool) {
	made = map[string]bool{}
	for _, s := range statements {
		m := kafkaTopicProperty.FindStringSubmatch(s)
		switch {
		case m == nil:
		case partitionsProperty.MatchString(s):
			made[m[1]] = true
		case !asSelect.MatchString(s):
			named = append(named, m[1])
		}
	}
	return slices.DeleteFunc(named, func(name string) bool { return made[name] }), made
}

func (c *testCase) checkPost(w *sqltest.World) error {
	if c.Post == nil {
		return nil
	}
	for i := range c.Post.Sources {
		if err := checkSource(w, &c.Post.Sources[i]); err != nil {
			return fmt.Errorf("post: source %s: %w", c.Post.Sources[i].Name, err)
		}
	}
	if c.Post.Topics.Blacklist != "" {
		bad, err := regexp.Compile("^(?:" + c.Post.Topics.Blacklist + ")$")
		if err != nil {
			return err
		}
		for _, name := range append(w.InternalTopics(), w.Sim().TopicNames()...) {
			if bad.MatchString(name) {
				return fmt.Errorf("post: there must be no topic %s", name)
			}
		}
	}
	for i := range c.Post.Topics.Topics {
		if err := checkTopic(w, &c.Post.Topics.Topics[i]); err != nil {
			return fmt.Errorf("post: topic %s: %w", c.Post.Topics.Topics[i].Name, err)
		}
	}
	return nil
}

func checkSource(w *sqltest.World, want *postSource) error {
	src, ok := w.Catalog().Source(want.Name)
	if !ok {
		return fmt.Errorf("does not exist")
	}
	if !strings.EqualFold(src.Kind.String(), want.Type) {
		return fmt.Errorf("is a %s", src.Kind)
	}
	if want.Schema != "" {
		if got := plainSchema(src.Schema.String()); got != plainSchema(want.Schema) {
			return fmt.Errorf("schema %s, want %s", got, plainSchema(want.Schema))
		}
	}
	if f := want.KeyFormat; f != nil {
		if !strings.EqualFold(src.KeyFormat.Name, f.Format) {
			return fmt.Errorf("key format %s, want %s", src.KeyFormat.Name, f.Format)
		}
		if !strings.EqualFold(src.Window.String(), f.WindowType) || src.WindowSizeMs != f.WindowSize {
			return fmt.Errorf("window %s of %d ms, want %s of %d ms", src.Window, src.WindowSizeMs, f.WindowType, f.WindowSize)
		}
	}
	if name := formatName(want.ValueFormat); name != "" && !strings.EqualFold(src.ValueFormat.Name, name) {
		return fmt.Errorf("value format %s, want %s", src.ValueFormat.Name, name)
	}
	if err := checkFeatures("key", want.KeyFeatures, src.KeyFormat); err != nil {
		return err
	}
	if err := checkFeatures("value", want.ValueFeatures, src.ValueFormat); err != nil {
		return err
	}
	if want.IsSource != nil && *want.IsSource != src.ReadOnly {
		return fmt.Errorf("isSource is %v", src.ReadOnly)
	}
	return nil
}

// formatName reads a format that is written as its name or as an object.
func formatName(raw json.RawMessage) string {
	var name string
	if json.Unmarshal(raw, &name) == nil {
		return name
	}
	var f postFormat
	if json.Unmarshal(raw, &f) == nil {
		return f.Format
	}
	return ""
}

// checkFeatures compares what can be told of a format's features: whether a single column is unwrapped.
func checkFeatures(side string, want *[]string, f catalog.Format) error {
	if want == nil {
		return nil
	}
	unwrap := false
	for _, name := range *want {
		unwrap = unwrap || name == "UNWRAP_SINGLES"
	}
	if unwrap != f.Unwrapped {
		return fmt.Errorf("%s: unwrapped %v, want %v", side, f.Unwrapped, *want)
	}
	return nil
}

// plainSchema brings the text of a schema to one spelling: names upper case unless quoted, types by their SQL name.
func plainSchema(s string) string {
	parts := strings.Split(s, "`")
	for i := 0; i < len(parts); i += 2 {
		p := strings.ToUpper(parts[i])
		p = regexp.MustCompile(`\bINT\b`).ReplaceAllString(p, "INTEGER")
		p = regexp.MustCompile(`\bVARCHAR\b`).ReplaceAllString(p, "STRING")
		p = strings.ReplaceAll(p, "PRIMARY KEY", "KEY")
		parts[i] = regexp.MustCompile(`\s*([,<>()])\s*`).ReplaceAllString(p, "$1")
	}
	return strings.Join(strings.Fields(strings.Join(parts, "")), " ")
}

func checkTopic(w *sqltest.World, want *postTopic) error {
	if src, ok := w.SourceOf(want.Name); ok {
		if f := want.KeyFormat; f != nil && !strings.EqualFold(src.KeyFormat.Name, f.Format) {
			return fmt.Errorf("key format %s, want %s", src.KeyFormat.Name, f.Format)
		}
		if f := want.ValueFormat; f != nil && !strings.EqualFold(src.ValueFormat.Name, f.Format) {
			return fmt.Errorf("value format %s, want %s", src.ValueFormat.Name, f.Format)
		}
		if want.Partitions != 0 && want.Partitions != src.Partitions {
			return fmt.Errorf("%d partitions, want %d", src.Partitions, want.Partitions)
		}
		return checkSchemas(w, want)
	}
	return checkInternal(w, want)
}

func checkSchemas(w *sqltest.World, want *postTopic) error {
	if err := checkSchema(w, want.Name, true, want.KeySchema); err != nil {
		return err
	}
	return checkSchema(w, want.Name, false, want.ValueSchema)
}

// checkInternal looks a repartition or changelog topic up in the plans.
func checkInternal(w *sqltest.World, want *postTopic) error {
	for _, q := range w.Sim().Queries() {
		for _, stage := range q.Plan().Stages {
			for _, in := range stage.Inputs {
				if in.Repartition && in.Topic == want.Name {
					if err := checkRepartition(in, want); err != nil {
						return err
					}
					return checkSchemas(w, want)
				}
			}
			for _, s := range stage.Stores {
				if s.Changelog == want.Name {
					// Changelogs have a format of their own here.
					return nil
				}
			}
		}
	}
	names := w.InternalTopics()
	sort.Strings(names)
	return fmt.Errorf("does not exist; internal topics are %s", strings.Join(names, ", "))
}

func checkRepartition(in *physical.Input, want *postTopic) error {
	if f := want.KeyFormat; f != nil && !strings.EqualFold(in.KeyFormat.Name, f.Format) {
		return fmt.Errorf("key format %s, want %s", in.KeyFormat.Name, f.Format)
	}
	if f := want.ValueFormat; f != nil && !strings.EqualFold(in.ValueFormat.Name, f.Format) {
		return fmt.Errorf("value format %s, want %s", in.ValueFormat.Name, f.Format)
	}
	return nil
}
