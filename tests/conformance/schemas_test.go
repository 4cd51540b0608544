package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/server/sqltest"
)

// readTopics reads the topics that are there beforehand; some files give their names alone.
func (c *testCase) readTopics() error {
	c.specs = nil
	for _, raw := range c.Topics {
		var t topicSpec
		if json.Unmarshal(raw, &t.Name) != nil {
			if err := json.Unmarshal(raw, &t); err != nil {
				return err
			}
		}
		c.specs = append(c.specs, t)
	}
	return nil
}

// registerSchemas fills a case's registry. ksqlDB's runner first takes the schemas that the statements imply for topics that the
// case gives none, then those that it gives; the numbers in the statements count on that.
func (c *testCase) registerSchemas(registry *schemas.Memory) error {
	c.registerDeclared(registry)
	for _, t := range c.specs {
		key := sqltest.TopicSchema{Format: t.KeyFormat, Schema: t.KeySchema, ID: t.KeyID, References: t.KeyRefs}
		if err := key.Register(registry, schemas.Subject(t.Name, true)); err != nil {
			return err
		}
		value := sqltest.TopicSchema{Format: t.ValueFormat, Schema: t.ValueSchema, ID: t.ValueID, References: t.ValueRefs}
		if err := value.Register(registry, schemas.Subject(t.Name, false)); err != nil {
			return err
		}
	}
	return nil
}

// registerDeclared registers what the declared sources imply. Statements that fail here fail in the case, too.
func (c *testCase) registerDeclared(registry *schemas.Memory) {
	given := map[string]bool{}
	for _, t := range c.specs {
		given[schemas.Subject(t.Name, true)] = len(t.KeySchema) > 0
		given[schemas.Subject(t.Name, false)] = len(t.ValueSchema) > 0
	}
	scratch := &schemas.Memory{}
	w := c.world(scratch)
	defer func() { _ = w.Close() }()
	if c.createTopics(w) != nil {
		return
	}
	for _, text := range c.Statements {
		st, err := grammar.ParseOne(text, grammar.Options{OptionalSemicolon: true})
		if err != nil {
			continue
		}
		create, ok := st.Statement.(*ast.CreateSource)
		if !ok || w.Run(create) != nil {
			continue
		}
		src, ok := w.Catalog().Source(create.Name.Name)
		if !ok {
			continue
		}
		for _, isKey := range []bool{true, false} {
			subject := schemas.Subject(src.Topic, isKey)
			if s, err := scratch.Latest(subject); err == nil && !given[subject] {
				// A registry in memory takes everything.
				_, _ = registry.Register(subject, s.Schema)
			}
		}
	}
}

// checkSchema compares the newest schema of a side of a topic with the one that is wanted.
func checkSchema(w *sqltest.World, topic string, isKey bool, want json.RawMessage) error {
	if len(want) == 0 || string(want) == "null" {
		return nil
	}
	subject := schemas.Subject(topic, isKey)
	got, err := w.Schemas().Latest(subject)
	if err != nil {
		return err
	}
	wanted := sqltest.SchemaText(want)
	if !json.Valid(want) || got.Kind == schemas.Protobuf {
		if strings.TrimSpace(got.Text) != strings.TrimSpace(wanted) {
			return fmt.Errorf("the schema of %s is\n%s\nwant\n%s", subject, got.Text, wanted)
		}
		return nil
	}
	a, errA := canonicalJSON(got.Text)
	b, errB := canonicalJSON(wanted)
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		return fmt.Errorf("the schema of %s is\n%s\nwant\n%s", subject, a, b)
	}
	return nil
}

func canonicalJSON(text string) ([]byte, error) {
	v, err := sqltest.Parse([]byte(text))
	if err != nil {
		return nil, err
	}
	return json.Marshal(v)
}
