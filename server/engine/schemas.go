package engine

import (
	"maps"
	"slices"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// plannedSchemas is the registry as it would be after the statements validated so far; nothing is written to it.
type plannedSchemas struct {
	schemas.Registry
	subjects map[string]schemas.Schema
}

// Latest implements [schemas.Registry].
func (p *plannedSchemas) Latest(subject string) (schemas.Registered, error) {
	if s, ok := p.subjects[subject]; ok {
		return schemas.Registered{Schema: s, Subject: subject, Version: 1}, nil
	}
	return p.Registry.Latest(subject)
}

// plan takes what a statement would register.
func (p *plannedSchemas) plan(list []planner.SchemaPlan) {
	for _, s := range list {
		if _, err := p.Latest(s.Subject); s.IfAbsent && err == nil {
			continue
		}
		p.subjects[s.Subject] = s.Schema
	}
}

// registerSchemas registers what a statement's topic is to be written with.
func (e *Engine) registerSchemas(list []planner.SchemaPlan) error {
	for _, s := range list {
		if s.IfAbsent {
			_, err := e.cfg.Schemas.Latest(s.Subject)
			if err == nil {
				continue
			}
			if !schemas.IsNotFound(err) {
				return registryError(err)
			}
		}
		if _, err := e.cfg.Schemas.Register(s.Subject, s.Schema); err != nil {
			return &diag.Error{Code: diag.InvalidSource, Message: "Could not register schema for subject " + s.Subject + ": " + err.Error(), Cause: err,
				Hint: "GET /config/" + s.Subject + " of the registry shows which changes it takes."}
		}
	}
	return nil
}

func registryError(err error) error {
	return &diag.Error{Code: diag.InvalidSource, Message: "Schema registry fetch failed: " + err.Error(), Cause: err}
}

// subjectsOf are the subjects of a source's topic.
func (e *Engine) subjectsOf(src *catalog.Source) []string {
	var subjects []string
	if e.keepsSchemas(src.KeyFormat.Name) {
		subjects = append(subjects, schemas.Subject(src.Topic, true))
	}
	if e.keepsSchemas(src.ValueFormat.Name) {
		subjects = append(subjects, schemas.Subject(src.Topic, false))
	}
	return subjects
}

// dropInternalSchemas removes the schemas of the internal topics of a query that has ended, beside the command log. The topics'
// names are of no other query ever.
func (e *Engine) dropInternalSchemas(plan *physical.Plan) {
	subjects := map[string]bool{}
	for _, stage := range plan.Stages {
		for _, in := range stage.Inputs {
			if !in.Repartition {
				continue
			}
			for isKey, f := range map[bool]physical.FormatSpec{true: in.KeyFormat, false: in.ValueFormat} {
				if e.keepsSchemas(f.Name) {
					subjects[schemas.Subject(in.Topic, isKey)] = true
				}
			}
		}
	}
	if len(subjects) > 0 {
		// A registry may take long to answer.
		e.background.Go(func() { e.dropSubjects(slices.Sorted(maps.Keys(subjects))) })
	}
}

// dropSubjects removes subjects from the registry; what fails is left to people.
func (e *Engine) dropSubjects(subjects []string) {
	for _, subject := range subjects {
		if err := e.cfg.Schemas.Delete(subject); err != nil {
			e.cfg.Logger.Warn("the schemas of a deleted topic could not be removed from the registry", "subject", subject, "error", err)
		}
	}
}

// keepsSchemas says whether a format keeps schemas in the registry.
func (e *Engine) keepsSchemas(format string) bool {
	f, ok := e.cfg.Formats.Lookup(format)
	if !ok {
		return false
	}
	_, keeps := f.(formats.SchemaFormat)
	return keeps
}
