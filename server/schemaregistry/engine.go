package schemaregistry

import (
	"context"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
)

// ByID implements [schemas.Registry].
func (r *Registry) ByID(id int) (schemas.Schema, error) {
	s, err := r.state.schemas.ByID(id)
	if err == nil || !r.uncertain.Load() {
		return s, err
	}
	// It may be one of the change whose fate is not known.
	if err := r.certain(context.Background()); err != nil {
		return schemas.Schema{}, forEngine(err)
	}
	return r.state.schemas.ByID(id)
}

// Latest implements [schemas.Registry].
func (r *Registry) Latest(subject string) (schemas.Registered, error) {
	if err := r.certain(context.Background()); err != nil {
		return schemas.Registered{}, forEngine(err)
	}
	return r.state.schemas.Latest(subject)
}

// Version implements [schemas.Registry].
func (r *Registry) Version(subject string, version int) (schemas.Registered, error) {
	if err := r.certain(context.Background()); err != nil {
		return schemas.Registered{}, forEngine(err)
	}
	return r.state.schemas.Version(subject, version)
}

// Register implements [schemas.Registry].
func (r *Registry) Register(subject string, s schemas.Schema) (int, error) {
	id, err := r.register(context.Background(), registration{subject: subject, schema: s})
	return id, forEngine(err)
}

// Delete implements [schemas.Registry].
func (r *Registry) Delete(subject string) error {
	_, err := r.deleteSubject(context.Background(), subject, false)
	if code := codeOf(err); err != nil && (code == codeSubjectNotFound || code == codeSubjectSoftDeleted) {
		return nil
	}
	return forEngine(err)
}
