package api

// FieldInfo is one column of a source, or one field of a struct.
type FieldInfo struct {
	Name   string     `json:"name"`
	Schema SchemaInfo `json:"schema"`
	// Type is FieldKey or FieldHeader; empty for value columns.
	Type string `json:"type,omitempty"`
	// HeaderKey is the header a HEADER('key') column reads.
	HeaderKey *string `json:"headerKey,omitempty"`
}

// Values of FieldInfo.Type.
const (
	FieldKey    = "KEY"
	FieldHeader = "HEADER"
)

// SchemaInfo is a SQL type.
type SchemaInfo struct {
	// Type is the base type: BOOLEAN, INTEGER, BIGINT, DECIMAL, DOUBLE, STRING,
	// BYTES, DATE, TIME, TIMESTAMP, ARRAY, MAP or STRUCT.
	Type string `json:"type"`
	// Fields are those of a STRUCT, null otherwise.
	Fields []FieldInfo `json:"fields"`
	// MemberSchema is the element of an ARRAY or the value of a MAP, null
	// otherwise.
	MemberSchema *SchemaInfo `json:"memberSchema"`
	// Parameters hold precision and scale of a DECIMAL.
	Parameters map[string]any `json:"parameters,omitempty"`
}
