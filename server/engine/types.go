package engine

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner"
	"github.com/ksqlgo/ksqlgo/server/commandlog"
)

// planCreateType plans CREATE TYPE.
func planCreateType(env *planner.Env, st statement, n *ast.CreateType) (*plannedCommand, error) {
	name := n.Name.Name
	if _, ok := env.Catalog.Type(name); ok {
		if n.IfNotExists {
			return &plannedCommand{warning: fmt.Sprintf("%s is already registered with type %s", name, mustType(env.Catalog, name))}, nil
		}
		return nil, diag.Errorf(diag.InvalidSource, n.Name.Span(), "Cannot register custom type '%s' since it is already registered with type: %s",
			name, mustType(env.Catalog, name)).WithHint("DROP TYPE %s first, or use IF NOT EXISTS.", name)
	}
	t, err := planner.TypeOf(env, n.Type)
	if err != nil {
		return nil, err
	}
	return &plannedCommand{
		id:      commandlog.ID{Type: "type", Entity: name, Action: "create"},
		command: &commandlog.Command{Action: commandlog.CreateType, Statement: st.Text, Name: name, Type: t},
	}, nil
}

func mustType(s *catalog.Snapshot, name string) string {
	t, _ := s.Type(name)
	return t.String()
}

// planDropType plans DROP TYPE.
func planDropType(snapshot *catalog.Snapshot, st statement, n *ast.DropType) (*plannedCommand, error) {
	name := n.Name.Name
	if _, ok := snapshot.Type(name); !ok {
		if n.IfExists {
			return &plannedCommand{warning: fmt.Sprintf("Type '%s' does not exist", name)}, nil
		}
		return nil, diag.Errorf(diag.Type, n.Name.Span(), "Type %s does not exist.", name)
	}
	return &plannedCommand{
		id:      commandlog.ID{Type: "type", Entity: name, Action: "drop"},
		command: &commandlog.Command{Action: commandlog.DropType, Statement: st.Text, Name: name},
	}, nil
}
