package api

// KafkaTopicsList is the result of SHOW TOPICS.
type KafkaTopicsList struct {
	Base
	Topics List[KafkaTopicInfo] `json:"topics"`
}

// Type is the "@type" of the entity.
func (e *KafkaTopicsList) Type() string { return "kafka_topics" }

// MarshalJSON adds the "@type".
func (e *KafkaTopicsList) MarshalJSON() ([]byte, error) {
	type plain KafkaTopicsList
	return tagged(e.Type(), (*plain)(e))
}

// KafkaTopicInfo is one topic.
type KafkaTopicInfo struct {
	Name string `json:"name"`
	// ReplicaInfo is the number of replicas of each partition.
	ReplicaInfo List[int] `json:"replicaInfo"`
}

// KafkaTopicsListExtended is the result of SHOW TOPICS EXTENDED.
type KafkaTopicsListExtended struct {
	Base
	Topics List[KafkaTopicInfoExtended] `json:"topics"`
}

// Type is the "@type" of the entity.
func (e *KafkaTopicsListExtended) Type() string { return "kafka_topics_extended" }

// MarshalJSON adds the "@type".
func (e *KafkaTopicsListExtended) MarshalJSON() ([]byte, error) {
	type plain KafkaTopicsListExtended
	return tagged(e.Type(), (*plain)(e))
}

// KafkaTopicInfoExtended is one topic with who reads it.
type KafkaTopicInfoExtended struct {
	Name               string    `json:"name"`
	ReplicaInfo        List[int] `json:"replicaInfo"`
	ConsumerCount      int       `json:"consumerCount"`
	ConsumerGroupCount int       `json:"consumerGroupCount"`
}

// PropertiesList is the result of SHOW PROPERTIES.
type PropertiesList struct {
	Base
	Properties List[Property] `json:"properties"`
	// OverwrittenProperties are the names the request overrides.
	OverwrittenProperties List[string] `json:"overwrittenProperties"`
	// DefaultProperties are the names that still have their default.
	DefaultProperties List[string] `json:"defaultProperties"`
}

// Type is the "@type" of the entity.
func (e *PropertiesList) Type() string { return "properties" }

// MarshalJSON adds the "@type".
func (e *PropertiesList) MarshalJSON() ([]byte, error) {
	type plain PropertiesList
	return tagged(e.Type(), (*plain)(e))
}

// Property is one setting of the server.
type Property struct {
	Name string `json:"name"`
	// Scope is "KSQL" or "EMBEDDED CONNECT WORKER".
	Scope string `json:"scope"`
	// Value is null when it is not set.
	Value    *string `json:"value"`
	Editable bool    `json:"editable"`
	// Level is "QUERY" or "SERVER".
	Level string `json:"level"`
}

// VariablesList is the result of SHOW VARIABLES.
type VariablesList struct {
	Base
	Variables List[Variable] `json:"variables"`
}

// Type is the "@type" of the entity.
func (e *VariablesList) Type() string { return "variables" }

// MarshalJSON adds the "@type".
func (e *VariablesList) MarshalJSON() ([]byte, error) {
	type plain VariablesList
	return tagged(e.Type(), (*plain)(e))
}

// Variable is one ${name} of the session.
type Variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// TypeList is the result of SHOW TYPES.
type TypeList struct {
	Base
	Types Map[SchemaInfo] `json:"types"`
}

// Type is the "@type" of the entity.
func (e *TypeList) Type() string { return "type_list" }

// MarshalJSON adds the "@type".
func (e *TypeList) MarshalJSON() ([]byte, error) {
	type plain TypeList
	return tagged(e.Type(), (*plain)(e))
}
