package catalog

import (
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Draft is a catalog while it is being changed: it owns what it has changed already, so that a change costs as much as
// itself, not a copy of everything. A log of many commands is replayed on one. It is for one goroutine.
type Draft struct {
	s Snapshot
	// Which maps are the draft's own, rather than those of the snapshot it came from or gave out.
	ownSources, ownQueries, ownTypes bool
}

// Draft begins changes on top of the snapshot, which stays as it is.
func (s *Snapshot) Draft() *Draft { return &Draft{s: *s} }

// Snapshot is the catalog as changed so far. The draft may be changed on; the next change of each kind then copies again.
func (d *Draft) Snapshot() *Snapshot {
	d.ownSources, d.ownQueries, d.ownTypes = false, false, false
	s := d.s
	return &s
}

// Source finds a source by its exact name.
func (d *Draft) Source(name string) (*Source, bool) { return d.s.Source(name) }

// Sources lists all sources by name.
func (d *Draft) Sources() []*Source { return d.s.Sources() }

// Query finds a persistent query by id.
func (d *Draft) Query(id string) (*Query, bool) { return d.s.Query(id) }

// Queries lists all persistent queries by id.
func (d *Draft) Queries() []*Query { return d.s.Queries() }

// PutSource declares src, replacing one of that name.
func (d *Draft) PutSource(src *Source) {
	d.sources()[src.Name] = src
	d.s.Version++
}

// RemoveSource removes the source.
func (d *Draft) RemoveSource(name string) {
	delete(d.sources(), name)
	d.s.Version++
}

// PutQuery adds the query, replacing one of that id.
func (d *Draft) PutQuery(q *Query) {
	d.queries()[q.ID] = q
	d.s.Version++
}

// RemoveQuery removes the query. A source it created stays and is no longer materialised.
func (d *Draft) RemoveQuery(id string) {
	q, known := d.s.queries[id]
	delete(d.queries(), id)
	d.s.Version++
	if !known {
		return
	}
	if src, ok := d.s.sources[q.Result()]; ok && src.CreatedBy == id {
		c := *src
		c.CreatedBy, c.Materialized = "", false
		d.sources()[c.Name] = &c
	}
}

// Clear removes everything.
func (d *Draft) Clear() {
	*d = Draft{s: Snapshot{Version: d.s.Version + 1}}
}

// PutType names a type.
func (d *Draft) PutType(name string, t *types.Type) {
	d.types()[strings.ToUpper(name)] = t
	d.s.Version++
}

// RemoveType removes the named type.
func (d *Draft) RemoveType(name string) {
	delete(d.types(), strings.ToUpper(name))
	d.s.Version++
}

func (d *Draft) sources() map[string]*Source {
	if !d.ownSources {
		d.s.sources, d.ownSources = cloned(d.s.sources), true
	}
	return d.s.sources
}

func (d *Draft) queries() map[string]*Query {
	if !d.ownQueries {
		d.s.queries, d.ownQueries = cloned(d.s.queries), true
	}
	return d.s.queries
}

func (d *Draft) types() map[string]*types.Type {
	if !d.ownTypes {
		d.s.types, d.ownTypes = cloned(d.s.types), true
	}
	return d.s.types
}
