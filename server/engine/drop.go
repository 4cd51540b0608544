package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
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
	if src.Kind != kind {
		return nil, diag.Errorf(diag.InvalidSource, n.Name.Span(), "Incompatible data source type is %s, but statement was DROP %s", src.Kind, kind).
			WithHint("Use DROP %s %s.", src.Kind, name)
	}
	if err := checkDropConstraints(snapshot, n, src); err != nil {
		return nil, err
	}
	if n.DeleteTopic {
		if src.ReadOnly {
			return nil, diag.Errorf(diag.InvalidSource, n.Span(), "Cannot delete topic for read-only source: %s", name)
		}
		var others []string
		for _, o := range snapshot.Sources() {
			if o.Name != name && o.Topic == src.Topic {
				others = append(others, o.Name)
			}
		}
		if len(others) > 0 {
			return nil, diag.Errorf(diag.InvalidSource, n.Span(), "Refusing to delete topic. Found other data sources (%s) using topic %s",
				strings.Join(others, ", "), src.Topic).WithHint("Drop them first, or leave DELETE TOPIC out.")
		}
	}
	return &plannedCommand{
		id: commandlog.ID{Type: kindName(kind), Entity: name, Action: "drop"},
		command: &commandlog.Command{Action: commandlog.DropSource, Statement: st.Text, Name: name, DeleteTopic: n.DeleteTopic,
			Topic: src.Topic},
	}, nil
}

// checkDropConstraints refuses to drop what others use.
func checkDropConstraints(snapshot *catalog.Snapshot, n *ast.DropSource, src *catalog.Source) error {
	var sinks, readers, writers []string
	for _, q := range snapshot.ReadersOf(src.Name) {
		if q.ID == src.CreatedBy {
			continue
		}
		if q.Kind == catalog.CreateAsQuery {
			sinks = append(sinks, q.Sink)
		} else {
			readers = append(readers, q.ID)
		}
	}
	for _, q := range snapshot.WritersOf(src.Name) {
		if q.ID != src.CreatedBy {
			writers = append(writers, q.ID)
		}
	}
	slices.Sort(sinks)
	switch {
	case len(sinks) > 0:
		return diag.Errorf(diag.InvalidSource, n.Name.Span(), "Cannot drop %s.\nThe following streams and/or tables read from this source: [%s].\n"+
			"You need to drop them before dropping %s.", src.Name, strings.Join(sinks, ", "), src.Name)
	case len(readers)+len(writers) > 0:
		return diag.Errorf(diag.InvalidSource, n.Name.Span(), "Cannot drop %s.\nThe following queries read from this source: [%s].\n"+
			"The following queries write into this source: [%s].\nYou need to terminate them before dropping %s.",
			src.Name, strings.Join(readers, ", "), strings.Join(writers, ", "), src.Name)
	}
	return nil
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
