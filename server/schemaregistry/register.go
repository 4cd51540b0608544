package schemaregistry

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/server/schemaregistry/dialect"
)

// registration asks for a schema to be a version of a subject.
type registration struct {
	subject   string
	schema    schemas.Schema
	normalize bool
	// id and version are given while schemas are imported; else they are 0.
	id, version int
}

// maxSubjectBytes bounds the name of a subject.
const maxSubjectBytes = 1024

// checkSubject refuses names that Confluent's registry refuses, or gives a meaning that this one does not know: contexts.
func checkSubject(subject string) error {
	reserved := []string{"", "__GLOBAL", "__EMPTY"}
	if slices.Contains(reserved, subject) || strings.HasPrefix(subject, ":.") || len(subject) > maxSubjectBytes || strings.ContainsFunc(subject, unicode.IsControl) {
		return errorf(codeInvalidSubject, "The specified subject '%.100s' is not a valid.", subject)
	}
	return nil
}

// parseNew reads a schema that somebody sends.
func (r *Registry) parseNew(subject string, s schemas.Schema, normalize bool) (*dialect.Parsed, error) {
	if strings.TrimSpace(s.Text) == "" {
		return nil, errorf(codeInvalidSchema, "Empty schema")
	}
	if len(s.Text) > dialect.MaxTextBytes {
		return nil, errorf(codeTooLarge, "Register operation failed because schema is too large")
	}
	// References may mean the latest version of a subject.
	s.References = slices.Clone(s.References)
	for i, ref := range s.References {
		if ref.Version == -1 {
			latest, err := r.state.schemas.Latest(ref.Subject)
			if err != nil {
				return nil, errorf(codeInvalidSchema, "Invalid schema of type %s, details: the reference %s of the schema: %v", s.Kind, ref.Name, err)
			}
			s.References[i].Version = latest.Version
		}
	}
	if c := r.state.configInForce(subject).Normalize; c != nil && *c {
		normalize = true
	}
	p, err := r.parse(s, dialect.Options{Normalize: normalize})
	if err != nil {
		return nil, errorf(codeInvalidSchema, "Invalid schema of type %s, details: %v", s.Kind, err)
	}
	return p, nil
}

// find is the version of a list that has a schema.
func find(versions []schemas.Version, s schemas.Schema, deletedToo bool) (schemas.Version, bool) {
	for _, v := range slices.Backward(versions) {
		if (deletedToo || !v.Deleted) && v.Kind == s.Kind && v.Text == s.Text && slices.Equal(v.References, s.References) {
			return v, true
		}
	}
	return schemas.Version{}, false
}

// lookup finds the version of a subject that has a schema.
func (r *Registry) lookup(ctx context.Context, g registration, deletedToo bool) (schemas.Version, error) {
	if err := r.certain(ctx); err != nil {
		return schemas.Version{}, err
	}
	versions := r.state.versions(g.subject)
	if !exists(versions, deletedToo) {
		return schemas.Version{}, subjectNotFound(g.subject)
	}
	p, err := r.parseNew(g.subject, g.schema, g.normalize)
	if err != nil {
		return schemas.Version{}, err
	}
	if v, ok := find(versions, p.Schema, deletedToo); ok {
		return v, nil
	}
	return schemas.Version{}, errorf(codeSchemaNotFound, "Schema not found")
}

// register makes a schema a version of a subject, unless it is one, and returns its number.
func (r *Registry) register(ctx context.Context, g registration) (id int, err error) {
	if err := checkSubject(g.subject); err != nil {
		return 0, err
	}
	if err := r.certain(ctx); err != nil {
		return 0, err
	}
	if g.id == 0 && g.version == 0 {
		// Most of those who register have done so before.
		p, err := r.parseNew(g.subject, g.schema, g.normalize)
		if err != nil {
			return 0, err
		}
		if v, ok := find(r.state.versions(g.subject), p.Schema, false); ok {
			return v.ID, nil
		}
	}
	err = r.change(ctx, func() (records []Record, err error) {
		id, records, err = r.newVersion(g)
		return records, err
	})
	return id, err
}

// newVersion makes the records of a registration.
func (r *Registry) newVersion(g registration) (id int, records []Record, err error) {
	mode := r.state.modeInForce(g.subject)
	if err := g.checkMode(mode); err != nil {
		return 0, nil, err
	}
	p, err := r.parseNew(g.subject, g.schema, g.normalize)
	if err != nil {
		return 0, nil, err
	}
	versions := r.state.versions(g.subject)
	if v, ok := find(versions, p.Schema, false); ok && g.version == 0 && (g.id == 0 || g.id == v.ID) {
		return v.ID, nil, nil
	}
	v := schemas.Version{Registered: schemas.Registered{Schema: p.Schema, Subject: g.subject, Version: 1}}
	var living []schemas.Version
	for _, w := range versions {
		v.Version = w.Version + 1
		if !w.Deleted {
			living = append(living, w)
		}
	}
	if mode != modeImport {
		level := r.state.configInForce(g.subject).CompatibilityLevel
		if problems := r.incompatibilities(p, living, level); len(problems) > 0 {
			return 0, nil, errorf(codeIncompatible, "Schema being registered is incompatible with an earlier schema for subject \"%s\", details: [%s]",
				g.subject, strings.Join(problems, ", "))
		}
	}
	if g.version > 0 {
		if g.version != v.Version && mode != modeImport {
			return 0, nil, errorf(codeInvalidSchema, "Version is not one more than previous version")
		}
		v.Version = g.version
	}
	if v.ID, err = r.numberOf(g, p.Schema); err != nil {
		return 0, nil, err
	}
	records = append(records, schemaRecord(v))
	for _, w := range versions {
		// A deleted version with the same schema has had its day, unless something refers to it.
		if w.Deleted && w.ID == v.ID && w.Version < v.Version && len(r.state.referring(w.Subject, w.Version, true)) == 0 {
			records = append(records, newRecord(schemaKey(w.Subject, w.Version), nil))
		}
	}
	return v.ID, records, nil
}

// numberOf is the number of a schema: the one that was asked for, the one it has, or a new one.
func (r *Registry) numberOf(g registration, s schemas.Schema) (int, error) {
	have, known := r.state.schemas.IDOf(s)
	if g.id == 0 {
		if known {
			return have, nil
		}
		return r.state.schemas.LastID() + 1, nil
	}
	other, err := r.state.schemas.ByID(g.id)
	if err == nil && !(other.Kind == s.Kind && other.Text == s.Text && slices.Equal(other.References, s.References)) {
		return 0, errorf(codeOperationNotPermitted, "Overwrite new schema with id %d is not permitted.", g.id)
	}
	return g.id, nil
}

// checkMode refuses registrations that the mode of the subject forbids.
func (g registration) checkMode(mode string) error {
	const notPermitted = "Subject %s in context . is not in %s mode"
	switch {
	case mode == modeReadOnly || mode == modeReadOnlyOverride:
		return errorf(codeOperationNotPermitted, "Subject %s in context . is in read-only mode", g.subject)
	case g.id > 0 && mode != modeImport:
		return errorf(codeOperationNotPermitted, notPermitted, g.subject, "import")
	case g.id == 0 && mode != modeReadWrite:
		return errorf(codeOperationNotPermitted, notPermitted, g.subject, "read-write")
	}
	return nil
}

// exists says whether there is a version in a list.
func exists(versions []schemas.Version, deletedToo bool) bool {
	return slices.ContainsFunc(versions, func(v schemas.Version) bool { return deletedToo || !v.Deleted })
}

// referring are the versions whose schemas refer to a version of a subject.
func (s *state) referring(subject string, version int, deletedToo bool) []schemas.Version {
	var out []schemas.Version
	for _, v := range s.all() {
		if (deletedToo || !v.Deleted) && slices.ContainsFunc(v.References, func(r schemas.Reference) bool {
			return r.Subject == subject && r.Version == version
		}) {
			out = append(out, v)
		}
	}
	return out
}
