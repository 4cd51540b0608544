package sqltest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
)

// TopicSchema is the schema of one side of a topic as test files have it.
type TopicSchema struct {
	// Format names the kind: AVRO, JSON, JSON_SR, PROTOBUF; empty where the schema shows it.
	Format string
	// Schema is the text of a .proto file as JSON text, or JSON itself.
	Schema json.RawMessage
	// ID is the number it shall have, 0 for any.
	ID int
	// References are the schemas it refers to.
	References []SchemaReference
}

// SchemaReference is a schema that another one refers to by its name.
type SchemaReference struct {
	Name   string          `json:"name"`
	Format string          `json:"format"`
	Schema json.RawMessage `json:"schema"`
}

// NumberingRegistry gives a schema the number that is wanted.
type NumberingRegistry interface {
	schemas.Registry
	// RegisterAs is Register with a number.
	RegisterAs(subject string, s schemas.Schema, id int) error
}

// Register registers the schema under a subject, and what it refers to, each under its name. Where the schema is given no number it
// comes first: so are the numbers in test files. Without a schema nothing is done.
func (s *TopicSchema) Register(registry schemas.Registry, subject string) error {
	if isNull(s.Schema) {
		return nil
	}
	schema := schemas.Schema{Kind: schemaKind(s.Format, s.Schema), Text: SchemaText(s.Schema)}
	for _, ref := range s.References {
		schema.References = append(schema.References, schemas.Reference{Name: ref.Name, Subject: ref.Name, Version: 1})
	}
	if s.ID > 0 {
		n, ok := registry.(NumberingRegistry)
		if !ok {
			return fmt.Errorf("sqltest: the registry does not take the number %d for a schema", s.ID)
		}
		if err := s.registerReferences(registry); err != nil {
			return err
		}
		return n.RegisterAs(subject, schema, s.ID)
	}
	if _, err := registry.Register(subject, schema); err != nil {
		return err
	}
	return s.registerReferences(registry)
}

func (s *TopicSchema) registerReferences(registry schemas.Registry) error {
	for _, ref := range s.References {
		if _, err := registry.Register(ref.Name, schemas.Schema{Kind: schemaKind(ref.Format, ref.Schema), Text: SchemaText(ref.Schema)}); err != nil {
			return err
		}
	}
	return nil
}

// schemaKind is the kind of a schema. Without a format a .proto file is known by its text, and the rest is Avro.
func schemaKind(format string, schema json.RawMessage) schemas.Kind {
	switch strings.ToUpper(format) {
	case "AVRO":
		return schemas.Avro
	case "PROTOBUF":
		return schemas.Protobuf
	case "JSON", "JSON_SR":
		return schemas.JSON
	}
	var text string
	if json.Unmarshal(schema, &text) == nil && strings.Contains(text, "syntax") {
		return schemas.Protobuf
	}
	return schemas.Avro
}

// SchemaText is a schema of a test file as it is registered: the text of a .proto file, or JSON as it is, which an Avro type that
// is only named is, too.
func SchemaText(schema json.RawMessage) string {
	var text string
	if json.Unmarshal(schema, &text) == nil && strings.Contains(text, ";") {
		return text
	}
	return string(schema)
}
