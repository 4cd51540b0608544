package formats

import (
	"fmt"
	"strconv"

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
// Decoders read whatever schema a record names and find the columns of the spec in it by name: the field of just that name, or
// else one whose name in upper case it is; a column that the schema does not have is null. Encoders write the schema of PropertySchemaID; without one
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

// SchemaID is the number of the schema that is written, if the properties name one.
func (s *Spec) SchemaID() (id int, given bool, err error) {
	text, given := s.Properties[PropertySchemaID]
	if !given {
		return 0, false, nil
	}
	if id, err = strconv.Atoi(text); err != nil || id < 0 {
		return 0, false, fmt.Errorf("%s is %q: it must be the number of a schema", PropertySchemaID, text)
	}
	return id, true, nil
}

// WrittenSchema finds what encoders write records with: the schema of PropertySchemaID, or that of the columns, which is registered
// for the topic. imports are what it refers to. As no record can be written without it the error is a registry failure; see
// [schemas.IsRegistryFailure].
func WrittenSchema(registry schemas.Registry, f SchemaFormat, spec *Spec) (id int, s schemas.Schema, imports map[string]schemas.Schema, err error) {
	id, given, err := spec.SchemaID()
	switch {
	case err != nil:
	case given:
		if s, err = registry.ByID(id); err == nil {
			imports, err = schemas.Imports(registry, s)
		}
		if err != nil {
			err = fmt.Errorf("%s %d: %w", PropertySchemaID, id, err)
		}
	default:
		if s, err = f.Schema(spec); err == nil {
			id, err = registry.Register(schemas.Subject(spec.Topic, spec.IsKey), s)
		}
	}
	return id, s, imports, Unwritable(spec, err)
}

// Unwritable makes an error in the schema that a side is written with a registry failure; nil stays nil.
func Unwritable(spec *Spec, err error) error {
	if err == nil || schemas.IsUnavailable(err) {
		return err
	}
	return &schemas.RegistrationError{Subject: schemas.Subject(spec.Topic, spec.IsKey), Cause: err}
}
