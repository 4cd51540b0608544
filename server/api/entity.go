package api

import (
	"encoding/json"
	"fmt"
)

// Entity is the result of one statement. It is sealed: its implementations are
// the pointer types of this package, told apart in JSON by "@type".
type Entity interface {
	// Type is the "@type" of the entity.
	Type() string
	// Meta is what all entities carry; the pointer is never nil.
	Meta() *Base
	entity()
}

// Base is the part that all entities have.
type Base struct {
	// StatementText is the statement as the server prints it.
	StatementText string `json:"statementText"`
	// Warnings tell the user of something that did not stop the statement.
	Warnings List[Warning] `json:"warnings"`
}

// Meta returns the base itself.
func (b *Base) Meta() *Base { return b }

func (b *Base) entity() {}

// Warning is a remark that travels with a result.
type Warning struct {
	Message string `json:"message"`
}

// Entities is the answer of POST /ksql: one entity per statement that has a
// result.
type Entities []Entity

// MarshalJSON writes the entities as an array, [] when there are none.
func (es Entities) MarshalJSON() ([]byte, error) {
	if len(es) == 0 {
		return []byte("[]"), nil
	}
	return Encode([]Entity(es))
}

// UnmarshalJSON reads an array of entities. An unknown "@type" becomes an
// *UnknownEntity.
func (es *Entities) UnmarshalJSON(data []byte) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	out := make(Entities, len(raw))
	for i := range raw {
		e, err := DecodeEntity(raw[i])
		if err != nil {
			return err
		}
		out[i] = e
	}
	*es = out
	return nil
}

// DecodeEntity reads one entity, choosing its Go type by "@type".
func DecodeEntity(data []byte) (Entity, error) {
	var probe struct {
		Type string `json:"@type"`
	}
	if err := json.Unmarshal(data, &probe); err != nil {
		return nil, fmt.Errorf("api: decode entity: %w", err)
	}
	e := NewEntity(probe.Type)
	if e == nil {
		e = &UnknownEntity{Kind: probe.Type, Raw: append(json.RawMessage(nil), data...)}
	}
	if err := json.Unmarshal(data, e); err != nil {
		return nil, fmt.Errorf("api: decode entity %q: %w", probe.Type, err)
	}
	return e, nil
}

// UnknownEntity is an entity this package does not know, kept as it came.
type UnknownEntity struct {
	Base
	Kind string          `json:"-"`
	Raw  json.RawMessage `json:"-"`
}

// Type is the "@type" the server sent.
func (e *UnknownEntity) Type() string { return e.Kind }

// MarshalJSON writes what the server sent.
func (e *UnknownEntity) MarshalJSON() ([]byte, error) { return e.Raw, nil }

// Types lists the "@type" of every entity this package knows.
func Types() []string {
	return []string{
		"currentStatus", "warning_entity", "streams", "tables",
		"source_descriptions", "sourceDescription", "queries",
		"query_descriptions", "queryDescription", "kafka_topics",
		"kafka_topics_extended", "properties", "function_names",
		"describe_function", "type_list", "variables", "connector_info",
		"drop_connector", "connector_list", "connector_plugins_list",
		"connector_description", "terminate_query", "assert_topic",
		"assert_schema",
	}
}

// NewEntity returns an empty entity of the given "@type", or nil when the type
// is not known.
func NewEntity(name string) Entity {
	switch name {
	case "currentStatus":
		return &CommandStatusEntity{}
	case "warning_entity":
		return &WarningEntity{}
	case "streams":
		return &StreamsList{}
	case "tables":
		return &TablesList{}
	case "source_descriptions":
		return &SourceDescriptionList{}
	case "sourceDescription":
		return &SourceDescriptionEntity{}
	case "queries":
		return &Queries{}
	case "query_descriptions":
		return &QueryDescriptionList{}
	case "queryDescription":
		return &QueryDescriptionEntity{}
	case "kafka_topics":
		return &KafkaTopicsList{}
	case "kafka_topics_extended":
		return &KafkaTopicsListExtended{}
	case "properties":
		return &PropertiesList{}
	case "function_names":
		return &FunctionNameList{}
	case "describe_function":
		return &FunctionDescriptionList{}
	case "type_list":
		return &TypeList{}
	case "variables":
		return &VariablesList{}
	case "connector_info":
		return &CreateConnectorEntity{}
	case "drop_connector":
		return &DropConnectorEntity{}
	case "connector_list":
		return &ConnectorList{}
	case "connector_plugins_list":
		return &ConnectorPluginsList{}
	case "connector_description":
		return &ConnectorDescription{}
	case "terminate_query":
		return &TerminateQueryEntity{}
	case "assert_topic":
		return &AssertTopicEntity{}
	case "assert_schema":
		return &AssertSchemaEntity{}
	}
	return nil
}
