package planner

import (
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
)

// CheckDrop refuses a DROP of src that the catalog does not allow: it is of the other kind, sources or queries besides the query
// that created it use it, or its topic is not its own.
func CheckDrop(snapshot *catalog.Snapshot, st *ast.DropSource, src *catalog.Source) error {
	if kind := kindOf(st.Kind); src.Kind != kind {
		return diag.Errorf(diag.InvalidSource, st.Name.Span(), "Incompatible data source type is %s, but statement was DROP %s", src.Kind, kind).
			WithHint("Use DROP %s %s.", src.Kind, src.Name)
	}
	if err := checkUnused(snapshot, st, src); err != nil {
		return err
	}
	if !st.DeleteTopic {
		return nil
	}
	if src.ReadOnly {
		return diag.Errorf(diag.InvalidSource, st.Span(), "Cannot delete topic for read-only source: %s", src.Name)
	}
	var others []string
	for _, o := range snapshot.Sources() {
		if o.Name != src.Name && o.Topic == src.Topic {
			others = append(others, o.Name)
		}
	}
	if len(others) > 0 {
		return diag.Errorf(diag.InvalidSource, st.Span(), "Refusing to delete topic. Found other data sources (%s) using topic %s",
			strings.Join(others, ", "), src.Topic).WithHint("Drop them first, or leave DELETE TOPIC out.")
	}
	return nil
}

// checkUnused refuses to drop what others use.
func checkUnused(snapshot *catalog.Snapshot, st *ast.DropSource, src *catalog.Source) error {
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
		return diag.Errorf(diag.InvalidSource, st.Name.Span(), "Cannot drop %s.\nThe following streams and/or tables read from this source: [%s].\n"+
			"You need to drop them before dropping %s.", src.Name, strings.Join(sinks, ", "), src.Name)
	case len(readers)+len(writers) > 0:
		return diag.Errorf(diag.InvalidSource, st.Name.Span(), "Cannot drop %s.\nThe following queries read from this source: [%s].\n"+
			"The following queries write into this source: [%s].\nYou need to terminate them before dropping %s.",
			src.Name, strings.Join(readers, ", "), strings.Join(writers, ", "), src.Name)
	}
	return nil
}
