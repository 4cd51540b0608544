// Package catalog holds immutable snapshots of what is declared: sources (streams and tables), queries and named types,
// and the changes that lead from one snapshot to the next.
package catalog

import (
	"maps"
	"slices"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Kind tells streams from tables.
type Kind uint8

// The kinds of sources.
const (
	Stream Kind = iota
	Table
)

// String gives STREAM or TABLE.
func (k Kind) String() string {
	if k == Table {
		return "TABLE"
	}
	return "STREAM"
}

// Format is a wire format as a source declares it.
type Format struct {
	// Name in upper case; NONE for the key of keyless streams.
	Name string `json:"name"`
	// Unwrapped: the single column is the whole key or value.
	Unwrapped bool `json:"unwrapped,omitempty"`
	// Properties without KEY_/VALUE_ prefix, upper case (DELIMITER).
	Properties map[string]string `json:"properties,omitempty"`
}

// Source is a stream or table. Immutable.
type Source struct {
	Name   string       `json:"name"`
	Kind   Kind         `json:"kind"`
	Schema types.Schema `json:"schema"`
	Topic  string       `json:"topic"`
	// TopicID is the incarnation of Topic that was created for this source, as kafka.TopicID prints it; empty when the topic
	// was there before, or nobody can say who created it. The command that declares the source carries it.
	TopicID string `json:"-"`
	// Partitions of the topic when the source was declared.
	Partitions  int    `json:"partitions"`
	Replicas    int    `json:"replicas"`
	KeyFormat   Format `json:"keyFormat"`
	ValueFormat Format `json:"valueFormat"`
	// InheritedKeyFormat is what a stream without key columns (KeyFormat NONE) was declared with: a query that gives its
	// rows a key inherits it. nil when NONE was asked for, and for streams with a key.
	InheritedKeyFormat *Format `json:"inheritedKeyFormat,omitempty"`
	// TimestampColumn gives ROWTIME; empty uses the record's timestamp. TimestampFormat is its pattern if it is text.
	TimestampColumn string `json:"timestampColumn,omitempty"`
	TimestampFormat string `json:"timestampFormat,omitempty"`
	// Window of sources whose keys carry one; WindowSizeMs is 0 for SESSION.
	Window       types.WindowType `json:"window,omitempty"`
	WindowSizeMs int64            `json:"windowSizeMs,omitempty"`
	// ReadOnly: declared with SOURCE.
	ReadOnly bool `json:"readOnly,omitempty"`
	// SQL is the statement with the properties the server filled in.
	SQL string `json:"sql"`
	// CreatedBy is the query whose result the source is: that of a CREATE … AS SELECT or a CREATE SOURCE TABLE; empty for plain
	// sources. That query is terminated with the source.
	CreatedBy string `json:"createdBy,omitempty"`
	// Materialized: pull queries may read it through CreatedBy.
	Materialized bool `json:"materialized,omitempty"`
}

// QueryKind tells how a persistent query was made.
type QueryKind string

// The kinds of persistent queries.
const (
	CreateAsQuery QueryKind = "CREATE_AS"
	InsertQuery   QueryKind = "INSERT"
	// CreateSourceQuery keeps the rows of a source table. It writes nothing; the table is the only source it reads.
	CreateSourceQuery QueryKind = "CREATE_SOURCE"
)

// Query is a persistent query. Immutable; whether it runs is the executor's to say, Paused is what was commanded.
type Query struct {
	ID   string    `json:"id"`
	Kind QueryKind `json:"kind"`
	SQL  string    `json:"sql"`
	// Sink is the source it writes, empty when it writes none; Sources are those it reads.
	Sink    string   `json:"sink"`
	Sources []string `json:"sources"`
	Paused  bool     `json:"paused,omitempty"`
}

// Result is the source whose rows the query makes: its sink, or the source table whose rows it keeps.
func (q *Query) Result() string {
	if q.Kind == CreateSourceQuery && len(q.Sources) > 0 {
		return q.Sources[0]
	}
	return q.Sink
}

// Snapshot is the catalog at one moment. Immutable: the With methods return a new one that shares what did not change.
// The zero value is the empty catalog.
type Snapshot struct {
	sources map[string]*Source
	queries map[string]*Query
	types   map[string]*types.Type
	// Version counts the changes since the empty catalog.
	Version int64
}

// Empty is the catalog with nothing in it.
func Empty() *Snapshot { return &Snapshot{} }

// Source finds a source by its exact name.
func (s *Snapshot) Source(name string) (*Source, bool) { x, ok := s.sources[name]; return x, ok }

// Sources lists all sources by name.
func (s *Snapshot) Sources() []*Source {
	return sortedValues(s.sources)
}

// Query finds a persistent query by id.
func (s *Snapshot) Query(id string) (*Query, bool) { q, ok := s.queries[id]; return q, ok }

// Queries lists all persistent queries by id.
func (s *Snapshot) Queries() []*Query { return sortedValues(s.queries) }

// Type finds a named type (CREATE TYPE); names are upper case.
func (s *Snapshot) Type(name string) (*types.Type, bool) { t, ok := s.types[name]; return t, ok }

// TypeNames lists the named types in order.
func (s *Snapshot) TypeNames() []string { return slices.Sorted(maps.Keys(s.types)) }

// ReadersOf lists the queries that read a source, by id.
func (s *Snapshot) ReadersOf(name string) []*Query {
	return s.queriesWhere(func(q *Query) bool { return slices.Contains(q.Sources, name) })
}

// WritersOf lists the queries that write a source, by id.
func (s *Snapshot) WritersOf(name string) []*Query {
	return s.queriesWhere(func(q *Query) bool { return q.Sink == name })
}

func (s *Snapshot) queriesWhere(keep func(*Query) bool) []*Query {
	var out []*Query
	for _, q := range s.Queries() {
		if keep(q) {
			out = append(out, q)
		}
	}
	return out
}

// WithSource returns a snapshot in which src is declared, replacing one of that name.
func (s *Snapshot) WithSource(src *Source) *Snapshot {
	return s.changed(func(d *Draft) { d.PutSource(src) })
}

// WithoutSource returns a snapshot without the source.
func (s *Snapshot) WithoutSource(name string) *Snapshot {
	return s.changed(func(d *Draft) { d.RemoveSource(name) })
}

// WithQuery returns a snapshot with the query, replacing one of that id.
func (s *Snapshot) WithQuery(q *Query) *Snapshot {
	return s.changed(func(d *Draft) { d.PutQuery(q) })
}

// WithoutQuery returns a snapshot without the query. A source it created stays, no longer materialised.
func (s *Snapshot) WithoutQuery(id string) *Snapshot {
	return s.changed(func(d *Draft) { d.RemoveQuery(id) })
}

// WithType returns a snapshot with the named type.
func (s *Snapshot) WithType(name string, t *types.Type) *Snapshot {
	return s.changed(func(d *Draft) { d.PutType(name, t) })
}

// WithoutType returns a snapshot without the named type.
func (s *Snapshot) WithoutType(name string) *Snapshot {
	return s.changed(func(d *Draft) { d.RemoveType(name) })
}

func (s *Snapshot) changed(change func(*Draft)) *Snapshot {
	d := s.Draft()
	change(d)
	return d.Snapshot()
}

func cloned[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return maps.Clone(m)
}

func sortedValues[V any](m map[string]V) []V {
	out := make([]V, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k])
	}
	return out
}
