package formats

import (
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// The properties of formats that keep schemas in a registry, as they stand in Spec.Properties.
const (
	// PropertySchemaID is the number of the schema that is written; without it the one of the columns is registered.
	PropertySchemaID = "SCHEMA_ID"
	// PropertySchemaFullName names the record or message: of several in the schema this one is read, and one that is registered
	// is called so.
	PropertySchemaFullName = "SCHEMA_FULL_NAME"
)

// SchemaFormat is a format whose topics have schemas in a registry, under a subject for each side: records begin with the
// number of the schema they were written with. The registry is handed to the format when it is made.
//
// Decoders read whatever schema a record names and find the columns of the spec in it by name, exactly or else without
// regard to case; a column that the schema does not have is null. Encoders write the schema of PropertySchemaID; without one
// they register that of their columns with the first record, under the subject of Spec.Topic. An error that is a
// *schemas.UnavailableError is none of the record.
type SchemaFormat interface {
	Format
	// Kind is the kind of its schemas.
	Kind() schemas.Kind
	// Schema is the schema of the columns of a spec: what is registered for a topic that has none.
	Schema(spec *Spec) (schemas.Schema, error)
	// Columns reads the columns of a side out of a schema, names as they are written there. imports are what the schema refers
	// to, by name. With unwrapped the whole schema is one column without a name; else the columns are its fields. fullName is
	// PropertySchemaFullName or "".
	Columns(s schemas.Schema, imports map[string]schemas.Schema, unwrapped bool, fullName string) ([]types.Column, error)
	// CheckWritable says why rows of a spec cannot be written with a schema: it has no field for a column, or of another type, or
	// another field that must have a value.
	CheckWritable(spec *Spec, s schemas.Schema, imports map[string]schemas.Schema) error
}

// RegisterSchema registers the schema of a spec for its topic, as encoders do with their first record, and returns its number.
// The error is a registry failure; see [schemas.IsRegistryFailure].
func RegisterSchema(registry schemas.Registry, f SchemaFormat, spec *Spec) (id int, err error) {
	subject := schemas.Subject(spec.Topic, spec.IsKey)
	s, err := f.Schema(spec)
	if err == nil {
		id, err = registry.Register(subject, s)
	}
	if err != nil && !schemas.IsUnavailable(err) {
		err = &schemas.RegistrationError{Subject: subject, Cause: err}
	}
	return id, err
}
