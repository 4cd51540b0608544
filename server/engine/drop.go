package engine

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner"
	"github.com/ksqlgo/ksqlgo/server/commandlog"
)

// planDrop plans DROP STREAM and DROP TABLE. The query that created the source ends with it; sources and queries that use
// it otherwise stand in the way.
func planDrop(snapshot *catalog.Snapshot, st statement, n *ast.DropSource) (*plannedCommand, error) {
	name, kind := n.Name.Name, kindOfSource(n.Kind)
	src, ok := snapshot.Source(name)
	if !ok {
		if n.IfExists {
			return &plannedCommand{warning: fmt.Sprintf("Source %s does not exist.", name)}, nil
		}
		return nil, unknownSource(snapshot, n.Name, "Source "+name+" does not exist.")
	}
	if err := planner.CheckDrop(snapshot, n, src); err != nil {
		return nil, err
	}
	return &plannedCommand{
		id: commandlog.ID{Type: kindName(kind), Entity: name, Action: "drop"},
		command: &commandlog.Command{Action: commandlog.DropSource, Statement: st.Text, Name: name, DeleteTopic: n.DeleteTopic,
			Topic: src.Topic},
	}, nil
}

// unknownSource is the error for a name that nothing has, with the nearest one there is.
func unknownSource(snapshot *catalog.Snapshot, name ast.Ident, message string) error {
	var names []string
	for _, s := range snapshot.Sources() {
		names = append(names, s.Name)
	}
	err := diag.Errorf(diag.UnknownSource, name.Span(), "%s", message)
	if near, ok := diag.Suggest(name.Name, names); ok {
		return err.WithHint("Did you mean %q? Hint: wrap the source name in double quotes to make it case-sensitive.", near)
	}
	return err.WithHint("SHOW STREAMS and SHOW TABLES list what there is.")
}

// planQueryCommand plans TERMINATE, PAUSE and RESUME of one persistent query or of all.
func planQueryCommand(snapshot *catalog.Snapshot, st statement, action commandlog.Action, query *ast.Ident) (*plannedCommand, error) {
	verb := map[commandlog.Action]string{commandlog.TerminateQuery: "terminate", commandlog.PauseQuery: "pause", commandlog.ResumeQuery: "resume"}[action]
	name := commandlog.All
	if query != nil {
		name = query.Name
		q, ok := snapshot.Query(name)
		if !ok {
			var ids []string
			for _, q := range snapshot.Queries() {
				ids = append(ids, q.ID)
			}
			err := diag.Errorf(diag.UnknownQuery, query.Span(), "Query with id:%s does not exist, use SHOW QUERIES to view the full set of queries.", name)
			if near, ok := diag.Suggest(name, ids); ok {
				return nil, err.WithHint("Did you mean %s?", near)
			}
			return nil, err
		}
		if q.Kind == catalog.CreateSourceQuery {
			return nil, diag.Errorf(diag.NotSupported, query.Span(), "Cannot %s query '%s' because it is linked to a source table.", verb, name).
				WithHint("It ends with the table: DROP TABLE %s.", q.Result())
		}
	}
	return &plannedCommand{
		id:      commandlog.ID{Type: verb, Entity: name, Action: "execute"},
		command: &commandlog.Command{Action: action, Statement: st.Text, Name: name},
	}, nil
}
