package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
)

// Outcome says what became of a step.
type Outcome string

// The outcomes.
const (
	// Created: the statement was sent and is in force now.
	Created Outcome = "created"
	// Unchanged: it was in force already.
	Unchanged Outcome = "unchanged"
	// Inserted: a row was written, since its stream was created in this run.
	Inserted Outcome = "inserted"
	// NotInserted: the row was left out, since its stream was there before: it has been written by an earlier run.
	NotInserted Outcome = "not inserted again"
)

// Report is told of each step as it is done.
type Report func(s *Step, o Outcome, message string)

// Applier brings steps into force on one server.
type Applier struct {
	Client *client.Client
	Report Report

	created map[string]bool
}

// ConflictError says that a name is taken by something else than the file says.
type ConflictError struct {
	Step *Step
	Name string
	// Have is the statement in force.
	Have string
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s:%d: %s exists with another definition:\n  in force: %s\n  in the file: %s\n"+
		"Drop it first, or give the new one another name.", e.Step.File, e.Step.Line, e.Name, e.Have, e.Step.SQL)
}

// Run applies the steps in order and stops at the first that fails.
func (a *Applier) Run(ctx context.Context, steps []*Step) error {
	a.created = map[string]bool{}
	for _, s := range steps {
		outcome, message, err := a.apply(ctx, s)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", s.File, s.Line, err)
		}
		a.Report(s, outcome, message)
	}
	return nil
}

func (a *Applier) apply(ctx context.Context, s *Step) (Outcome, string, error) {
	switch n := s.Statement.(type) {
	case *ast.CreateSource, *ast.CreateAsSelect:
		have, ok, err := a.sourceInForce(ctx, s.Creates)
		if err != nil {
			return "", "", err
		}
		if ok {
			if !sameDefinition(s.Statement, have) {
				return "", "", &ConflictError{Step: s, Name: s.Creates, Have: have}
			}
			return Unchanged, "", nil
		}
	case *ast.InsertSelect:
		ok, err := a.insertInForce(ctx, n)
		if err != nil || ok {
			return Unchanged, "", err
		}
	case *ast.InsertValues:
		if !a.created[s.Writes] {
			return NotInserted, "", nil
		}
		_, err := a.send(ctx, s)
		return Inserted, "", err
	case *ast.CreateType:
		n.IfNotExists = true
	default: // The others are not concerned.
	}
	entities, err := a.send(ctx, s)
	if err != nil {
		return "", "", err
	}
	for _, e := range entities {
		switch e := e.(type) {
		case *api.WarningEntity:
			return Unchanged, e.Message, nil
		case *api.CommandStatusEntity:
			if e.CommandStatus.Status == api.StatusError {
				return "", "", errors.New(e.CommandStatus.Message)
			}
			a.created[s.Creates] = true
			return Created, e.CommandStatus.Message, nil
		}
	}
	return Created, "", nil
}

func (a *Applier) send(ctx context.Context, s *Step) (api.Entities, error) {
	properties := api.Properties{}
	for k, v := range s.Properties {
		properties[k] = v
	}
	sql := s.SQL
	if t, ok := s.Statement.(*ast.CreateType); ok && t.IfNotExists {
		sql = formatted(t)
	}
	return a.Client.Execute(ctx, client.Request{SQL: sql, Properties: properties})
}

// sourceInForce is the statement that made a source on the server.
func (a *Applier) sourceInForce(ctx context.Context, name string) (sql string, ok bool, err error) {
	entities, err := a.Client.Execute(ctx, client.Request{SQL: "LIST STREAMS; LIST TABLES;"})
	if err != nil {
		return "", false, err
	}
	found := false
	for _, e := range entities {
		switch e := e.(type) {
		case *api.StreamsList:
			for _, s := range e.Streams {
				found = found || s.Name == name
			}
		case *api.TablesList:
			for _, s := range e.Tables {
				found = found || s.Name == name
			}
		}
	}
	if !found {
		return "", false, nil
	}
	entities, err = a.Client.Execute(ctx, client.Request{SQL: "DESCRIBE " + quoted(name) + ";"})
	if err != nil {
		return "", false, err
	}
	for _, e := range entities {
		if d, ok := e.(*api.SourceDescriptionEntity); ok {
			return d.SourceDescription.Statement, true, nil
		}
	}
	return "", true, fmt.Errorf("the server does not describe %s", name)
}

// insertInForce says whether an INSERT INTO … SELECT runs: one of its QUERY_ID, or the same statement.
func (a *Applier) insertInForce(ctx context.Context, n *ast.InsertSelect) (bool, error) {
	entities, err := a.Client.Execute(ctx, client.Request{SQL: "SHOW QUERIES;"})
	if err != nil {
		return false, err
	}
	for _, e := range entities {
		list, ok := e.(*api.Queries)
		if !ok {
			continue
		}
		for _, q := range list.Queries {
			st, err := grammar.ParseOne(q.QueryString, grammar.Options{OptionalSemicolon: true})
			if err != nil {
				continue
			}
			if have, ok := st.Statement.(*ast.InsertSelect); ok && have.Target.Name == n.Target.Name && sameSelect(have.Select, n.Select) {
				return true, nil
			}
		}
	}
	return false, nil
}

// sameDefinition compares a statement of a file with the text in force, leaving out what the server fills in: WITH
// properties that the file does not name.
func sameDefinition(want ast.Statement, have string) bool {
	st, err := grammar.ParseOne(have, grammar.Options{OptionalSemicolon: true})
	if err != nil {
		return false
	}
	switch w := want.(type) {
	case *ast.CreateSource:
		h, ok := st.Statement.(*ast.CreateSource)
		if !ok || h.Kind != w.Kind || len(h.Columns) != len(w.Columns) || !includes(h.With, w.With) {
			return false
		}
		for i := range w.Columns {
			if w.Columns[i].Name.Name != h.Columns[i].Name.Name || !ast.Equal(w.Columns[i].Type, h.Columns[i].Type) {
				return false
			}
		}
		return true
	case *ast.CreateAsSelect:
		h, ok := st.Statement.(*ast.CreateAsSelect)
		return ok && h.Kind == w.Kind && sameSelect(h.Select, w.Select) && includes(h.With, w.With)
	default: // The others are not concerned.
	}
	return false
}

// sameSelect compares two SELECTs; EMIT CHANGES may be left out of a persistent query.
func sameSelect(a, b *ast.Select) bool {
	x, y := *a, *b
	for _, s := range []*ast.Select{&x, &y} {
		if s.Emit == ast.EmitNone {
			s.Emit = ast.EmitChanges
		}
	}
	return ast.Equal(&x, &y)
}
