package engine

import (
	"encoding/json"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/properties"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/planner"
	"github.com/ksqlgo/ksqlgo/planner/physical"
	"github.com/ksqlgo/ksqlgo/server/commandlog"
)

func createID(kind catalog.Kind, name string) commandlog.ID {
	return commandlog.ID{Type: kindName(kind), Entity: "`" + name + "`", Action: "create"}
}

// existsWarning is what IF NOT EXISTS answers; clients look for its first words. What exists may be of the other kind.
func existsWarning(s *catalog.Snapshot, kind catalog.Kind, name string) string {
	there := kind
	if src, ok := s.Source(name); ok {
		there = src.Kind
	}
	return fmt.Sprintf("Cannot add %s `%s`: A %s with the same name already exists.", kindName(kind), name, kindName(there))
}

func kindOfSource(k ast.SourceKind) catalog.Kind {
	if k == ast.Table {
		return catalog.Table
	}
	return catalog.Stream
}

// planCreateSource plans CREATE STREAM and CREATE TABLE; a source table comes with the query that keeps its rows.
func planCreateSource(env *planner.Env, s *session, n *ast.CreateSource) (*plannedCommand, error) {
	p, err := planner.CreateSource(env, n)
	if err != nil {
		return nil, err
	}
	kind := kindOfSource(n.Kind)
	if p.Exists {
		return &plannedCommand{warning: existsWarning(env.Catalog, kind, n.Name.Name)}, nil
	}
	if p.Query != nil {
		return plannedQuery(p.Query, s, createID(kind, p.Source.Name))
	}
	return &plannedCommand{
		id:     createID(kind, p.Source.Name),
		topics: topicSpecs(p.Topic), schemas: p.Schemas,
		command: &commandlog.Command{Action: commandlog.CreateSource, Statement: p.Source.SQL, Source: p.Source,
			Properties: s.overrides},
	}, nil
}

// planCreateAs plans CREATE STREAM and CREATE TABLE AS SELECT.
func planCreateAs(env *planner.Env, s *session, n *ast.CreateAsSelect) (*plannedCommand, error) {
	p, err := planner.CreateAsSelect(env, n)
	if err != nil {
		return nil, err
	}
	kind := kindOfSource(n.Kind)
	if p.Exists {
		return &plannedCommand{warning: existsWarning(env.Catalog, kind, n.Name.Name)}, nil
	}
	return plannedQuery(p, s, createID(kind, n.Name.Name))
}

// planInsertSelect plans INSERT INTO … SELECT.
func planInsertSelect(env *planner.Env, s *session, n *ast.InsertSelect, offset int64) (*plannedCommand, error) {
	p, err := planner.InsertSelect(env, n)
	if err != nil {
		return nil, err
	}
	return plannedQuery(p, s, commandlog.ID{Type: "stream", Entity: fmt.Sprintf("`%s_%d`", n.Target.Name, offset), Action: "create"})
}

func plannedQuery(p *planner.QueryPlan, s *session, id commandlog.ID) (*plannedCommand, error) {
	encoded, err := physical.Encode(p.Plan)
	if err != nil {
		return nil, err
	}
	starts := p.Plan
	if p.Replaces {
		// It goes on where the other one stopped.
		starts = nil
	}
	return &plannedCommand{
		id:     id,
		topics: topicSpecs(p.Topic), schemas: p.Schemas, plan: starts,
		command: &commandlog.Command{Action: commandlog.StartQuery, Statement: p.Query.SQL, Source: p.Source, Query: p.Query,
			Plan: json.RawMessage(encoded), Properties: properties.OfQuery(s.properties())},
	}, nil
}

// planAlter plans ALTER STREAM and ALTER TABLE.
func planAlter(env *planner.Env, s *session, st statement, n *ast.AlterSource) (*plannedCommand, error) {
	src, err := planner.AlterSource(env, n)
	if err != nil {
		return nil, err
	}
	return &plannedCommand{
		id:      commandlog.ID{Type: kindName(src.Kind), Entity: "`" + src.Name + "`", Action: "alter"},
		command: &commandlog.Command{Action: commandlog.AlterSource, Statement: st.Text, Source: src, Properties: s.overrides},
	}, nil
}
