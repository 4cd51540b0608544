// Package schemas says what a schema registry is: schemas under subjects, each with versions, and numbers by which records
// name the schema they were written with. Formats and the planner use it; server/schemaregistry is one, and talks to others.
package schemas

import (
	"errors"
	"fmt"
)

// Kind is the language of a schema, as Confluent's registry names it.
type Kind string

// The kinds. Registries mean Avro where they name none.
const (
	Avro     Kind = "AVRO"
	JSON     Kind = "JSON"
	Protobuf Kind = "PROTOBUF"
)

// Schema is the text of a schema and what it imports.
type Schema struct {
	Kind Kind
	// Text is JSON for Avro and JSON schemas, a .proto file for Protobuf.
	Text       string
	References []Reference
}

// Reference makes a version of another subject known in a schema by a name: the path of an import, the name of an Avro type,
// the address of a JSON schema.
type Reference struct {
	Name    string
	Subject string
	Version int
}

// Registered is a version of a subject.
type Registered struct {
	Schema
	Subject string
	// Version counts from 1 within the subject; ID is the number of the schema in the registry, the same for the same schema under
	// all subjects.
	Version, ID int
}

// Registry keeps schemas. Implementations are safe for concurrent use; what they return is shared and must not be changed.
//
// Errors are a *NotFoundError, an *UnavailableError, ErrNotConfigured, or say why the registry refuses something.
type Registry interface {
	// ByID finds a schema by its number. The answer never changes, so that implementations keep it.
	ByID(id int) (Schema, error)
	// Latest is the newest version of a subject.
	Latest(subject string) (Registered, error)
	// Version is a version of a subject, also one that is deleted: schemas may refer to it.
	Version(subject string, version int) (Registered, error)
	// Register makes a schema the newest version of a subject, unless it is a version already, and returns its number. The
	// registry refuses what is incompatible with the versions there are.
	Register(subject string, s Schema) (id int, err error)
	// Delete removes a subject with all its versions; schemas are still found by their numbers. It is no error when there is no
	// such subject.
	Delete(subject string) error
}

// NotFoundError says that the registry does not have something.
type NotFoundError struct{ What string }

func (e *NotFoundError) Error() string { return e.What + " not found" }

// IsNotFound says whether the registry answered that it does not have what was asked for.
func IsNotFound(err error) bool {
	var e *NotFoundError
	return errors.As(err, &e)
}

// UnavailableError says that the registry could not be asked. Whoever needs the answer asks again later: no record may be
// skipped for it.
type UnavailableError struct{ Cause error }

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("the schema registry does not answer: %v", e.Cause)
}

// Unwrap returns the cause.
func (e *UnavailableError) Unwrap() error { return e.Cause }

// IsUnavailable says whether an error is only that the registry could not be asked.
func IsUnavailable(err error) bool {
	var e *UnavailableError
	return errors.As(err, &e)
}

// RegistrationError says that the registry does not take a schema that records are to be written with.
type RegistrationError struct {
	Subject string
	Cause   error
}

func (e *RegistrationError) Error() string {
	return fmt.Sprintf("Could not register schema for subject %s: %v", e.Subject, e.Cause)
}

// Unwrap returns the cause.
func (e *RegistrationError) Unwrap() error { return e.Cause }

// IsRegistryFailure says whether an error of reading or writing a record is the registry's: every other record would fail, too, and
// none may be skipped for it.
func IsRegistryFailure(err error) bool {
	var e *RegistrationError
	return errors.As(err, &e) || IsUnavailable(err)
}

// ErrNotConfigured is the answer where there is no registry.
var ErrNotConfigured = errors.New("KSQL is not configured to use a schema registry: set ksql.schema.registry.url (--schema-registry-url)")

// None is the registry where there is none.
type None struct{}

var _ Registry = None{}

// ByID implements [Registry].
func (None) ByID(int) (Schema, error) { return Schema{}, ErrNotConfigured }

// Latest implements [Registry].
func (None) Latest(string) (Registered, error) { return Registered{}, ErrNotConfigured }

// Version implements [Registry].
func (None) Version(string, int) (Registered, error) { return Registered{}, ErrNotConfigured }

// Register implements [Registry].
func (None) Register(string, Schema) (int, error) { return 0, ErrNotConfigured }

// Delete implements [Registry].
func (None) Delete(string) error { return nil }

// Subject names the subject of a side of a topic.
func Subject(topic string, isKey bool) string {
	if isKey {
		return topic + "-key"
	}
	return topic + "-value"
}
